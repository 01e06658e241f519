"""Second opinions: which images are drawn again, by whom, what is stored, and how far people agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import orjson
import pytest

from core.corrections import NewRegion, Tool, regions_of
from core.corrections.accuracy import MIN_IMAGES
from core.corrections.agreement import ceiling, figures, matched, median_of_groups
from core.corrections.corrections import Corrections
from core.corrections.gestures import Gesture
from core.corrections.holds import HELD_SECONDS, Reviewer
from core.corrections.review import Reviews
from core.corrections.review_order import drawn_at_random
from core.corrections.second_opinions import Drawing, SecondOpinions, sample
from core.corrections.source import CorrectionSource
from core.db import Database
from core.errors import InvalidRequest, NotFound
from core.files.blobs import Blobs
from core.models import Image, Limits, Project, ReviewSettings, ReviewState, Verdict
from core.queue.admission import Admission
from core.store import Store
from core.store.recipe import PAGE
from tests import corpus
from tests.corrections.conftest import labels, pixels
from tests.corrections.scenes import square
from tests.http.lab import Lab

pytestmark = pytest.mark.slow

DRAWN = tuple(regions_of(labels()).values())  # the two discs exactly as the engine has them


# What two drawings say of each other


def test_outlines_are_of_one_spheroid_where_they_overlap_by_more_than_half() -> None:
    first = {1: square(0, 0, 10), 2: square(40, 40, 10)}
    found = matched(first, {1: square(0, 0, 8), 2: square(20, 20, 5)})
    assert found.n_either == 3
    assert found.ious == pytest.approx([0.64])
    assert found.diameter_changes == pytest.approx([-0.2])
    half = {1: square(0, 0, 10)}, {1: square(0, 0, 7)}
    assert matched(*half).ious == (), "49 of 100 pixels: somebody else's spheroid"
    assert matched({}, {}).n_either == 0


def test_the_interval_draws_whole_images() -> None:
    groups = [[value] * 50 for value in (0.8, 0.85, 0.9, 0.95, 0.99)]
    clustered = median_of_groups(groups)
    assert clustered.value == 0.9
    assert clustered.low is not None
    assert clustered.high is not None
    assert clustered.high - clustered.low > 0.05, "fifty spheroids of one image are not fifty images"
    assert median_of_groups(groups) == clustered, "always the same"
    assert median_of_groups(groups[:4]).low is None
    assert median_of_groups([[], []]).value is None


def row(
    image_id: str, *, at_random: bool = True, same_person: bool = False, **more: object
) -> dict[str, object]:
    values: dict[str, object] = {"image_id": image_id, "at_random": at_random, "same_person": same_person}
    values |= {"n_either": 2, "ious": [0.95], "diameter_changes": [0.01]}
    return values | {"engine_n_either": 2, "engine_ious": [0.9, 0.9], "engine_diameter_changes": [0.0]} | more


def test_people_and_the_engine_are_compared_on_the_same_images() -> None:
    found = ceiling([row(str(n)) for n in range(MIN_IMAGES)])
    assert (found.people.n, found.engine.n, found.at_random) == (MIN_IMAGES, MIN_IMAGES, True)
    assert (found.people.iou.value, found.engine.iou.value) == (0.95, 0.9)
    assert (found.people.both.value, found.engine.both.value) == (0.5, 1.0)
    assert found.people.both.low is not None
    assert found.people.diameter_change.value == 0.01


def test_images_that_were_not_drawn_at_random_count_only_where_there_are_too_few_others() -> None:
    others = [row(f"worst {n}", at_random=False, ious=[0.6]) for n in range(20)]
    enough = ceiling([row(str(n)) for n in range(MIN_IMAGES)] + others)
    assert (enough.people.n, enough.people.iou.value) == (MIN_IMAGES, 0.95)
    few = ceiling([row("a"), *others])
    assert (few.people.n, few.people.iou.value, few.at_random) == (21, 0.6, False)


def test_too_few_images_have_no_interval_however_many_spheroids_they_hold() -> None:
    many = {"n_either": 100, "ious": [0.9] * 90, "diameter_changes": [0.0] * 90}
    found = ceiling([row(str(n), **many) for n in range(MIN_IMAGES - 1)])
    assert found.people.both.value == 0.9
    assert found.people.both.low is None
    assert found.people.iou.low is None


def test_an_image_without_an_engines_result_says_nothing_of_the_engine() -> None:
    found = ceiling([row("a", engine_ious=None, engine_n_either=None, engine_diameter_changes=None)])
    assert (found.people.n, found.engine.n) == (1, 0)


def test_drawings_by_who_knows_whom_are_told_apart() -> None:
    found = figures([row("a"), row("b", same_person=True), row("c", same_person=True)])
    assert (found.another.people.n, found.unknown.people.n) == (1, 2)


# Which images


def candidate(key: str, *drawn_by: str) -> dict[str, object]:
    return {"id": key, "name": key, "version_id": "v", "seen_by": ["ada"], "drawn_by": list(drawn_by)}


def test_the_same_images_are_drawn_each_time_and_those_of_the_random_arm_first() -> None:
    rows = [candidate(f"image {n}") for n in range(200)]
    chosen = [item["id"] for item in sample(rows, 10)]
    assert [item["id"] for item in sample(list(reversed(rows)), 10)] == chosen
    assert all(drawn_at_random(str(key)) for key in chosen)
    assert {item["id"] for item in sample(rows, 30)} >= set(chosen)
    assert len(sample(rows, 500)) == 200


def test_what_has_been_drawn_stays_among_them() -> None:
    rows = [candidate(f"image {n}") for n in range(200)]
    last = sample(rows, 200)[-1]
    again = [candidate(str(item["id"]), *(["bo"] if item is last else [])) for item in rows]
    assert last["id"] in {item["id"] for item in sample(again, 15)}


# People


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def second(store: Store, blobs: Blobs, clock: list[float]) -> SecondOpinions:
    source = CorrectionSource(store, blobs, Limits(), Admission(2**30))
    return SecondOpinions(store, source, lambda: clock[0])


@pytest.fixture
def asked(store: Store, project: Project) -> Project:
    """A project of which two images are to be drawn again."""
    store.projects.set_review(project.id, ReviewSettings(second_opinions=2))
    return store.projects.get(project.id)


@pytest.fixture
def images(
    store: Store, blobs: Blobs, project: Project, segment: Callable[[Image], Image]
) -> Iterator[list[Image]]:
    """Three images, two of which ada has called right."""
    made = [
        segment(Lab(store, blobs).image(project, f"{n}.png", corpus.png(pixels()) + str(n).encode()))
        for n in range(3)
    ]
    for image in made[:2]:
        Reviews(store).judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ada")
    return [store.images.get(image.id) for image in made]


def drawing(image: Image, *outlines: object, key: str = "a", **more: object) -> Drawing:
    return Drawing(key, str(image.version_id), outlines or DRAWN, **more)  # type: ignore[arg-type]


def test_another_person_is_given_what_has_been_judged_and_who_judged_it_is_not(
    second: SecondOpinions, asked: Project, images: list[Image]
) -> None:
    turn = second.turn(asked, Reviewer("bo"))
    assert turn.image is not None
    assert turn.image.image_id in {image.id for image in images[:2]}
    assert (turn.requested, turn.left, turn.drawn, turn.seen) == (2, 2, 0, 0)
    own = second.turn(asked, Reviewer("ada"))
    assert (own.image, own.left, own.seen) == (None, 0, 2)


def test_nothing_is_handed_out_where_the_project_asks_for_none(
    second: SecondOpinions, project: Project, images: list[Image]
) -> None:
    assert second.turn(project, Reviewer("bo")).image is None


def test_two_people_do_not_get_the_same_image_for_ten_minutes(
    second: SecondOpinions, asked: Project, images: list[Image], clock: list[float]
) -> None:
    first = second.turn(asked, Reviewer("bo", "one")).image
    other = second.turn(asked, Reviewer("cy", "two"))
    assert first is not None
    assert other.image is not None
    assert first != other.image
    assert second.turn(asked, Reviewer("bo", "one")).image == first, "a reload shows it again"
    assert second.left(asked, Reviewer("di")).elsewhere == 2
    clock[0] = HELD_SECONDS + 1
    assert second.turn(asked, Reviewer("di"), first.image_id).image == first


def test_what_somebody_passes_over_comes_when_there_is_nothing_else(
    second: SecondOpinions, asked: Project, images: list[Image]
) -> None:
    first = second.turn(asked, Reviewer("bo")).image
    assert first is not None
    next_one = second.turn(asked, Reviewer("bo"), skipped=frozenset({first.image_id})).image
    assert next_one is not None
    assert next_one != first
    both = frozenset({first.image_id, next_one.image_id})
    assert second.turn(asked, Reviewer("bo"), skipped=both).image is not None


def test_a_drawing_is_kept_beside_the_result_and_changes_nothing_of_it(
    second: SecondOpinions, asked: Project, images: list[Image], store: Store
) -> None:
    image = images[0]
    versions = store.results.versions(image.id)
    half = square(20, 30, 20)
    stored = second.add(image.id, drawing(image, half, seconds=21.5), "bo")
    assert store.images.get(image.id) == image
    assert store.results.versions(image.id) == versions
    assert second.turn(asked, Reviewer("bo")).drawn == 1
    (kept,) = store.second_opinions.of_project(asked.id)
    assert (kept["drawn_by"], kept["judged_by"], kept["seconds"]) == ("bo", "ada", 21.5)
    assert (kept["same_person"], kept["n_drawn"], kept["name"]) == (False, 1, image.name)
    assert kept["sha256"] == stored.sha256
    assert orjson.loads(kept["outlines"]) == [half.to_json()]
    history = store.correction_audit.of_image(image.id)[-1]
    assert (history.who, history.action) == ("bo", "second opinion")
    assert orjson.loads(history.facts)["sha256"] == stored.sha256
    assert store.correction_audit.verify().wrong is None


def test_a_correction_is_compared_as_it_is_and_the_engine_as_it_was(
    second: SecondOpinions, asked: Project, images: list[Image], desk: Corrections, store: Store
) -> None:
    image = images[2]
    desk.apply(image.id, Gesture("g", image.version_id, 0, Tool.DELETE, 1, (NewRegion(2, None),)), "ada")
    version = desk.finish(image.id, 1, image.version_id, "ada", "debris")
    second.add(image.id, Drawing("k", version.id, DRAWN[:1]), "bo")
    (kept,) = second.rows(asked.id)
    assert (kept["n_either"], kept["ious"]) == (1, [1.0])
    assert (kept["engine_n_either"], kept["engine_ious"]) == (2, [1.0])
    assert kept["engine_version_id"] == image.version_id


def test_nobody_draws_what_they_have_seen_nor_twice(
    second: SecondOpinions, asked: Project, images: list[Image], desk: Corrections
) -> None:
    with pytest.raises(InvalidRequest, match="somebody else has to draw it"):
        second.add(images[0].id, drawing(images[0]), "ada")
    gesture = Gesture("g", images[1].version_id, 0, Tool.DELETE, 1, (NewRegion(2, None),))
    desk.apply(images[1].id, gesture, "bo")
    assert second.turn(asked, Reviewer("bo"), images[1].id).image != images[1].id
    with pytest.raises(InvalidRequest, match="seen the outlines"):
        second.add(images[1].id, drawing(images[1]), "bo")
    second.add(images[0].id, drawing(images[0]), "bo")
    with pytest.raises(InvalidRequest, match="already"):
        second.add(images[0].id, drawing(images[0], key="b"), "bo")


def test_what_is_sent_again_is_kept_once(
    second: SecondOpinions, asked: Project, images: list[Image], store: Store
) -> None:
    first = second.add(images[0].id, drawing(images[0]), "bo")
    assert second.add(images[0].id, drawing(images[0]), "bo") == first
    assert len(second.rows(asked.id)) == 1
    assert len(store.correction_audit.of_image(images[0].id)) == 2


def test_two_people_who_took_the_same_image_are_both_kept(
    second: SecondOpinions, asked: Project, images: list[Image]
) -> None:
    for person in ("bo", "cy"):
        second.add(images[0].id, drawing(images[0]), person)
    found = second.figures(asked.id).another.people
    assert found.n == 1, "one image, however many have drawn it"
    assert len(second.rows(asked.id)) == 2


def test_where_nobody_is_known_by_name_it_is_not_said_that_two_people_agree(
    second: SecondOpinions, asked: Project, store: Store, blobs: Blobs, segment: Callable[[Image], Image]
) -> None:
    image = segment(Lab(store, blobs).image(asked, "n.png", corpus.png(pixels()) + b"n"))
    Reviews(store).judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), PAGE)
    assert [second.left(asked, Reviewer(person)).left for person in (PAGE, "bo")] == [1, 1]
    second.add(image.id, drawing(image), PAGE)
    found = second.figures(asked.id)
    assert (found.another.people.n, found.unknown.people.n) == (0, 1)


def test_an_empty_drawing_has_to_be_meant(
    second: SecondOpinions, asked: Project, images: list[Image]
) -> None:
    empty = Drawing("a", str(images[0].version_id), ())
    with pytest.raises(InvalidRequest, match="nothing to outline"):
        second.add(images[0].id, empty, "bo")
    with pytest.raises(InvalidRequest, match="something to outline"):
        second.add(images[0].id, drawing(images[0], nothing=True), "bo")
    second.add(images[0].id, replace(empty, nothing=True), "bo")
    (kept,) = second.rows(asked.id)
    assert (kept["n_drawn"], kept["n_either"], kept["ious"]) == (0, 2, [])


def test_outlines_may_not_overlap(second: SecondOpinions, images: list[Image]) -> None:
    with pytest.raises(InvalidRequest, match="overlap"):
        second.add(images[0].id, drawing(images[0], square(0, 0, 9), square(5, 5, 9)), "bo")


def test_a_result_that_came_meanwhile_does_not_lose_what_was_drawn(
    second: SecondOpinions,
    asked: Project,
    images: list[Image],
    store: Store,
    db: Database,
    blobs: Blobs,
) -> None:
    image = images[0]
    statement = "UPDATE image SET version_id = 'another', review = 'unseen' WHERE id = $id"
    db.write(lambda session: session._cursor.execute(statement, {"id": image.id}) and None)
    second.add(image.id, drawing(image), "bo")
    assert second.rows(asked.id)[0]["version_id"] == image.version_id
    with pytest.raises(InvalidRequest, match="called right or corrected"):
        second.add(images[2].id, drawing(images[2]), "bo")
    with pytest.raises(InvalidRequest, match="called right or corrected"):
        second.add(images[1].id, Drawing("z", "no such version", DRAWN), "bo")


def test_an_image_that_is_deleted_meanwhile_is_not_there(
    second: SecondOpinions, asked: Project, images: list[Image], store: Store
) -> None:
    second.add(images[1].id, drawing(images[1]), "bo")
    store.images.delete(asked.id, [images[0].id, images[1].id])
    with pytest.raises(NotFound):
        second.add(images[0].id, drawing(images[0]), "bo")
    assert second.rows(asked.id) == [], "what is in the trash counts no more"
    assert second.turn(asked, Reviewer("bo")).image is None
    store.images.restore(asked.id, [images[1].id])
    assert len(second.rows(asked.id)) == 1
    store.images.delete(asked.id, [images[1].id])
    store.retention.purge_deleted(0)
    assert store.second_opinions.of_image(images[1].id) == ()
    assert store.correction_audit.verify().wrong is None


def test_excluded_images_count_no_more(
    second: SecondOpinions, asked: Project, images: list[Image], store: Store
) -> None:
    second.add(images[0].id, drawing(images[0]), "bo")
    verdict = Verdict(ReviewState.EXCLUDED, "debris")
    Reviews(store).judge(images[0].id, images[0].version_id, verdict, "cy")
    assert second.figures(asked.id).another.people.n == 0
    assert second.turn(asked, Reviewer("bo")).drawn == 0


@pytest.mark.parametrize("n", [-1, 1001])
def test_a_number_that_cannot_be_is_refused(store: Store, project: Project, n: int) -> None:
    with pytest.raises(InvalidRequest, match="Between 0 and 1,000 images"):
        store.projects.set_review(project.id, ReviewSettings(second_opinions=n))
    assert store.projects.get(project.id).review.second_opinions == 0


def test_drawings_at_full_size_come_back_pixel_by_pixel(
    second: SecondOpinions, asked: Project, images: list[Image], store: Store
) -> None:
    second.add(images[0].id, drawing(images[0]), "bo")
    (kept,) = store.second_opinions.of_project(asked.id, [images[0].id])
    assert store.second_opinions.of_project(asked.id, [images[1].id]) == []
    assert orjson.loads(kept["outlines"]) == [region.to_json() for region in DRAWN]
    assert np.allclose(kept["ious"], [1.0, 1.0])

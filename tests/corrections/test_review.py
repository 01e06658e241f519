"""Review: states, the order of the queue, and the accuracy that follows from the random arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.clock import utc_now
from core.corrections import NewRegion, Tool, review
from core.corrections.accuracy import accuracy, median, wilson
from core.corrections.corrections import Corrections
from core.corrections.gestures import Gesture
from core.corrections.holds import HELD_SECONDS, Reviewer
from core.corrections.imports import Imports
from core.corrections.review import Reviews
from core.corrections.review_order import RANDOM_SHARE, drawn_at_random, ordered, reasons
from core.db import Database
from core.errors import InvalidRequest, VersionConflict
from core.files.blobs import Blobs
from core.images import label_png
from core.models import (
    Image,
    ImageFilter,
    Limits,
    Project,
    ReviewSettings,
    ReviewState,
    SpheroidsExpected,
    Verdict,
)
from core.queue.admission import Admission
from core.store import Recipe, Store
from core.store.corrections import NewOperation
from core.store.objects import ObjectFilter
from tests.corrections.conftest import labels
from tests.factories import add, finish, spheroid

pytestmark = pytest.mark.slow


def row(
    key: str, confidence: float | None = 0.95, n_objects: int = 1, review: str = "unseen"
) -> dict[str, object]:
    return {
        "id": key,
        "name": key,
        "version_id": "v",
        "confidence": confidence,
        "n_objects": n_objects,
        "review": review,
        "reviewed_by": None,
        "edge_blur": 1.0,
        "specks": 40,
        "usual_specks": 45.0,
        "spheroids_expected": "one",
    }


def test_the_worst_come_first_and_every_tenth_is_drawn_at_random() -> None:
    rows = [row(f"image {n}", confidence=n / 1000) for n in range(1000)]
    order = list(ordered(rows))
    assert sorted(item["id"] for item in order) == sorted(item["id"] for item in rows)
    first = order[:500]
    drawn = [drawn_at_random(str(item["id"])) for item in first]
    assert 45 <= sum(drawn) <= 60
    worst = [item["confidence"] for item, lot in zip(first, drawn, strict=True) if not lot]
    assert worst == sorted(worst)  # type: ignore[type-var]
    lots = [item["confidence"] for item, lot in zip(first, drawn, strict=True) if lot]
    assert lots != sorted(lots), "whatever their confidence"  # type: ignore[type-var]


def test_nothing_found_is_never_silently_right() -> None:
    rows = [row("a", 0.1), row("b", 0.99, n_objects=0), row("c", 0.05, review="unsure")]
    plain = [item for item in ordered(rows) if not drawn_at_random(str(item["id"]))]
    assert [item["id"] for item in plain] == ["b", "a", "c"]


def test_each_image_says_why_it_is_here() -> None:
    assert "nothing was found" in reasons(row("a", n_objects=0))
    several = row("a", n_objects=3)
    assert "3 spheroids were found where one is expected" in reasons(several)
    assert any("3 spheroids were found;" in why for why in reasons(several | {"spheroids_expected": None}))
    assert not any("found" in why for why in reasons(several | {"spheroids_expected": "several"}))
    lonely = reasons(row("a") | {"spheroids_expected": "several"})
    assert "one spheroid was found where several are expected" in lonely
    assert any("out of focus" in why for why in reasons(row("a") | {"edge_blur": 4.2}))
    assert any("many specks: 200" in why for why in reasons(row("a") | {"specks": 200}))
    unknown = row("a") | {"edge_blur": None, "specks": None, "usual_specks": None}
    assert not any("specks" in why or "focus" in why for why in reasons(unknown)), "results of before"
    assert "the outlines are less certain than usual" in reasons(row("a", confidence=0.2))
    assert "somebody was unsure" in reasons(row("a", review="unsure"))
    plain = next(f"image {n}" for n in range(100) if not drawn_at_random(f"image {n}"))
    assert reasons(row(plain)) == ("nobody has looked at it",)
    lot = next(f"image {n}" for n in range(100) if drawn_at_random(f"image {n}"))
    assert reasons(row(lot))[0].startswith("drawn at random")


@pytest.fixture
def images(store: Store, project: Project) -> list[Image]:
    keys = [f"image{n}" for n in range(4)]
    add(store, project.id, *keys)
    return [finish(store, key, spheroid()) for key in keys]


def test_two_reviewers_do_not_get_the_same_image(store: Store, project: Project, images: list[Image]) -> None:
    now = [0.0]
    reviews = Reviews(store, lambda: now[0])
    one, other = (
        reviews.turn(project.id, Reviewer("ada")).image,
        reviews.turn(project.id, Reviewer("ben")).image,
    )
    assert one is not None
    assert other is not None
    assert one.image_id != other.image_id
    assert reviews.turn(project.id, Reviewer("ada")).image == one, "until it has been looked at"
    now[0] = HELD_SECONDS + 1
    assert reviews.turn(project.id, Reviewer("cyd")).image == one, "who has gone away does not keep it"
    for image in images:
        reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ada")
    assert reviews.turn(project.id, Reviewer("ben")).image is None


def _corrected_by(store: Store, image: Image, person: str, revision: int = 1) -> None:
    """Store a gesture of a person; nothing is drawn."""
    operation = NewOperation(revision, f"op {revision}", person, "brush", 0, "", utc_now(), "[]", {})
    draft = store.corrections.open_draft(image.id)
    store.corrections.add_operation(image.id, draft and draft[0]["id"], image.version_id, operation)


def test_what_somebody_else_corrects_is_given_to_nobody(
    store: Store, project: Project, images: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = Reviews(store)
    first = reviews.turn(project.id, Reviewer("ben")).image
    assert first is not None
    reviews = Reviews(store)  # nobody looks at anything now
    corrected = next(image for image in images if image.id == first.image_id)
    _corrected_by(store, corrected, "ada")
    turn = reviews.turn(project.id, Reviewer("ben"), corrected.id)
    assert turn.image is not None
    assert turn.image.image_id != corrected.id
    assert (turn.left, turn.elsewhere) == (3, 1)
    assert corrected.id not in [item.image_id for item in reviews.queue(project.id, "ben").waiting]
    assert reviews.turn(project.id, Reviewer("ada"), corrected.id).image == first, "it is hers"
    monkeypatch.setattr(review, "CORRECTED_NOW", timedelta(seconds=-1))  # as if it were long ago
    later = Reviews(store).turn(project.id, Reviewer("ben"), corrected.id).image
    assert later == first


def test_a_gesture_renews_the_hold_of_who_makes_it(
    store: Store, project: Project, images: list[Image]
) -> None:
    now = [0.0]
    reviews = Reviews(store, lambda: now[0])
    held = reviews.turn(project.id, Reviewer("ada")).image
    assert held is not None
    now[0] = HELD_SECONDS - 1
    reviews.renew(held.image_id, "ben")
    reviews.renew(held.image_id, "ada")
    now[0] += HELD_SECONDS - 1
    assert reviews.turn(project.id, Reviewer("ben"), held.image_id).image != held
    now[0] += 2
    assert reviews.turn(project.id, Reviewer("cyd"), held.image_id).image == held


def test_nobody_calls_right_what_somebody_else_is_correcting(store: Store, images: list[Image]) -> None:
    reviews, image = Reviews(store), images[0]
    _corrected_by(store, image, "ada")
    with pytest.raises(InvalidRequest, match="ada has begun to correct this image"):
        reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ben")
    assert store.images.get(image.id).review is ReviewState.UNSEEN
    reviews.judge(image.id, image.version_id, Verdict(ReviewState.UNSURE), "ben")
    reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ada")
    assert store.images.get(image.id).review is ReviewState.RIGHT


def test_two_windows_of_a_person_share_what_is_left_last(
    store: Store, project: Project, images: list[Image]
) -> None:
    reviews = Reviews(store)
    left, right = Reviewer("ada", "left"), Reviewer("ada", "right")
    one, other = reviews.turn(project.id, left), reviews.turn(project.id, right)
    assert one.image is not None
    assert other.image is not None
    assert one.image != other.image
    assert other.following not in (one.image, other.image), "what is made ready is nobody's yet"
    assert reviews.turn(project.id, right, one.image.image_id).image == one.image, "asked for by its id"
    for image in images:
        if image.id != other.image.image_id:
            reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ada")
    assert reviews.turn(project.id, left).image == other.image
    assert reviews.turn(project.id, right).image == other.image


def test_nobody_is_given_again_what_they_were_unsure_of(
    store: Store, project: Project, images: list[Image]
) -> None:
    reviews = Reviews(store)
    for image in images:
        reviews.judge(image.id, image.version_id, Verdict(ReviewState.UNSURE), "ada")
    turn = reviews.turn(project.id, Reviewer("ada"))
    assert (turn.image, turn.left) == (None, 0)
    assert reviews.turn(project.id, Reviewer("ada"), again=True).left == len(images)
    ben = reviews.turn(project.id, Reviewer("ben"))
    assert (ben.left, ben.elsewhere) == (len(images) - 1, 1), "ada looks at one of them now"


@pytest.mark.slow
def test_those_drawn_at_random_come_to_the_front_one_by_one(store: Store, project: Project) -> None:
    keys = [f"image{n}" for n in range(60)]
    add(store, project.id, *keys)
    versions = {key: finish(store, key, spheroid()).version_id for key in keys}
    reviews = Reviews(store)
    drawn = []
    while (image := reviews.turn(project.id, Reviewer("ada")).image) is not None:
        reviews.judge(image.image_id, versions[image.image_id], Verdict(ReviewState.RIGHT), "ada")
        drawn.append(image.at_random)
    assert len(drawn) == len(keys)
    n = sum(drawn)
    places = [index for index, at_random in enumerate(drawn) if at_random]
    assert places == [RANDOM_SHARE // 2 + RANDOM_SHARE * index for index in range(n)]


def test_the_last_word_can_be_taken_back(store: Store, project: Project, images: list[Image]) -> None:
    reviews, image = Reviews(store), images[0]

    def state() -> tuple[str, str | None, str | None]:
        now = store.images.get(image.id)
        return now.review, now.review_reason, now.reviewed_by

    for word in (Verdict(ReviewState.RIGHT), Verdict(ReviewState.EXCLUDED, "debris")):
        reviews.judge(image.id, image.version_id, word, "ada")
        reviews.take_back(image.id, image.version_id, "ada")
        assert state() == ("unseen", None, None)
        assert store.images.get(image.id).reviewed_at is None
    reviews.judge(image.id, image.version_id, Verdict(ReviewState.UNSURE, "two?"), "ada")
    reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ben")
    reviews.take_back(image.id, image.version_id, "ben")
    assert state() == ("unsure", "two?", "ada"), "what was said before holds again"
    with pytest.raises(InvalidRequest):
        reviews.take_back(image.id, image.version_id, "ben")
    with pytest.raises(VersionConflict):
        reviews.take_back(image.id, "another", "ada")
    assert reviews.accuracy(project.id)["all"].n == 0
    said = [row.facts for row in store.correction_audit.of_image(image.id)]
    assert any('"taken_back":"right"' in facts for facts in said)
    assert store.correction_audit.verify().wrong is None


def test_what_was_taken_back_counts_no_more(store: Store, project: Project) -> None:
    keys = [f"image{n}" for n in range(60)]
    add(store, project.id, *keys)
    key = next(key for key in keys if drawn_at_random(key))
    version_id = finish(store, key, spheroid()).version_id
    reviews = Reviews(store)
    reviews.judge(key, version_id, Verdict(ReviewState.RIGHT, seconds=4.0), "ada")
    assert reviews.accuracy(project.id)["all"].n == 1
    reviews.take_back(key, version_id, "ada")
    assert reviews.accuracy(project.id)["all"].n == 0


def test_states_are_columns_of_the_table_with_who_and_when(
    store: Store, project: Project, images: list[Image]
) -> None:
    reviews = Reviews(store)
    reviews.judge(images[0].id, images[0].version_id, Verdict(ReviewState.EXCLUDED, "debris"), "ada")
    reviews.judge(images[1].id, images[1].version_id, Verdict(ReviewState.UNSURE, "two or one?"), "ben")
    image = store.images.get(images[0].id)
    assert (image.review, image.review_reason, image.reviewed_by) == ("excluded", "debris", "ada")
    assert image.reviewed_at is not None
    for table in (store, Store(store._db, page_index_bytes=0)):
        chosen = ImageFilter(review=(ReviewState.EXCLUDED, ReviewState.UNSURE))
        assert {item.id for item in table.images.page(project.id, chosen).items} == {
            images[0].id,
            images[1].id,
        }
        first = table.images.page(project.id, sort="review").items
        assert [item.review for item in first] == ["unseen", "unseen", "excluded", "unsure"]
    progress = reviews.queue(project.id, "ada").progress
    assert (progress[ReviewState.EXCLUDED], progress[ReviewState.UNSEEN]) == (1, 2)
    exported = list(store.results.images(project.id, 10))
    assert {item["review"] for item in exported} == {"unseen", "excluded", "unsure"}


def test_excluded_images_leave_charts_and_stay_in_exports(
    store: Store, project: Project, images: list[Image]
) -> None:
    Reviews(store).judge(images[0].id, images[0].version_id, Verdict(ReviewState.EXCLUDED, "empty"), "ada")
    bins = store.objects.histogram(project.id, ObjectFilter(), "area", 4)
    assert bins is not None
    assert sum(bins.counts) == 3
    assert len(store.objects.points(project.id, ObjectFilter(), ("area", "perimeter"), 10)) == 3
    assert len(list(store.results.objects(project.id, 10))) == 4


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ReviewState.EXCLUDED, ""),
        (ReviewState.EXCLUDED, "ugly"),
        (ReviewState.CORRECTED, ""),
        (ReviewState.UNSEEN, ""),
    ],
)
def test_what_nobody_can_say_is_refused(
    store: Store, images: list[Image], state: ReviewState, reason: str
) -> None:
    with pytest.raises(InvalidRequest):
        Reviews(store).judge(images[0].id, images[0].version_id, Verdict(state, reason), "ada")


def test_one_judges_what_one_has_seen(store: Store, images: list[Image]) -> None:
    with pytest.raises(VersionConflict):
        Reviews(store).judge(images[0].id, "another", Verdict(ReviewState.RIGHT), "ada")


def test_an_edit_and_a_new_result_clear_right(
    store: Store, desk: Corrections, image: Image, segment: Callable[[Image], Image]
) -> None:
    reviews = Reviews(store)
    reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT), "ada")
    newer = segment(image)
    assert newer.review == "unseen"
    desk.apply(image.id, Gesture("a", newer.version_id, 0, Tool.DELETE, 1, (NewRegion(2, None),)), "ben")
    desk.finish(image.id, 1, newer.version_id, "ben", "debris")
    corrected = store.images.get(image.id)
    assert (corrected.review, corrected.reviewed_by) == ("corrected", "ben")
    assert reviews.queue(image.project_id, "ada").waiting == ()


@pytest.mark.slow
def test_accuracy_is_of_the_images_drawn_at_random_alone(store: Store, project: Project) -> None:
    keys = [f"image{n}" for n in range(60)]
    lots = [key for key in keys if drawn_at_random(key)]
    keys = [*lots, *[key for key in keys if key not in lots][:5]]
    add(store, project.id, *keys)
    reviews = Reviews(store)
    for key in keys:
        image = finish(store, key, spheroid())
        state = ReviewState.RIGHT if key in lots else ReviewState.UNSURE
        reviews.judge(key, image.version_id, Verdict(state, ""), "ada")
    found = reviews.accuracy(project.id)
    assert found["all"].n == len(lots) > 0
    assert found["all"].right.value == 1.0
    assert {name.split()[0] for name in found} == {"all", "engine", "week"}


@pytest.fixture
def judged_right(store: Store, project: Project) -> list[str]:
    """Twelve images of the random arm, judged right and then segmented again."""
    lots = [key for key in (f"image{n}" for n in range(1000)) if drawn_at_random(key)][:12]
    add(store, project.id, *lots)
    judged = [finish(store, key, spheroid()) for key in lots]
    for image in judged:
        Reviews(store).judge(image.id, image.version_id, Verdict(ReviewState.RIGHT, ""), "ada")
    for key in lots:
        finish(store, key, spheroid(), recipe=Recipe("newer", "2", {}))
    return [str(image.version_id) for image in judged]


def test_accuracy_of_an_engine_outlives_its_results_in_force(
    store: Store, project: Project, judged_right: list[str]
) -> None:
    before = Reviews(store).accuracy(project.id)
    assert before["all"].n == before["engine fake 1"].n == len(judged_right)
    store.retention.purge_superseded(-1)
    assert Reviews(store).accuracy(project.id) == before


def test_verdicts_on_results_that_were_deleted_before_they_were_spared_count(
    store: Store, db: Database, project: Project, judged_right: list[str]
) -> None:
    before = Reviews(store).accuracy(project.id)
    gone = "DELETE FROM version WHERE kind = 'automatic' AND superseded_at IS NOT NULL"
    db.write(lambda session: session._cursor.execute(gone) and None)
    after = Reviews(store).accuracy(project.id)
    assert after["all"] == before["all"]
    assert not any(name.startswith("engine ") for name in after), "which engine it was is not known"


def test_intervals_are_those_of_the_textbooks() -> None:
    share = wilson(8, 10)
    assert (share.value, share.low, share.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0).value is None
    assert wilson(1, 2) == replace(wilson(1, 2), low=None, high=None), "too few for an interval"
    middle = median([0.0] * 50 + [1.0] * 51)
    assert middle.value == 1.0
    assert (middle.low, middle.high) == (0.0, 1.0)
    assert median([]).value is None


def test_a_correction_counts_with_its_overlap_and_its_diameter() -> None:
    right = {"state": "right", "parent_iou": None, "before_px": 10.0, "after_px": None}
    mended = {"state": "corrected", "parent_iou": 0.5, "before_px": 10.0, "after_px": 12.0}
    found = accuracy([right, mended, mended])
    assert found.right.value == pytest.approx(1 / 3)
    assert found.iou.value == 0.5
    assert found.diameter_change.value == pytest.approx(0.2)


def test_the_work_of_a_review_is_counted_with_its_seconds(
    store: Store, desk: Corrections, image: Image
) -> None:
    reviews = Reviews(store)
    reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT, seconds=4.0), "ada")
    effort = reviews.effort(image.project_id)
    assert (effort.looked_at, effort.right, effort.corrected, effort.seconds) == (1, 1, 0, 4.0)
    desk.apply(image.id, Gesture("a", image.version_id, 0, Tool.DELETE, 1, (NewRegion(2, None),)), "ben")
    desk.finish(image.id, 1, image.version_id, "ben", "debris")
    effort = reviews.effort(image.project_id)
    assert (effort.looked_at, effort.right, effort.corrected) == (1, 0, 1), "the last word counts"
    assert effort.edit_rate == 1.0
    later = store.reviews.effort(None, since=store.images.get(image.id).reviewed_at)
    assert (later.looked_at, later.edit_rate) == (0, None)


def test_outlines_of_other_programs_are_no_work_of_a_review(
    store: Store, blobs: Blobs, desk: Corrections, image: Image
) -> None:
    """A plate whose masks are imported would look as if every outline had been corrected by hand."""
    reviews, imports = Reviews(store), Imports.open(store, blobs, Limits(), Admission(2**30))
    reviews.judge(image.id, image.version_id, Verdict(ReviewState.RIGHT, seconds=4.0), "ada")
    mask = label_png.encode(np.roll(labels(), 3, axis=1))
    (row,) = imports.add(image.project_id, "a.png", mask, "ada")
    assert row.version_id is not None
    effort = reviews.effort(image.project_id)
    assert (effort.looked_at, effort.right, effort.corrected, effort.edit_rate) == (1, 1, 0, 0.0)
    reviews.judge(image.id, row.version_id, Verdict(ReviewState.RIGHT, seconds=9.0), "ben")
    effort = store.reviews.effort(None)
    assert (effort.looked_at, effort.seconds) == (1, 4.0), "what is said of imported outlines is left out"


def test_a_project_that_says_nothing_needs_a_reason_where_the_app_does(
    store: Store, project: Project
) -> None:
    for reason_needed in (None, True, False):
        store.projects.set_review(project.id, ReviewSettings(reason_needed=reason_needed))
        review = store.projects.get(project.id).review
        assert review.reason_needed is reason_needed
        for usual in (True, False):
            assert review.needs_reason(usual) is (usual if reason_needed is None else reason_needed)


def test_a_project_may_need_a_reason_for_each_correction(
    store: Store, desk: Corrections, image: Image
) -> None:
    settings = ReviewSettings(SpheroidsExpected.ONE, reason_needed=True)
    store.projects.set_review(image.project_id, settings)
    assert store.projects.get(image.project_id).review == settings
    desk.apply(image.id, Gesture("a", image.version_id, 0, Tool.DELETE, 1, (NewRegion(2, None),)), "ben")
    with pytest.raises(InvalidRequest, match="Say why"):
        desk.finish(image.id, 1, image.version_id, "ben", " ")
    version = desk.finish(image.id, 1, image.version_id, "ben", "debris")
    assert store.images.get(image.id).version_id == version.id
    assert store.images.get(image.id).specks is not None, "a correction is measured, too"

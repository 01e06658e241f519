"""Versions: which of them is in force, whatever the order in which requests end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.db import Database
from core.errors import NotFound, SegmentationError, VersionConflict
from core.models import ImageStatus, Job, JobState, Project, VersionKind
from core.store import Recipe, Store
from core.store.results import Correction
from core.store.versions import takes_force
from tests.factories import RECIPE, add, claim, finish, result, spheroid

pytestmark = pytest.mark.slow

FIRST, SECOND = Recipe("first", "1", {}), Recipe("second", "1", {})
ERROR = SegmentationError("It would not be outlined.")
BY_ADA = Correction("Ada", "The rim was missed.", None)


def both_running(store: Store, project: Project) -> tuple[Job, Job]:
    """Two recipes requested for the image "a", one after the other, and both begun."""
    add(store, project.id, "a")
    store.jobs.enqueue(project.id, ["a"], FIRST)
    store.jobs.enqueue(project.id, ["a"], SECOND)
    jobs = claim(store), claim(store)
    assert [job.engine for job in jobs] == ["first", "second"]
    return jobs


def save(store: Store, job: Job, n_objects: int) -> bool:
    objects = [spheroid(number + 1) for number in range(n_objects)]
    return store.results.finish(job, replace(result(*objects), engine=job.engine))


def engine_in_force(store: Store) -> str | None:
    version = store.results.segmentation(store.images.get("a"))
    return version and version.engine


def state(store: Store) -> tuple[str, str | None]:
    image = store.images.get("a")
    return image.status.value, image.error_code


# Two requests at once


@pytest.mark.parametrize("later_ends_first", [False, True])
def test_the_later_request_wins_whichever_ends_first(
    store: Store, project: Project, *, later_ends_first: bool
) -> None:
    first, second = both_running(store, project)
    order = [(second, 2), (first, 1)] if later_ends_first else [(first, 1), (second, 2)]
    for index, (job, n_objects) in enumerate(order):
        assert save(store, job, n_objects)
        ended = job is second or index == 1
        assert state(store) == ("done" if ended else "running", None)
    image = store.images.get("a")
    assert (engine_in_force(store), image.n_objects) == ("second", 2)
    assert [version.superseded_at is None for version in store.results.versions("a")].count(True) == 1


def test_two_requests_that_end_in_one_transaction(store: Store, project: Project) -> None:
    first, second = both_running(store, project)
    results = [(second, result(spheroid(1), spheroid(2))), (first, result(spheroid(1)))]
    assert store.results.begin_to_finish(results).result() == [True, True]
    assert (state(store), store.images.get("a").n_objects) == (("done", None), 2)
    assert len(store.results.versions("a")) == 2


def test_the_status_follows_the_last_request_while_an_earlier_one_runs(
    store: Store, project: Project
) -> None:
    add(store, project.id, "a", recipe=FIRST)
    first = claim(store)
    store.jobs.enqueue(project.id, ["a"], SECOND)
    assert state(store) == ("queued", None)
    save(store, first, 1)
    assert (state(store), engine_in_force(store)) == (("queued", None), "first")
    second = claim(store)
    assert state(store) == ("running", None)
    store.jobs.put_back(second, ERROR)
    assert state(store) == ("queued", None)
    save(store, claim(store), 2)
    assert (state(store), engine_in_force(store)) == (("done", None), "second")


def test_a_place_further_back_in_the_queue_makes_no_request_later(store: Store, project: Project) -> None:
    first, second = both_running(store, project)
    store.jobs.put_back(first, ERROR)
    assert state(store) == ("running", None)
    save(store, second, 2)
    assert state(store) == ("done", None)
    again = claim(store)
    assert again.sequence > second.sequence
    save(store, again, 1)
    assert (state(store), engine_in_force(store)) == (("done", None), "second")


def test_the_last_request_fails_before_the_earlier_one_ends(store: Store, project: Project) -> None:
    first, second = both_running(store, project)
    store.jobs.fail(second, ERROR)
    assert state(store) == ("failed", ERROR.code)
    save(store, first, 1)
    assert (state(store), engine_in_force(store)) == (("done", ERROR.code), "first")


def test_the_last_request_fails_after_the_earlier_one_has_ended(store: Store, project: Project) -> None:
    first, second = both_running(store, project)
    save(store, first, 1)
    store.jobs.fail(second, ERROR)
    assert (state(store), engine_in_force(store)) == (("done", ERROR.code), "first")


@pytest.mark.parametrize("before", [False, True])
def test_the_earlier_request_fails(store: Store, project: Project, *, before: bool) -> None:
    first, second = both_running(store, project)
    if before:
        store.jobs.fail(first, ERROR)
        assert state(store) == ("running", None)
    save(store, second, 1)
    if not before:
        store.jobs.fail(first, ERROR)
    assert (state(store), engine_in_force(store)) == (("done", None), "second")


def test_the_last_request_is_cancelled_and_the_earlier_one_decides_again(
    store: Store, project: Project
) -> None:
    first, second = both_running(store, project)
    store.jobs.cancel([second.id])
    assert state(store) == ("running", None)
    assert not save(store, second, 2)
    save(store, first, 1)
    assert (state(store), engine_in_force(store)) == (("done", None), "first")


def test_the_last_request_is_cancelled_after_the_earlier_one_has_failed(
    store: Store, project: Project
) -> None:
    first, second = both_running(store, project)
    store.jobs.fail(first, ERROR)
    store.jobs.cancel([second.id])
    assert state(store) == ("failed", ERROR.code)
    assert store.images.get("a").error == ERROR.message


@pytest.mark.parametrize("begun", [False, True])
def test_the_earlier_request_is_cancelled(store: Store, project: Project, *, begun: bool) -> None:
    add(store, project.id, "a")
    for recipe in (FIRST, SECOND):
        store.jobs.enqueue(project.id, ["a"], recipe)
    if begun:
        claim(store)
    store.jobs.cancel([FIRST.job_id("a")])
    assert state(store) == ("queued", None)
    save(store, claim(store), 2)
    assert (state(store), engine_in_force(store)) == (("done", None), "second")


def test_a_job_that_runs_and_is_requested_again_is_the_last_request(store: Store, project: Project) -> None:
    first, second = both_running(store, project)
    assert store.jobs.enqueue(project.id, ["a"], FIRST) == 0
    save(store, second, 2)
    assert (state(store), engine_in_force(store)) == (("running", None), "second")
    save(store, first, 1)
    assert (state(store), engine_in_force(store)) == (("done", None), "first")


def test_a_job_that_is_requested_again_and_then_fails(store: Store, project: Project) -> None:
    first, second = both_running(store, project)
    store.jobs.enqueue(project.id, ["a"], FIRST)
    store.jobs.fail(first, ERROR)
    assert state(store) == ("failed", ERROR.code)
    save(store, second, 2)
    assert state(store) == ("done", ERROR.code)


def test_trying_again_what_failed_is_a_new_request(store: Store, project: Project) -> None:
    first, second = both_running(store, project)
    store.jobs.fail(first, ERROR)
    save(store, second, 2)
    store.jobs.retry([first.id])
    assert state(store) == ("queued", None)
    save(store, claim(store), 1)
    assert (state(store), engine_in_force(store)) == (("done", None), "first")


def test_a_stop_while_two_requests_run_queues_both(store: Store, project: Project) -> None:
    both_running(store, project)
    assert store.jobs.give_back("boot") == 2
    assert state(store) == ("queued", None)
    first, second = claim(store), claim(store)
    store.jobs.recover(3)
    assert state(store) == ("queued", None)
    again = [claim(store), claim(store)]
    assert [job.request for job in again] == [first.request, second.request]


@pytest.mark.slow
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(acts=st.lists(st.tuples(st.sampled_from(["request", "end", "fail", "cancel"]), st.integers(0, 2))))
def test_whatever_happens_the_image_is_what_its_last_request_makes_it(
    store: Store, db: Database, acts: list[tuple[str, int]]
) -> None:
    project = store.projects.create(f"P{len(store.projects.list())}", "fake")
    image_id = f"image of {project.id}"
    add(store, project.id, image_id)
    running: dict[int, Job] = {}
    requests: list[int] = []  # recipes by when they were requested last
    outcome: dict[int, str] = {}
    best: int | None = None  # the latest request that has a version
    numbers: dict[int, int] = {}
    for count, (act, recipe_number) in enumerate(acts):
        recipe = Recipe(f"engine {recipe_number}", "1", {})
        if act == "request":
            store.jobs.enqueue(project.id, [image_id], recipe)
            if recipe_number not in running:
                running[recipe_number] = claim(store)
            requests = [*(number for number in requests if number != recipe_number), recipe_number]
            outcome[recipe_number], numbers[recipe_number] = "running", count
        elif (job := running.pop(recipe_number, None)) is not None:
            if act == "end":
                assert save(store, job, recipe_number)
                outcome[recipe_number] = "done"
                if best is None or numbers[recipe_number] > best:
                    best, winner = numbers[recipe_number], recipe_number
            elif act == "fail":
                store.jobs.fail(job, ERROR)
                outcome[recipe_number] = "failed"
            else:
                store.jobs.cancel([job.id])
                requests.remove(recipe_number)
        image = store.images.get(image_id)
        last = outcome[requests[-1]] if requests else "none"
        if last in ("none", "done"):
            expected = "new" if best is None else "done"
        elif last == "failed":
            expected = "failed" if best is None else "done"
        else:
            expected = last
        assert image.status.value == expected
        assert (image.error_code is not None) == (last == "failed")
        assert (image.n_objects if image.version_id else None) == (winner if best is not None else None)
    store.projects.delete(project.id)


# Corrections


def test_nothing_automatic_replaces_a_correction(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    before = finish(store, "a", spheroid(1))
    correction = replace(BY_ADA, parent_id=before.version_id)
    corrected = store.results.add_version(
        "a", result(*map(spheroid, (1, 2, 3))), correction, before.version_id
    )
    after = finish(store, "a", spheroid(1), recipe=SECOND)
    assert (after.version_id, after.n_objects, after.status) == (corrected.id, 3, ImageStatus.DONE)
    assert [version.kind for version in store.results.versions("a")] == [
        VersionKind.AUTOMATIC,
        VersionKind.CORRECTED,
        VersionKind.AUTOMATIC,
    ]
    late, stored, _ = store.results.versions("a")
    assert (stored.parent_id, stored.author, stored.reason) == (before.version_id, "Ada", BY_ADA.reason)
    assert stored.superseded_at is None
    assert late.superseded_at is not None


def test_a_correction_of_what_has_changed_meanwhile_is_refused_with_what_is_in_force(
    store: Store, project: Project
) -> None:
    add(store, project.id, "a")
    seen = finish(store, "a", spheroid(1)).version_id
    current = finish(store, "a", spheroid(1), spheroid(2), recipe=SECOND)
    with pytest.raises(VersionConflict) as refused:
        store.results.add_version("a", result(spheroid(1)), replace(BY_ADA, parent_id=seen), seen)
    assert refused.value.current is not None
    assert refused.value.current.id == current.version_id
    assert store.images.get("a") == current
    assert len(store.results.versions("a")) == 2, "the correction is not saved either"


def test_an_image_without_a_result_can_be_drawn_by_hand(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    version = store.results.add_version("a", result(spheroid(1)), BY_ADA, None)
    image = store.images.get("a")
    assert (image.version_id, image.status, image.n_objects) == (version.id, ImageStatus.DONE, 1)
    stored = store.results.get(image)
    assert stored == (version, (spheroid(1),))
    with pytest.raises(VersionConflict):
        store.results.add_version("a", result(), BY_ADA, None)


def test_a_correction_settles_an_earlier_failure_and_not_what_still_runs(
    store: Store, project: Project
) -> None:
    first, second = both_running(store, project)
    store.jobs.fail(first, ERROR)
    version = store.results.add_version("a", result(spheroid(1)), BY_ADA, None)
    assert state(store) == ("running", None)
    store.jobs.fail(second, ERROR)
    assert state(store) == ("done", ERROR.code)
    store.results.add_version("a", result(spheroid(1)), replace(BY_ADA, parent_id=version.id), version.id)
    assert state(store) == ("done", None)


def test_an_earlier_version_can_be_put_in_force_again(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    before = finish(store, "a", spheroid(1))
    assert before.version_id is not None
    correction = replace(BY_ADA, parent_id=before.version_id)
    corrected = store.results.add_version("a", result(), correction, before.version_id)
    with pytest.raises(VersionConflict):
        store.results.set_in_force("a", before.version_id, before.version_id)
    store.results.set_in_force("a", before.version_id, corrected.id)
    assert store.images.get("a") == before
    newest, oldest = store.results.versions("a")
    assert newest.superseded_at is not None
    assert oldest.superseded_at is None
    later = finish(store, "a", spheroid(1), spheroid(2), recipe=SECOND)
    assert later.n_objects == 2, "what is automatic may be replaced again"


def test_only_versions_of_the_image_can_be_put_in_force(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    one, other = finish(store, "a"), finish(store, "b")
    assert other.version_id is not None
    for version_id in (other.version_id, "unknown"):
        with pytest.raises(NotFound):
            store.results.set_in_force("a", version_id, one.version_id)
        correction = replace(BY_ADA, parent_id=version_id)
        with pytest.raises(NotFound):
            store.results.add_version("a", result(), correction, one.version_id)
    store.images.delete(project.id, ["a"])
    with pytest.raises(NotFound):
        store.results.add_version("a", result(), BY_ADA, one.version_id)
    assert len(store.results.versions("a")) == 1


@pytest.mark.parametrize(
    ("kind", "request_in_force", "takes"),
    [
        ("automatic", None, True),
        ("automatic", 4, True),
        ("automatic", 5, False),
        ("automatic", 6, False),
        ("corrected", None, False),
        ("corrected", 4, False),
    ],
)
def test_which_version_is_in_force_after_each_order_of_requests(
    kind: str, request_in_force: int | None, *, takes: bool
) -> None:
    assert takes_force(kind, request_in_force, 5) is takes


def test_a_failed_try_after_a_result_says_both_everywhere(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    finish(store, "a", spheroid(1), spheroid(2))
    store.jobs.enqueue(project.id, ["a", "b"], SECOND)
    for _ in "ab":
        store.jobs.fail(claim(store), ERROR)
    by_sql = Store(store._db, page_index_bytes=0)
    for view in (store, by_sql):
        rows = {row.name: row for row in view.images.page(project.id).items}
        done, failed = rows["a.tif"], rows["b.tif"]
        assert (done.status, done.error, done.n_objects) == (ImageStatus.DONE, ERROR.message, 2)
        assert (failed.status, failed.error, failed.n_objects) == (ImageStatus.FAILED, ERROR.message, None)
        (counted,) = view.projects.list()
        assert (counted.counts[ImageStatus.DONE], counted.counts[ImageStatus.FAILED]) == (1, 1)
        size = view.results.size(project.id)
        assert (size.images, size.objects) == (2, 2)
        assert len(list(view.results.objects(project.id, 10))) == 2
        exported = {row["id"]: row for row in view.results.images(project.id, 10)}
        assert (exported["a"]["status"], exported["a"]["error_code"]) == ("done", ERROR.code)
        archived = {item.image["id"]: item for item in view.exports.images(project.id)}
        assert (archived["a"].image["status"], len(archived["a"].objects)) == ("done", 2)
        assert (archived["b"].image["status"], len(archived["b"].objects)) == ("failed", 0)
    assert store.jobs.page(JobState.FAILED).total == 2
    finish(store, "a", spheroid(1), recipe=RECIPE)
    assert state(store) == ("done", None)

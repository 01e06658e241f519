"""Jobs: one a request, in their order, in exactly one state, and only the attempt that runs may end them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import StrEnum
from typing import Any

import pytest

from core.db import Database
from core.errors import ImageUnreadable, InvalidRequest, NotFound, QueueFull, SegmentationError
from core.models import Image, ImageStatus, Job, JobState, Page, Priority, Project
from core.monitoring import QueryRecorder
from core.store import JobRequest, Recipe, Store
from core.store.job_order import SORTS
from tests.factories import ENGINE, RECIPE, add, claim, finish, result, spheroid

ERROR = SegmentationError("It would not be outlined.")


def job_of(store: Store, image_id: str, recipe: Recipe = RECIPE) -> Job:
    return next(job for job in store.jobs.page(None, limit=1000).items if job.id == recipe.job_id(image_id))


def status(store: Store, image_id: str) -> str:
    return store.images.get(image_id).status.value


def claimed(store: Store) -> list[str]:
    """Take everything that waits; return the images in the order in which they came."""
    ids = []
    while job := store.jobs.claim("boot", "worker"):
        ids.append(job.image_id)
    return ids


# Asking


def test_the_same_image_and_recipe_are_the_same_job_whatever_the_order_of_its_parameters() -> None:
    one = Recipe("e", "1", {"a": 1, "b": 2.5})
    assert one.job_id("x") == Recipe("e", "1", {"b": 2.5, "a": 1}).job_id("x")
    others = [
        one.job_id("y"),
        Recipe("f", "1", one.params).job_id("x"),
        Recipe("e", "2", one.params).job_id("x"),
        Recipe("e", "1", {"a": 1, "b": 2}).job_id("x"),
        Recipe("e", "1", {}).job_id("x"),
        Recipe("e1", "", one.params).job_id("x"),
    ]
    assert len({one.job_id("x"), *others}) == 7


def test_a_job_is_as_it_was_asked_for(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    job = job_of(store, "a")
    assert (job.image_id, job.project_id, job.image_name, job.page) == ("a", project.id, "a.tif", 1)
    assert (job.state, job.attempt, job.suspect) == (JobState.QUEUED, 0, False)
    assert (job.engine, job.params) == (RECIPE.engine, dict(RECIPE.params))
    assert status(store, "a") == "queued"


def test_jobs_come_in_the_order_of_asking(store: Store, project: Project) -> None:
    keys = [f"{number * 7919 % 1000:03}" for number in range(40)]
    add(store, project.id, *keys)
    store.jobs.enqueue(project.id, keys[25:], RECIPE)
    store.jobs.enqueue(project.id, keys[:25], RECIPE)
    expected = keys[25:] + keys[:25]
    assert [job.image_id for job in store.jobs.page(JobState.QUEUED, limit=100).items] == expected
    assert claimed(store) == expected


def test_jobs_asked_for_anew_come_in_the_order_of_asking(store: Store, project: Project) -> None:
    keys = [f"{number * 7919 % 1000:03}" for number in range(50)]
    add(store, project.id, *sorted(keys), recipe=RECIPE)
    store.jobs.cancel()
    store.jobs.enqueue(project.id, keys, RECIPE)
    assert claimed(store) == keys


def test_asking_again_for_what_waits_or_runs_changes_nothing(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b", recipe=RECIPE)
    running = claim(store)
    before = [job_of(store, key) for key in "ab"]
    assert store.jobs.enqueue(project.id, ["a", "b"], RECIPE) == 0
    assert [job_of(store, key) for key in "ab"] == before
    assert status(store, running.image_id) == "running"


@pytest.mark.parametrize("ended", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_what_has_ended_is_queued_anew_with_fresh_attempts(
    store: Store, project: Project, ended: JobState
) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    job = claim(store)
    if ended is JobState.DONE:
        store.results.finish(job, result())
    elif ended is JobState.FAILED:
        store.jobs.fail(job, ERROR)
    else:
        store.jobs.cancel()
    assert job_of(store, "a").state is ended
    assert store.jobs.enqueue(project.id, ["a"], RECIPE) == 1
    again = job_of(store, "a")
    assert (again.state, again.attempt, again.error, again.finished_at) == (JobState.QUEUED, 0, None, None)
    assert again.sequence > job.sequence
    image = store.images.get("a")
    assert (image.status, image.error_code, image.error) == (ImageStatus.QUEUED, None, None)


def test_an_image_named_twice_is_one_job(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    assert store.jobs.enqueue(project.id, ["a", "b", "a", "a"], RECIPE) == 2


def test_images_that_are_gone_or_anothers_are_passed_over(store: Store, project: Project) -> None:
    other = store.projects.create("Other", ENGINE)
    add(store, project.id, "a", "gone")
    add(store, other.id, "anothers")
    finish(store, "gone")
    store.images.delete(project.id, ["gone"])
    assert store.jobs.enqueue(project.id, ["gone", "never", "anothers", "a"], RECIPE) == 1
    assert claimed(store) == ["a"]
    assert store.jobs.enqueue(project.id, [], RECIPE) == 0


def test_a_project_that_is_gone_queues_nothing(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    store.projects.delete(project.id)
    with pytest.raises(NotFound):
        store.jobs.enqueue(project.id, ["a"], RECIPE)


def test_the_queue_takes_as_many_as_fit_and_counts_none_twice(db: Database) -> None:
    store = Store(db, max_queued=3)
    project = store.projects.create("Small", ENGINE)
    add(store, project.id, *"abcd")
    assert store.jobs.enqueue(project.id, ["a", "b", "c"], RECIPE) == 3
    assert store.jobs.enqueue(project.id, ["a", "b", "c"], RECIPE) == 0  # all wait already: nothing to refuse
    with pytest.raises(QueueFull, match="3 images are waiting and 3 may"):
        store.jobs.enqueue(project.id, ["c", "d"], RECIPE)
    assert status(store, "d") == "new"
    claim(store)
    assert store.jobs.enqueue(project.id, ["d"], RECIPE) == 1


def test_a_limit_that_was_lowered_refuses_only_what_is_new(db: Database) -> None:
    roomy, small = Store(db, max_queued=10), Store(db, max_queued=2)
    project = roomy.projects.create("Lowered", ENGINE)
    add(roomy, project.id, *"abcd", recipe=RECIPE)
    assert small.jobs.enqueue(project.id, ["a"], RECIPE) == 0
    add(small, project.id, "e")
    with pytest.raises(QueueFull):
        small.jobs.enqueue(project.id, ["e"], RECIPE)


def test_urgent_jobs_come_first_and_in_the_order_of_asking(store: Store, project: Project) -> None:
    add(store, project.id, *"abcdef")
    for keys, priority in (("ab", Priority.LOW), ("cd", Priority.NORMAL), ("ef", Priority.HIGH)):
        assert store.jobs.enqueue(project.id, list(keys), RECIPE, JobRequest("Ada", priority)) == 2
    assert [job.image_id for job in store.jobs.page(JobState.QUEUED).items] == list("efcdab")
    job = job_of(store, "e")
    assert (job.priority, job.requested_by) == (Priority.HIGH, "Ada")
    assert claimed(store) == list("efcdab")


def test_a_job_requested_again_names_the_later_requester(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    store.jobs.cancel()
    store.jobs.enqueue(project.id, ["a"], RECIPE, JobRequest("Bo", Priority.LOW))
    assert (job_of(store, "a").requested_by, job_of(store, "a").priority) == ("Bo", Priority.LOW)


def test_waiting_jobs_can_be_given_another_priority(store: Store, project: Project) -> None:
    add(store, project.id, *"abcd", recipe=RECIPE)
    running = claim(store)
    assert store.jobs.prioritise(Priority.HIGH, [RECIPE.job_id("d"), running.id]) == 1
    assert store.jobs.prioritise(Priority.LOW, [RECIPE.job_id("b")]) == 1
    assert claimed(store) == ["d", "c", "b"]
    assert store.jobs.prioritise(Priority.HIGH) == 0


# Claiming


def test_none_overtakes_the_one_that_does_not_fit(store: Store, project: Project) -> None:
    add(store, project.id, "large", "small", recipe=RECIPE)
    candidates: list[tuple[str, int]] = []

    def fits(job: Job) -> bool:
        candidates.append((job.image_id, job.memory_bytes))
        return job.image_id != "large"

    assert store.jobs.claim("boot", "worker 1", fits) is None
    assert set(candidates) == {("large", job_of(store, "large").memory_bytes)}
    assert candidates[0][1] > 640 * 480
    assert job_of(store, "large").attempt == 0
    assert claimed(store) == ["large", "small"]


def test_a_claim_is_committed_as_running_with_its_attempt(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    job = claim(store)
    assert (job.state, job.attempt, job.worker) == (JobState.RUNNING, 1, "worker 1")
    assert job.started_at is not None
    assert job == job_of(store, "a")
    assert status(store, "a") == "running"
    assert store.jobs.claim("boot", "worker 2") is None


def test_eight_threads_claim_every_job_once(store: Store, project: Project) -> None:
    keys = {f"{number:02}" for number in range(60)}
    add(store, project.id, *sorted(keys), recipe=RECIPE)
    with ThreadPoolExecutor(8) as pool:
        taken = [key for part in pool.map(lambda _: claimed(store), range(8)) for key in part]
    assert sorted(taken) == sorted(keys)


# Ending


def test_a_failure_is_told_on_the_job_and_on_the_image(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    assert store.jobs.fail(claim(store), ImageUnreadable("Cut short."))
    job, image = job_of(store, "a"), store.images.get("a")
    assert (job.state, job.error_code, job.error) == (JobState.FAILED, "image_unreadable", "Cut short.")
    assert (image.status, image.error_code, image.error) == (
        ImageStatus.FAILED,
        "image_unreadable",
        "Cut short.",
    )
    assert job.finished_at is not None


def test_what_is_put_back_waits_behind_the_others_and_keeps_its_attempts(
    store: Store, project: Project
) -> None:
    add(store, project.id, *"abc", recipe=RECIPE)
    job = claim(store)
    assert store.jobs.put_back(job, ERROR)
    assert status(store, "a") == "queued"
    assert store.images.get("a").error is None
    assert claimed(store) == ["b", "c", "a"]
    assert job_of(store, "a").attempt == 2
    assert job_of(store, "a").error == ERROR.message


def test_only_the_attempt_that_runs_may_end_a_job(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    job = claim(store)
    for other in (replace(job, attempt=0), replace(job, attempt=2), replace(job, sequence=0)):
        assert not store.jobs.fail(other, ERROR)
        assert not store.jobs.put_back(other, ERROR)
        assert not store.results.finish(other, result())
    assert store.jobs.fail(job, ERROR)
    assert not store.jobs.fail(job, ERROR)
    assert not store.jobs.put_back(job, ERROR)
    assert not store.results.finish(job, result())


def test_the_first_attempt_of_a_cancelled_job_cannot_pass_for_that_of_its_successor(
    store: Store, project: Project
) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    stale = claim(store)
    store.jobs.cancel()
    store.jobs.enqueue(project.id, ["a"], RECIPE)
    fresh = claim(store)
    assert (stale.id, stale.attempt) == (fresh.id, fresh.attempt)
    assert not store.jobs.put_back(stale, ERROR)
    assert not store.jobs.fail(stale, ERROR)
    assert not store.results.finish(stale, result(spheroid()))
    assert store.results.finish(fresh, result(spheroid()))


# Cancelling and retrying


def test_cancelling_leaves_images_as_they_were_before(store: Store, project: Project) -> None:
    add(store, project.id, *"abcd")
    finish(store, "a", spheroid())
    store.jobs.enqueue(project.id, ["a", "b", "c"], RECIPE)
    claim(store)
    assert store.jobs.cancel() == 3
    assert [status(store, key) for key in "abcd"] == ["done", "new", "new", "new"]
    assert store.jobs.cancel() == 0
    assert store.jobs.totals().counts[JobState.CANCELLED] == 3


def test_only_the_jobs_named_are_cancelled(store: Store, project: Project) -> None:
    add(store, project.id, *"abc", recipe=RECIPE)
    assert store.jobs.cancel([RECIPE.job_id("b"), "never"]) == 1
    assert store.jobs.cancel([]) == 0
    assert [status(store, key) for key in "abc"] == ["queued", "new", "queued"]


def test_an_image_that_still_waits_for_another_job_says_so(store: Store, project: Project) -> None:
    other = Recipe("fake", "2", {})
    add(store, project.id, "a", recipe=RECIPE)
    store.jobs.enqueue(project.id, ["a"], other)
    store.jobs.cancel([RECIPE.job_id("a")])
    assert status(store, "a") == "queued"
    store.jobs.cancel()
    assert status(store, "a") == "new"


def test_all_in_one_state_are_cancelled_and_no_others(store: Store, project: Project) -> None:
    add(store, project.id, *"abc", recipe=RECIPE)
    claim(store)
    assert store.jobs.cancel(state=JobState.QUEUED) == 2
    assert [status(store, key) for key in "abc"] == ["running", "new", "new"]
    assert store.jobs.cancel(state=JobState.RUNNING) == 1
    assert store.jobs.cancel(state=JobState.CANCELLED) == 0


def test_retrying_gives_failed_jobs_fresh_attempts(store: Store, project: Project) -> None:
    add(store, project.id, *"abc", recipe=RECIPE)
    for _ in "ab":
        store.jobs.fail(claim(store), ERROR)
    assert store.jobs.retry([RECIPE.job_id("b"), RECIPE.job_id("c")]) == 1
    assert status(store, "b") == "queued"
    assert store.images.get("b").error is None
    assert (job_of(store, "b").attempt, job_of(store, "b").error) == (0, None)
    assert store.jobs.retry() == 1
    assert store.jobs.totals().counts[JobState.QUEUED] == 3


def test_what_is_deleted_is_not_retried_with_the_rest(store: Store, project: Project) -> None:
    other = store.projects.create("Other", ENGINE)
    add(store, project.id, "a", "b", recipe=RECIPE)
    add(store, other.id, "c", recipe=RECIPE)
    for _ in "abc":
        store.jobs.fail(claim(store), ERROR)
    store.images.delete(project.id, ["b"])
    store.projects.delete(other.id)
    assert store.jobs.retry() == 1
    assert claimed(store) == ["a"]


# After a stop


@pytest.mark.parametrize("all_at_once", [True, False])
def test_a_stopped_job_is_queued_in_its_place_without_an_attempt(
    store: Store, project: Project, all_at_once: bool
) -> None:
    add(store, project.id, *"abc", recipe=RECIPE)
    job = claim(store)
    if all_at_once:
        assert store.jobs.give_back("another") == 0
        assert store.jobs.give_back("boot") == 1
    else:
        assert store.jobs.release(job)
        assert not store.jobs.release(job)
    again = job_of(store, "a")
    assert (again.state, again.attempt, again.crashes, again.suspect) == (JobState.QUEUED, 0, 0, False)
    assert status(store, "a") == "queued"
    assert claimed(store) == ["a", "b", "c"]
    assert not store.jobs.fail(replace(job, attempt=7), ERROR)


# After a crash


def test_errors_that_passed_do_not_count_as_crashes(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    for _ in range(3):
        store.jobs.put_back(claim(store), ERROR)
    claim(store)
    store.jobs.recover(3)
    assert (job_of(store, "a").state, job_of(store, "a").crashes) == (JobState.QUEUED, 1)


def test_a_job_whose_worker_died_runs_alone_and_its_crash_is_counted(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b", recipe=RECIPE)
    store.jobs.put_back(claim(store), ERROR, suspect=True)
    job = claim(store)
    assert (job.image_id, job.suspect, job.crashes) == ("a", True, 1)


def test_orphans_are_queued_first_and_as_suspects(store: Store, project: Project) -> None:
    add(store, project.id, *"abcde", recipe=RECIPE)
    for _ in "abc":
        claim(store)
    store.jobs.cancel([RECIPE.job_id("b")])
    assert store.jobs.recover(3) == 2
    assert [status(store, key) for key in "abcde"] == ["queued", "new", "queued", "queued", "queued"]
    suspects = [store.jobs.claim("boot", "w") for _ in range(4)]
    assert [(job.image_id, job.suspect) for job in suspects if job] == [
        ("a", True),
        ("c", True),
        ("d", False),
        ("e", False),
    ]
    assert job_of(store, "a").attempt == 2


def test_an_orphan_at_its_last_attempt_fails_with_the_reason(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    for attempt in (1, 2):
        assert claim(store).attempt == attempt
        assert store.jobs.recover(3) == 1
        assert status(store, "a") == "queued"
    assert claim(store).attempt == 3
    assert store.jobs.recover(3) == 1
    image = store.images.get("a")
    assert (image.status, image.error_code) == (ImageStatus.FAILED, "crashed_repeatedly")
    assert "3 times" in (image.error or "")
    assert store.jobs.claim("boot", "w") is None
    assert store.jobs.recover(3) == 0
    assert job_of(store, "a").crashes == 3


@pytest.mark.parametrize("act", ["finish", "fail", "put_back"])
def test_a_suspect_that_ends_without_a_crash_is_cleared(store: Store, project: Project, act: str) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    claim(store)
    store.jobs.recover(3)
    job = claim(store)
    assert job.suspect
    if act == "finish":
        store.results.finish(job, result())
    elif act == "fail":
        store.jobs.fail(job, ERROR)
    else:
        store.jobs.put_back(job, ERROR)
    assert not job_of(store, "a").suspect


def test_a_result_of_before_the_crash_is_kept_when_its_job_is_run_anew(
    store: Store, project: Project
) -> None:
    add(store, project.id, "a")
    before = finish(store, "a", spheroid(1), spheroid(2))
    store.jobs.enqueue(project.id, ["a"], RECIPE)
    claim(store)
    store.jobs.recover(1)
    image: Image = store.images.get("a")
    assert (image.status, image.error_code) == (ImageStatus.DONE, "crashed_repeatedly")
    assert (image.version_id, image.n_objects) == (before.version_id, 2)


# Looking


def test_pages_of_jobs_by_state_and_project(store: Store, project: Project, recorder: QueryRecorder) -> None:
    other = store.projects.create("Other", ENGINE)
    add(store, project.id, *"abcdef", recipe=RECIPE)
    add(store, other.id, "x", recipe=RECIPE)
    finished, failed, running = (claim(store) for _ in range(3))
    store.results.finish(finished, result())
    store.jobs.fail(failed, ERROR)
    seen = len(recorder.latest())
    page = store.jobs.page(JobState.QUEUED, limit=2, offset=1)
    assert [item.name for item in recorder.latest()[seen:]] == ["jobs.page", "jobs.count"]
    assert [job.image_id for job in page.items] == ["e", "f"]
    assert (page.total, page.offset, page.limit) == (4, 1, 2)
    assert [job.image_id for job in store.jobs.page(JobState.QUEUED, other.id).items] == ["x"]
    assert [job.image_id for job in store.jobs.page(JobState.RUNNING).items] == [running.image_id]
    assert [job.image_id for job in store.jobs.page(JobState.DONE).items] == ["a"]
    assert [job.image_id for job in store.jobs.page(JobState.FAILED).items] == ["b"]
    assert [job.image_id for job in store.jobs.page(None, limit=100).items] == list("xfedcba")
    assert store.jobs.page(JobState.CANCELLED).items == ()


def test_ended_jobs_come_latest_first_over_all_pages(store: Store, project: Project) -> None:
    keys = [f"{number:02}" for number in range(20)]
    add(store, project.id, *keys, recipe=RECIPE)
    for _ in keys:
        store.results.finish(claim(store), result())
    pages = [store.jobs.page(JobState.DONE, limit=7, offset=offset).items for offset in (0, 7, 14)]
    assert [job.image_id for page in pages for job in page] == keys[::-1]


def test_a_walk_through_waiting_jobs_misses_none_while_others_end(store: Store, project: Project) -> None:
    keys = [f"{number:02}" for number in range(12)]
    add(store, project.id, *keys, recipe=RECIPE)
    seen: list[str] = []
    page = store.jobs.page(JobState.QUEUED, limit=3)
    while page.items:
        seen += [job.image_id for job in page.items]
        store.results.finish(claim(store), result())  # always the first: all others move up
        if len(seen) < 12:
            add(store, project.id, f"new {len(seen)}", recipe=RECIPE)
        page = store.jobs.page(JobState.QUEUED, limit=3, after=page.last)
        assert page.offset == store.jobs.page(JobState.QUEUED).total - len(page.items) - _behind(store, page)
    assert seen == [*keys, "new 3", "new 6", "new 9"]


def _behind(store: Store, page: Page[Job]) -> int:
    return len(store.jobs.page(JobState.QUEUED, limit=100, after=page.last or None).items) if page.last else 0


def test_a_walk_through_ended_jobs_repeats_none_while_more_end(store: Store, project: Project) -> None:
    keys = [f"{number:02}" for number in range(12)]
    add(store, project.id, *keys, recipe=RECIPE)
    for _ in range(6):
        store.results.finish(claim(store), result())
    page = store.jobs.page(JobState.DONE, limit=2)
    seen = [job.image_id for job in page.items]
    while page.last:
        store.results.finish(claim(store), result())  # comes first: what was given moves down
        page = store.jobs.page(JobState.DONE, limit=2, after=page.last)
        seen += [job.image_id for job in page.items]
    assert seen == keys[5::-1]


@pytest.mark.slow
def test_jobs_are_sorted_by_what_is_allowed_and_walked_so(store: Store, project: Project) -> None:
    add(store, project.id, *"abcdefgh", recipe=RECIPE)
    store.jobs.prioritise(Priority.HIGH, [store.jobs.page(JobState.QUEUED).items[3].id])
    store.jobs.enqueue(project.id, ["a", "b"], Recipe("other", "2", {}), JobRequest("Ann"))
    store.results.finish(claim(store), result())
    store.jobs.fail(claim(store), ERROR)
    claim(store)
    for sort in [way + name for name in SORTS for way in ("", "-")]:
        check_sorted(store, sort)


def check_sorted(store: Store, sort: str) -> None:
    """All jobs in one page, and in pages of three, are in the order of ``sort``."""
    whole = store.jobs.page(None, limit=100, sort=sort)
    name = sort.removeprefix("-").replace("asked_by", "requested_by")
    values = [getattr(job, name) for job in whole.items]
    known = [_rank(value) for value in values if value is not None]
    assert known == sorted(known, reverse=sort.startswith("-")), sort
    assert values[: len(known)] == [value for value in values if value is not None], f"{sort}: others last"
    page = store.jobs.page(None, limit=3, sort=sort)
    walked = list(page.items)
    while page.last:
        page = store.jobs.page(None, limit=3, sort=sort, after=page.last)
        walked += page.items
    assert walked == list(whole.items), sort


def _rank(value: Any) -> Any:
    return list(type(value)).index(value) if isinstance(value, StrEnum) else value


@pytest.mark.parametrize("sort", ["image_name", "id", "--state", "job.id", "state desc"])
def test_a_sort_of_jobs_that_is_not_allowed_is_refused(store: Store, sort: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be sorted by"):
        store.jobs.page(None, sort=sort)


def test_totals_count_every_state_and_estimate_from_what_ended_lately(store: Store, project: Project) -> None:
    totals = store.jobs.totals()
    assert totals.counts == dict.fromkeys(JobState, 0)
    assert (totals.left, totals.per_second, totals.seconds_left) == (0, None, None)
    add(store, project.id, *"abcde", recipe=RECIPE)
    assert store.jobs.totals().seconds_left is None
    for _ in "ab":
        store.results.finish(claim(store), result())
    store.jobs.fail(claim(store), ERROR)
    claim(store)
    totals = store.jobs.totals()
    counts = {state.value: count for state, count in totals.counts.items()}
    assert counts == {"queued": 1, "running": 1, "done": 2, "failed": 1, "cancelled": 0}
    assert totals.left == 2
    assert totals.per_second is not None
    assert 0 < totals.per_second <= 20
    assert totals.seconds_left == pytest.approx(2 / totals.per_second)

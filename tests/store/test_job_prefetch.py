"""Prefetched jobs: a long queue is read now and then, and every change of its order is seen at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.db import Database, Session
from core.models import Job, JobState, Priority, Project
from core.monitoring import QueryRecorder
from core.store import JobRequest, Store
from core.store.job_prefetch import PREFETCHED_JOBS
from tests.factories import RECIPE, add, claim
from tests.store.test_jobs import ERROR, claimed, job_of

pytestmark = pytest.mark.slow

KEYS = [f"{number:03}" for number in range(PREFETCHED_JOBS + 10)]


@pytest.fixture
def begun(store: Store, project: Project) -> Job:
    """The first job of a queue that has been prefetched."""
    add(store, project.id, *KEYS, recipe=RECIPE)
    return claim(store)


def reads(recorder: QueryRecorder) -> int:
    return sum(record.name == "jobs.page" for record in recorder.latest())


def test_a_long_queue_is_read_now_and_then(store: Store, begun: Job, recorder: QueryRecorder) -> None:
    before = reads(recorder)
    assert [begun.image_id, *claimed(store)] == KEYS
    assert reads(recorder) - before == 2  # the rest, and that nothing is left


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda store, _: store.jobs.cancel([job_of(store, "001").id]), ["002", "003"]),
        (lambda store, _: store.jobs.prioritise(Priority.HIGH, [job_of(store, "050").id]), ["050", "001"]),
        (lambda store, begun: store.jobs.release(begun), ["000", "001"]),
        (lambda store, begun: store.jobs.put_back(begun, ERROR, suspect=True), ["000", "001"]),
        (lambda store, begun: store.jobs.put_back(begun, ERROR), ["001", "002"]),
        (lambda store, begun: store.images.delete(begun.project_id, ["001", "002"]), ["003", "004"]),
        (lambda store, begun: store.jobs.fail(begun, ERROR), ["001", "002"]),
    ],
    ids=["cancel", "prioritise", "release", "suspect", "put back", "delete", "fail"],
)
def test_a_change_of_the_order_is_seen_at_once(
    store: Store, begun: Job, change: Callable[[Store, Job], object], expected: list[str]
) -> None:
    change(store, begun)
    assert [claim(store).image_id, claim(store).image_id] == expected


def test_an_urgent_job_overtakes_those_read_ahead(store: Store, project: Project, begun: Job) -> None:
    add(store, project.id, "urgent")
    store.jobs.enqueue(project.id, ["urgent"], RECIPE, JobRequest(priority=Priority.HIGH))
    assert claim(store).image_id == "urgent"


def test_what_another_store_changes_is_seen(db: Database, store: Store, begun: Job) -> None:
    other = Store(db)
    assert claim(other).image_id == "001"
    assert claim(store).image_id == "002"
    other.jobs.cancel([job_of(store, "003").id])
    assert claim(store).image_id == "004"


def test_what_a_transaction_that_failed_has_read_is_forgotten(db: Database, store: Store, begun: Job) -> None:
    prefetch = store.jobs._prefetch

    def fails(session: Session) -> None:
        values = {"state": JobState.QUEUED.value, "now": begun.created_at, "visible": None}
        session.rows("jobs.cancel_state", values)
        assert prefetch.read(session) is None
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.write(fails)
    assert claim(store).image_id == "001"

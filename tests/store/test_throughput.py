"""What was done, by time and project: counted from the results themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.cache import NoCache
from core.clock import utc_now
from core.db import Database
from core.errors import ImageUnreadable
from core.models import JobState, Project
from core.store import Store
from core.store.throughput import Failures, Overview, ThroughputStore
from tests.factories import ENGINE, RECIPE, add, claim, finish, spheroid

pytestmark = pytest.mark.slow

HOUR = 3600.0


@pytest.fixture
def throughput(db: Database) -> ThroughputStore:
    return ThroughputStore(db, NoCache())


def test_an_overview_counts_what_needs_somebody_and_both_weeks(
    db: Database, store: Store, project: Project, throughput: ThroughputStore
) -> None:
    other = store.projects.create("Plate 2", ENGINE)
    add(store, project.id, "a", recipe=RECIPE)
    store.jobs.fail(claim(store), ImageUnreadable("Cut short."))
    add(store, project.id, "b", "c")
    add(store, other.id, "d")
    finish(store, "b", spheroid(1))
    finish(store, "d", spheroid(1))
    now = utc_now()
    assert throughput.overview(now) == Overview(0, 1, 2, 0, 1, 0)
    assert throughput.overview(now, project.id) == Overview(0, 1, 1, 0, 1, 0)
    assert throughput.overview(now + timedelta(days=8)) == Overview(0, 1, 0, 2, 0, 1)
    assert throughput.overview(now, "another") == Overview(0, 0, 0, 0, 0, 0)
    assert throughput.overview(now).to_review == 1


def test_jobs_of_one_project_are_counted_by_state(
    store: Store, project: Project, throughput: ThroughputStore
) -> None:
    add(store, project.id, "a", "b", recipe=RECIPE)
    claim(store)
    counts = throughput.jobs(project.id)
    assert (counts[JobState.QUEUED], counts[JobState.RUNNING], counts[JobState.DONE]) == (1, 1, 0)
    assert not any(throughput.jobs("another").values())
    waiting = store.jobs.ids(JobState.QUEUED, project_id=project.id)
    assert len(waiting) == 1
    assert store.jobs.ids(JobState.QUEUED, project_id="another") == ()


def test_an_empty_lab_has_done_nothing(throughput: ThroughputStore) -> None:
    since = utc_now() - timedelta(days=1)
    assert (
        throughput.images_done(since, HOUR)
        == throughput.waits(since, HOUR)
        == throughput.failures(since)
        == ()
    )


def test_images_and_spheroids_are_counted_by_project(
    store: Store, project: Project, throughput: ThroughputStore
) -> None:
    other = store.projects.create("Plate 2", ENGINE)
    add(store, project.id, "a", "b")
    add(store, other.id, "c")
    finish(store, "a", spheroid(1), spheroid(2))
    finish(store, "b")
    finish(store, "c", spheroid(1))
    finish(store, "c", spheroid(1), spheroid(2), spheroid(3))
    since = utc_now() - timedelta(hours=1)
    day = 24 * HOUR
    made = {item.project: (item.images, item.spheroids) for item in throughput.images_done(since, day)}
    assert made == {"Plate 1": (2, 2), "Plate 2": (2, 4)}
    (only,) = throughput.images_done(since, day, other.id)
    assert (only.project_id, only.images, only.slot.hour) == (other.id, 2, 0)
    assert throughput.images_done(utc_now() + timedelta(minutes=1), day) == ()


def test_waiting_times_are_from_asking_to_beginning(
    store: Store, project: Project, throughput: ThroughputStore
) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    claim(store)
    (waits,) = throughput.waits(utc_now() - timedelta(hours=1), HOUR, project.id)
    assert waits.images == 1
    assert 0 <= waits.median_s == waits.p95_s < 60
    assert throughput.waits(utc_now() - timedelta(hours=1), HOUR, "another") == ()


def test_failures_are_counted_by_reason_until_asked_for_again(
    store: Store, project: Project, throughput: ThroughputStore
) -> None:
    add(store, project.id, "a", "b", recipe=RECIPE)
    for _ in range(2):
        store.jobs.fail(claim(store), ImageUnreadable("Cut short."))
    since = utc_now() - timedelta(hours=1)
    assert throughput.failures(since) == (Failures("image_unreadable", 2),)
    assert throughput.failures(since, "another") == ()
    store.jobs.retry(None)
    assert throughput.failures(since) == ()

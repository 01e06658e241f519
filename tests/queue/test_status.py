"""The queue monitor: one snapshot for all readers, counted at most twice a second, with true messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from core.db import Database
from core.models import JobState, Project
from core.monitoring import QueryRecorder
from core.queue.slots import QueueLoad
from core.queue.status import MIN_INTERVAL_SECONDS, QueueHealth, QueueMonitor, health_of, rate_of
from core.queue.timeline import Span
from core.services import Services
from core.store import Store
from tests.factories import RECIPE, add, claim, result

WELL = QueueLoad(4, 0, 0, 0, 0, 2**30, None, None)


class Still:
    """A queue that tells of itself what it is told to."""

    def __init__(self) -> None:
        self.reported_state = WELL
        self.timeline = _Spans()

    def state(self) -> QueueLoad:
        return self.reported_state


class _Spans:
    spans: tuple[Span, ...] = ()

    def latest(self, most: int) -> tuple[Span, ...]:
        return self.spans[-most:]


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def still() -> Still:
    return Still()


@pytest.fixture
def queue_monitor(db: Database, store: Store, still: Still, watch: Watch) -> QueueMonitor:
    return QueueMonitor(db, store, still, watch)  # type: ignore[arg-type]


def span(seconds: float, state: JobState = JobState.DONE) -> Span:
    return Span("j", "i", "a.tif", "p", "e", "worker 1", 1, datetime(2026, 1, 1), seconds, state)


@pytest.mark.slow
def test_tables_are_counted_at_most_twice_a_second(
    queue_monitor: QueueMonitor, watch: Watch, store: Store, project: Project, recorder: QueryRecorder
) -> None:
    counted = []
    for number in range(40):
        add(store, project.id, f"{number}", recipe=RECIPE)
        for _ in range(25):
            queue_monitor.snapshot()
        watch.now += MIN_INTERVAL_SECONDS / 10
        counted.append(queue_monitor.snapshot().version)
    assert len(set(counted)) <= 40 / 10 + 1


def test_nothing_is_counted_anew_while_nothing_changes(
    queue_monitor: QueueMonitor, watch: Watch, store: Store, project: Project
) -> None:
    first = queue_monitor.snapshot()
    watch.now += 10
    assert queue_monitor.snapshot() is first
    add(store, project.id, "a", recipe=RECIPE)
    watch.now += 10
    assert queue_monitor.snapshot().totals.left == 1


def test_those_who_see_the_same_projects_share_a_snapshot(
    queue_monitor: QueueMonitor, watch: Watch, store: Store, project: Project
) -> None:
    other = store.projects.create("Other", "unet")
    add(store, project.id, "a", recipe=RECIPE)
    add(store, other.id, *"bc", recipe=RECIPE)
    own = queue_monitor.snapshot([project.id])
    assert own.totals.left == 1
    assert queue_monitor.snapshot([other.id, project.id]).totals.left == 3
    assert queue_monitor.snapshot([project.id, other.id]) is queue_monitor.snapshot([other.id, project.id])
    assert queue_monitor.snapshot([project.id]) is own
    add(store, project.id, "d", recipe=RECIPE)
    watch.now += MIN_INTERVAL_SECONDS
    assert queue_monitor.snapshot([project.id]).totals.left == 2
    assert queue_monitor.snapshot([]).totals.left == 0


def test_progress_runs_from_the_most_that_was_left_to_none(
    queue_monitor: QueueMonitor, watch: Watch, store: Store, project: Project
) -> None:
    def progress() -> float:
        watch.now += 1
        return queue_monitor.snapshot().progress

    assert progress() == 1.0
    add(store, project.id, *"abcd", recipe=RECIPE)
    assert progress() == 0.0
    for seen in (0.25, 0.5, 0.75, 1.0):
        store.results.finish(claim(store), result())
        assert progress() == seen
    add(store, project.id, "e", recipe=RECIPE)
    assert progress() == 0.0


def test_the_rate_is_what_the_workers_got_through_lately(
    queue_monitor: QueueMonitor, still: Still, store: Store, project: Project
) -> None:
    add(store, project.id, *"abcdefgh", recipe=RECIPE)
    still.timeline.spans = (span(2.0), span(2.0), span(9.0, JobState.QUEUED))
    totals = queue_monitor.snapshot().totals
    assert totals.per_second == pytest.approx(2.0)  # four workers, two seconds each
    assert totals.seconds_left == pytest.approx(4.0)
    assert rate_of((), 4) is None


@pytest.mark.parametrize(
    ("state", "light", "says"),
    [
        (WELL, QueueHealth.GREEN, ""),
        (replace(WELL, lost=1), QueueHealth.AMBER, "1 of 4 workers hang on an image"),
        (replace(WELL, lost=3), QueueHealth.AMBER, "3 of 4 workers hang on images"),
        (replace(WELL, lost=4), QueueHealth.RED, "nothing more is segmented"),
        (replace(WELL, waits_for_memory="a.tif"), QueueHealth.AMBER, "a.tif waits for memory"),
        (replace(WELL, problem="No scheduler.", lost=4), QueueHealth.RED, "No scheduler."),
    ],
)
def test_a_problem_has_a_message_in_words(state: QueueLoad, light: QueueHealth, says: str) -> None:
    seen, message = health_of(state, queued=3)
    assert seen is light
    assert says in message
    assert bool(message) == (light is not QueueHealth.GREEN)


def test_memory_is_not_waited_for_where_nothing_waits() -> None:
    assert health_of(replace(WELL, waits_for_memory="a.tif"), queued=0) == (QueueHealth.GREEN, "")


def test_services_have_a_board_of_their_queue(services: Services) -> None:
    snapshot = services.queue_monitor.snapshot()
    assert (snapshot.state.slots, snapshot.light) == (4, QueueHealth.GREEN)

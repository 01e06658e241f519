"""Each attempt at a job is recorded once, by its outcome."""

from __future__ import annotations

from datetime import datetime

from core.models import JobState
from core.monitoring import FAILED, OK, Kind, Recorder
from core.monitoring.summary import rows
from core.operations.stage_metrics import WHOLE, StageMetrics
from core.queue.timeline import Span, Timeline


def span(state: JobState, **stages_ms: float) -> Span:
    now = datetime(2026, 11, 2)
    return Span("job", "image", "a.tif", "project", "fake", "worker 1", 1, now, 2.0, state, stages_ms)


def counted(recorder: Recorder) -> dict[tuple[str, str], int]:
    return {(series.name, series.outcome): histogram.calls for series, histogram in recorder.totals().items()}


def test_stages_are_passed_on_once_with_the_whole() -> None:
    recorder, timeline = Recorder(), Timeline()
    source = StageMetrics(timeline)
    timeline.add(span(JobState.DONE, decode=20.0, predict=80.0))
    source(recorder)
    source(recorder)
    timeline.add(span(JobState.FAILED))
    timeline.add(span(JobState.QUEUED))
    source(recorder)
    assert counted(recorder) == {
        (WHOLE, OK): 1,
        (WHOLE, FAILED): 2,
        ("decode", OK): 1,
        ("predict", OK): 1,
    }
    whole = next(row for row in rows(recorder.totals(), Kind.STAGE) if row.name == WHOLE)
    assert (whole.failed, whole.histogram.total_ms) == (2, 6000.0)


def test_only_what_is_still_there_can_be_passed_on() -> None:
    timeline = Timeline(keep=3)
    for _ in range(5):
        timeline.add(span(JobState.DONE))
    total, spans = timeline.since(0)
    assert (total, len(spans)) == (5, 3)
    assert timeline.since(4)[1] == spans[-1:]
    assert timeline.since(5) == (5, ())

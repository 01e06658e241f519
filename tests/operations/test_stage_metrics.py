"""Each attempt at a job is recorded once, by its outcome."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.models import JobState
from core.monitoring import COLD, FAILED, OK, Kind, Recorder
from core.monitoring.summary import rows
from core.operations.stage_metrics import WHOLE, StageMetrics
from core.queue.timeline import Span, Timeline

BEGAN = datetime(2026, 11, 2)


def span(state: JobState, after_s: float = 10.0, **stages_ms: float) -> Span:
    began = BEGAN + timedelta(seconds=after_s)
    return Span("job", "image", "a.tif", "project", "fake", "worker 1", 1, began, 2.0, state, stages_ms)


def warm() -> tuple[Recorder, Timeline, StageMetrics]:
    """A source to which the engine's first image has been told."""
    recorder, timeline = Recorder(), Timeline()
    source = StageMetrics(timeline)
    timeline.add(span(JobState.DONE, after_s=0.0))
    source(recorder)
    recorder.take()
    return Recorder(), timeline, source


def counted(recorder: Recorder) -> dict[tuple[str, str], int]:
    return {(series.name, series.outcome): histogram.calls for series, histogram in recorder.totals().items()}


def test_stages_are_passed_on_once_with_the_whole() -> None:
    recorder, timeline, source = warm()
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


def test_images_that_waited_for_an_engine_to_load_are_cold() -> None:
    recorder, timeline = Recorder(), Timeline()
    source = StageMetrics(timeline)
    for after_s in (0.0, 1.5, 2.0):
        timeline.add(span(JobState.DONE, after_s, predict=80.0))
    source(recorder)
    assert counted(recorder) == {
        (WHOLE, COLD): 2,
        ("predict", COLD): 2,
        (WHOLE, OK): 1,
        ("predict", OK): 1,
    }
    assert {row.name: row.calls for row in rows(recorder.totals(), Kind.STAGE)} == {WHOLE: 1, "predict": 1}


def test_waiting_for_a_processor_is_not_the_engines_time() -> None:
    recorder, timeline, source = warm()
    timeline.add(span(JobState.DONE, queued=60_000.0, wait=1500.0, predict=400.0))
    source(recorder)
    whole = next(row for row in rows(recorder.totals(), Kind.STAGE) if row.name == WHOLE)
    assert whole.histogram.total_ms == 500.0


def test_only_what_is_still_there_can_be_passed_on() -> None:
    timeline = Timeline(max_spans=3)
    for _ in range(5):
        timeline.add(span(JobState.DONE))
    total, spans = timeline.since(0)
    assert (total, len(spans)) == (5, 3)
    assert timeline.since(4)[1] == spans[-1:]
    assert timeline.since(5) == (5, ())

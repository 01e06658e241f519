"""Metrics of the stages of jobs, taken from the queue's timeline."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from core.models import JobState
from core.models.jobs import WAITS
from core.monitoring import COLD, FAILED, OK, Kind, Recorder
from core.queue.timeline import Span, Timeline

Source = Callable[[Recorder], None]  # records what is new since its last call

WHOLE = "whole image"  # from the start of a job in a worker slot until the slot is free again, without waits


class StageMetrics:
    """Records how long the stages of a job took.

    An attempt that queues the job again counts as failed. Attempts that began before an engine's first had
    ended are cold: they loaded its weights, or waited for them.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._position = 0
        self._warm_since: dict[str, datetime] = {}  # by engine

    def __call__(self, recorder: Recorder) -> None:
        """Record the attempts that have ended since the last call."""
        self._position, spans = self._timeline.since(self._position)
        for span in spans:
            warmth = COLD if self._is_cold(span) else OK
            outcome = warmth if span.state is JobState.DONE else FAILED
            waited_ms = span.stages_ms.get("wait", 0.0)  # "queued" was before the span
            recorder.record(Kind.STAGE, WHOLE, span.seconds * 1000 - waited_ms, outcome)
            for stage, ms in span.stages_ms.items():
                recorder.record(Kind.STAGE, stage, ms, OK if stage in WAITS else warmth)

    def _is_cold(self, span: Span) -> bool:
        ended = span.began + timedelta(seconds=span.seconds)
        return span.began < self._warm_since.setdefault(span.engine, ended)

"""Metrics of the stages of jobs, taken from the queue's timeline."""

from __future__ import annotations

from collections.abc import Callable

from core.models import JobState
from core.monitoring import FAILED, OK, Kind, Recorder
from core.queue.timeline import Timeline

Source = Callable[[Recorder], None]  # records what is new since its last call

WHOLE = "whole image"  # from the start of a job in a worker slot until the slot is free again


class StageMetrics:
    """Records how long the stages of a job took. An attempt that queues the job again counts as failed."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._position = 0

    def __call__(self, recorder: Recorder) -> None:
        """Record the attempts that have ended since the last call."""
        self._position, spans = self._timeline.since(self._position)
        for span in spans:
            outcome = OK if span.state is JobState.DONE else FAILED
            recorder.record(Kind.STAGE, WHOLE, span.seconds * 1000, outcome)
            for stage, ms in span.stages_ms.items():
                recorder.record(Kind.STAGE, stage, ms)

"""What other parts count themselves, passed on to the recorder: stages of jobs."""

from __future__ import annotations

from collections.abc import Callable

from core.models import JobState
from core.monitoring import FAILED, OK, Kind, Recorder
from core.queue.timeline import Timeline

Source = Callable[[Recorder], None]  # called again and again; each time it passes on what is new

WHOLE = "whole image"  # from a worker's taking it to its being free again


class StageMetrics:
    """How long the stages of segmenting an image took. A try that ends in the queue again has failed."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._known = 0

    def __call__(self, recorder: Recorder) -> None:
        """Pass on the tries that have ended since the last call."""
        self._known, spans = self._timeline.since(self._known)
        for span in spans:
            outcome = OK if span.state is JobState.DONE else FAILED
            recorder.record(Kind.STAGE, WHOLE, span.seconds * 1000, outcome)
            for stage, ms in span.stages_ms.items():
                recorder.record(Kind.STAGE, stage, ms)

"""What other parts count themselves, passed on to the recorder: looks into caches, stages of jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.models import JobState
from core.monitoring import FAILED, OK, Kind, Recorder
from core.timeline import Timeline

Source = Callable[[Recorder], None]  # called again and again; each time it passes on what is new

WHOLE = "whole image"  # from a worker's taking it to its being free again


class CacheLooks:
    """Looks into caches. ``counts`` says how many there were since the start, by cache and by hit or miss."""

    def __init__(self, counts: Callable[[], Mapping[tuple[str, str], int]]) -> None:
        self._counts = counts
        self._known: dict[tuple[str, str], int] = {}

    def __call__(self, recorder: Recorder) -> None:
        """Pass on the looks since the last call."""
        now = dict(self._counts())
        for (name, outcome), looks in now.items():
            recorder.count(Kind.CACHE, name, outcome, looks - self._known.get((name, outcome), 0))
        self._known = now


class Stages:
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

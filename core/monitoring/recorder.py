"""Recorder of calls and their durations; about half a microsecond a call."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from core.monitoring.histogram import Histogram

OK, FAILED, HIT, MISS, REFUSED = "ok", "failed", "hit", "miss", "refused"
COLD = "cold"  # the first of its name since the app was started: what it took says nothing of the next
FOLD_AT = 4096  # calls that may wait to be counted; the caller of the next one counts them all


class Kind(StrEnum):
    """Kinds of calls."""

    REQUEST = "request"  # name: method and route template; outcome: HTTP status; amount: bytes sent
    PAGE = "page"  # name: the page's title
    QUERY = "query"  # name: file and name of the statement; amount: rows
    CACHE = "cache"  # name: what is cached; outcome: hit or miss
    STAGE = "stage"  # name: stage of segmenting one image
    LOOP = "loop"  # how late the server's event loop was
    FILE = "file"  # an uploaded file; name: what became of it, or the code of the error it was refused with


class Series(NamedTuple):
    """Key of a histogram. All three are words of the program: nothing that a user typed."""

    kind: Kind
    name: str
    outcome: str


class Record(NamedTuple):
    """One call. ``at`` is seconds since 1970; ``rows`` is the amount, as Kind says."""

    at: float
    kind: Kind
    name: str
    outcome: str
    ms: float
    rows: int


Timings = dict[Series, Histogram]
_Call = tuple[float, Kind, str, str, float, int]  # the fields of a Record: a plain tuple is made in less time


class Recorder:
    """One histogram a series, and the latest calls of each kind. Thread-safe.

    ``record`` only appends to a list; the counting is done by the readers, or by a caller that finds FOLD_AT
    calls waiting.
    """

    def __init__(self, enabled: bool = True, keep: int = 2000) -> None:
        self.enabled = enabled
        self.started = time.time()
        self.pending: deque[_Call] = deque()  # of this module only
        self._latest: dict[Kind, deque[_Call]] = {kind: deque(maxlen=keep) for kind in Kind}
        self._open: Timings = {}  # since ``take`` was last called
        self._taken: Timings = {}
        self._begun: set[tuple[Kind, str]] = set()
        self._lock = threading.Lock()

    def record(self, kind: Kind, name: str, ms: float, outcome: str = OK, amount: int = 0) -> None:
        """Count one call that took ``ms`` milliseconds."""
        if self.enabled:
            self.pending.append((time.time(), kind, name, outcome, ms, amount))
            if len(self.pending) >= FOLD_AT:
                self.fold()

    def is_first(self, kind: Kind, name: str) -> bool:
        """Whether this is asked for the first time of a name since the start."""
        with self._lock:
            known = len(self._begun)
            self._begun.add((kind, name))
            return len(self._begun) > known

    def fold(self) -> None:
        """Count the calls that wait."""
        with self._lock:
            self._fold()

    def take(self) -> Timings:
        """Return the metrics since the last call of ``take``; the caller owns them."""
        with self._lock:
            self._fold()
            taken, self._open = self._open, {}
            merge(self._taken, taken)
            return taken

    def waiting(self) -> Timings:
        """Return a copy of what ``take`` would return."""
        with self._lock:
            self._fold()
            return merge({}, self._open)

    def totals(self) -> Timings:
        """Return a copy of the metrics since the start."""
        with self._lock:
            self._fold()
            return merge(merge({}, self._taken), self._open)

    def count_lookup(self, kind: str, hit: bool) -> None:
        """Count one look into a cache for something of a ``kind``."""
        self.record(Kind.CACHE, kind, 0.0, HIT if hit else MISS)

    def latest(self, kind: Kind) -> tuple[Record, ...]:
        """Return the latest calls of one kind, oldest first."""
        with self._lock:
            self._fold()
            return tuple(Record(*call) for call in self._latest[kind])

    def _fold(self) -> None:
        # Those that arrive meanwhile may stay for the next time: a busy app must not hold up one caller.
        for _ in range(len(self.pending)):
            call = self.pending.popleft()
            series = call[1:4]
            histogram = self._open.get(series)  # type: ignore[call-overload]  # equal to a Series, and cheaper
            if histogram is None:
                histogram = self._open[Series(*series)] = Histogram()
            histogram.add(call[4], call[5])
            self._latest[call[1]].append(call)


_now, _QUERY = time.time, Kind.QUERY


class QueryRecorder:
    """Recorder of a database's statements."""

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or Recorder()

    def record(self, name: str, ms: float, rows: int) -> None:
        """Count one call that took ``ms`` milliseconds, fetching included, and returned ``rows`` rows.

        The code of ``Recorder.record`` once more: one call less is a fifth of the cost.
        """
        recorder = self._recorder
        if recorder.enabled:
            pending = recorder.pending
            pending.append((_now(), _QUERY, name, OK, ms, rows))
            if len(pending) >= FOLD_AT:
                recorder.fold()

    def latest(self) -> tuple[Record, ...]:
        """Return the latest calls, oldest first."""
        return self._recorder.latest(Kind.QUERY)


def merge(into: Timings, other: Mapping[Series, Histogram]) -> Timings:
    """Add every series of ``other`` to ``into`` and return it; it shares no histogram with ``other``."""
    for series, histogram in other.items():
        into.setdefault(series, Histogram()).add_all(histogram)
    return into

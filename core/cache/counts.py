"""What happens in a cache, counted by kind of value."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

LookupHook = Callable[[str, bool], None]  # told of every look: the kind, and whether it was there


@dataclass(slots=True)
class KindCounts:
    """One kind, since the start."""

    hits: int = 0
    misses: int = 0
    puts: int = 0
    evictions: int = 0
    damaged: int = 0  # were there, but were not what had been put
    seconds: float = 0.0  # ages of all hits together


@dataclass(frozen=True, slots=True)
class Held:
    """What one kind takes up now; ages in seconds."""

    entries: int
    n_bytes: int
    mean_age: float
    oldest: float


class Counts:
    """Safe from any thread."""

    def __init__(self, look: LookupHook | None = None) -> None:
        self._look = look
        self._kinds: dict[str, KindCounts] = {}
        self._lock = threading.Lock()

    def looked(self, kind: str, age: float | None) -> None:
        """Count a hit on a value ``age`` seconds old, or a miss."""
        with self._lock:
            counts = self._kinds.setdefault(kind, KindCounts())
            if age is None:
                counts.misses += 1
            else:
                counts.hits += 1
                counts.seconds += max(age, 0.0)
        if self._look is not None:
            self._look(kind, age is not None)

    def add(self, kind: str, *, puts: int = 0, evictions: int = 0, damaged: int = 0) -> None:
        """Count what else may happen."""
        with self._lock:
            counts = self._kinds.setdefault(kind, KindCounts())
            counts.puts += puts
            counts.evictions += evictions
            counts.damaged += damaged

    def by_kind(self, held: Mapping[str, Held]) -> dict[str, dict[str, Any]]:
        """Plain values of every kind seen; of what a kind holds where that is known."""
        with self._lock:
            said = {kind: asdict(counts) for kind, counts in self._kinds.items()}
        for kind, values in said.items():
            seconds = values.pop("seconds")
            values["mean_age_of_hits_s"] = seconds / values["hits"] if values["hits"] else None
            here = held.get(kind)
            values["entries"] = here.entries if here else 0
            values["bytes"] = here.n_bytes if here else 0
            values["mean_age_s"] = here.mean_age if here else None
            values["oldest_s"] = here.oldest if here else None
        return said

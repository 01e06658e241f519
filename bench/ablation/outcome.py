"""The result of one claim: the same workload without and with what it claims, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report import Cell, median_p95

# The ten optimisations of the performance document that this project began with, by its numbers and words,
# and what it promises of each.
SEED = {
    1: ("ML service concurrency", "4x potential throughput increase"),
    2: ("Database composite indexes", "queries improved by 50-90 %"),
    3: ("JSON response compression", "60-80 % reduction in response size"),
    4: ("API pagination", "consistent response times regardless of total image count"),
    5: ("Virtual scrolling", "smooth UI performance with thousands of items"),
    6: ("Database query optimization", "round trips reduced from N+1 to 1"),
    7: ("Streaming downloads", "memory usage constant regardless of file size"),
    8: ("Redis caching layer", "90 %+ cache hit rate for frequently accessed data"),
    9: ("Memory optimization", "stable memory usage under high load"),
    10: ("Performance monitoring", "real-time visibility into system performance"),
}


@dataclass(frozen=True)
class Outcome:
    """One line of the table. ``what`` does it here; ``holds`` is None where this machine cannot say.

    ``remark`` is always printed, ``why_not`` only where the claim does not hold: a sentence for readers who
    do not program.
    """

    number: int
    what: str
    workload: str
    switch: str
    unit: str
    off: float | None = None
    on: float | None = None
    holds: bool | None = None
    remark: str = ""
    why_not: str = ""

    def __post_init__(self) -> None:
        assert self.why_not or self.holds is not False, f"claim {self.number} does not hold: say why"

    @property
    def claim(self) -> str:
        """The document's words, and what does it here."""
        return f"{SEED[self.number][0]}: {self.what}"

    @property
    def promised(self) -> str:
        """What the document says that it brings."""
        return SEED[self.number][1]

    @property
    def ratio(self) -> float | None:
        """Off divided by on: above 1, less is needed with it on."""
        return self.off / self.on if self.off is not None and self.on else None

    @property
    def verdict(self) -> str:
        """In a word, for people."""
        return {True: "holds", False: "DOES NOT HOLD", None: "not measured"}[self.holds]

    @property
    def sentences(self) -> str:
        """The remark, and why the claim does not hold where it does not."""
        reason = f"Why it does not hold: {self.why_not}" if self.holds is False else ""
        return " ".join(part for part in (self.remark, reason) if part)

    def row(self) -> dict[str, Cell]:
        """For the report's table and its JSON."""
        return {
            "claim": f"{self.number}. {self.claim}",
            "promised": self.promised,
            "workload": self.workload,
            "off": self.off,
            "on": self.on,
            "unit": self.unit,
            "off/on": self.ratio,
            "verdict": self.verdict,
        }


def median(values: Sequence[float]) -> float:
    """The median alone."""
    return median_p95(values)[0]

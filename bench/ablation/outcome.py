"""What came of one claim: the same workload without and with what it claims, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.report import Cell, median_p95


@dataclass(frozen=True)
class Outcome:
    """One line of the table. ``holds`` is None where this machine cannot say."""

    number: int
    claim: str
    promised: str
    workload: str
    switch: str
    unit: str
    off: float | None = None
    on: float | None = None
    holds: bool | None = None
    remark: str = ""

    @property
    def ratio(self) -> float | None:
        """Off divided by on: above 1, less is needed with it on."""
        return self.off / self.on if self.off is not None and self.on else None

    @property
    def verdict(self) -> str:
        """In a word, for people."""
        return {True: "holds", False: "DOES NOT HOLD", None: "not measured"}[self.holds]

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

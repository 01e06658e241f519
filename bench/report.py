"""What every benchmark gives: rows, bars with whether they hold, and the machine they were measured on."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("streamlit", "duckdb", "polars", "torch", "numpy", "opencv-python-headless")
Cell = str | float | int | None


@dataclass(frozen=True)
class Bar:
    """A figure that was promised. ``holds`` is what was seen, never a reason to fail."""

    name: str
    value: float
    bar: float
    unit: str
    at_most: bool = True

    @property
    def holds(self) -> bool:
        return self.value <= self.bar if self.at_most else self.value >= self.bar


@dataclass
class Report:
    """One benchmark's figures."""

    bench: str
    rows: list[dict[str, Cell]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)

    def print(self) -> None:
        """Print the rows as a table, then the bars."""
        print(f"\n== {self.bench} ==")
        for line in _table(self.rows):
            print(line)
        for bar in self.bars:
            sign = "<=" if bar.at_most else ">="
            word = "holds" if bar.holds else "MISSED"
            print(f"{word}: {bar.name}: {bar.value:.4g} {bar.unit} ({sign} {bar.bar:g} {bar.unit})")

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        bars = [{**asdict(bar), "holds": bar.holds} for bar in self.bars]
        text = {"bench": self.bench, "environment": environment(), "rows": self.rows, "bars": bars}
        path.write_text(json.dumps(text, indent=2), encoding="utf-8")


def environment() -> dict[str, Cell]:
    """The machine and the versions that the figures belong to."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def interleaved_ms(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time every side once a round, after one round that does not count: they share each bad moment.

    The order is another one each round: some sides leave threads spinning that slow the one that follows.
    """
    for run in sides.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in sides}
    dice = random.Random(1)
    for _ in range(rounds):
        for name, run in dice.sample(list(sides.items()), len(sides)):
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) * 1000)
    return times


def median_p95(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]


def _table(rows: Sequence[dict[str, Cell]]) -> list[str]:
    if not rows:
        return []
    names = list(rows[0])
    cells = [names] + [[_shown(row[name]) for name in names] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(names))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells]


def _shown(value: Cell) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

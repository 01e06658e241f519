"""docs/results.md: what was measured, where and when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.ablation.outcome import Outcome
from bench.report import environment

HEAD = """# Results

Written by `make bench` (`python -m bench ablation`): all ten claims of the performance document that this
project began with, by its numbers and words, and after the colon what does it here. Each is the same work
without and with it, in one run and in turns. Medians. *Off/on* above 1 means that less is needed with it on.
A claim that does not hold is marked as such, with the reason below the table. The figures are those of one
machine; run it on yours.
"""


def write(path: Path, outcomes: Sequence[Outcome], seconds: float, load: float) -> None:
    """Write the table, the remarks and the machine."""
    lines = [HEAD, "| Claim | Promised | Off | On | Off/on | |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [_line(outcome) for outcome in outcomes]
    lines += ["", "## What was done", ""]
    lines += [_details(outcome) for outcome in outcomes]
    lines += ["", "## Where", ""]
    machine = {**environment(), "load at the end": f"{load:.1f}", "minutes": f"{seconds / 60:.1f}"}
    lines += [f"- {name}: {value}" for name, value in machine.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(outcome: Outcome) -> str:
    cells = [
        f"{outcome.number}. {outcome.claim}",
        outcome.promised,
        _shown(outcome.off, outcome.unit),
        _shown(outcome.on, outcome.unit),
        "–" if outcome.ratio is None else f"{outcome.ratio:.3g}",
        outcome.verdict,
    ]
    return f"| {' | '.join(cells)} |"


def _details(outcome: Outcome) -> str:
    workload = f"{outcome.workload}; off: `{outcome.switch}`."
    return f"- **{outcome.number}. {outcome.claim}**: {workload} {outcome.sentences}".rstrip()


def _shown(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f} {unit}".replace(",", "\u202f") if value >= 1000 else f"{value:.3g} {unit}"

"""The Health page: checks in words, memory and disk against their limits, versions, switches."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import streamlit as st

from core import __version__
from core.monitoring import Sample
from core.operations.assessment import Grade
from core.operations.health import Check, State, worst
from core.services import Services
from core.settings import ROOT, Settings
from core.ui.operations import charts, summary
from core.ui.operations.controls import TimeRange, nothing, section
from core.ui.shell import plain

MIB, GIB = 2**20, 2**30
ICONS = {
    State.GOOD: ":green[:material/check_circle:]",
    State.WATCH: ":orange[:material/warning:]",
    State.BAD: ":red[:material/error:]",
}
WORDS = {State.GOOD: "good", State.WATCH: "look at this", State.BAD: "bad"}
BAD = "the app cannot save what it is given; nothing that was saved is lost."
WEEKS_MINUTES, DAY_S = 14 * 1440, 86_400.0
PACKAGES = ("streamlit", "duckdb", "polars", "torch", "numpy", "opencv-python-headless", "plotly")


def checks(services: Services) -> None:
    """Draw every check as a sentence."""
    results = services.checks.run()
    headline(results)
    summary.answers(services, change=change(services))
    with st.container(border=True):
        for check in results:
            took = f" ({check.ms:.1f} ms)" if check.ms is not None else ""
            name = f"{ICONS[check.state]} **{check.name.capitalize()}**, {WORDS[check.state]}"
            st.markdown(f"{name}: {plain(check.sentence + took)}")
    st.caption("A machine can ask the same at /api/metrics/health: 503 with the reason where it is bad.")


def headline(results: Sequence[Check]) -> None:
    """Draw the page's first sentence: of the worst check, in its own words."""
    state = worst(tuple(results))
    if state is State.GOOD:
        disk = next((check.sentence for check in results if check.name == "disk space"), "")
        sentence = f"database, disk and queue work. {plain(disk)}"
        summary.headline(Grade.GOOD, sentence)
        return
    worst_check = next(check for check in results if check.state is state)
    prefix = f"{BAD} " if state is State.BAD else ""
    summary.headline(Grade.WATCH, f"{prefix}{plain(worst_check.sentence)}")


def change(services: Services) -> str:
    """Memory and disk of the last seven days beside the seven before, in words."""
    samples = services.history.samples(WEEKS_MINUTES, DAY_S)
    middle = datetime.now(UTC).timestamp() - WEEKS_MINUTES * 30
    now = [sample for sample in samples if sample.at >= middle]
    before = [sample for sample in samples if sample.at < middle]
    if not now or not before:
        return "**Too little to judge:** the app has been recorded for less than a week."
    memory = [max(sample.rss_bytes for sample in week) / MIB for week in (now, before)]
    words = f"Memory at most **{memory[0]:.0f} MiB** ({memory[1]:.0f} the week before)"
    free = [[value for sample in week if (value := _free_gib(sample)) is not None] for week in (now, before)]
    if all(free):
        words += f"; **{free[0][-1]:.1f} GiB** of disk free ({free[1][-1]:.1f} a week ago)"
    return f"{words}."


def system(services: Services, chosen: TimeRange) -> None:
    """Memory, disk, processor and queue over time."""
    samples = services.history.samples(chosen.minutes, chosen.slot_s)
    if not samples:
        nothing(f"Nothing was recorded in {chosen.words}.")
        return
    by_time = {_time(sample): sample for sample in samples}
    times = charts.slots(_time(samples[0]), _time(samples[-1]), chosen.slot_s)

    def values(value_of: Callable[[Sample], float | None]) -> list[float | None]:
        return [value_of(by_time[time]) if time in by_time else None for time in times]

    limit = services.checks.memory_limit_bytes / MIB
    draw = partial(_chart, chosen, times)
    left, right = st.columns(2)
    with left:
        memory = [("used", charts.P95, values(lambda s: s.rss_bytes / MIB))]
        draw("Memory", memory, "MiB", f"Good: a flat line, well below the limit of {limit:.0f} MiB.")
        processor = [("of all cores", charts.P95, values(lambda s: s.cpu_percent))]
        draw("Processor", processor, "%", "Good: busy while images are segmented, idle otherwise.")
    with right:
        disk = [("free", charts.P95, values(_free_gib))]
        draw("Disk", disk, "GiB", "Good: room for the next plates. Below 2 GiB, make some.")
        queue = [
            ("waiting", charts.QUEUED, values(lambda s: s.queued)),
            ("running", charts.RUNNING, values(lambda s: s.running)),
        ]
        draw("Queue", queue, "images", "Good: it empties. A line that never falls needs a look.")


def versions(services: Services) -> None:
    """Draw the versions of the app and its main packages."""
    versions_ = {"spheroscope": __version__, "python": platform.python_version()}
    versions_ |= {name: version(name) for name in PACKAGES}
    rows = [{"part": name, "version": number} for name, number in versions_.items()]
    section("Versions", rows, "copy-versions")
    st.dataframe(rows, hide_index=True, key="versions")


def switches(services: Services) -> None:
    """The settings that are not at their defaults, and every switch."""
    rows = [
        row for row in settings_rows(services.settings) if row["changed"] or row["default"] in ("on", "off")
    ]
    section("Switches, and settings that were changed", rows, "copy-switches")
    settings_table(rows)
    st.caption("Settings shows all of them. Each is an environment variable, read when the app starts.")


def settings_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Draw settings as a table whose sentences can be read to their end; what was changed stands out."""
    shown = [
        {
            "Setting": f"`{row['setting']}`",
            "Value": _value(row),
            "Default": plain(str(row["default"])),
            "What it does": plain(str(row["what it does"])),
        }
        for row in rows
    ]
    st.table(shown, hide_index=True, border="horizontal")


def _value(row: Mapping[str, object]) -> str:
    text = plain(str(row["value"]))
    return f"**{text}** (changed)" if row["changed"] else text


def settings_rows(settings: Settings) -> list[dict[str, object]]:
    """Every setting with its value, its default and what it does."""
    return [
        {
            "setting": item.metadata["env"],
            "value": _word(getattr(settings, item.name)),
            "default": _word(item.default),
            "changed": "changed" if getattr(settings, item.name) != item.default else "",
            "what it does": item.metadata["help"],
        }
        for item in fields(settings)
    ]


def _chart(
    chosen: TimeRange,
    times: Sequence[datetime],
    title: str,
    series: Sequence[charts.Line],
    unit: str,
    explanation: str,
) -> None:
    rows = [
        {"time_utc": time.isoformat(), **{f"{name} ({unit})": values[index] for name, _, values in series}}
        for index, time in enumerate(times)
    ]
    section(title, rows, f"copy-{title}")
    st.plotly_chart(chosen.over_range(charts.lines(times, series, unit)), key=f"chart-{title}")
    st.caption(explanation)


def _time(sample: Sample) -> datetime:
    return datetime.fromtimestamp(sample.at, UTC).replace(tzinfo=None)


def _free_gib(sample: Sample) -> float | None:
    return None if sample.disk_free_bytes is None else sample.disk_free_bytes / GIB


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        return value.relative_to(ROOT).as_posix()
    if isinstance(value, float):
        return f"{value:g}"
    return re.sub(r"//.*@", "//…@", str(value))  # an address may carry a name and a password

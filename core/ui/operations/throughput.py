"""The Throughput page: images and spheroids by time and project, waiting times, failures by reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import streamlit as st

from core import errors
from core.clock import utc_now
from core.services import Services
from core.store.throughput import Failures, ImagesDone
from core.ui import project_switcher
from core.ui.feedback import plural
from core.ui.format import count
from core.ui.operations import charts
from core.ui.operations.controls import TimeRange, nothing, section

BY_PROJECT = 8  # that have a colour of their own; the rest share one


def choose_project() -> str | None:
    """Draw the choice of a project; return its id, None for all."""
    names = {project.id: project.name for project in project_switcher.listed()}
    return st.selectbox(
        "Of",
        list(names),
        index=None,
        format_func=lambda key: names.get(key, ""),
        placeholder="All projects",
        key="of",
        width=320,
    )


def work_done(
    services: Services, chosen: TimeRange, project_id: str | None, failed: Sequence[Failures]
) -> None:
    """Draw images and spheroids by slot, stacked by project."""
    done = services.throughput.made(_since(chosen), chosen.slot_s, project_id)
    _tiles(done, sum(item.images for item in failed), chosen)
    per = "hour" if chosen.slot_s == 3600 else "day"
    if not done:
        section(f"Images segmented, by {per}", (), "copy-images")
        nothing(
            f"No image was segmented in {chosen.words}. Drop some into a project, and they are counted here."
        )
        return
    for title, unit, value in (
        (f"Images segmented, by {per}", "images", lambda item: item.images),
        (f"Spheroids found, by {per}", "spheroids", lambda item: item.spheroids),
    ):
        times, bars = _by_project(done, chosen.slot_s, value)
        rows = [
            {"from_utc": time.isoformat(), **{name: values[place] for name, _, values in bars}}
            for place, time in enumerate(times)
        ]
        section(title, rows, f"copy-{unit}")
        st.plotly_chart(chosen.drawn(charts.stacked(times, bars, unit)), key=unit)
    st.caption(
        "Good: what you imaged is what you see here. A result that was made again counts once, when it was "
        "made last. Days are those of UTC."
    )


def waiting(services: Services, chosen: TimeRange, project_id: str | None) -> None:
    """Draw how long images waited before a worker took them."""
    waits = services.throughput.waits(_since(chosen), chosen.slot_s, project_id)
    rows = [
        {
            "from_utc": item.slot.isoformat(),
            "images": item.images,
            "median_s": item.median_s,
            "p95_s": item.p95_s,
        }
        for item in waits
    ]
    section("Time in the queue", rows, "copy-waits")
    if not waits:
        nothing(f"No image was taken from the queue in {chosen.words}.")
        return
    by_slot = {item.slot: item for item in waits}
    times = charts.slots(waits[0].slot, waits[-1].slot, chosen.slot_s)
    lines = [
        ("p50", charts.MEDIAN, [by_slot[time].median_s if time in by_slot else None for time in times]),
        ("p95", charts.P95, [by_slot[time].p95_s if time in by_slot else None for time in times]),
    ]
    st.plotly_chart(chosen.drawn(charts.lines(times, lines, "s")), key="waits")
    st.caption(
        "Good: a single image begins within a second. The last of a plate of 96 waits as long as those "
        "before it take: more workers help only while there are idle processors."
    )


def failed_in(services: Services, chosen: TimeRange, project_id: str | None) -> tuple[Failures, ...]:
    """Return the images that failed, by reason."""
    return services.throughput.failures(_since(chosen), project_id)


def failures(failed: Sequence[Failures], chosen: TimeRange) -> None:
    """Draw the reasons of failures with their numbers."""
    counts = {reason(item.code): item.images for item in failed}
    section(
        "Failures by reason",
        [{"reason": reason(item.code), "code": item.code, "images": item.images} for item in failed],
        "copy-failures",
    )
    if not failed:
        nothing(f"No image failed in {chosen.words}.")
        return
    st.plotly_chart(
        charts.ranked(counts, charts.FAILED, "images").update_layout(showlegend=False), key="failures"
    )
    st.caption(
        "Good: none. What cannot be read was damaged before it came here: save it again at the microscope. "
        "Each image's own reason stands on its page and in the queue."
    )


def reason(code: str) -> str:
    """Return the sentence of an error's code."""
    return next((_first_line(kind) for kind in _kinds(errors.SpheroscopeError) if kind.code == code), code)


def _kinds(kind: type[errors.SpheroscopeError]) -> Iterator[type[errors.SpheroscopeError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def _first_line(kind: type) -> str:
    return (kind.__doc__ or kind.__name__).splitlines()[0].rstrip(".")


def _since(chosen: TimeRange) -> datetime:
    return utc_now() - timedelta(minutes=chosen.minutes)


def _tiles(done: Sequence[ImagesDone], failed: int, chosen: TimeRange) -> None:
    images, spheroids = sum(item.images for item in done), sum(item.spheroids for item in done)
    columns = st.columns(4)
    columns[0].metric("Images segmented", count(images), border=True, help=f"In {chosen.words}")
    columns[1].metric("Spheroids found", count(spheroids), border=True)
    columns[2].metric("Images failed", count(failed), border=True)
    columns[3].metric("Projects", len({item.project_id for item in done}), border=True, help="With results")


def _by_project(
    done: Sequence[ImagesDone], slot_s: float, value: Callable[[ImagesDone], int]
) -> tuple[list[datetime], list[charts.Line]]:
    times = charts.slots(done[0].slot, done[-1].slot, slot_s)
    totals: dict[str, int] = {}
    for item in done:
        totals[item.project_id] = totals.get(item.project_id, 0) + value(item)
    largest = sorted(totals, key=lambda key: -totals[key])[:BY_PROJECT]
    names = {item.project_id: item.project for item in done}
    bars: list[charts.Line] = [
        (names[key], charts.PALETTE[place], _values(done, times, value, {key}))
        for place, key in enumerate(largest)
    ]
    if rest := set(totals) - set(largest):
        bars.append(
            (f"{plural(len(rest), 'other project')}", charts.QUEUED, _values(done, times, value, rest))
        )
    return times, bars


def _values(
    done: Sequence[ImagesDone],
    times: Sequence[datetime],
    value: Callable[[ImagesDone], int],
    projects: set[str],
) -> list[float | None]:
    sums = dict.fromkeys(times, 0)
    for item in done:
        if item.project_id in projects:
            sums[item.slot] += value(item)
    return list(sums.values())

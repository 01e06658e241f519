"""The Throughput page: images and spheroids by time and project, waiting times, failures by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from core import errors
from core.clock import utc_now
from core.corrections.accuracy import by_group
from core.corrections.agreement import figures
from core.monitoring import REFUSED, Kind
from core.operations.assessment import Grade
from core.queue.status import QueueHealth
from core.services import Services
from core.store.throughput import ImagesDone
from core.ui import accuracy_panel
from core.ui.feedback import plural
from core.ui.format import count
from core.ui.operations import charts, summary
from core.ui.operations.controls import TimeRange, nothing, section
from core.ui.shell import plain

MAX_PROJECTS = 8  # that have a colour of their own; the rest share one


def work_done(services: Services, chosen: TimeRange, project_id: str | None, losses: Losses) -> None:
    """Draw the page's first sentence, then images and spheroids by slot, stacked by project."""
    segmented = services.throughput.images_done(_since(chosen), chosen.slot_s, project_id)
    headline(services, sum(item.images for item in segmented), losses, chosen)
    summary.answers(services, project_id)
    _tiles(segmented, losses, chosen)
    per = "hour" if chosen.slot_s == 3600 else "day"
    if not segmented:
        section(f"Images segmented, by {per}", (), "copy-images")
        nothing(
            f"No image was segmented in {chosen.words}. Drop some into a project, and they are counted here."
        )
        return
    for title, unit, value in (
        (f"Images segmented, by {per}", "images", lambda item: item.images),
        (f"Spheroids found, by {per}", "spheroids", lambda item: item.spheroids),
    ):
        times, bars = _by_project(segmented, chosen.slot_s, value)
        rows = [
            {"from_utc": time.isoformat(), **{name: values[index] for name, _, values in bars}}
            for index, time in enumerate(times)
        ]
        section(title, rows, f"copy-{unit}")
        st.plotly_chart(chosen.over_range(charts.stacked(times, bars, unit)), key=unit)
    st.caption(
        "Good: what you imaged is what you see here. A result that was made again counts once, when it was "
        "made last. Days begin at midnight UTC."
    )


def reviewed(services: Services, chosen: TimeRange, project_id: str | None) -> None:
    """Draw how good the automatic outlines are by the review, and how much work that was lately."""
    groups = by_group(services.throughput.judged(project_id))
    section("Accuracy by the review", accuracy_panel.rows(groups) if groups["all"].n else (), "copy-accuracy")
    drawn = figures(services.throughput.second_opinions(project_id))
    accuracy_panel.draw(groups, services.throughput.review_effort(_since(chosen), project_id), drawn)
    st.caption(f"The work is of {chosen.words}, the accuracy of all time.")


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
        ("median", charts.MEDIAN, [by_slot[time].median_s if time in by_slot else None for time in times]),
        ("19 of 20 within", charts.P95, [by_slot[time].p95_s if time in by_slot else None for time in times]),
    ]
    st.plotly_chart(chosen.over_range(charts.lines(times, lines, "seconds")), key="waits")
    st.caption(
        "Good: a single image begins within a second. The last of a plate of 96 waits as long as those "
        "before it take: more workers help only while there are idle processors."
    )


@dataclass(frozen=True, slots=True)
class Losses:
    """Images that failed and files that were refused, by the code of the reason."""

    failed: Mapping[str, int]
    refused: Mapping[str, int]

    @property
    def images(self) -> int:
        """Number of images that failed."""
        return sum(self.failed.values())

    @property
    def files(self) -> int:
        """Number of files that were refused."""
        return sum(self.refused.values())


def losses_in(services: Services, chosen: TimeRange, project_id: str | None) -> Losses:
    """Return what failed and what was refused."""
    failed = services.throughput.failures(_since(chosen), project_id)
    by_code = {item.code: item.images for item in failed}
    if project_id is not None:
        return Losses(by_code, services.throughput.refusals(_since(chosen), project_id))
    refused: Counter[str] = Counter()
    for timings in services.history.over_time(Kind.FILE, chosen.minutes, chosen.slot_s).values():
        for series, histogram in timings.items():
            if series.outcome == REFUSED:
                refused[series.name] += histogram.calls
    return Losses(by_code, refused)


def headline(services: Services, images: int, losses: Losses, chosen: TimeRange) -> None:
    """Draw the page's first sentence."""
    snapshot = services.queue_monitor.snapshot()
    if snapshot.light is not QueueHealth.GREEN:
        summary.headline(Grade.WATCH, plain(snapshot.message))
    elif losses.images or losses.files:
        parts = [f"{plural(losses.images, 'image')} failed"] if losses.images else []
        parts += [f"{plural(losses.files, 'file')} could not be added"] if losses.files else []
        reasons = "the reasons stand below"
        summary.headline(Grade.WATCH, f"{' and '.join(parts)} in {chosen.words}; {reasons}.")
    elif images:
        sentence = f"{plural(images, 'image')} segmented in {chosen.words}, and none failed."
        summary.headline(Grade.GOOD, sentence)
    else:
        summary.headline(Grade.TOO_LITTLE, f"no image was segmented in {chosen.words}.")


def failures(losses: Losses, chosen: TimeRange) -> None:
    """Draw the reasons of failed images and of refused files with their numbers."""
    rows = [
        {"reason": reason(code), "code": code, "what": noun, "number": number}
        for noun, counts in (("images that failed", losses.failed), ("refused files", losses.refused))
        for code, number in sorted(counts.items(), key=lambda item: -item[1])
    ]
    section("Failures and refusals by reason", rows, "copy-failures")
    if not rows:
        nothing(f"No image failed and no file was refused in {chosen.words}.")
        return
    for noun, colour, counts in (
        ("images that failed", charts.FAILED, losses.failed),
        ("refused files", charts.QUEUED, losses.refused),
    ):
        if counts:
            by_reason = {reason(code): number for code, number in counts.items()}
            figure = charts.ranked(by_reason, colour, noun).update_layout(showlegend=False)
            st.plotly_chart(figure, key=f"reasons of {noun}")
    st.caption(
        "Good: none. What cannot be read was damaged before it came here: save it again at the microscope. "
        "Each image's own reason stands on its page and in the queue."
    )


def reason(code: str) -> str:
    """Return the sentence of an error's code."""
    return next((_first_line(kind) for kind in _kinds(errors.SpheroscopeError) if kind.code == code), code)


def _kinds(kind: type[errors.SpheroscopeError]) -> Iterator[type[errors.SpheroscopeError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _kinds(subclass)


def _first_line(kind: type) -> str:
    return (kind.__doc__ or kind.__name__).splitlines()[0].rstrip(".")


def _since(chosen: TimeRange) -> datetime:
    return utc_now() - timedelta(minutes=chosen.minutes)


def _tiles(segmented: Sequence[ImagesDone], losses: Losses, chosen: TimeRange) -> None:
    images, spheroids = sum(item.images for item in segmented), sum(item.spheroids for item in segmented)
    columns = st.columns(4)
    columns[0].metric("Images segmented", count(images), border=True, help=f"In {chosen.words}")
    columns[1].metric("Spheroids found", count(spheroids), border=True)
    columns[2].metric(
        "Images failed", count(losses.images), border=True, help="And not requested again since"
    )
    columns[3].metric("Files refused", count(losses.files), border=True, help="Could not be added")


def _by_project(
    segmented: Sequence[ImagesDone], slot_s: float, value: Callable[[ImagesDone], int]
) -> tuple[list[datetime], list[charts.Line]]:
    times = charts.slots(segmented[0].slot, segmented[-1].slot, slot_s)
    totals: dict[str, int] = {}
    for item in segmented:
        totals[item.project_id] = totals.get(item.project_id, 0) + value(item)
    largest = sorted(totals, key=lambda key: -totals[key])[:MAX_PROJECTS]
    names = {item.project_id: item.project for item in segmented}
    bars: list[charts.Line] = [
        (names[key], charts.PALETTE[index], _values(segmented, times, value, {key}))
        for index, key in enumerate(largest)
    ]
    if other_projects := set(totals) - set(largest):
        bars.append(
            (
                f"{plural(len(other_projects), 'other project')}",
                charts.QUEUED,
                _values(segmented, times, value, other_projects),
            )
        )
    return times, bars


def _values(
    segmented: Sequence[ImagesDone],
    times: Sequence[datetime],
    value: Callable[[ImagesDone], int],
    projects: set[str],
) -> list[float | None]:
    sums = dict.fromkeys(times, 0)
    for item in segmented:
        if item.project_id in projects:
            sums[item.slot] += value(item)
    return list(sums.values())

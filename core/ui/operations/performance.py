"""How fast pages, routes, statements and segmentations were, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from core.models.jobs import WAITS
from core.monitoring import Histogram, Kind, Timings
from core.monitoring.summary import SummaryRow, hit_percent, rows
from core.operations import assessment
from core.operations.assessment import Grade
from core.operations.history import MetricsWindow
from core.operations.stage_metrics import WHOLE
from core.services import Services
from core.ui.feedback import plural
from core.ui.format import UNKNOWN, three_digits
from core.ui.operations import charts, summary
from core.ui.operations.controls import TimeRange, nothing, rounded, section
from core.ui.operations.summary import judged

KINDS = {"Requests": Kind.REQUEST, "Pages": Kind.PAGE, "Statements": Kind.QUERY}
TILE_PX = 190
STAGE_ORDER = {name: index for index, name in enumerate(charts.STAGES)}
Slots = Mapping[datetime, Timings]
SlotsByKind = Mapping[Kind, Slots]


def tiles(window: MetricsWindow, slots_by_kind: SlotsByKind) -> None:
    """Four numbers of the whole range, each with its course."""
    columns = st.columns(4)
    for column, (title, kind, explanation) in zip(
        columns,
        (
            ("Requests, p95", Kind.REQUEST, "19 of 20 answers were complete within this time; not downloads"),
            ("Pages, p95", Kind.PAGE, "19 of 20 page runs ended within this time, cold starts left out"),
            (
                "Segmentation, p95",
                Kind.STAGE,
                "19 of 20 images were segmented within this time, waiting left out",
            ),
        ),
        strict=False,
    ):
        value = _of(window.timings, kind).percentile(0.95)
        _tile(column, title, duration(value), _percentiles(slots_by_kind[kind], kind), explanation)
    cache_slots = slots_by_kind[Kind.CACHE]
    hits = hit_percent(window.timings)
    table_rows = UNKNOWN if hits is None else f"{three_digits(hits)} %"
    rates = [percent for slot in cache_slots.values() if (percent := hit_percent(slot)) is not None]
    _tile(columns[3], "Cache hits", table_rows, rates, "Share of look-ups that a cache could answer")


def latencies(window: MetricsWindow, slots_by_kind: SlotsByKind, chosen: TimeRange) -> None:
    """Percentiles over time of one kind of work, all of it or one name, and a table of the names."""
    with st.container(horizontal=True):
        label = st.segmented_control(
            "Latency of", list(KINDS), default="Requests", required=True, key="kind", bind="query-params"
        )
        kind = KINDS[label]
        by_name = rows(window.timings, kind)
        name = _one_of(by_name, label)
    slots = slots_by_kind[kind]
    if not by_name or not slots:
        nothing(f"No {label.lower()} in {chosen.words} yet. Use the app for a while, and they appear here.")
        return
    times, histograms = _by_slot(slots, kind, chosen.slot_s, name)
    shares = (("p50", charts.MEDIAN, 0.5), ("p95", charts.P95, 0.95), ("p99", charts.P99, 0.99))
    lines = [(key, colour, [h.percentile(share) for h in histograms]) for key, colour, share in shares]
    section(f"Latency of {name or 'all ' + label.lower()}", _columns(times, lines, "ms"), "copy-latency")
    st.plotly_chart(chosen.over_range(charts.latencies(times, lines, "ms")), key="latency")
    noun, explanation, advice = GOOD[kind]
    st.caption(judged(assessment.speed(window.timings, kind), noun, explanation, advice))
    _table(by_name, kind, window.minutes)


GOOD = {  # noun, what is good, what to do where it is not
    Kind.REQUEST: (
        "request",
        "p95 should be below 100 ms; files, pictures and uploads are not judged.",
        "A p99 far above p95 means that something made others wait.",
    ),
    Kind.PAGE: (
        "page run",
        "p95 should be below 300 ms; first runs after a start, and loading the demo plate, do not count.",
        "Above a second people notice: look at the slow SQL statements below.",
    ),
    Kind.QUERY: (
        "SQL statement",
        "p95 should be below 20 ms.",
        "An SQL statement that takes longer the more images there are is worth explaining.",
    ),
}


def headline(window: MetricsWindow, chosen: TimeRange) -> None:
    """Draw the page's first sentence."""
    judged_kinds = [(kind, assessment.speed(window.timings, kind)) for kind in GOOD]
    slow = [item for item in judged_kinds if item[1].grade is Grade.WATCH]
    judged_good = [item for item in judged_kinds if item[1].grade is Grade.GOOD]
    if slow:
        parts = [
            f"one {GOOD[kind][0]} in 20 took longer than {duration(figure.value)}, and "
            f"{duration(figure.limit)} would be good"
            for kind, figure in slow
        ]
        summary.headline(Grade.WATCH, f"{'; '.join(parts)} ({chosen.words}).")
    elif judged_good:
        parts = [f"{GOOD[kind][0]}s within {duration(figure.value)}" for kind, figure in judged_good]
        summary.headline(Grade.GOOD, f"19 of 20 {', 19 of 20 '.join(parts)} ({chosen.words}).")
    else:
        calls = judged_kinds[1][1].calls
        enough = f"from {assessment.ENOUGH_CALLS} on they are judged"
        text = f"{plural(calls, 'page run')} in {chosen.words}; {enough}."
        summary.headline(Grade.TOO_LITTLE, text)


def change(services: Services) -> str:
    """Pages and segmentation of the last seven days beside the seven before, in words."""
    now, before = services.history.weeks()
    pages = [Histogram.of(row.histogram for row in rows(week, Kind.PAGE)) for week in (now, before)]
    images = [assessment.segmentation(week) for week in (now, before)]
    words = [
        f"{name} {'are' if name == 'Pages' else 'is'} {_faster(*figures)}"
        for name, figures in (("Pages", pages), ("Segmentation", images))
        if min(item.calls for item in figures) >= assessment.ENOUGH_CALLS
    ]
    if not words:
        return "**Too little to judge:** both weeks need some use to be compared."
    return f"{'; '.join(words)} (medians of seven days)."


def _faster(now: Histogram, before: Histogram) -> str:
    median, median_before = now.percentile(0.5), before.percentile(0.5)
    if (
        not median
        or not median_before
        or abs(median - median_before) < summary.ABOUT_THE_SAME * median_before
    ):
        return "**as fast as** the week before"
    word = "faster" if median < median_before else "slower"
    return f"**{word}** than the week before ({duration(median)}, then {duration(median_before)})"


def caches(window: MetricsWindow, slots_by_kind: SlotsByKind, chosen: TimeRange) -> None:
    """Hit rate by what is cached."""
    slots = slots_by_kind[Kind.CACHE]
    names = sorted({series.name for slot in slots.values() for series in slot})
    times = _times(slots, chosen.slot_s)
    colours = charts.palette(names)
    lines = [
        (name, colours[name], [hit_percent(slots.get(slot, {}), name) for slot in times]) for name in names
    ]
    section("Cache hits", _columns(times, lines, "%"), "copy-cache")
    if not names:
        nothing(f"No cache was used in {chosen.words}. Open a table or a picture.")
        return
    figure = charts.lines(times, lines, "%").update_yaxes(range=[0, 102])
    st.plotly_chart(chosen.over_range(figure), key="cache")
    st.caption(
        judged(
            assessment.cache_hits(window.timings),
            "look-up",
            "Above 90 % is good.",
            "After a restart it begins at 0 and climbs; if it stays low, CACHE_MB is too small.",
        )
    )


def stages(slots_by_kind: SlotsByKind, chosen: TimeRange) -> None:
    """Mean time of each stage of segmenting one image, stacked."""
    slots = slots_by_kind[Kind.STAGE]
    stage_names = {row.name for slot in slots.values() for row in rows(slot, Kind.STAGE)} - {WHOLE, *WAITS}
    names = sorted(stage_names, key=lambda name: (STAGE_ORDER.get(name, len(STAGE_ORDER)), name))
    times = _times(slots, chosen.slot_s)
    bars = [
        (
            name,
            charts.STAGES.get(name, charts.UNNAMED),
            [_mean(slots.get(slot, {}), name) for slot in times],
        )
        for name in names
    ]
    section("Segmentation, by stage", _columns(times, bars, "ms"), "copy-stages")
    if not names:
        nothing(f"No image was segmented in {chosen.words}.")
        return
    st.plotly_chart(chosen.over_range(charts.stacked(times, bars, "ms an image")), key="stages")
    st.caption(
        "Good: predict, the engine's own stage, is most of it. Saving that grows means more images are "
        "segmented at once than the computer has room for: lower SEGMENTATION_WORKERS. Waiting in the queue "
        "is no work and stands on the Throughput page."
    )


def duration(ms: float | None) -> str:
    """“12.3 ms”, “1.24 s”."""
    if ms is None:
        return UNKNOWN
    return f"{three_digits(ms)} ms" if ms < 1000 else f"{three_digits(ms / 1000)} s"


def _of(timings: Timings, kind: Kind) -> Histogram:
    if kind is Kind.STAGE:
        return assessment.segmentation(timings)
    return Histogram.of(row.histogram for row in rows(assessment.without_transfers(timings), kind))


def _percentiles(slots: Slots, kind: Kind) -> list[float]:
    values = (_of(slot, kind).percentile(0.95) for slot in slots.values())
    return [value for value in values if value is not None]


def _one_of(by_name: Sequence[SummaryRow], label: str) -> str | None:
    return st.selectbox(
        "Only",
        [row.name for row in by_name],
        index=None,
        placeholder=f"All {label.lower()}",
        key=f"only-{label}",
        width=360,
    )


def _tile(
    column: st.delta_generator.DeltaGenerator, title: str, value: str, trend: list[float], text: str
) -> None:
    column.metric(title, value, border=True, help=text, chart_data=trend or None, height=TILE_PX)


def _by_slot(
    slots: Slots, kind: Kind, slot_s: float, name: str | None
) -> tuple[list[datetime], list[Histogram]]:
    times = _times(slots, slot_s)
    return times, [
        Histogram.of(h for s, h in slots.get(slot, {}).items() if s.kind is kind and name in (None, s.name))
        for slot in times
    ]


def _times(slots: Slots, slot_s: float) -> list[datetime]:
    return charts.slots(min(slots), max(slots), slot_s) if slots else []


def _mean(timings: Timings, name: str) -> float | None:
    return next((row.histogram.mean_ms for row in rows(timings, Kind.STAGE) if row.name == name), None)


def _columns(times: Sequence[datetime], lines: Sequence[charts.Line], unit: str) -> list[dict[str, object]]:
    return [
        {"time_utc": time.isoformat(), **{f"{name} ({unit})": values[index] for name, _, values in lines}}
        for index, time in enumerate(times)
    ]


def _table(by_name: Sequence[SummaryRow], kind: Kind, minutes: float) -> None:
    amount = {Kind.REQUEST: "KiB a call", Kind.QUERY: "rows a call"}.get(kind)
    table_rows = [_line(row, amount, minutes) for row in by_name]
    with st.expander(f"All {len(by_name)} of them, by time spent"):
        st.dataframe(table_rows, hide_index=True, key=f"table-{kind.value}")


def _line(row: SummaryRow, amount: str | None, minutes: float) -> dict[str, object]:
    mean_amount = row.histogram.amount / row.calls
    line: dict[str, object] = {
        "name": row.name,
        "calls": row.calls,
        "a minute": rounded(row.calls / minutes if minutes else None),
        **{f"p{percent} ms": rounded(row.histogram.percentile(percent / 100)) for percent in (50, 95, 99)},
        "worst ms": rounded(row.histogram.worst_ms),
        "errors": row.failed,
        "refused": row.refused,
    }
    return line | (
        {amount: rounded(mean_amount / 1024 if amount.startswith("KiB") else mean_amount)} if amount else {}
    )

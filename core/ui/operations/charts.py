"""Plotly figures of the operations pages: data in, figure out. A colour means one thing on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go

from core.clock import utc_now
from core.ui import times

HEIGHT_PX = 300
# Each has a contrast of 3 or more with the pages of both themes.
MEDIAN, P95, P99 = "#1b93a8", "#c77700", "#8a6fd1"
DONE, RUNNING, QUEUED, FAILED = "#3a9a63", "#2f80c4", "#7d8b91", "#d0493b"
# Told apart by hue and lightness, for things that have no colour of their own.
PALETTE = ("#2e86c8", "#c77700", "#3a9a63", "#c2589b", "#1b93a8", "#d0493b", "#8f8a1e", "#8a6fd1")

# In the order of the work, each with that contrast. None means anything else on the operations pages.
STAGES = {
    "read": "#349db3",
    "decode": "#686868",
    "predict": "#bd861f",
    "postprocess": "#2ea377",
    "measure": "#bc4292",
    "contours": "#bf6151",
    "encode": "#828d10",
    "save": "#7175c3",
}
UNNAMED = "#8a7f76"

Line = tuple[str, str, Sequence[float | None]]  # name, colour, value a slot


def lines(slots_utc: Sequence[datetime], series: Sequence[Line], unit: str) -> go.Figure:
    """Lines over time; a slot without a value is a gap, never a zero."""
    figure = _figure(unit)
    for name, colour, values in series:
        figure.add_scatter(
            x=times.on_axis(slots_utc),
            y=list(values),
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2},
            marker={"size": 4},
            connectgaps=False,
            hovertemplate=f"%{{y:.3g}} {unit}",
        )
    return figure


def latencies(slots_utc: Sequence[datetime], series: Sequence[Line], unit: str) -> go.Figure:
    """Lines over time on a logarithmic axis, as what is slow is many times slower than the rest."""
    figure = lines(slots_utc, series, unit)
    figure.update_yaxes(type="log", minor={"ticks": ""}, dtick=1)
    return figure


def stacked(slots_utc: Sequence[datetime], series: Sequence[Line], unit: str) -> go.Figure:
    """Bars over time, stacked."""
    figure = _figure(unit)
    figure.update_layout(barmode="stack", bargap=0.15)
    for name, colour, values in series:
        figure.add_bar(
            x=times.on_axis(slots_utc),
            y=list(values),
            name=name,
            marker_color=colour,
            hovertemplate=f"%{{y:.3g}} {unit}",
        )
    return figure


def within(figure: go.Figure, minutes: float, slot_s: float) -> go.Figure:
    """The figure over the last ``minutes``, all of them; a bar stands over the whole of its slot."""
    now = utc_now()
    start = now - timedelta(minutes=minutes)
    figure.update_xaxes(range=times.on_axis([start, now + timedelta(seconds=slot_s / 2)]))
    figure.update_traces(selector={"type": "bar"}, offset=0, width=slot_s * 900)  # of 1000 ms a second
    return figure


def ranked(counts: Mapping[str, int], colour: str, unit: str) -> go.Figure:
    """Horizontal bars, the longest on top."""
    figure = _figure("")
    figure.add_bar(
        x=list(counts.values()),
        y=list(counts),
        orientation="h",
        marker_color=colour,
        text=list(counts.values()),
        hovertemplate=f"%{{x}} {unit}<extra></extra>",
    )
    figure.update_layout(
        height=90 + 42 * len(counts), yaxis={"autorange": "reversed", "title": None}, hovermode="closest"
    )
    tick_options = {"dtick": 1} if max(counts.values(), default=0) < 10 else {}
    figure.update_xaxes(title=unit, rangemode="tozero", **tick_options)
    return figure


def palette(names: Sequence[str]) -> dict[str, str]:
    """A colour a name, the same whichever of them are shown: by their order in the alphabet."""
    return {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(sorted(names))}


def slots(first: datetime, last: datetime, slot_s: float) -> list[datetime]:
    """Every slot from ``first`` to ``last``, those in which nothing happened as well."""
    step = timedelta(seconds=slot_s)
    return [first + number * step for number in range(int((last - first) / step) + 1)]


def _figure(unit: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.12, "x": 0, "traceorder": "normal"},
        showlegend=True,
    )
    figure.update_xaxes(title=times.zone_name(), title_standoff=4)
    figure.update_yaxes(title=unit, rangemode="tozero", exponentformat="none", separatethousands=True)
    return figure

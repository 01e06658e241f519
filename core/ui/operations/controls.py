"""Controls of the operations pages: time range, refresh, section titles with “Copy as CSV”."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from core.listing.columns import significant
from core.listing.csv_table import write_csv
from core.ui.components.asset_files import asset
from core.ui.feedback import empty
from core.ui.operations import charts

REFRESH = {"off": None, "5 s": 5.0, "30 s": 30.0, "5 min": 300.0}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A stretch of time up to now, and the slots that it is drawn in."""

    label: str
    minutes: float
    slot_s: float

    @property
    def words(self) -> str:
        """“the last 6 hours”."""
        return f"the last {self.label}"

    def over_range(self, figure: go.Figure) -> go.Figure:
        """The figure over the whole of this stretch."""
        return charts.within(figure, self.minutes, self.slot_s)


# The slots are multiples of those that old figures are kept in.
RANGES = (
    TimeRange("15 minutes", 15, 15),
    TimeRange("hour", 60, 60),
    TimeRange("6 hours", 360, 300),
    TimeRange("24 hours", 1440, 1200),
    TimeRange("7 days", 7 * 1440, 7200),
    TimeRange("30 days", 30 * 1440, 21_600),
)
DAYS = (
    TimeRange("24 hours", 1440, 3600),
    TimeRange("7 days", 7 * 1440, 86_400),
    TimeRange("30 days", 30 * 1440, 86_400),
)


def header(title: str, ranges: Sequence[TimeRange], default: int = 1) -> tuple[TimeRange, float | None]:
    """Draw title, time range and refresh; returns the range and the seconds between refreshes, if any."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, anchor=False)
        with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
            chosen = st.selectbox(
                "Time range",
                [item.label for item in ranges],
                index=default,
                format_func=lambda label: f"last {label}",
                key="range",
                bind="query-params",
                width=170,
            )
            refresh = st.selectbox(
                "Refresh", list(REFRESH), index=0, key="refresh", bind="query-params", width=110
            )
    return next(item for item in ranges if item.label == chosen), REFRESH[refresh]


def live(seconds: float | None, body: Callable[[], None]) -> None:
    """Draw ``body`` now and every ``seconds``; the browser keeps the time, so a closed page costs nothing."""
    st.fragment(run_every=seconds)(body)()


def section(title: str, rows: Sequence[Mapping[str, object]], key: str) -> None:
    """Draw a chart's title with a button that copies its data as CSV."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(title, anchor=False)
        if rows:
            copy_button(as_csv(rows), key)


def switched_off() -> None:
    """Draw the empty state of a page whose recording is switched off."""
    empty(
        "Nothing is recorded",
        "ENABLE_PERFORMANCE_MONITORING is off. Start the app with it on, and figures appear here.",
    )


def nothing(sentence: str) -> None:
    """Draw a sentence in place of a chart that has no data."""
    with st.container(border=True):
        st.caption(sentence)


def as_csv(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows as CSV, the first row's keys as its header; empty without rows."""
    buffer = io.StringIO(newline="")
    if rows:
        write_csv(rows, tuple(rows[0]), buffer)
    return buffer.getvalue()


def rounded(value: float | None) -> float | None:
    """Return a number with three significant digits, still a number, so that tables sort by it."""
    return None if value is None else float(significant(float(value), 3))


def copy_button(text: str, key: str) -> None:
    """A button that puts ``text`` on the clipboard."""
    _COPY(key=key, data={"text": text}, width="content")


_COPY = st.components.v2.component(
    "copy_as_csv", html="", css=asset("button.css") + asset("copy.css"), js=asset("copy.js")
)

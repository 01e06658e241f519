"""Filters above a table: widgets bound to the page's address, in words, and as the API's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from urllib.parse import parse_qsl

import streamlit as st

from core.models import Range
from core.ui.shell import plain

_PENDING = "narrow next"
_ENDS = (("min", "at least"), ("max", "at most"))
Query = dict[str, str]


def take_up(query: str | None) -> None:
    """Put a filter set in a table's header into the widgets and run again."""
    if query:
        st.session_state[_PENDING] = dict(parse_qsl(query))
        st.rerun()


def name(label: str, width: int = 220) -> Query:
    """Draw the field for part of a name."""
    pending = _pending()
    if "name" in pending:
        st.session_state["name"] = pending["name"]
    text = st.text_input(label, key="name", bind="query-params", width=width).strip()
    return {"name": text} if text else {}


def chosen(names: Mapping[str, str], width: int = 340) -> list[str]:
    """Draw the choice of numbers to narrow by: those with bounds in the address, and those added here."""
    added = {key.rpartition("_")[0] for key in _pending()}
    if "by" in st.session_state and added:
        earlier = st.session_state["by"]
        st.session_state["by"] = [key for key in names if key in earlier or key in added]
    default = [key for key in names if {f"{key}_min", f"{key}_max"} & st.query_params.keys() or key in added]
    return st.multiselect(
        "Narrow by",
        list(names),
        default=default,
        format_func=names.__getitem__,
        key="by",
        placeholder="a measurement",
        width=width,
    )


def bounds(columns: list[str], names: Mapping[str, str]) -> Query:
    """Draw the least and greatest value of each of the chosen numbers; return those that are set.

    They are written to the address here: bound widgets would not write values that the program sets.
    """
    pending: Query = st.session_state.pop(_PENDING, {})
    query: Query = {}
    with st.container(horizontal=True):
        for column in columns:
            for end, word in _ENDS:
                key = f"{column}_{end}"
                if key in pending or key not in st.session_state:
                    st.session_state[key] = _read(pending.get(key) or st.query_params.get(key))
                bound = st.number_input(f"{names[column]}: {word}", value=None, key=key, width=200)
                if bound is not None:
                    query[key] = repr(float(bound))
    for key in (f"{column}_{end}" for column in names for end, _ in _ENDS):
        if st.query_params.get(key) != query.get(key):
            if key in query:
                st.query_params[key] = query[key]
            else:
                del st.query_params[key]
    return query


def dates(label: str) -> Query:
    """Draw the range of days, in UTC, in which something was added."""
    days = st.date_input(label, value=[], key="added", bind="query-params", width=245)
    if not days:
        return {}
    return {"created_from": days[0].isoformat(), "created_to": days[-1].isoformat()}


def ranges(query: Mapping[str, str], columns: Mapping[str, object]) -> tuple[Range, ...]:
    """Return the bounds of ``columns`` as ranges for the store."""
    conditions = [
        Range(column, _number(query.get(f"{column}_min")), _number(query.get(f"{column}_max")))
        for column in columns
        if {f"{column}_min", f"{column}_max"} & query.keys()
    ]
    if "created_from" in query:
        since, until = (date.fromisoformat(query[f"created_{end}"]) for end in ("from", "to"))
        conditions.append(
            Range("created", datetime.combine(since, time.min), datetime.combine(until, time.max))
        )
    return tuple(conditions)


def words(query: Mapping[str, str], names: Mapping[str, str], named: str = "name") -> list[str]:
    """Return the filter in words: “name contains “A05””, “circularity at least 0.8”."""
    parts = [f"{named} contains “{plain(query['name'])}”"] if "name" in query else []
    if "created_from" in query:
        since, until = query["created_from"], query["created_to"]
        parts.append(f"added on {since}" if since == until else f"added from {since} to {until}")
    for column, label in names.items():
        title, _, unit = label.partition(", ")
        for end, word in _ENDS:
            if (bound := query.get(f"{column}_{end}")) is not None:
                what = title if title.startswith("Ø") else title[0].lower() + title[1:]
                parts.append(f"{what} {word} {float(bound):g} {unit}".strip())
    return parts


def _pending() -> Query:
    pending: Query = st.session_state.get(_PENDING, {})
    return pending


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _read(text: str | None) -> float | None:
    """Parse a number of the address, which may hold anything."""
    try:
        return float(text) if text and math.isfinite(float(text)) else None
    except ValueError:
        return None

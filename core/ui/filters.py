"""Filters above a table: widgets bound to the page's address, in words, and as the API's parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import parse_qsl

import streamlit as st

from core.models import Range
from core.models.glossary import meaning
from core.ui import times
from core.ui.shell import plain

_PENDING = "narrow next"
_ENDS = (("min", "at least"), ("max", "at most"))
_ADDED = ("created_from", "created_to")
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
                label, about = f"{names[column]}: {word}", meaning(column) or None
                bound = st.number_input(label, value=None, key=key, width=200, help=about)
                if bound is not None:
                    query[key] = repr(float(bound))
    _write(query, [f"{column}_{end}" for column in names for end, _ in _ENDS])
    return query


def dates() -> Query:
    """Draw the range of days, in the shown time zone, in which something was added.

    The address and the API have its ends as times, so that it means the same for everybody.
    """
    bounds_utc = [_time(st.query_params.get(key)) for key in _ADDED]
    from_address = tuple(times.from_utc(end).date() for end in bounds_utc if end)
    if "added" not in st.session_state:
        st.session_state["added"] = from_address if len(from_address) == len(_ADDED) else ()
    days: Any = st.date_input(f"Added ({times.zone_name()})", key="added", width=245)
    query: Query = {}
    if days and days == from_address:
        query = {key: st.query_params[key] for key in _ADDED}
    elif days:
        ends = datetime.combine(days[0], time.min), datetime.combine(days[-1], time.max)
        query = {key: f"{times.to_utc(end).isoformat()}Z" for key, end in zip(_ADDED, ends, strict=True)}
    _write(query, _ADDED)
    return query


def ranges(query: Mapping[str, str], columns: Mapping[str, object]) -> tuple[Range, ...]:
    """Return the bounds of ``columns`` as ranges for the store."""
    conditions = [
        Range(column, _number(query.get(f"{column}_min")), _number(query.get(f"{column}_max")))
        for column in columns
        if {f"{column}_min", f"{column}_max"} & query.keys()
    ]
    ends = [_time(query.get(key)) for key in _ADDED]
    if any(ends):
        conditions.append(Range("created", *ends))
    return tuple(conditions)


def words(query: Mapping[str, str], names: Mapping[str, str], named: str = "name") -> list[str]:
    """Return the filter in words: “name contains “A05””, “circularity at least 0.8”."""
    parts = [f"{named} contains “{plain(query['name'])}”"] if "name" in query else []
    since, until = (_time(query.get(key)) for key in _ADDED)
    if since and until:
        parts.append(_added(times.from_utc(since), times.from_utc(until)))
    for column, label in names.items():
        title, _, unit = label.partition(", ")
        for end, word in _ENDS:
            if (bound := query.get(f"{column}_{end}")) is not None:
                noun = title if title.startswith("Ø") else title[0].lower() + title[1:]
                parts.append(f"{noun} {word} {float(bound):g} {unit}".strip())
    return parts


def clear(names: Mapping[str, str], **others: object) -> None:
    """Take the conditions away that the widgets above hold, and set ``others``; for callbacks alone."""
    values: dict[str, object] = {"name": "", "by": [], **others}
    values |= {f"{column}_{end}": None for column in names for end, _ in _ENDS}
    values |= {"added": ()} if "added" in st.session_state else {}
    for key, value in values.items():
        st.session_state[key] = value


def clear_button(on_click: Callable[..., None], names: Mapping[str, str]) -> None:
    """Draw the button that shows everything again."""
    icon = ":material/filter_list_off:"
    st.button("Clear filter", icon=icon, type="tertiary", key="clear", on_click=on_click, args=(names,))


def _pending() -> Query:
    pending: Query = st.session_state.get(_PENDING, {})
    return pending


def _write(query: Query, keys: Iterable[str]) -> None:
    """Write the values of ``keys`` to the address, where they are not there already."""
    for key in keys:
        if st.query_params.get(key) != query.get(key):
            if key in query:
                st.query_params[key] = query[key]
            else:
                del st.query_params[key]


def _added(since: datetime, until: datetime) -> str:
    """Return two ends of the shown time zone in words; whole days as days."""
    zone = times.zone_name()
    if since.time() == time.min and until.time() == time.max:
        first, last = f"{since:%d %b %Y}", f"{until:%d %b %Y}"
        return f"added on {first} ({zone})" if first == last else f"added from {first} to {last} ({zone})"
    return f"added from {since:%d %b %Y, %H:%M} to {until:%d %b %Y, %H:%M} ({zone})"


def _time(text: str | None) -> datetime | None:
    """Parse a time of the address, which may hold anything; the result is in UTC without a zone."""
    try:
        parsed = datetime.fromisoformat(text or "")
        return parsed.astimezone(UTC).replace(tzinfo=None) if parsed.tzinfo else parsed
    except (ValueError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _read(text: str | None) -> float | None:
    """Parse a number of the address, which may hold anything."""
    try:
        return float(text) if text and math.isfinite(float(text)) else None
    except ValueError:
        return None

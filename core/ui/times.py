"""The one time zone of the pages: the visitor's, or UTC. Exported tables and files stay in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

_UTC = "UTC"
_KEY = "times"  # in the address: “utc”, where times are shown in UTC and the visitor's zone is another


def choose() -> None:
    """Draw the choice between the visitor's zone and UTC; nothing where they are the same."""
    own = _own()
    if own == _UTC:
        return
    st.segmented_control(
        "Times in",
        ["local", "utc"],
        default="local",
        required=True,
        format_func={"local": "your zone", "utc": _UTC}.__getitem__,
        key=_KEY,
        bind="query-params",
        help=f"{own}, as your browser says, or UTC. Exported files are in UTC.",
    )


def zone_name() -> str:
    """Return the name of the zone that times are shown in: “Europe/Berlin”, “UTC”."""
    return _UTC if st.session_state.get(_KEY) == "utc" else _own()


def city() -> str:
    """Return the zone's name in short, for headers of columns: “Berlin”, “UTC”."""
    return zone_name().rpartition("/")[2].replace("_", " ")


def moment(time: datetime) -> str:
    """Return a time in UTC without a zone as people read it: “26 Nov 2026, 09:17 CET”."""
    local = _zoned(time)
    return f"{local:%d %b %Y, %H:%M} {_abbreviation(local)}"


def column(title: str, shape: str = "D MMM YYYY, HH:mm") -> Any:
    """Return how a table shows a column of times in UTC: in the zone of the page, which its title names."""
    return st.column_config.DatetimeColumn(f"{title}, {city()}", format=shape, timezone=zone_name())


def on_axis(times: Sequence[datetime]) -> list[datetime]:
    """Return times in UTC without a zone as those of the shown zone, without one either, for charts."""
    return [_zoned(time).replace(tzinfo=None) for time in times]


def to_utc(time: datetime) -> datetime:
    """Return a time of the shown zone, which it does not name, in UTC without a zone."""
    return time.replace(tzinfo=_zone()).astimezone(UTC).replace(tzinfo=None)


def from_utc(time: datetime) -> datetime:
    """Return a time in UTC without a zone as that of the shown zone, without one either."""
    return _zoned(time).replace(tzinfo=None)


def _own() -> str:
    """Return the name of the visitor's zone; UTC where the browser names none that is known."""
    name = _browser_zone() or _UTC
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _UTC
    return _UTC if name in ("Etc/UTC", "Etc/GMT", "GMT", "Etc/Universal", "Etc/Zulu", "Universal") else name


def _browser_zone() -> str | None:
    return st.context.timezone


def _zone() -> ZoneInfo:
    return ZoneInfo(zone_name())


def _zoned(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC).astimezone(_zone())


def _abbreviation(local: datetime) -> str:
    """Return “CET”; zones without an abbreviation are named by their distance: “UTC+08”."""
    name = local.tzname() or _UTC
    return f"UTC{name}" if name[0] in "+-" else name

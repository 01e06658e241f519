"""The Images page's filter: which images are wanted, as widgets, in words, and for the store."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.models import ImageFilter, ImageStatus
from core.ui import filters

_CALIBRATED = {"diameter_um": "Ø largest, µm", "area_um2": "Area of the largest, µm²"}
_IN_PIXELS = {"diameter_px": "Ø largest, px", "area_px": "Area of the largest, px²"}
_ALWAYS = {
    "objects": "Spheroids",
    "circularity": "Circularity",
    "confidence": "Confidence",
    "pixel_size": "Pixel size, µm/px",
    "seconds": "Time taken, s",
}


def numbers(calibrated: bool) -> dict[str, str]:
    """What may be narrowed by bounds, by name, in the order in which it is offered."""
    return (_CALIBRATED if calibrated else _IN_PIXELS) | _ALWAYS


def draw(names: Mapping[str, str]) -> dict[str, str]:
    """The filter as widgets; return it as the API's parameters."""
    with st.container(horizontal=True):
        status = st.pills(
            "Status",
            [item.value for item in ImageStatus],
            selection_mode="multi",
            format_func=status_word,
            key="status",
            bind="query-params",
        )
        query = filters.name("Name contains", 130)
        query |= filters.dates("Added (UTC)")
        chosen = filters.chosen(names, 200)
    query |= filters.bounds(chosen, names)
    return {"status": ",".join(status), **query} if status else query


def filter_of(query: Mapping[str, str], names: Mapping[str, str]) -> ImageFilter:
    """The same filter for the store."""
    status = tuple(ImageStatus(word) for word in query.get("status", "").split(",") if word)
    return ImageFilter(status, query.get("name"), filters.ranges(query, names))


def words(query: Mapping[str, str], names: Mapping[str, str]) -> str:
    """“Showing images that are failed, name contains “A05””; nothing where all are shown."""
    parts = []
    if "status" in query:
        parts.append(" or ".join(status_word(word) for word in query["status"].split(",")))
    parts += filters.words(query, names)
    return f"Showing only: {', '.join(parts)}" if parts else ""


def status_word(value: str) -> str:
    """A status as it is shown."""
    return "not segmented" if value == "new" else value

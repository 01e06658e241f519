"""The filter of the Images page: as widgets, in words, and as the store takes it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.listing.columns import in_units, on_screen
from core.listing.image_table import LISTED
from core.models import Finding, ImageFilter, ImageStatus, Project, ReviewState
from core.ui import filters

FINDING_WORDS = {
    Finding.LOOK_AT_THIS: "look at this",
    Finding.NOTHING_FOUND: "nothing found",
    Finding.SEVERAL_FOUND: "several found",
    Finding.OWN_SETTINGS: "own settings",
}


def numbers(calibrated: bool) -> dict[str, str]:
    """Labels of the numbers that images may be narrowed by, by the API's name, in the order of the grid."""
    columns = in_units(on_screen(LISTED), calibrated)
    return {
        column.filter: column.label for column in columns if column.filter and column.type in (int, float)
    }


def draw(names: Mapping[str, str]) -> dict[str, str]:
    """Draw the filter; return it as the API's parameters."""
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
        query |= filters.dates()
        review = st.pills(
            "Review",
            [item.value for item in ReviewState],
            selection_mode="multi",
            key="review",
            bind="query-params",
        )
        query |= {"review": ",".join(review)} if review else {}
        chosen = filters.chosen(names, 200)
    query |= filters.bounds(chosen, names)
    return {"status": ",".join(status), **query} if status else query


def findings(project: Project) -> dict[str, str]:
    """Draw the filters by what was found with their counts in the project; return the API's parameter."""
    chosen = [
        finding
        for finding, word in FINDING_WORDS.items()
        if _is_offered(finding, project)
        and st.checkbox(f"{word} ({project.findings[finding]})", key=finding.value, bind="query-params")
    ]
    return {"findings": ",".join(chosen)} if chosen else {}


def _is_offered(finding: Finding, project: Project) -> bool:
    """Whether a filter is drawn: settings of their own are rare, and most projects have none."""
    rare = finding is Finding.OWN_SETTINGS
    return not rare or bool(project.findings[finding]) or finding.value in st.query_params


def clear(names: Mapping[str, str]) -> None:
    """Take every condition away, in a callback: before the widgets are drawn."""
    filters.clear(names, status=[], review=[], **{finding.value: False for finding in Finding})


def filter_of(query: Mapping[str, str], names: Mapping[str, str]) -> ImageFilter:
    """Return the filter as the store takes it."""
    status = tuple(ImageStatus(word) for word in query.get("status", "").split(",") if word)
    findings = tuple(Finding(word) for word in query.get("findings", "").split(",") if word)
    review = tuple(ReviewState(word) for word in query.get("review", "").split(",") if word)
    return ImageFilter(status, query.get("name"), filters.ranges(query, names), findings, review)


def words(query: Mapping[str, str], names: Mapping[str, str]) -> str:
    """“Showing images that are failed, name contains “A05””; nothing where all are shown."""
    parts = []
    if "status" in query:
        parts.append(" or ".join(status_word(word) for word in query["status"].split(",")))
    if "findings" in query:
        parts.append(" or ".join(FINDING_WORDS[Finding(word)] for word in query["findings"].split(",")))
    if "review" in query:
        parts.append(f"reviewed as {' or '.join(query['review'].split(','))}")
    parts += filters.words(query, names)
    return f"Showing only: {', '.join(parts)}" if parts else ""


def status_word(value: str) -> str:
    """A status as it is shown."""
    return "not segmented" if value == "new" else value

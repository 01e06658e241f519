"""The Measurements page: filter, charts and labels of a project's spheroids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.listing import object_table
from core.listing.columns import in_units
from core.listing.object_columns import OBJECT_COLUMNS
from core.models import Project
from core.services import Services
from core.store.objects import ObjectFilter, ObjectHistogram, Point
from core.ui import calibration, filters
from core.ui.feedback import plural
from core.ui.shell import go as open_page

BINS = 40
MAX_POINTS = 3000
CHART_PX = 300
FEW = 5
ACCENT = "#2f80a4"
IN_UM = frozenset(column.filter for column in object_table.LISTED if column.twin_of and column.filter)
_BORDER = {"": "all", "0": "whole", "1": "touching the edge"}


def labels(calibrated: bool) -> dict[str, str]:
    """Labels of a spheroid's numbers by name: “Area, µm²”; sizes in pixels where nothing is calibrated."""
    columns = in_units(OBJECT_COLUMNS, calibrated)
    return {column.filter: column.label for column in columns if column.filter}


def draw(names: Mapping[str, str]) -> dict[str, str]:
    """Draw the filter; return it as the API's parameters."""
    with st.container(horizontal=True):
        query = filters.name("Image name contains")
        border = st.segmented_control(
            "Spheroids",
            list(_BORDER),
            format_func=_BORDER.__getitem__,
            default="",
            key="touches_border",
            bind="query-params",
        )
        chosen = filters.chosen(names)
    query |= {"touches_border": border} if border else {}
    return query | filters.bounds(chosen, names)


def filter_of(query: Mapping[str, str]) -> ObjectFilter:
    """Return the filter as the store takes it."""
    border = query.get("touches_border")
    touches_border = None if border is None else border == "1"
    return ObjectFilter(query.get("name"), touches_border, filters.ranges(query, object_table.RANGES))


def clear(names: Mapping[str, str]) -> None:
    """Take every condition away, in a callback: before the widgets are drawn."""
    filters.clear(names, touches_border="")


def words(services: Services, project: Project, query: Mapping[str, str], names: Mapping[str, str]) -> str:
    """“1 204 spheroids of 380 images: circularity at least 0.8”."""
    count = services.store.objects.count(project.id, filter_of(query))
    parts = filters.words(query, names, "image name")
    if "touches_border" in query:
        parts.append("touching the edge" if query["touches_border"] == "1" else "not touching the edge")
    narrowed = f": {', '.join(parts)}" if parts else ""
    left_out = (
        f" · {plural(count.excluded, 'spheroid')} of excluded images stay in the table and in exports, "
        "and are not in the charts"
        if count.excluded
        else ""
    )
    return f"**{plural(count.objects, 'spheroid')}** of {plural(count.images, 'image')}{narrowed}{left_out}"


def charts(services: Services, project: Project, objects: ObjectFilter, names: Mapping[str, str]) -> None:
    """Draw a histogram and a scatter of the spheroids; a click on a point opens its image."""
    left, right = st.columns(2)
    with left:
        column = _quantity(left, "Distribution of", "of", "equivalent_diameter", names)
        counts = services.store.objects.histogram(project.id, objects, column, BINS)
        if counts is None:
            st.text("No spheroid here has this value.")
        else:
            st.plotly_chart(histogram(counts, names[column]), key="histogram")
    with right, st.container():
        x_column, y_column = st.columns(2)
        x = _quantity(x_column, "Horizontal axis", "x", "equivalent_diameter", names)
        y = _quantity(y_column, "Vertical axis", "y", "circularity", names)
        _scatter(services.store.objects.points(project.id, objects, (x, y), MAX_POINTS), names[x], names[y])
    _left_out(services, project, objects, {column, x, y})


def _left_out(services: Services, project: Project, objects: ObjectFilter, drawn: set[str]) -> None:
    """Say how many spheroids have no size in µm where a chart or a bound is one, and how to change that."""
    in_um = IN_UM & (drawn | {item.column for item in objects.ranges})
    if not in_um or not services.store.objects.partly_calibrated(project.id):
        return
    others = tuple(item for item in objects.ranges if item.column not in IN_UM)
    count = services.store.objects.count(project.id, replace(objects, ranges=others, calibrated=False))
    if left_out := count.objects - count.excluded:
        calibration.offer_rest(
            services,
            project,
            f"{plural(left_out, 'spheroid')} of images without a pixel size "
            f"{'is' if left_out == 1 else 'are'} not shown: sizes in µm are not known there.",
        )


def _quantity(place: Any, label: str, key: str, default: str, names: Mapping[str, str]) -> str:
    """Let the user choose one of ``names``; the choice stands in the address."""
    known = list(names)
    chosen: str = place.selectbox(
        label,
        known,
        index=_index(known, default),
        format_func=names.__getitem__,
        key=key,
        bind="query-params",
    )
    return chosen


def histogram(counts: ObjectHistogram, label: str) -> go.Figure:
    """Bars of equal width that touch."""
    width = counts.edges[1] - counts.edges[0]
    middles = [edge + width / 2 for edge in counts.edges[:-1]]
    bars = go.Bar(
        x=middles,
        y=counts.counts,
        width=width,
        marker={"color": ACCENT, "line": {"width": 0.5, "color": "rgba(255,255,255,0.6)"}},
        customdata=list(zip(counts.edges[:-1], counts.edges[1:], strict=True)),
        hovertemplate="%{customdata[0]:.3s} to %{customdata[1]:.3s}: %{y}<extra></extra>",
    )
    figure = _drawn(bars, label, "Spheroids")
    if max(counts.counts) < FEW:  # Plotly would count in fifths of a spheroid
        figure.update_yaxes(dtick=1)
    return figure


def scatter(points: tuple[Point, ...], x: str, y: str) -> go.Figure:
    """A point a spheroid, which knows its image and its number."""
    marks = go.Scatter(
        x=[point.x for point in points],
        y=[point.y for point in points],
        mode="markers",
        marker={"size": 6, "opacity": 0.55, "color": ACCENT},
        customdata=[[point.image_id, point.number] for point in points],
        # Names are not markup: Plotly would take some of HTML for it.
        text=[point.image_name.replace("<", "‹").replace(">", "›") for point in points],
        hovertemplate="%{text} · %{customdata[1]}<br>%{x:.3s}, %{y:.3s}<extra></extra>",
    )
    return _drawn(marks, x, y)


def _scatter(points: tuple[Point, ...], x: str, y: str) -> None:
    if not points:
        st.text("No spheroid here has both values.")
        return
    event: Any = st.plotly_chart(
        scatter(points, x, y), key="scatter", on_select="rerun", selection_mode="points"
    )
    sample = f"{MAX_POINTS} of them, drawn at random. " if len(points) == MAX_POINTS else ""
    st.caption(f"{sample}Click a point to open its image.")
    if chosen := event["selection"]["points"]:
        image_id, number = chosen[0]["customdata"]
        open_page("image.py", image=image_id, spheroid=str(number))


def _drawn(marks: Any, x: str, y: str) -> go.Figure:
    figure = go.Figure(marks)
    figure.update_layout(
        height=CHART_PX,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis_title=x,
        yaxis_title=y,
        showlegend=False,
        clickmode="event+select",
    )
    return figure


def _index(names: list[str], measurement: str) -> int:
    return next(index for index, name in enumerate(names) if name in (measurement, f"{measurement}_um"))

"""Columns of AG Grid: of images and spheroids as ``core.listing`` describes them, of projects and of jobs.

A column's ``colId`` is its name in the API's ``sort``. In ``context``, ``opens`` says that a click on a cell
opens what the row is about, ``param`` which parameter of the API the filter in the header sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.listing.columns import Column, Format, Shown, in_units, on_screen, with_twins
from core.listing.image_columns import IMAGE_COLUMNS
from core.listing.image_query import DEFAULT_SORT
from core.listing.object_columns import OBJECT_COLUMNS
from core.models.glossary import meaning
from core.ui import times
from core.ui.components import grid_scripts

ColumnDef = dict[str, Any]
RIGHT: ColumnDef = {"type": "rightAligned"}
OPENS: ColumnDef = {"cellClass": "opens", "cellRenderer": grid_scripts.LINK, "context": {"opens": True}}
UNSORTED: ColumnDef = {"sortable": False}
_FORMATS: dict[Format, ColumnDef] = {
    Format.NUMBER: {"valueFormatter": grid_scripts.NUMBER, **RIGHT},
    Format.COUNT: {"valueFormatter": grid_scripts.DASH, **RIGHT},
    Format.YES_NO: {"valueFormatter": grid_scripts.YES_NO, **RIGHT},
    Format.SECONDS: {"valueFormatter": grid_scripts.SECONDS, **RIGHT},
    Format.TIME: {"valueFormatter": grid_scripts.TIME},
    Format.STATUS: {"cellRenderer": grid_scripts.STATUS, "tooltipValueGetter": grid_scripts.STATUS_REASON},
    Format.CONFIDENCE: {"cellRenderer": grid_scripts.CONFIDENCE, **RIGHT},
    Format.SIZE: {"valueGetter": grid_scripts.SIZE, "valueFormatter": grid_scripts.DASH, **RIGHT},
    Format.NAME: {"flex": 2, **OPENS},
    Format.NUMBERED: {**RIGHT, **OPENS, "cellClass": ["opens", "ag-right-aligned-cell"]},
    Format.PICTURE: {"cellRenderer": grid_scripts.THUMBNAIL, "context": {"opens": True}},
    Format.TEXT: {"valueFormatter": grid_scripts.DASH},
}
_FILTER = {"maxNumConditions": 1, "buttons": ["apply"], "closeOnApply": True}
_BOUNDS: ColumnDef = {
    "filter": "agNumberColumnFilter",
    "filterParams": {
        "filterOptions": ["inRange", "greaterThanOrEqual", "lessThanOrEqual"],
        "inRangeInclusive": True,
        **_FILTER,
    },
}
_PART: ColumnDef = {
    "filter": "agTextColumnFilter",
    "filterParams": {"filterOptions": ["contains"], **_FILTER},
}


def image_columns(calibrated: bool = True) -> tuple[ColumnDef, ...]:
    """Columns of the table of images; where nothing is calibrated, sizes are in pixels and the pixel size's
    column, which is empty, is not shown.
    """
    bounds = dict(zip(IMAGE_COLUMNS, in_units(IMAGE_COLUMNS, calibrated), strict=True))

    def shown(column: Column) -> Shown:
        empty = column.name == "um_per_px" and not calibrated
        return Shown.ON_DEMAND if empty else column.shown

    return _in_order(
        [(_column_def(column, bounds[column].filter), shown(column)) for column in on_screen(IMAGE_COLUMNS)]
    )


def object_columns(calibrated: bool) -> tuple[ColumnDef, ...]:
    """Columns of the table of spheroids; sizes are shown in pixels where nothing is calibrated."""
    units = set(in_units(OBJECT_COLUMNS, calibrated))
    return _in_order(
        [
            (
                _column_def(column, column.filter),
                column.shown if column in units or column.shown is Shown.NEVER else Shown.ON_DEMAND,
            )
            for column in on_screen(with_twins(OBJECT_COLUMNS))
        ]
    )


def _in_order(columns: list[tuple[ColumnDef, Shown]]) -> tuple[ColumnDef, ...]:
    """Return those that are shown by default first, then those to be ticked in the grid's list of columns."""
    default = [column for column, shown in columns if shown is Shown.DEFAULT]
    hidden = [column | {"initialHide": True} for column, shown in columns if shown is Shown.ON_DEMAND]
    return (*default, *hidden)


def _column_def(column: Column, bound: str | None) -> ColumnDef:
    """A described column for AG Grid; its header takes bounds for the API's ``bound``, or part of a name."""
    made: ColumnDef = {"field": column.name, "headerName": _heading(column), "width": column.width}
    made |= _FORMATS[column.format]
    made |= {"colId": column.sort} if column.sort else UNSORTED
    context = {**made.get("context", {})}
    if column.format is Format.NAME:
        del made["width"]
        made |= {"minWidth": column.width, **_PART}
        context["param"] = "name"
    elif bound and column.type in (int, float):
        made |= _BOUNDS
        context["param"] = bound
    if column.format is Format.SIZE and (twin := column.in_um):
        del made["field"]  # two fields are shown, so none is asked for by a download
        context |= {"um": twin.name, "px": column.name, "units": [twin.unit, column.unit]}
    if column.twin_of:
        made["valueFormatter"] = grid_scripts.SIZE_OR_PIXELS
        context |= {"px": column.twin_of, "unit": column.unit.replace("µm", "px")}
    if column.sort and f"-{column.sort}" == DEFAULT_SORT:
        made["initialSort"] = "desc"
    if column.tooltip:
        made["tooltipField"] = column.tooltip
    if column.type in (int, float, bool):
        made["headerTooltip"] = " ".join(filter(None, (meaning(column.name), column.description)))
    return made | ({"context": context} if context else {})


def _heading(column: Column) -> str:
    title = column.header or column.title
    sized = (column.dimension.power or column.twin_of) and column.format is not Format.SIZE
    return f"{title} {column.unit}" if sized else title


def in_zone(columns: Sequence[ColumnDef]) -> list[ColumnDef]:
    """The columns, those of times with the name of the zone that they are shown in."""
    return [
        column | {"headerName": f"{column['headerName']}, {times.city()}", "headerTooltip": times.zone_name()}
        if column.get("valueFormatter") is grid_scripts.TIME
        else column
        for column in columns
    ]


def number(field: str, title: str, width: int, col_id: str | None = None, **more: Any) -> ColumnDef:
    """A number to three significant digits, its unit in the title."""
    shape = {"width": width, "valueFormatter": grid_scripts.NUMBER, **RIGHT}
    return {"field": field, "colId": col_id or field, "headerName": title, **shape, **more}


def time(field: str, title: str, col_id: str | None = None, **more: Any) -> ColumnDef:
    """A point in time, in the reader's zone."""
    shape = {"width": 116, "valueFormatter": grid_scripts.TIME}
    return {"field": field, "colId": col_id or field, "headerName": title, **shape, **more}


PROJECT_COLUMNS: tuple[ColumnDef, ...] = (
    {
        "field": "thumbnails",
        "headerName": "Newest",
        "width": 232,
        "cellRenderer": grid_scripts.THUMBNAILS,
        "context": {"opens": True},
        **UNSORTED,
    },
    {"field": "name", "headerName": "Name", "flex": 2, "minWidth": 150, **OPENS},
    number("n_images", "Images", 90, "images", valueFormatter=grid_scripts.DASH),
    number("counts.done", "Done", 90, "done", valueFormatter=grid_scripts.DASH),
    number("counts.failed", "Failed", 90, "failed", valueFormatter=grid_scripts.DASH),
    number("um_per_px", "µm/px", 90, "pixel_size"),
    time("last_activity", "Last added", "activity", initialSort="desc"),
)

_JOB = {"field": "image_name", "headerName": "Image", "flex": 2, "minWidth": 180, **UNSORTED, **OPENS}
_STATE = {
    "field": "state",
    "headerName": "State",
    "width": 118,
    "cellRenderer": grid_scripts.STATUS,
    **UNSORTED,
}
_ATTEMPT = {"field": "attempt", "headerName": "Attempt", "width": 92, **RIGHT}


def _word(field: str, title: str, width: int, **more: Any) -> ColumnDef:
    shape = {"width": width, "valueFormatter": grid_scripts.DASH}
    return {"field": field, "headerName": title, "tooltipField": field, **shape, **more}


_REQUESTED = (_word("asked_by", "Requested by", 130), time("created_at", "Requested"))
_REASON = _word("error", "Reason", 260, flex=5, minWidth=260)
_ENGINE = _word("engine", "Engine", 104)

# By the state of the jobs that are listed.
JOB_COLUMNS: dict[str, tuple[ColumnDef, ...]] = {
    "queued": (_JOB, _STATE, _word("priority", "Priority", 100), _ENGINE, _ATTEMPT, *_REQUESTED),
    "running": (
        _JOB,
        _STATE,
        _word("worker", "Worker", 110),
        _ENGINE,
        _ATTEMPT,
        time("started_at", "Began"),
        *_REQUESTED,
    ),
    "done": (
        _JOB,
        _STATE,
        _word("worker", "Worker", 110),
        _ENGINE,
        _ATTEMPT,
        *_REQUESTED,
        time("finished_at", "Ended"),
    ),
    "failed": (_JOB, _STATE, _REASON, _ATTEMPT, _REQUESTED[0], time("finished_at", "Ended")),
    "cancelled": (_JOB, _STATE, _ENGINE, *_REQUESTED, time("finished_at", "Ended")),
}

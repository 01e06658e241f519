"""The columns of every table: which field of the API's rows each shows, and how.

A column's ``colId`` is its name in the API's ``sort``. In ``context``, ``opens`` says that a click on a cell
opens what the row is about.
"""

from __future__ import annotations

from typing import Any

from core.models import MEASUREMENTS, MeasurementDefinition
from core.ui.components import grid_scripts

Column = dict[str, Any]
FIRST = (  # of a spheroid's measurements
    *("equivalent_diameter", "area", "circularity", "solidity", "aspect_ratio", "volume_sphere"),
    "touches_border",
)
_SHORT = {"equivalent_diameter": "Ø", "volume_sphere": "Volume", "touches_border": "At the edge"}
_POWERS = ("", "", "²", "³")
OPENS: Column = {"cellClass": "opens", "cellRenderer": grid_scripts.LINK, "context": {"opens": True}}
RIGHT: Column = {"type": "rightAligned"}
UNSORTED: Column = {"sortable": False}


def picture() -> Column:
    """The small picture, from an address that never changes what it shows."""
    return {
        "field": "thumbnail",
        "headerName": "Picture",
        "width": 92,
        "cellRenderer": grid_scripts.THUMBNAIL,
        "context": {"opens": True},
        **UNSORTED,
    }


def number(field: str, title: str, width: int, col_id: str | None = None, **more: Any) -> Column:
    """A number to three significant digits, its unit in the title."""
    shape = {"width": width, "valueFormatter": grid_scripts.NUMBER, **RIGHT}
    return {"field": field, "colId": col_id or field, "headerName": title, **shape, **more}


def bounded(column: Column, param: str) -> Column:
    """A column whose header takes bounds, for the API's ``param``."""
    kinds = ["inRange", "greaterThanOrEqual", "lessThanOrEqual"]
    how = {"filterOptions": kinds, "maxNumConditions": 1, "buttons": ["apply"], "closeOnApply": True}
    more = {"filter": "agNumberColumnFilter", "filterParams": how | {"inRangeInclusive": True}}
    return column | more | {"context": {**column.get("context", {}), "param": param}}


def named(column: Column) -> Column:
    """A column whose header takes a part of a name."""
    how = {"filterOptions": ["contains"], "maxNumConditions": 1, "buttons": ["apply"], "closeOnApply": True}
    more = {"filter": "agTextColumnFilter", "filterParams": how}
    return column | more | {"context": {**column.get("context", {}), "param": "name"}}


def time(field: str, title: str, col_id: str | None = None, **more: Any) -> Column:
    """A point in time, in the reader's zone."""
    shape = {"width": 116, "valueFormatter": grid_scripts.TIME}
    return {"field": field, "colId": col_id or field, "headerName": title, **shape, **more}


def image_columns(calibrated: bool = True) -> tuple[Column, ...]:
    """An image's columns; where nothing is calibrated, bounds of the diameter are in pixels."""
    status = {"width": 122, "cellRenderer": grid_scripts.STATUS, "tooltipField": "error"}
    diameter: Column = {
        "colId": "diameter",
        "headerName": "Ø largest",
        "width": 104,
        "valueGetter": grid_scripts.DIAMETER,
        "valueFormatter": grid_scripts.DASH,
        "headerTooltip": "Equivalent diameter of the largest spheroid, in µm where the pixel size is known",
        **RIGHT,
    }
    trust: Column = {
        "field": "confidence",
        "headerName": "Confidence",
        "width": 112,
        "cellRenderer": grid_scripts.CONFIDENCE,
        "headerTooltip": "Overlap with a person's outlines that is to be expected, 0 to 1",
        **RIGHT,
    }
    return (
        picture(),
        named({"field": "name", "headerName": "Name", "flex": 2, "minWidth": 140, **OPENS}),
        {"field": "status", "headerName": "Status", **status},
        bounded(
            number("n_objects", "Spheroids", 112, "objects", valueFormatter=grid_scripts.DASH), "objects"
        ),
        bounded(diameter, "diameter_um" if calibrated else "diameter_px"),
        bounded(number("largest_circularity", "Circularity", 104, "circularity"), "circularity"),
        bounded(trust, "confidence"),
        number("um_per_px", "µm/px", 78, "pixel_size", tooltipField="um_per_px_source"),
        time("created_at", "Added", "created", initialSort="desc"),
        bounded(number("seconds", "Took", 80, valueFormatter=grid_scripts.SECONDS), "seconds"),
    )


PROJECT_COLUMNS: tuple[Column, ...] = (
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


def object_columns(calibrated: bool) -> tuple[Column, ...]:
    """A spheroid's columns: those most looked at first, the others to be shown by a tick.

    Where nothing is calibrated, sizes are shown in pixels, else in micrometres.
    """
    shown: list[Column] = [
        named(
            {
                "field": "image_name",
                "colId": "name",
                "headerName": "Image",
                "flex": 2,
                "minWidth": 150,
                **OPENS,
            }
        ),
        {
            "field": "object",
            "headerName": "#",
            "width": 60,
            **RIGHT,
            **OPENS,
            "cellClass": ["opens", "ag-right-aligned-cell"],
        },
    ]
    hidden: list[Column] = []
    for column in MEASUREMENTS:
        suffix, power = column.dimension.um_suffix, column.dimension.power
        wanted = column.name in FIRST
        title = _SHORT.get(column.name, column.label)
        pixels = f"{title} px{_POWERS[power]}" if power else title
        plain = number(column.name, pixels, 108, valueFormatter=_format_of(column))
        if column.name != "touches_border":
            plain = bounded(plain, column.name)
        (shown if wanted and not (power and calibrated) else hidden).append(plain)
        if power:
            in_um = number(column.name + suffix, f"{title} µm{_POWERS[power]}", 108)
            in_um = bounded(in_um, column.name + suffix)
            (shown if wanted and calibrated else hidden).append(in_um)
    return (*shown, *(column | {"initialHide": True} for column in hidden))


def _format_of(column: MeasurementDefinition) -> Any:
    return grid_scripts.YES_NO if column.name == "touches_border" else grid_scripts.NUMBER


_JOB = {"field": "image_name", "headerName": "Image", "flex": 2, "minWidth": 180, **UNSORTED, **OPENS}
_STATE = {
    "field": "state",
    "headerName": "State",
    "width": 118,
    "cellRenderer": grid_scripts.STATUS,
    **UNSORTED,
}
_ATTEMPT = {"field": "attempt", "headerName": "Attempt", "width": 92, **RIGHT}


def _word(field: str, title: str, width: int, **more: Any) -> Column:
    shape = {"width": width, "valueFormatter": grid_scripts.DASH}
    return {"field": field, "headerName": title, "tooltipField": field, **shape, **more}


_ASKED = (_word("asked_by", "Asked by", 130), time("created_at", "Asked"))
_REASON = _word("error", "Reason", 260, flex=5, minWidth=260)
_ENGINE = _word("engine", "Engine", 104)

# By the state of the jobs that are listed: each state has its own questions.
JOB_COLUMNS: dict[str, tuple[Column, ...]] = {
    "queued": (_JOB, _STATE, _word("priority", "Priority", 100), _ENGINE, _ATTEMPT, *_ASKED),
    "running": (
        _JOB,
        _STATE,
        _word("worker", "Worker", 110),
        _ENGINE,
        _ATTEMPT,
        time("started_at", "Began"),
        *_ASKED,
    ),
    "done": (
        _JOB,
        _STATE,
        _word("worker", "Worker", 110),
        _ENGINE,
        _ATTEMPT,
        *_ASKED,
        time("finished_at", "Ended"),
    ),
    "failed": (_JOB, _STATE, _REASON, _ATTEMPT, _ASKED[0], time("finished_at", "Ended")),
    "cancelled": (_JOB, _STATE, _ENGINE, *_ASKED, time("finished_at", "Ended")),
}

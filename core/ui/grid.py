"""The one table widget: AG Grid fed by our own paginated API, so that paging and sorting run no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import streamlit as st
from st_aggrid import AgGrid, DataReturnMode

from core.ui import jscode

BLOCK_ROWS = 100
PAGE_SIZES = [25, 50, 100, 200]
Column = dict[str, Any]
_FONT = "Inter, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif !important"
_CSS = {
    ".ag-root-wrapper, .ag-cell, .ag-header-cell, .ag-paging-panel, .ag-tooltip": {"font-family": _FONT},
    ".opens": {"cursor": "pointer", "text-decoration": "underline", "text-underline-offset": "3px"},
    ".ag-cell": {"display": "flex", "align-items": "center"},
    ".ag-right-aligned-cell": {"justify-content": "flex-end"},
}


@dataclass(frozen=True, slots=True)
class GridAnswer:
    """What the user did in the grid: rows that are selected, and the row just opened."""

    selected: tuple[str, ...] = ()
    opened: str | None = None


IMAGE_COLUMNS: tuple[Column, ...] = (
    {
        "field": "thumbnail",
        "headerName": "",
        "width": 92,
        "sortable": False,
        "cellRenderer": jscode.THUMBNAIL,
    },
    {"field": "name", "headerName": "Name", "flex": 2, "minWidth": 140, "cellClass": "opens"},
    {
        "field": "status",
        "headerName": "Status",
        "width": 126,
        "cellRenderer": jscode.STATUS,
        "tooltipField": "error",
    },
    {
        "field": "n_objects",
        "colId": "objects",
        "headerName": "Spheroids",
        "width": 102,
        "type": "rightAligned",
        "valueFormatter": jscode.DASH,
    },
    {
        "colId": "diameter",
        "headerName": "Ø largest",
        "width": 104,
        "type": "rightAligned",
        "valueGetter": jscode.DIAMETER,
        "valueFormatter": jscode.DASH,
        "headerTooltip": "Equivalent diameter of the largest spheroid, in µm where the pixel size is known",
    },
    {
        "field": "largest_circularity",
        "colId": "circularity",
        "headerName": "Circularity",
        "width": 106,
        "type": "rightAligned",
        "valueFormatter": jscode.NUMBER,
    },
    {
        "field": "um_per_px",
        "headerName": "µm/px",
        "width": 84,
        "type": "rightAligned",
        "sortable": False,
        "valueFormatter": jscode.NUMBER,
        "tooltipField": "um_per_px_source",
    },
    {
        "field": "created_at",
        "colId": "created",
        "headerName": "Added",
        "width": 116,
        "valueFormatter": jscode.TIME,
        "initialSort": "desc",
    },
    {
        "field": "seconds",
        "headerName": "Took",
        "width": 70,
        "type": "rightAligned",
        "valueFormatter": jscode.SECONDS,
    },
)

JOB_COLUMNS: tuple[Column, ...] = (
    {"field": "image_name", "headerName": "Image", "flex": 2, "minWidth": 160, "cellClass": "opens"},
    {"field": "state", "headerName": "State", "width": 130, "cellRenderer": jscode.STATUS},
    {
        "field": "error",
        "headerName": "Reason",
        "flex": 3,
        "minWidth": 120,
        "tooltipField": "error",
        "valueFormatter": jscode.DASH,
    },
    {"field": "engine", "headerName": "Engine", "width": 110},
    {"field": "attempt", "headerName": "Attempt", "width": 100, "type": "rightAligned"},
    {"field": "worker", "headerName": "Worker", "width": 110, "valueFormatter": jscode.DASH},
    {"field": "created_at", "headerName": "Asked", "width": 125, "valueFormatter": jscode.TIME},
    {"field": "finished_at", "headerName": "Ended", "width": 125, "valueFormatter": jscode.TIME},
)


class _NoRows:
    """Stands for a frame where the rows come from the datasource.

    The component hands AG Grid an empty list for None, and AG Grid reports that as an error in the browser's
    console; what this says instead arrives there as null.
    """

    dtypes: ClassVar[dict[str, str]] = {}

    def to_json(self, orient: str) -> str:
        return "null"


def grid(
    url: str,
    rows: str,
    columns: Sequence[Column],
    key: str,
    *,
    filters: Mapping[str, str] | None = None,
    row_height: int = 68,
) -> GridAnswer:
    """Draw the rows that ``url`` pages through (under ``rows`` of its answer).

    ``filters`` are query parameters for the API; changing them changes the grid's key, which clears the
    selection: what is not shown cannot be selected.
    """
    wanted = {name: value for name, value in (filters or {}).items() if value}
    options = _options(columns, row_height) | {"context": {"url": url, "rows": rows, "filters": wanted}}
    response = AgGrid(
        _NoRows(),
        gridOptions=options,
        height=620,
        key=f"{key}-{hash(tuple(sorted(wanted.items()))):x}",
        allow_unsafe_jscode=True,
        data_return_mode=DataReturnMode.CUSTOM,
        custom_jscode_for_grid_return=jscode.ANSWER,
        should_grid_return=jscode.SHOULD_ANSWER,
        use_json_serialization=True,
        update_on=["selectionChanged", "cellClicked"],
        custom_css=_CSS,
    )
    return _answer(response, key)


def _options(columns: Sequence[Column], row_height: int) -> dict[str, Any]:
    return {
        "rowModelType": "infinite",
        "datasource": {"getRows": jscode.GET_ROWS},
        "columnDefs": list(columns),
        "defaultColDef": {"resizable": True, "sortable": True, "suppressHeaderMenuButton": True},
        "getRowId": jscode.ROW_ID,
        "rowSelection": {"mode": "multiRow", "headerCheckbox": False, "enableClickSelection": False},
        "pagination": True,
        "paginationPageSize": 50,
        "paginationPageSizeSelector": PAGE_SIZES,
        "cacheBlockSize": BLOCK_ROWS,
        "maxBlocksInCache": 20,
        "rowHeight": row_height,
        "tooltipShowDelay": 300,
        "suppressCellFocus": False,
        "onGridReady": jscode.KEEP_FRESH,
        "overlayNoRowsTemplate": "Nothing here",
    }


def _answer(response: Any, key: str) -> GridAnswer:
    said = response.get("selected"), response.get("opened"), response.get("at")
    selected, opened, at = said
    last = f"{key}-opened-at"
    if opened and st.session_state.get(last) != at:
        st.session_state[last] = at  # the component repeats its last word at every run
        return GridAnswer(tuple(selected or ()), opened)
    return GridAnswer(tuple(selected or ()))

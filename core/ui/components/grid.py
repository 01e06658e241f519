"""The one table widget: AG Grid fed by our own paginated API, so that paging and sorting run no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import streamlit as st
from st_aggrid import AgGrid, DataReturnMode

from core.ui import times
from core.ui.components import grid_scripts
from core.ui.components.grid_columns import ColumnDef, in_zone

BLOCK_ROWS = 100
BLOCKS_KEPT = 6  # each is asked for again whenever the data have changed
HEIGHT_PX, SCROLLED_PX = 590, 420
PAGE_SIZES, USUAL_SIZE = [25, 50, 100, 200], 50
# What the pages around it have, as the component brings it along.
_FONT = "'Source Sans Pro', 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif !important"
_MENU = {"border": "1px solid currentColor", "border-radius": "6px", "font": "inherit", "color": "inherit"}
_CSS = {
    ".ag-root-wrapper, .ag-popup": {
        "--ag-background-color": "var(--page-background)",
        "--ag-foreground-color": "var(--page-text)",
        "--ag-text-color": "var(--page-text)",
        "--ag-cell-text-color": "var(--page-text)",
        "--ag-odd-row-background-color": "var(--page-background)",
        "--ag-header-background-color": "color-mix(in srgb, var(--page-text) 5%, var(--page-background))",
        "--ag-header-text-color": "var(--page-text)",
        "--ag-border-color": "color-mix(in srgb, var(--page-text) 22%, var(--page-background))",
    },
    ".ag-root-wrapper, .ag-cell, .ag-header-cell, .ag-paging-panel, .ag-tooltip": {
        "font-family": _FONT,
        "font-size": "14px",
        "font-variant-numeric": "tabular-nums",
    },
    ".ag-row": {"background-color": "var(--page-background)"},
    ".opens": {"cursor": "pointer"},
    ".opens a": {"color": "inherit", "text-decoration": "underline", "text-underline-offset": "3px"},
    ".ag-cell": {"display": "flex", "align-items": "center"},
    ".ag-right-aligned-cell": {"justify-content": "flex-end"},
    ".ag-paging-panel": {"flex-wrap": "wrap", "height": "auto", "min-height": "46px", "gap": "4px 16px"},
    ".tools": {"margin-right": "auto", "display": "flex", "gap": "14px", "align-items": "baseline"},
    ".tools summary": {"cursor": "pointer", "padding": "2px 6px", "border-radius": "6px"},
    ".tools details": {"position": "relative"},
    ".tools .menu": {
        "position": "absolute",
        "bottom": "2.2em",
        "left": "0",
        "z-index": "10",
        "padding": "10px 14px",
        "max-height": "320px",
        "overflow": "auto",
        "white-space": "nowrap",
        "background": "var(--ag-background-color)",
        **_MENU,
    },
    ".tools .menu label": {"display": "block", "padding": "3px 0", "cursor": "pointer"},
    ".tools input[type=number]": {"width": "5em", "padding": "2px 6px", "background": "transparent", **_MENU},
    ".tools [role=alert]": {"color": "#d0493b"},
    ".tools a": {"color": "inherit"},
    ".ag-header-cell-text": {"line-height": "1.25", "font-size": "13px", "overflow-wrap": "normal"},
    ".all": {
        "margin": "0 auto 0 1px",
        "width": "16px",
        "height": "16px",
        "cursor": "pointer",
        "accent-color": "var(--ag-accent-color)",
    },
}


@dataclass(frozen=True, slots=True)
class GridAnswer:
    """Selection, filter and clicks that a grid reports.

    ``selected`` are the ids of the rows that are ticked. With ``everything``, all rows of the filter are, on
    every page, but those of ``deselected``. ``header_filter`` is the filter just set in a column's header, as
    the API's parameters.
    """

    selected: tuple[str, ...] = ()
    everything: bool = False
    deselected: tuple[str, ...] = ()
    header_filter: str | None = None


class _NoRows:
    """Empty data for a table whose rows come from the datasource.

    The component hands AG Grid an empty list for None, and AG Grid reports that as an error in the browser's
    console; this arrives there as null.
    """

    dtypes: ClassVar[dict[str, str]] = {}

    def to_json(self, orient: str) -> str:
        return "null"


@dataclass(frozen=True, slots=True)
class GridOptions:
    """Options of a table.

    ``download`` is the address of a CSV that takes the same filters, ``sort`` and ``fields``: it is offered
    as exactly what is shown. Without ``ticks``, rows cannot be selected. Unless ``virtual``, every row of a
    page is drawn, in sight or not. ``scrolled``: one long, lower list in place of pages, of which only what
    is seen is loaded.
    """

    download: str = ""
    ticks: bool = True
    virtual: bool = True
    scrolled: bool = False


def grid(  # noqa: PLR0913 - the last four are by name alone, and have defaults
    url: str,
    rows: str,
    columns: Sequence[ColumnDef],
    key: str,
    *,
    filters: Mapping[str, str] | None = None,
    row_height: int = 56,
    options: GridOptions = GridOptions(),
    row_address: str = "",
) -> GridAnswer:
    """Draw the rows that ``url`` pages through (under ``rows`` of its answer).

    ``filters`` are query parameters for the API. Changing them clears the selection: what is not shown cannot
    be selected. Page, sort and page size stand in the page's address. Columns and page size are remembered by
    the browser for ``key`` up to its first dash, so for every project; page and sort for ``key`` itself, as
    long as the tab is open. ``row_address`` is the address that a row opens, relative to this page's, with
    the row's fields in {braces}.
    """
    # Percent-encoded, nothing that a user typed can be taken for JavaScript by the component.
    query = urlencode({name: value for name, value in (filters or {}).items() if value})
    context = {"url": url, "rows": rows, "query": query, "key": key, "kind": key.partition("-")[0]}
    context |= {"download": options.download, "rowAddress": row_address, "zone": times.zone_name()}
    response = AgGrid(
        _NoRows(),
        gridOptions=_options(in_zone(columns), row_height)
        | (_ticks() if options.ticks else {})
        | {"context": context, "suppressRowVirtualisation": not options.virtual}
        | {"pagination": not options.scrolled},
        height=SCROLLED_PX if options.scrolled else HEIGHT_PX,
        key=f"{key} {times.zone_name()}",  # another zone is another table: its headers name the zone
        allow_unsafe_jscode=True,
        data_return_mode=DataReturnMode.CUSTOM,
        custom_jscode_for_grid_return=grid_scripts.ANSWER,
        should_grid_return=grid_scripts.SHOULD_ANSWER,
        use_json_serialization=True,
        update_on=["selectionChanged", "filterChanged"],
        custom_css=_CSS,
    )
    return _answer(response, key, query)


def _ticks() -> dict[str, Any]:
    return {
        "rowSelection": {"mode": "multiRow", "headerCheckbox": False, "enableClickSelection": False},
        "selectionColumnDef": {"headerComponent": grid_scripts.SELECT_ALL, "width": 40},
    }


def _options(columns: Sequence[ColumnDef], row_height: int) -> dict[str, Any]:
    return {
        "rowModelType": "infinite",
        "datasource": {"getRows": grid_scripts.GET_ROWS},
        "columnDefs": deepcopy(list(columns)),  # the component writes into what it is given
        "defaultColDef": {
            "resizable": True,
            "sortable": True,
            "suppressHeaderMenuButton": True,
            "wrapHeaderText": True,
            "autoHeaderHeight": True,
        },
        "getRowId": grid_scripts.ROW_ID,
        "pagination": True,
        "paginationPageSize": USUAL_SIZE,
        "paginationPageSizeSelector": PAGE_SIZES,
        "cacheBlockSize": BLOCK_ROWS,
        "maxBlocksInCache": BLOCKS_KEPT,
        "rowHeight": row_height,
        "tooltipShowDelay": 300,
        "suppressMultiSort": True,
        "suppressCellFocus": False,
        "focusGridInnerElement": grid_scripts.FOCUS_ROW,
        "tabToNextCell": grid_scripts.LEAVE,
        "onGridReady": grid_scripts.READY,
        "overlayNoRowsTemplate": "Nothing here",
    }


def _answer(response: Any, key: str, query: str) -> GridAnswer:
    """Read the component's value; it comes at every run, so a header's filter counts once, by its time."""
    at, last = response.get("at"), f"{key}-header_filter-at"
    new = bool(response.get("header_filter")) and st.session_state.get(last) != at
    if new:
        st.session_state[last] = at
    current = response.get("query", query) == query  # else it was selected under another filter
    return GridAnswer(
        selected=tuple(response.get("selected") or ()) if current else (),
        everything=bool(response.get("everything")) and current,
        deselected=tuple(response.get("deselected") or ()) if current else (),
        header_filter=response.get("header_filter") if new else None,
    )

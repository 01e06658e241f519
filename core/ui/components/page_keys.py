"""The keys that a page answers to, listed when `?` is pressed."""

from __future__ import annotations

import streamlit as st

from core.ui.components.asset_files import asset

Keys = tuple[tuple[str, str], ...]
DRAW = "draw"  # in the address of the Review page: it shows an image to be drawn a second time

_LIST: Keys = (
    ("↑ ↓", "Row above, row below"),
    ("← →", "Previous cell, next cell"),
    ("Enter", "Open what the row is about"),
    ("Tab", "To the first row; from a row, out of the table"),
)
_TICKS: Keys = (("Space", "Select the row"),)
_PICTURE: Keys = (
    ("← →", "Previous image, next image"),
    ("+ -", "Zoom in, zoom out"),
    ("0", "The whole picture"),
    ("1", "One pixel of the image on one of the screen"),
    ("Shift ← → ↑ ↓", "Move the picture"),
    ("O", "Outlines on and off"),
    ("N", "Numbers on and off"),
    ("C", "Contrast on and off"),
    ("B", "Before and after, of a preview or an earlier result"),
    ("L", "Draw a line over a scale bar"),
    ("Esc", "Select nothing"),
)
_CORRECTING: Keys = (
    ("E", "Correct outlines; the keys below work while you do"),
    ("B", "Brush; hold Shift to erase"),
    ("X", "Eraser, and back to the brush"),
    ("[ ]", "Smaller and larger brush, as Shift and the wheel"),
    ("D", "Draw round a spheroid"),
    ("K", "Cut with a line"),
    ("M", "Merge along a line"),
    ("V", "Bend by handles"),
    ("A", "Click: add, take away or split, as the bar says; or right click, and Shift"),
    ("H", "Fill holes"),
    ("Del", "Delete the selected spheroid"),
    ("Ctrl Z", "Undo; with Shift, redo"),
    ("Space", "Hold it to move the picture"),
    ("Enter", "Done"),
)
_REVIEW: Keys = (
    ("Enter", "The outlines are right; next image"),
    ("E", "Correct them; afterwards you come back"),
    ("X", "Exclude the image; 1 to 5 choose the reason"),
    ("U", "Unsure: somebody else is to look"),
    ("Backspace Z", "Take back your last verdict"),
)
_LOOKING = ("+ -", "0", "1", "Shift ← → ↑ ↓", "O", "N", "C")
# Of a picture whose outlines are hidden: it is open already, and a click would be a network's outline.
_DRAWING: Keys = tuple(keys for keys in _CORRECTING if keys[0] not in ("E", "A"))
_EVERYWHERE: Keys = (("?", "This list"), ("Esc", "Close a dialog"))
_BY_PAGE: dict[str, Keys] = {
    "Projects": _LIST,
    "Images": _LIST + _TICKS,
    "Image": _PICTURE + _CORRECTING,
    "Review": _REVIEW + tuple(keys for keys in _PICTURE if keys[0] in _LOOKING),
    "Measurements": _LIST,
    "Queue": _LIST + _TICKS,
}


def page_keys(page: str) -> None:
    """Draw the button that lists the keys of a page, by its title."""
    keys = _DRAWING if page == "Review" and DRAW in st.query_params else _BY_PAGE.get(page, ())
    _COMPONENT(key="page-keys", data={"keys": [*keys, *_EVERYWHERE]})


_COMPONENT = st.components.v2.component(
    "spheroscope_page_keys",
    html=asset("page_keys.html"),
    css=asset("page_keys.css"),
    js=asset("page_keys.js"),
)

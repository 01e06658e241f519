"""The image viewer: a picture with its outlines, and the table of its spheroids, which may stand apart.

The browser's part is in ``assets/viewer*``; this part prepares its data and reads what the user did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import streamlit as st

from core.models import Spheroid
from core.ui.components.asset_files import asset
from core.ui.components.editor import ENTRY, SCRIPTS, EditorOptions, editor_payload
from core.ui.components.viewer_payload import Comparison, comparison_payload, payload, pictures

# One module for the browser each: later files use the classes of the earlier ones, the last one exports.
PICTURE_SCRIPTS = (
    *(
        f"viewer_{part}.js"
        for part in ("link", "model", "camera", "labels", "picture", "detail", "tools", "ruler")
    ),
    *(f"editor_{part}.js" for part in SCRIPTS),
    *ENTRY,
)
TABLE_SCRIPTS = ("viewer_link.js", "viewer_table.js", "viewer_tools.js")
NONE_FOUND = (
    "No spheroid found – try Contrast to see whether there is one, or segment again with other settings."
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was drawn over the picture: its ends (x, y) and its length, in image pixels."""

    start: tuple[float, float]
    end: tuple[float, float]
    length_px: float


@dataclass(frozen=True, slots=True)
class ViewerState:
    """What the user did.

    ``selected``: number of the selected spheroid. ``navigate``: -1 or 1 in the one run after the user asked
    for the previous or next image, else 0. ``line``: in the one run after it was drawn, else None.
    ``editing``: whether the outlines are being corrected.
    """

    selected: int | None
    navigate: int = 0
    line: Line | None = None
    editing: bool = False


@dataclass(frozen=True, slots=True)
class ViewerOptions:
    """Options of a viewer; ``height`` is its greatest, as a length in CSS.

    ``comparison`` are outlines of another result. With ``can_calibrate``, lines can be drawn; with
    ``editor``, outlines can be corrected.
    """

    height: str = "640px"
    if_empty: str = ""
    comparison: Comparison | None = None
    can_calibrate: bool = False
    editor: EditorOptions | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected spheroid, and whether the page or the user selected it last.

    ``turn`` counts the page's own selections; the browser applies each once (``imposed``) and sends the turn
    with every click, so that a click made before the page's selection does not undo it.
    """

    image: str
    argument: int | None
    imposed: int | None
    number: int | None
    turn: int = 0


def viewer(  # noqa: PLR0913 - what there is to know about one image, given by name
    *,
    image_url: str,
    stretch_url: str,
    width: int,
    height: int,
    spheroids: Sequence[Spheroid],
    um_per_px: float | None,
    selected: int | None,
    key: str,
    options: ViewerOptions = ViewerOptions(),
    on_navigate: Callable[[int], None] | None = None,
    on_editing: Callable[[bool], None] | None = None,
) -> ViewerState:
    """Show an image of ``width`` × ``height`` pixels with numbered outlines.

    Use one ``key`` for all images of a page: zoom starts anew with each ``image_url``, while focus and the
    chosen display stay. ``selected`` counts when it changes; between changes the user's clicks count.
    ``on_navigate`` is called with -1 or 1 before the script runs, early enough to change the image shown;
    ``on_editing`` as soon as the user begins to correct outlines, and once they have ended.
    """
    image = blake2b(image_url.encode(), digest_size=8).hexdigest()
    selection = _settled(key, image, selected)

    data = payload(width=width, height=height, spheroids=spheroids, um_per_px=um_per_px)
    data |= {"name": key, "image": image, **pictures(image_url, stretch_url, max(width, height))}
    data |= _chosen(options) | {"selection": {"turn": selection.turn, "number": selection.imposed}}
    result = _PICTURE(key=key, data=data, **_listeners(key, on_navigate, on_editing))
    known = any(spheroid.number == selection.number for spheroid in spheroids)
    line = _line(result.get("line"), image)
    number = selection.number if known else None
    return ViewerState(number, int(result.get("navigate") or 0), line, bool(result.get("editing")))


def spheroid_table(viewer_key: str) -> None:
    """Draw the table of the spheroids that the viewer of this key shows; rows and outlines light up together.

    Without spheroids the viewer's ``if_empty`` stands in its place.
    """
    _TABLE(key=f"{viewer_key} table", data={"name": viewer_key})


def _listeners(
    key: str, on_navigate: Callable[[int], None] | None, on_editing: Callable[[bool], None] | None
) -> Any:
    """Return what is called before the script runs, by what the browser has reported."""

    def navigated() -> None:
        step = st.session_state[key].get("navigate")
        if on_navigate is not None and step:
            on_navigate(int(step))

    def edited() -> None:
        if on_editing is not None:
            on_editing(bool(st.session_state[key].get("editing")))

    return {
        "on_selected_change": _ignore,
        "on_line_change": _ignore,
        "on_navigate_change": navigated,
        "on_editing_change": edited,
        "on_edited_change": edited,
    }


def _ignore() -> None:
    """A run is all that has to follow."""


def _chosen(options: ViewerOptions) -> dict[str, Any]:
    return {
        "shownHeight": options.height,
        "ifEmpty": options.if_empty or NONE_FOUND,
        "comparison": comparison_payload(options.comparison),
        "canCalibrate": options.can_calibrate,
        "editor": editor_payload(options.editor),
    }


def _line(drawn: dict[str, Any] | None, image: str) -> Line | None:
    """A line as the browser reports it; None where it was drawn on another image."""
    if not drawn or drawn["image"] != image:
        return None
    (x0, y0), (x1, y1) = drawn["start"], drawn["end"]
    return Line((float(x0), float(y0)), (float(x1), float(y1)), float(drawn["length"]))


def _settled(key: str, image: str, argument: int | None) -> Selection:
    memory_key = f"{key} selection"
    reported = st.session_state.get(key, {}).get("selected")
    selection = settle(st.session_state.get(memory_key), image, argument, reported)
    st.session_state[memory_key] = selection
    return selection


def settle(
    memory: Selection | None, image: str, argument: int | None, reported: dict[str, Any] | None
) -> Selection:
    """Return the selection: for a new image the page's own, else a click since the last run goes first."""
    if memory is None or memory.image != image:
        return Selection(image, argument, argument, argument, memory.turn + 1 if memory else 0)
    current = reported is not None and (reported["image"], reported["turn"]) == (image, memory.turn)
    if current and reported is not None and reported["number"] != memory.number:
        return replace(memory, argument=argument, number=reported["number"])
    # Nothing reported although something was clicked: the browser's part has been drawn afresh.
    forgotten = reported is None and memory.number != memory.imposed
    if forgotten or argument not in (memory.argument, memory.number):
        return Selection(image, argument, argument, argument, memory.turn + 1)
    return replace(memory, argument=argument)


def _scripts(parts: Sequence[str], entry: str) -> str:
    return "\n".join(asset(name) for name in (*parts, entry))


CSS = asset("viewer.css") + asset("editor.css")
_PICTURE = st.components.v2.component(
    "spheroscope_viewer",
    html=asset("viewer.html"),
    css=CSS,
    js=_scripts(PICTURE_SCRIPTS, "viewer.js"),
)
_TABLE = st.components.v2.component(
    "spheroscope_spheroids",
    html=asset("viewer_table.html"),
    css=CSS,
    js=_scripts(TABLE_SCRIPTS, "viewer_side.js"),
)

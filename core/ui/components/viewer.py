"""The image viewer: a picture with its outlines, beside the table of its spheroids.

The browser's part is in ``assets/viewer*``; this part prepares its data and reads the selection.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import streamlit as st

from core.models import Spheroid
from core.ui.components.viewer_payload import payload

ASSETS = Path(__file__).parent / "assets"
# One module for the browser: later files use the classes of the earlier ones, the last one exports.
SCRIPTS = ("model", "camera", "picture", "table", "tools")
NONE_FOUND = (
    "No spheroid found – try Contrast to see whether there is one, or segment again with other settings."
)


@dataclass(frozen=True, slots=True)
class ViewerState:
    """The user's selection.

    ``selected``: number of the selected spheroid. ``navigate``: -1 or 1 in the one run after the user asked
    for the previous or next image, else 0.
    """

    selected: int | None
    navigate: int = 0


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


def viewer(  # noqa: PLR0913 - every argument is a different fact about one image, given by name
    *,
    image_url: str,
    stretch_url: str,
    width: int,
    height: int,
    spheroids: Sequence[Spheroid],
    um_per_px: float | None,
    selected: int | None,
    key: str,
    height_px: int = 640,
    on_navigate: Callable[[int], None] | None = None,
    if_empty: str = NONE_FOUND,
) -> ViewerState:
    """Show an image of ``width`` × ``height`` pixels with numbered outlines, and the table of its spheroids.

    Use one ``key`` for all images of a page: zoom starts anew with each ``image_url``, while focus and the
    chosen display stay. ``selected`` counts when it changes; between changes the user's clicks count.
    ``on_navigate`` is called with -1 or 1 before the script runs, early enough to change the image shown.
    ``if_empty`` stands in place of the table where there are no spheroids, and should say why.
    """
    image = blake2b(image_url.encode(), digest_size=8).hexdigest()
    selection = _settled(key, image, selected)

    def navigated() -> None:
        step = st.session_state[key].get("navigate")
        if on_navigate is not None and step:
            on_navigate(int(step))

    data = payload(width=width, height=height, spheroids=spheroids, um_per_px=um_per_px)
    data |= {
        "image": image,
        "urls": {"raw": image_url, "contrast": stretch_url},
        "heightPx": height_px,
        "ifEmpty": if_empty,
        "selection": {"turn": selection.turn, "number": selection.imposed},
    }
    result = _COMPONENT(key=key, data=data, on_selected_change=lambda: None, on_navigate_change=navigated)
    known = any(spheroid.number == selection.number for spheroid in spheroids)
    return ViewerState(selection.number if known else None, int(result.get("navigate") or 0))


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


def asset(name: str) -> str:
    """Text of a file for the browser."""
    return (ASSETS / name).read_text(encoding="utf-8")


_COMPONENT = st.components.v2.component(
    "spheroscope_viewer",
    html=asset("viewer.html"),
    css=asset("viewer.css"),
    js="\n".join(asset(name) for name in (*(f"viewer_{part}.js" for part in SCRIPTS), "viewer.js")),
)

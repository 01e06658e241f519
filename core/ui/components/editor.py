"""The editor of outlines in the image viewer: what the browser is told of the image that may be corrected.

The browser's part is in ``assets/editor*``; it talks to the routes of corrections by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.ui.components.viewer_payload import COLUMNS, SHOWN

# Scripts of the viewer's module, in order; the pure ones first.
SCRIPTS = (
    *("regions", "labels", "shapes", "outline", "draft", "strokes", "bend"),
    *("numbers", "outbox", "overlay", "bar", "hand"),
)
# After the class that they complete.
ENTRY = ("editor.js", "editor_ending.js", "editor_blind.js")


@dataclass(frozen=True, slots=True)
class BlindDrawing:
    """An image that ``person`` draws without seeing its outlines, to be compared with ``version_id``."""

    version_id: str
    person: str


@dataclass(frozen=True, slots=True)
class EditorOptions:
    """An image whose outlines may be corrected.

    ``in_force`` is the version that the page shows. With ``start`` the viewer opens in edit mode; with
    ``reason_optional`` a correction can be finished without saying why. With ``blind`` the image is drawn
    from nothing, and its result neither asked for nor changed.
    """

    image_id: str
    in_force: str | None
    start: bool = False
    reason_optional: bool = False
    blind: BlindDrawing | None = None


def editor_payload(options: EditorOptions | None) -> dict[str, Any] | None:
    """Return what the browser is told; None where nothing may be corrected."""
    if options is None:
        return None
    shown = [(name, COLUMNS[name]) for name in SHOWN]
    return {
        "imageId": options.image_id,
        "inForce": options.in_force,
        "start": options.start,
        "reasonOptional": options.reason_optional,
        "blind": options.blind and {"versionId": options.blind.version_id, "person": options.blind.person},
        "columns": [{"name": name, "power": column.dimension.power} for name, column in shown],
    }

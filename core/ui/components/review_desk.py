"""What can be done with the image on the Review page: buttons and keys; see assets/review.js."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.models import ExclusionReason
from core.ui.components.asset_files import asset

_KEY = "review-desk"
_STATES = ("right", "excluded", "unsure", "correct", "undo")


@dataclass(frozen=True, slots=True)
class ReviewAction:
    """What somebody chose by a button or a key: for which result of which image, and after how many seconds.

    ``state`` is a word of ReviewState, or "correct" or "undo".
    """

    image_id: str
    version_id: str
    state: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class DeskImage:
    """The image on the desk, and what was found in it, in words.

    ``reasons`` are why it is here, each with how it looks: look, random or nothing. ``right``: what the
    button says with which it is right.
    """

    id: str
    version_id: str
    name: str
    found: str
    right: str
    reasons: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DeskProgress:
    """How many of all images have been looked at, and what is left, in words."""

    done: int
    total: int
    left: str


def review_desk(
    image: DeskImage,
    progress: DeskProgress,
    turn: str,
    on_action: Callable[[ReviewAction], None],
    *,
    can_undo: bool,
    ahead: Sequence[str] = (),
) -> ReviewAction | None:
    """Draw the desk; return what was chosen in this run, given to ``on_action`` before the script ran.

    The buttons rest after each verdict until ``turn`` is another. ``ahead``: addresses of pictures that come
    next.
    """

    def chosen() -> None:
        if (value := _action_of(st.session_state[_KEY].get("action"))) is not None:
            on_action(value)

    data = {
        "turn": turn,
        "image": {"id": image.id, "version": image.version_id, "name": image.name}
        | {"found": image.found, "right": image.right},
        "reasons": [{"text": text, "kind": kind} for text, kind in image.reasons],
        "done": progress.done,
        "total": progress.total,
        "left": progress.left,
        "undo": can_undo,
        "exclusions": [reason.value for reason in ExclusionReason],
        "ahead": list(ahead),
    }
    return _action_of(_COMPONENT(key=_KEY, data=data, on_action_change=chosen).action)


def _action_of(value: Any) -> ReviewAction | None:
    if not value or value["state"] not in _STATES:
        return None
    return ReviewAction(
        value["image"], value["version"], value["state"], value["reason"], float(value["seconds"])
    )


_COMPONENT = st.components.v2.component(
    "spheroscope_review",
    html=asset("review.html"),
    css=asset("button.css") + asset("review.css"),
    js=asset("review.js"),
)

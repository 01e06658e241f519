"""Second opinions on the Review page: an image to draw without its outlines, and how many wait."""

from __future__ import annotations

import streamlit as st

from core.corrections.holds import Reviewer
from core.corrections.second_opinions import DrawingTurn, ImageToDraw
from core.models import Project
from core.services import Services
from core.store.recipe import NAMELESS
from core.ui import visitor
from core.ui.components.editor import BlindDrawing, EditorOptions
from core.ui.components.page_keys import DRAW
from core.ui.components.viewer import ViewerOptions, viewer
from core.ui.feedback import empty, plural
from core.ui.shell import go, name_page, plain

PICTURE_HEIGHT = "calc(100dvh - 8rem)"
_PASSED = "passed over"  # in the session: ids of images that were not to be drawn now


def requested() -> bool:
    """Whether the address asks for an image to draw."""
    return DRAW in st.query_params


def offer(services: Services, project: Project, window: str) -> None:
    """Draw the button that leads to the images to be drawn a second time; nothing where none waits."""
    if not project.review.second_opinions:
        return
    turn = services.second_opinions.left(project, Reviewer(visitor.name(services), window))
    if turn.left:
        words = f"Draw {plural(turn.left, 'image')} a second time"
        if st.button(words, icon=":material/draw:", help=_HELP, width="stretch"):
            st.query_params.pop("image", None)
            st.query_params[DRAW] = "1"
            st.rerun()
    elif turn.seen:
        st.caption(f":material/draw: {_seen_words(turn)}")


def page(services: Services, project: Project, window: str) -> None:
    """Draw the image that the visitor is to draw, or that there is none for them."""
    passed: set[str] = st.session_state.setdefault(_PASSED, set())
    person = visitor.name(services)
    named = st.query_params.get("image")
    turn = services.second_opinions.turn(project, Reviewer(person, window), named, frozenset(passed))
    if turn.image is None:
        _nothing_to_draw(turn)
        return
    st.query_params["image"] = turn.image.image_id
    name_page("Second opinion", project.name)
    with st.container(key="image-page"):
        left, right = st.columns([2.2, 1])
    with right:
        _beside(turn, turn.image, passed, person)
    with left:
        _picture(services, turn.image, person)


def _beside(turn: DrawingTurn, image: ImageToDraw, passed: set[str], person: str) -> None:
    st.title("Second opinion", anchor=False)
    st.markdown(f"**{plain(image.name)}**")
    st.markdown("**Draw every spheroid; the outlines are hidden.** Then press *Done*.")
    st.caption(
        "Somebody has judged this image already. What you draw is compared with that and changes no result; "
        "it tells how far two people agree, which is as well as an engine can do."
    )
    if person in NAMELESS:
        st.info(_NAMELESS, icon=":material/person_off:")
    st.progress(turn.drawn / turn.requested, _progress_words(turn))
    if st.button("Another image", icon=":material/skip_next:", disabled=turn.left < 2, width="stretch"):
        passed.add(image.image_id)
        st.query_params.pop("image", None)
        st.rerun()
    if st.button("Back to the review", icon=":material/arrow_back:", width="stretch"):
        _back()


def _picture(services: Services, image: ImageToDraw, person: str) -> None:
    """Draw the picture alone: no outline, number or confidence of its result is sent to the browser."""
    found = services.store.images.get(image.image_id)
    viewer(
        image_url=f"/views/{image.image_id}.png?contrast=raw",
        stretch_url=f"/views/{image.image_id}.png?contrast=stretch",
        width=found.width,
        height=found.height,
        spheroids=(),
        um_per_px=found.um_per_px,
        selected=None,
        key="second-opinion",
        options=ViewerOptions(
            PICTURE_HEIGHT,
            editor=EditorOptions(
                image.image_id, None, start=True, blind=BlindDrawing(image.version_id, person)
            ),
        ),
    )


def _nothing_to_draw(turn: DrawingTurn) -> None:
    st.query_params.pop("image", None)
    if not turn.requested:
        empty("No image is to be drawn a second time", "The settings of the review say how many.", alone=True)
    elif turn.elsewhere:
        last = "image is" if turn.elsewhere == 1 else f"{turn.elsewhere} images are"
        empty(f"The last {last} being drawn by somebody else", _progress_words(turn), alone=True)
    elif turn.seen:
        empty("None is left for you to draw", _seen_words(turn), alone=True)
    elif turn.drawn < turn.requested:
        empty(
            "No image can be drawn yet",
            "They come here once somebody has called them right or corrected them.",
            alone=True,
        )
    else:
        empty("All are drawn", "Accuracy, on the page Images, says how far people agree.", alone=True)
    with st.container(horizontal=True):
        if st.button("Back to the review", type="primary"):
            _back()
        if st.button("Go to images"):
            go("images.py")


def _back() -> None:
    st.query_params.pop(DRAW, None)
    st.query_params.pop("image", None)
    st.rerun()


def _progress_words(turn: DrawingTurn) -> str:
    return f"{turn.drawn} of {turn.requested} drawn · {turn.left} left for you"


def _seen_words(turn: DrawingTurn) -> str:
    verb = "waits" if turn.seen == 1 else "wait"
    return (
        f"{plural(turn.seen, 'image')} {verb} to be drawn by somebody else, as you have seen the outlines. "
        "Share the project if nobody else may change it."
    )


_HELP = "Without seeing the outlines: it tells how far two people agree"
_NAMELESS = (
    "Nobody is known by name here, so it cannot be told whether the same person draws. What comes of it is "
    "called “drawn again”, and not how far two people agree."
)

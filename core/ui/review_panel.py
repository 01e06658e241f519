"""The Review page: the image that is looked at, the verdicts on it, and what is left when all are."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from core.corrections.holds import Reviewer
from core.corrections.review import Turn
from core.corrections.review_order import Waiting
from core.errors import SpheroscopeError
from core.models import Image, ImageStatus, Project, ReviewState, Spheroid, Verdict
from core.services import Services
from core.ui import review_settings, second_opinion_panel, visitor
from core.ui.components.review_desk import DeskImage, DeskProgress, ReviewAction, review_desk
from core.ui.components.viewer import ViewerOptions, viewer
from core.ui.feedback import empty, plural
from core.ui.format import length, three_digits
from core.ui.review_words import finished_words, left_words
from core.ui.shell import go, plain

PICTURE_HEIGHT = "calc(100dvh - 8rem)"
BACK = "review"  # in the address of the image's page: where its way back leads
_MEMORY = "review"  # in the session: a Memory for each project


@dataclass
class Memory:
    """What a visit knows of its reviews: its window, how long each look took, what can be taken back."""

    window: str = field(default_factory=lambda: secrets.token_hex(8))
    durations: list[float] = field(default_factory=list)
    judged: list[tuple[str, str]] = field(default_factory=list)  # image and version, the last one at the end
    turns: int = 0
    message: str = ""
    again: bool = False


def memory_of(project: Project) -> Memory:
    """Return what this visit knows of the reviews of a project."""
    memories: dict[str, Memory] = st.session_state.setdefault(_MEMORY, {})
    return memories.setdefault(project.id, Memory())


def current_turn(services: Services, project: Project) -> Turn:
    """Return the image to look at; its id stands in the address, so that a reload shows it again."""
    memory = memory_of(project)
    named = st.query_params.get("image")
    reviewer = Reviewer(visitor.name(services), memory.window)
    turn = services.reviews.turn(project.id, reviewer, named, again=memory.again)
    current = None if turn.image is None else turn.image.image_id
    if current is not None:
        st.query_params["image"] = current
    elif named is not None:
        del st.query_params["image"]
    return turn


def look(services: Services, project: Project, turn: Turn, waiting: Waiting) -> None:
    """Draw an image with its outlines, and the verdicts to choose from."""
    memory = memory_of(project)
    image = services.store.images.get(waiting.image_id)
    result = services.store.results.get(image)
    spheroids = result[1] if result else ()
    with st.container(key="image-page"):
        left, right = st.columns([2.2, 1])
    with right:
        st.title(f"Review of {plain(project.name)}", anchor=False)
        action = review_desk(
            _on_desk(waiting, image, spheroids),
            DeskProgress(
                _n_seen(turn.progress), sum(turn.progress.values()), left_words(turn, memory.durations)
            ),
            f"{memory.turns} {image.id} {image.version_id}",
            partial(_take, services, project),
            can_undo=bool(memory.judged),
            ahead=_pictures(turn.following.image_id) if turn.following else (),
        )
        if memory.message:
            st.warning(memory.message, icon=":material/error:")
        second_opinion_panel.offer(services, project, memory.window)
        review_settings.settings(services, project)
    if action is not None and action.state == "correct":
        go("image.py", image=action.image_id, edit="1", back=BACK)
    with left:
        _picture(image, spheroids)


def _picture(image: Image, spheroids: tuple[Spheroid, ...]) -> None:
    raw, stretched = _pictures(image.id)
    viewer(
        image_url=raw,
        stretch_url=stretched,
        width=image.width,
        height=image.height,
        spheroids=spheroids,
        um_per_px=image.um_per_px,
        selected=None,
        key="viewer",
        options=ViewerOptions(PICTURE_HEIGHT),
    )


def finished(services: Services, project: Project, turn: Turn) -> None:
    """Draw how many images have which verdict, how good the outlines are, and where to go from here."""
    total = sum(turn.progress.values())
    if not total:
        _nothing_yet(project)
        return
    unsure = turn.progress[ReviewState.UNSURE]
    accuracy = services.reviews.accuracy(project.id)["all"]
    empty(*finished_words(turn, accuracy), alone=True)
    memory = memory_of(project)
    if memory.message:
        st.warning(memory.message, icon=":material/error:")
    without = project.counts[ImageStatus.FAILED]
    if without:
        st.caption(f"{plural(without, 'image')} could not be segmented and cannot be reviewed.")
    with st.container(horizontal=True):
        if st.button("Go to measurements", type="primary"):
            go("measurements.py")
        if unsure and not memory.again and st.button(f"Look again at {plural(unsure, 'unsure image')}"):
            memory.again = True
            st.rerun()
        if memory.judged:
            last = (services, project, memory.judged[-1])
            st.button("Undo", icon=":material/undo:", on_click=_undo_once, args=last)
    second_opinion_panel.offer(services, project, memory.window)
    review_settings.settings(services, project)


def _nothing_yet(project: Project) -> None:
    if project.n_images:
        empty("Nothing to review yet", "Images come here as soon as they have been segmented.", alone=True)
    else:
        empty(
            "This project has no images yet", "Upload some; they come here with their outlines.", alone=True
        )
    if st.button("Go to images", type="primary"):
        go("images.py")


def _take(services: Services, project: Project, action: ReviewAction) -> None:
    """Save a verdict before the page is drawn: then it shows what comes next."""
    memory = memory_of(project)
    memory.turns += 1
    memory.message = ""
    try:
        if action.state == "undo":
            _take_back(services, memory)
        elif action.state != "correct":
            _judge(services, memory, action)
    except SpheroscopeError as error:
        memory.message = error.message


def _undo_once(services: Services, project: Project, judged: tuple[str, str]) -> None:
    """Take back a verdict; pressed again before the page is drawn anew, this takes back no second one."""
    if memory_of(project).judged[-1:] == [judged]:
        _take(services, project, ReviewAction(*judged, "undo", "", 0.0))


def _judge(services: Services, memory: Memory, action: ReviewAction) -> None:
    verdict = Verdict(ReviewState(action.state), action.reason, action.seconds)
    services.reviews.judge(action.image_id, action.version_id, verdict, visitor.name(services))
    memory.judged.append((action.image_id, action.version_id))
    memory.durations.append(action.seconds)
    if st.query_params.get("image") == action.image_id:
        del st.query_params["image"]


def _take_back(services: Services, memory: Memory) -> None:
    if not memory.judged:
        return
    image_id, version_id = memory.judged.pop()
    services.reviews.take_back(image_id, version_id, visitor.name(services))
    st.query_params["image"] = image_id


def _on_desk(waiting: Waiting, image: Image, spheroids: tuple[Spheroid, ...]) -> DeskImage:
    look = "look" if waiting.flagged else ""
    kinds = ["random" if waiting.at_random and not index else look for index in range(len(waiting.reasons))]
    summary = plural(len(spheroids), "spheroid")
    if spheroids:
        summary += f", Ø {length(image.largest_diameter_px, image.um_per_px)}"
    if image.confidence is not None:
        summary += f" · confidence {three_digits(image.confidence)}"
    right = "Right & next" if spheroids else "Right: nothing is there"
    reasons = tuple(zip(waiting.reasons, kinds, strict=True))
    return DeskImage(image.id, waiting.version_id, image.name, summary, right, reasons)


def _pictures(image_id: str) -> tuple[str, str]:
    return f"/views/{image_id}.png?contrast=raw", f"/views/{image_id}.png?contrast=stretch"


def _n_seen(progress: Mapping[ReviewState, int]) -> int:
    return sum(progress.values()) - progress[ReviewState.UNSEEN]

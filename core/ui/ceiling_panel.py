"""How far two people agree, beside the engine: from images that were drawn a second time without outlines."""

from __future__ import annotations

import streamlit as st

from core.corrections.accuracy import MIN_IMAGES
from core.corrections.agreement import Ceiling, SecondOpinionFigures
from core.ui.estimate_words import change, number, share
from core.ui.feedback import plural

_EXPLAINED = (
    "One person judged or corrected the outlines, another drew the same images without seeing them: no "
    "engine can agree better with people than they do with each other. Two outlines are of one spheroid "
    "where they overlap by more than half. Intervals are 95 %: Wilson's of the share, of the medians "
    "bootstrapped by image. Overlap by the review alone is higher: people leave an outline that they see."
)
_AGAIN = (
    "Where nobody is known by name it cannot be told who drew: these may be the same person's, who agree "
    "better with themselves."
)
_NOT_AT_RANDOM = f"Fewer than {MIN_IMAGES} were drawn at random, so all count: they may be harder than usual."


def draw(found: SecondOpinionFigures) -> None:
    """Draw the sentence and the figures; nothing where nothing has been drawn a second time."""
    for ceiling, known in ((found.another, True), (found.unknown, False)):
        if not ceiling.people.n:
            continue
        st.markdown(f"**{words(ceiling, known=known)}**")
        if ceiling.people.n < MIN_IMAGES:
            continue
        st.dataframe(rows(ceiling, known=known), hide_index=True)
        notes = [_EXPLAINED] if known else [_AGAIN]
        if not ceiling.at_random:
            notes.append(_NOT_AT_RANDOM)
        st.caption(" ".join(notes))


def words(ceiling: Ceiling, *, known: bool) -> str:
    """“Two people agree: 0.950 (0.940 to 0.960), the ceiling. The engine agrees with the same: 0.930 …”."""
    people = "Two people agree" if known else "Drawn again, the outlines agree"
    if ceiling.people.iou.low is None:
        who, whose = ("by a second person", "two people") if known else ("again", "the drawings")
        verb = "was" if ceiling.people.n == 1 else "were"
        return (
            f"{plural(ceiling.people.n, 'image')} {verb} drawn {who}: too few to say how far {whose} agree. "
            f"It takes {MIN_IMAGES} with spheroids."
        )
    sentence = f"{people}: {number(ceiling.people.iou)}, the ceiling."
    if ceiling.engine.iou.low is None:
        return f"{sentence} Of the engine too few of these images have a result to say."
    return f"{sentence} The engine agrees with the same drawings: {number(ceiling.engine.iou)}."


def rows(ceiling: Ceiling, *, known: bool) -> list[dict[str, object]]:
    """A row for the two people, and one for the engine."""
    names = ("two people" if known else "drawn again", "engine, same drawings")
    return [
        {
            "of": name,
            "images": found.n,
            "spheroids that both have": share(found.both),
            "overlap, median": number(found.iou),
            "change of Ø, median": change(found.diameter_change),
        }
        for name, found in zip(names, (ceiling.people, ceiling.engine), strict=True)
        if found.n
    ]

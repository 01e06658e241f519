"""How good the automatic outlines are here: from the images drawn at random in the review, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.corrections.accuracy import Accuracy
from core.corrections.agreement import SecondOpinionFigures
from core.models import Project
from core.services import Services
from core.store.reviews import ReviewEffort
from core.ui import ceiling_panel
from core.ui.estimate_words import change, number, share
from core.ui.feedback import plural
from core.ui.review_words import random_words

_EXPLAINED = (
    "Of the images that the review draws at random, one in ten: the others come because something looks "
    "wrong. Intervals are 95 %: Wilson's of the share, bootstrapped of the medians. Overlap is the "
    "intersection over union of automatic and corrected outlines, 1 where they were right. Excluded and "
    "unsure images do not count."
)


def button(services: Services, project: Project) -> None:
    """Draw the button on a project's page that says how good its outlines are."""
    words = "How good the outlines are here, by the review"
    panel = st.popover("Accuracy", icon=":material/target:", help=words, key="accuracy", on_change="rerun")
    if panel.open:  # a page is not slower for what nobody looks at
        with panel:
            draw(
                services.reviews.accuracy(project.id),
                services.reviews.effort(project.id),
                services.second_opinions.figures(project.id),
            )


def draw(groups: Mapping[str, Accuracy], effort: ReviewEffort, drawn: SecondOpinionFigures) -> None:
    """Draw the sentence, the figures by engine and week, how far two people agree, and the work it was."""
    st.markdown(f"**{random_words(groups['all'])}**")
    if groups["all"].n:
        st.dataframe(rows(groups), hide_index=True)
    st.caption(_EXPLAINED)
    ceiling_panel.draw(drawn)
    st.markdown(effort_words(effort))


def rows(groups: Mapping[str, Accuracy]) -> list[dict[str, object]]:
    """A row for all, for each engine, and for each week, the latest first."""
    weeks = sorted((name for name in groups if name.startswith("week ")), reverse=True)
    engines = sorted(name for name in groups if name.startswith("engine "))
    return [
        {
            "of": name,
            "images": estimate.n,
            "right as they were": share(estimate.right),
            "overlap, median": number(estimate.iou),
            "change of Ø, median": change(estimate.diameter_change),
        }
        for name in ("all", *engines, *weeks)
        for estimate in (groups[name],)
    ]


def effort_words(effort: ReviewEffort) -> str:
    """“96 results were looked at in 14 min, corrections included; 6 % were corrected”."""
    if not effort.looked_at:
        return "Nobody has looked at a result yet: the page Review shows them one by one."
    minutes = f" in {max(1, round(effort.seconds / 60))} min, corrections included" if effort.seconds else ""
    verb = "was" if effort.looked_at == 1 else "were"
    rate = effort.edit_rate
    corrected = "" if rate is None else f"; {100 * rate:.0f} % of those in use were corrected"
    return f"{plural(effort.looked_at, 'result')} {verb} looked at{minutes}{corrected}."

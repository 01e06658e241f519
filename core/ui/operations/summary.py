"""What each operations page begins with: one sentence, and the answers to three questions."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.operations.assessment import ENOUGH_CALLS, Assessment, Grade
from core.services import Services
from core.store.jobs import QueueTotals
from core.store.throughput import Overview
from core.ui.feedback import plural
from core.ui.format import count, three_digits

ABOUT_THE_SAME = 0.1  # share by which a number may differ and still be called so


def headline(grade: Grade, sentence: str) -> None:
    """Draw a page's first sentence: “All is well: …”, “Look here: …”, “Too little to judge: …”."""
    if grade is Grade.GOOD:
        st.success(f"**All is well:** {sentence}", icon=":material/check_circle:")
    elif grade is Grade.WATCH:
        st.warning(f"**Look here:** {sentence}", icon=":material/warning:")
    else:
        st.info(f"**Too little to judge:** {sentence}", icon=":material/hourglass_empty:")


def answers(services: Services, project_id: str | None = None, change: str = "") -> None:
    """Answer what a head of a lab asks; ``change``: what the page's subject did since last week."""
    overview = services.throughput.overview(utc_now(), project_id)
    totals = services.queue_monitor.snapshot().totals
    for place, (question, answer) in zip(
        st.columns(3),
        (
            ("How many images need review?", review_words(overview)),
            ("When will it be finished?", finish_words(totals)),
            ("What changed since last week?", change or change_words(overview)),
        ),
        strict=True,
    ):
        with place.container(border=True, height="stretch"):
            st.caption(question)
            st.markdown(answer)


def review_words(overview: Overview) -> str:
    """“**17 images**: 14 with uncertain outlines, 3 that failed”."""
    if not overview.to_review:
        return "**None.** No outline is less certain than usual."
    parts = []
    if overview.doubtful:
        parts.append(f"{count(overview.doubtful)} with uncertain outlines")
    if overview.without_result:
        parts.append(f"{count(overview.without_result)} that failed")
    noun = "image" if overview.to_review == 1 else "images"
    return f"**{count(overview.to_review)} {noun}:** {', '.join(parts)}."


def finish_words(totals: QueueTotals) -> str:
    """Return when the queue will be empty."""
    if not totals.left:
        return "**Finished.** No image is waiting."
    left = f"{count(totals.left)} {'image is' if totals.left == 1 else 'images are'} left"
    if totals.seconds_left is None:
        return f"**Not known yet:** {left}, and none has been finished lately."
    return f"**In about {duration_words(totals.seconds_left)}:** {left}."


def change_words(overview: Overview) -> str:
    """Images of the last seven days beside those of the seven before."""
    images = f"**{plural(overview.images, 'image')}** segmented in seven days"
    change = compared(overview.images, overview.images_before)
    failed = f"{count(overview.failed)} failed, {count(overview.failed_before)} in the seven days before"
    return f"{images}, {change}; {failed}."


def compared(now: float, before: float) -> str:
    """“12 % more than in the seven days before”."""
    if not before:
        return "none in the seven days before" if now else "as in the seven days before"
    share = (now - before) / before
    if abs(share) < ABOUT_THE_SAME:
        return "about as many as in the seven days before"
    if share > 2:
        return f"{three_digits(now / before)} times as many as in the seven days before"
    word = "more" if share > 0 else "fewer"
    return f"{abs(share):.0%} {word} than in the seven days before".replace("%", "\u202f%")


def judged(assessment: Assessment, noun: str, target: str, advice: str) -> str:
    """A caption: the grade with its numbers, and what to do where it is not good."""
    if assessment.grade is Grade.TOO_LITTLE:
        calls = plural(assessment.calls, noun)
        return f"Too little to judge: {calls}; from {ENOUGH_CALLS} on it is judged. {target}"
    if assessment.grade is Grade.GOOD:
        return f"Good, over {count(assessment.calls)} {noun}s. {target}"
    return f"Look at this, over {count(assessment.calls)} {noun}s. {target} {advice}"


def duration_words(seconds: float) -> str:
    """“40 seconds”, “12 minutes”, “3 hours”."""
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * size:
            return plural(round(seconds / size), unit)
    return plural(max(1, round(seconds)), "second")

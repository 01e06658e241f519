"""The answers with which the operations pages begin, in words."""

from __future__ import annotations

from core.models import JobState
from core.operations.assessment import Assessment, Grade
from core.store.jobs import QueueTotals
from core.store.throughput import Overview
from core.ui.operations import summary


def totals(queued: int, per_second: float | None) -> QueueTotals:
    return QueueTotals(dict.fromkeys(JobState, 0) | {JobState.QUEUED: queued}, per_second)


def test_how_many_images_need_review() -> None:
    assert "None" in summary.review_words(Overview(0, 0, 5, 5, 0, 0))
    words = summary.review_words(Overview(14, 3, 400, 300, 3, 0))
    assert words == "**17 images:** 14 with uncertain outlines, 3 that failed."


def test_when_it_will_be_finished() -> None:
    assert "No image is waiting" in summary.finish_words(totals(0, None))
    assert "Not known yet" in summary.finish_words(totals(3, None))
    assert summary.finish_words(totals(240, 2.0)) == "**In about 2 minutes:** 240 images are left."
    assert "In about 2 seconds:** 1 image is left" in summary.finish_words(totals(1, 0.5))


def test_what_changed_since_last_week() -> None:
    words = summary.change_words(Overview(0, 0, 384, 192, 3, 1))
    assert "**384 images** segmented in seven days, 100\u202f% more" in words
    assert "3 failed, 1 in the seven days before" in words
    assert summary.compared(0, 0) == "as in the seven days before"
    assert summary.compared(5, 0) == "none in the seven days before"
    assert summary.compared(101, 100).startswith("about as many")
    assert summary.compared(50, 100).startswith("50\u202f% fewer")
    assert summary.compared(900, 100).startswith("9.00 times as many")


def test_a_caption_says_when_there_is_too_little_to_judge() -> None:
    few, good, slow = (
        Assessment(grade, calls, 1.0, 2.0)
        for grade, calls in ((Grade.TOO_LITTLE, 34), (Grade.GOOD, 1234), (Grade.WATCH, 200))
    )
    told = [summary.judged(item, "request", "Below 2 ms.", "Look at it.") for item in (few, good, slow)]
    assert told[0].startswith("Too little to judge: 34 requests")
    assert told[1] == "Good, over 1\u202f234 requests. Below 2 ms."
    assert told[2] == "Look at this, over 200 requests. Below 2 ms. Look at it."

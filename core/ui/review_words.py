"""What the Review page says of progress and of the end, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from core.corrections.accuracy import Accuracy
from core.corrections.review import Turn
from core.models import ReviewState
from core.ui.feedback import plural

PACE_IMAGES = 5  # of which the pace is told, and the latest so many times four


def left_words(turn: Turn, durations: Sequence[float]) -> str:
    """“34 of 96 reviewed · 62 left, about 6 min at your pace”."""
    total = sum(turn.progress.values())
    done = total - turn.progress[ReviewState.UNSEEN]
    pace = ""
    if len(durations) >= PACE_IMAGES:
        minutes = math.ceil(turn.left * median(durations[-4 * PACE_IMAGES :]) / 60)
        pace = f", about {minutes} min at your pace"
    elsewhere = f" · somebody else looks at {plural(turn.elsewhere, 'other')} now" if turn.elsewhere else ""
    return f"{done} of {total} reviewed · {turn.left} left{pace}{elsewhere}"


def finished_words(turn: Turn, accuracy: Accuracy) -> tuple[str, str]:
    """A heading and a sentence for when nothing is left to look at."""
    total = sum(turn.progress.values())
    parts = [
        f"{n} {state.value}" for state, n in turn.progress.items() if n and state is not ReviewState.UNSEEN
    ]
    sentence = f"{', '.join(parts)}. {random_words(accuracy)}"
    if turn.elsewhere:
        others = plural(turn.elsewhere, "image")
        return f"The last {others} are being looked at by somebody else", sentence
    return f"All {plural(total, 'image')} are reviewed" if total > 1 else "The image is reviewed", sentence


def random_words(accuracy: Accuracy) -> str:
    """“Of 12 drawn at random 11 were right (95 % interval 65 to 99 %).”."""
    if accuracy.right.value is None:
        return "None of those drawn at random counts yet, so nothing is known of the share that is right."
    right = round(accuracy.right.value * accuracy.n)
    verb = "was" if right == 1 else "were"
    if accuracy.right.low is None or accuracy.right.high is None:
        return f"Of {accuracy.n} drawn at random {right} {verb} right: too few to judge the others by."
    low, high = round(100 * accuracy.right.low), round(100 * accuracy.right.high)
    return f"Of {accuracy.n} drawn at random {right} {verb} right (95 % interval {low} to {high} %)."

"""Accuracy in words: intervals where there is enough to tell, and an honest word where there is not."""

from __future__ import annotations

from core.corrections.accuracy import Accuracy, Estimate
from core.store.reviews import ReviewEffort
from core.ui.accuracy_panel import effort_words, rows

NOTHING = Estimate(None)


def test_a_row_says_each_estimate_with_its_interval() -> None:
    every = Accuracy(
        40, Estimate(0.925, 0.801, 0.974), Estimate(0.9314, 0.9, 0.95), Estimate(0.012, -0.004, 0.03)
    )
    few = Accuracy(2, Estimate(0.5), Estimate(0.9), NOTHING)
    groups = {"all": every, "week 2026-W02": few, "engine unet 4": every, "week 2026-W10": every}
    found = rows(groups)
    assert [row["of"] for row in found] == ["all", "engine unet 4", "week 2026-W10", "week 2026-W02"]
    assert found[0]["right as they were"] == "92 % (80 to 97)"
    assert found[0]["overlap, median"] == "0.931 (0.900 to 0.950)"
    assert found[0]["change of Ø, median"] == "+1.2 % (-0.4 to +3.0)"
    assert found[3]["right as they were"] == "too few to judge"
    assert found[3]["change of Ø, median"] == "–"


def test_the_work_is_told_with_its_minutes_and_the_share_that_was_corrected() -> None:
    assert effort_words(ReviewEffort(96, 80, 5, 840.0)) == (
        "96 results were looked at in 14 min, corrections included; 6 % of those in use were corrected."
    )
    assert effort_words(ReviewEffort(1, 0, 0, 0.0)) == "1 result was looked at."
    assert "Nobody has looked" in effort_words(ReviewEffort(0, 0, 0, 0.0))

"""What the history of an image says of a version."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.models import Version, VersionKind
from core.ui import history_panel


def version(**known: float) -> Version:
    return Version(
        id="v",
        image_id="i",
        kind=VersionKind.CORRECTED,
        author="ana",
        reason="debris",
        engine="unet",
        engine_version="2",
        params={},
        created_at=datetime(2026, 11, 26, tzinfo=UTC),
        labels_sha256="",
        thumbnail_sha256="",
        timings_ms={},
        n_objects=1,
        **known,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, ""),
        ({"parent_iou": 0.914}, " · overlap 0.91 with the result before it"),
        (
            {"parent_iou": 1.0, "seconds_worked": 12.2},
            " · overlap 1.00 with the result before it · 12 s of work",
        ),
        ({"seconds_worked": 125.0}, " · 2:05 min of work"),
    ],
)
def test_a_correction_says_how_much_it_changed_and_how_long_it_took(
    known: dict[str, float], words: str
) -> None:
    assert history_panel.effort_words(version(**known)) == words
    assert history_panel.words(version(**known)) == "corrected by ana: debris"

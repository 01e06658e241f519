"""The columns of images that say what people think of their results; ``image_columns`` lists them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.listing.columns import Column, Format, Shown
from core.models import ReviewState

REVIEW_COLUMNS: tuple[Column, ...] = (
    Column(
        "review",
        "Review",
        "What a person decided about the outlines: unseen, right, corrected, excluded or unsure; excluded "
        "images are not in statistics and charts",
        type=ReviewState,
        required=True,
        sort="review",
        export="review",
        shown=Shown.DEFAULT,
        format=Format.TEXT,
        tooltip="review_reason",
        width=100,
        position=25,
    ),
    Column(
        "review_reason",
        "Reason of the review",
        "Why the image is excluded, or what somebody is unsure of",
        type=str,
        export="review_reason",
        shown=Shown.ON_DEMAND,
        format=Format.TEXT,
        position=26,
    ),
    Column(
        "reviewed_by",
        "Reviewed by",
        "Who looked at the outlines last",
        type=str,
        export="reviewed_by",
        shown=Shown.ON_DEMAND,
        format=Format.TEXT,
        position=27,
    ),
    Column(
        "reviewed_at",
        "Reviewed",
        "When somebody looked at the outlines last, in UTC",
        type=datetime,
        sort="reviewed",
        export="reviewed_at",
        shown=Shown.ON_DEMAND,
        format=Format.TIME,
        position=28,
    ),
)

# The same of a spheroid's image, for tables of spheroids.
REVIEW_OF_IMAGE: tuple[Column, ...] = tuple(
    replace(column, sql=f"image.{column.name}", sort=None, shown=Shown.ON_DEMAND)
    for column in REVIEW_COLUMNS[:2]
)

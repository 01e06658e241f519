"""The columns of images that say what an image as a whole is like; ``image_columns`` lists them."""

from __future__ import annotations

from core.listing.columns import Column, Format, Shown

QUALITY_COLUMNS: tuple[Column, ...] = (
    Column(
        "edge_blur",
        "Edge blur",
        "Blur of the largest spheroid's edge, as a Gaussian's sigma in percent of its diameter: above 3 the "
        "image is out of focus",
        unit="%",
        formula="100·s/d, s = C/(g·√(2π)): C the contrast across the edge, g its slope, d the diameter",
        summary=True,
        sort="edge_blur",
        filter="edge_blur",
        export="edge_blur_percent",
        shown=Shown.ON_DEMAND,
        header="Blur %",
        width=90,
        position=55,
    ),
    Column(
        "specks",
        "Specks",
        "Number of small things outside the spheroids that stand out from the background: debris, loose "
        "cells",
        type=int,
        unit="count",
        formula="parts of a top-hat by a disc of 9 pixels, in an image of at most 512 pixels a side",
        summary=True,
        sort="specks",
        filter="specks",
        export="specks",
        shown=Shown.ON_DEMAND,
        format=Format.COUNT,
        width=90,
        position=56,
    ),
)

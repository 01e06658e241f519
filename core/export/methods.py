"""METHODS.txt and CITATION.cff: a paragraph for a paper's methods, and how to cite the program."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from core import __version__
from core.export.item import Item
from core.models import PixelSizeSource, ReviewState
from core.models.quality import LOOK_BELOW
from core.segmentation import EngineRegistry, SegmentationParams
from core.segmentation.confidence import doubtful

CITATION = f"""cff-version: 1.2.0
message: If you use Spheroscope in your work, please cite it as below.
type: software
title: "Spheroscope: size and shape of tumour spheroids and organoids from microscopy images"
authors:
  - name: The Spheroscope authors
version: {__version__}
license: MIT
keywords:
  - spheroid
  - organoid
  - microscopy
  - image segmentation
"""

_SOURCES = {
    PixelSizeSource.FILE: "read from the image file",
    PixelSizeSource.PROJECT: "set for the whole project",
    PixelSizeSource.USER: "entered by hand",
    None: "not known, so that sizes are in pixels",
}
_MEASURED = (
    "Measurements are of each outline at the image's own resolution: area A is the number of its pixels "
    "without holes, perimeter P follows Crofton's formula in four directions, the equivalent diameter is "
    "√(4A/π), circularity 4πA/P², and volumes are those of a sphere of the equivalent diameter or of an "
    "ellipsoid from the greatest and least caliper widths. Formulas of all columns are in formulas.csv."
)

EngineUse = tuple[str, str, str]  # engine, its version, its settings as JSON


@dataclass(slots=True)
class Tally:
    """Counts of an archive's images by kind, made while it is written."""

    images: int = 0
    objects: int = 0
    at_the_edge: int = 0
    doubtful: int = 0
    corrected: int = 0
    right: int = 0
    excluded: Counter[str] = field(default_factory=Counter)  # by their reasons
    results: Counter[EngineUse] = field(default_factory=Counter)
    pixel_sizes: Counter[PixelSizeSource | None] = field(default_factory=Counter)

    def add(self, item: Item) -> None:
        """Count one image with its spheroids."""
        self.images += 1
        if item.engine is None:
            return
        self.results[item.engine] += 1
        self.pixel_sizes[item.image.um_per_px_source] += 1
        self.objects += item.n_objects
        self.at_the_edge += item.n_at_the_edge
        self.doubtful += doubtful(item.image.confidence)
        self.corrected += item.corrected
        self.right += item.image.review is ReviewState.RIGHT
        if item.image.review is ReviewState.EXCLUDED:
            self.excluded[item.image.review_reason or "other"] += 1


def methods(tally: Tally, engines: EngineRegistry) -> str:
    """Return METHODS.txt: how the outlines and numbers came about, in sentences to be adapted."""
    measured = sum(tally.results.values())
    if not measured:
        return f"None of the {tally.images} images has outlines yet, so there is nothing to describe.\n"
    return (
        " ".join(
            (
                f"{_spheroids(tally.objects)} were outlined in {_images(measured)} "
                f"with Spheroscope {__version__}: "
                f"{_listed(_outlined(key, count, engines) for key, count in tally.results.most_common())}.",
                *_judged(tally),
                f"The pixel size was {_listed(_sized(*item) for item in tally.pixel_sizes.most_common())}.",
                _MEASURED,
            )
        )
        + "\n"
    )


def _judged(tally: Tally) -> Iterable[str]:
    if tally.right:
        yield f"Outlines of {_images(tally.right)} were looked at by a person and found right."
    if tally.excluded:
        reasons = _listed(f"{reason} ({count})" for reason, count in tally.excluded.most_common())
        n = tally.excluded.total()
        verb = "was" if n == 1 else "were"
        yield f"{_images(n)} {verb} excluded from statistics by a person: {reasons}. Rows are marked so."
    if tally.corrected:
        yield f"Outlines of {_images(tally.corrected)} were corrected by hand."
    yield (
        f"The expected overlap with a person's outlines (intersection over union) was below {LOOK_BELOW:g} "
        f"for {_images(tally.doubtful)}."
    )
    if tally.at_the_edge:
        yield f"{_spheroids(tally.at_the_edge)} touch the edge of their image and are marked so."


def _outlined(key: EngineUse, count: int, engines: EngineRegistry) -> str:
    engine, engine_version, params = key
    sha256 = engines.weights_sha256(engine, engine_version)
    weights = f", weights SHA-256 {sha256[:12]}…" if sha256 else ""
    changed = SegmentationParams.changed(json.loads(params))
    settings = ", ".join(f"{name} = {value}" for name, value in changed.items())
    how = f"with {settings}" if settings else "with default settings"
    return f"engine {engine} (version {engine_version}{weights}) {how} ({_images(count)})"


def _sized(source: PixelSizeSource | None, count: int) -> str:
    return f"{_SOURCES[source]} ({_images(count)})"


def _images(count: int) -> str:
    return f"{count} image" if count == 1 else f"{count} images"


def _spheroids(count: int) -> str:
    return f"{count} spheroid" if count == 1 else f"{count} spheroids"


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last

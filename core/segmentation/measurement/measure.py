"""What is measured on every object: the columns of ``MEASUREMENTS``, in pixels.

Nothing is clamped or filled in: what cannot be computed is None, and ``reasons`` says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from core.errors import InvalidRequest
from core.segmentation import ragged
from core.segmentation.grayscale import Pixels, grey
from core.segmentation.measurement import perimeter
from core.segmentation.measurement.hull import Hull, hulls
from core.segmentation.measurement.moments import Ellipse, ellipses
from core.segmentation.outlines.boundaries import Edges, Labels, OutlinedObject, edges, find
from core.segmentation.ragged import Ints

Values = dict[str, float | int | bool | None]

_DOT = "one pixel has no axes"
_LINE = "its pixels lie on one line, so the minor axis is 0"
_NOT_FINITE = "some of its pixels are not finite numbers"


def measure(labels: Labels, pixels: Pixels) -> list[Values]:
    """Measure every object in pixels, ordered by number; a number that does not occur has no entry.

    Args:
        labels: int32 (Y, X), 0 is background. An object is the pixels of one number.
        pixels: as for ``grayscale.grey``. Intensities are those of grey pixels as stored, of colour ones the
            brightness; to measure another channel, give that channel.

    Returns:
        A dict an object, with a key for each name in ``MEASUREMENTS``.

    Raises:
        InvalidRequest: labels and pixels differ in size, or the pixels are of a kind that ``grey`` refuses.
    """
    return measure_objects(find(labels), labels.shape, pixels)


def measure_objects(
    objects: Sequence[OutlinedObject], shape: tuple[int, ...], pixels: Pixels
) -> list[Values]:
    """Measure objects that ``boundaries.find`` found in a label image of this shape; as ``measure``.

    Sources: scikit-image ``regionprops`` for axes, solidity, extent and the Crofton perimeter, which includes
        the edges of holes, as there; ImageJ for ``circularity_imagej``, whose perimeter is the outer edge
        alone, as there. The SD is the population's. A centroid is where (0.5, 0.5) is the first pixel's
        centre, as in a contour.
    """
    if tuple(shape) != pixels.shape[:2]:
        raise InvalidRequest(f"The labels are {tuple(shape)}, the pixels {pixels.shape[:2]}.")
    if not objects:
        return []
    walks, start = _edges(objects)
    columns = zip(
        objects,
        ellipses(walks, start),
        perimeter.crofton(walks, start).tolist(),
        _shells(objects, walks),
        hulls([np.concatenate(item.outer) for item in objects]),
        strict=True,
    )
    return [
        {
            **_size(ellipse, crofton),
            **_form(ellipse, crofton, traced, hull),
            **_place(item, ellipse, shape),
            **_intensity(item, pixels),
            "n_holes": len(item.holes),
        }
        for item, ellipse, crofton, traced, hull in columns
    ]


def reasons(values: Values) -> dict[str, str]:
    """Return why each measurement that is None could not be computed, by name."""
    axes = _DOT if values["roundness"] is None else _LINE
    return {
        name: _NOT_FINITE if name.startswith("intensity") else axes
        for name, value in values.items()
        if value is None
    }


def _edges(objects: Sequence[OutlinedObject]) -> tuple[Edges, Ints]:
    """Edges of all rings, and where each object's start and the last one's end."""
    walks = edges([ring for item in objects for ring in item.outer + item.holes])
    return walks, walks.start[ragged.starts([len(item.outer) + len(item.holes) for item in objects])]


def _shells(objects: Sequence[OutlinedObject], walks: Edges) -> list[float]:
    """ImageJ's perimeter of each object: of its outer rings, one a part."""
    if any(item.holes for item in objects):
        walks = edges([ring for item in objects for ring in item.outer])
    lengths = perimeter.traced(walks)
    parts = ragged.starts([len(item.outer) for item in objects])
    return [float(length) for length in ragged.sums(lengths, parts)]


def _size(ellipse: Ellipse, crofton: float) -> Values:
    diameter = math.sqrt(4 * ellipse.area / math.pi)
    return {
        "area": ellipse.area,
        "perimeter": crofton,
        "equivalent_diameter": diameter,
        "volume_sphere": math.pi / 6 * diameter**3,
    }


def _form(ellipse: Ellipse, crofton: float, traced: float, hull: Hull) -> Values:
    A, P, major, minor = ellipse.area, crofton, ellipse.major, ellipse.minor
    return {
        "circularity": 4 * math.pi * A / P**2,
        "circularity_imagej": min(1.0, 4 * math.pi * A / traced**2),  # the cap is part of ImageJ's definition
        "roundness": 4 * A / (math.pi * major**2) if major else None,
        "aspect_ratio": major / minor if minor else None,
        "eccentricity": math.sqrt(1 - (minor / major) ** 2) if major else None,
        "solidity": A / hull.area,
        "convexity": hull.perimeter / P,
        "feret_max": hull.feret_max,
        "feret_min": hull.feret_min,
        "volume_ellipsoid": math.pi / 6 * hull.feret_max * hull.feret_min**2,
        "sphericity_2d": math.sqrt(4 * math.pi * A) / P,
    }


def _place(item: OutlinedObject, ellipse: Ellipse, shape: tuple[int, ...]) -> Values:
    rows, columns = item.box
    height, width = item.mask.shape
    return {
        "extent": ellipse.area / (width * height),
        "centroid_x": columns.start + ellipse.x + 0.5,
        "centroid_y": rows.start + ellipse.y + 0.5,
        "bbox_x": columns.start,
        "bbox_y": rows.start,
        "bbox_width": width,
        "bbox_height": height,
        "touches_border": 0 in (rows.start, columns.start)
        or rows.stop == shape[0]
        or columns.stop == shape[1],
    }


def _intensity(item: OutlinedObject, pixels: Pixels) -> Values:
    mean, sd = cv2.meanStdDev(grey(pixels[item.box]), mask=item.mask)
    values = {"intensity_mean": float(mean[0, 0]), "intensity_sd": float(sd[0, 0])}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}

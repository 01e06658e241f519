"""What is measured of a spheroid: each quantity's name, how it scales with the pixel size, its formula."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Dimension(StrEnum):
    """How a measurement scales with the pixel size."""

    LENGTH = "length"
    AREA = "area"
    VOLUME = "volume"
    PURE = "pure"  # ratios, counts, raw intensities, pixel positions

    @property
    def power(self) -> int:
        """Exponent of µm per px that turns pixels into micrometres."""
        return {"length": 1, "area": 2, "volume": 3, "pure": 0}[self.value]

    @property
    def um_suffix(self) -> str:
        """Suffix of the column's micrometre twin; empty where there is none."""
        return {"length": "_um", "area": "_um2", "volume": "_um3", "pure": ""}[self.value]


@dataclass(frozen=True, slots=True)
class Column:
    """One measured quantity: its name, how it scales, and its formula for people."""

    name: str
    dimension: Dimension
    label: str
    formula: str


_L, _A, _V, _P = Dimension.LENGTH, Dimension.AREA, Dimension.VOLUME, Dimension.PURE

MEASUREMENTS: tuple[Column, ...] = (
    Column("area", _A, "Area", "pixel count, holes taken out"),
    Column("perimeter", _L, "Perimeter", "Crofton, 4 directions"),
    Column("equivalent_diameter", _L, "Equivalent diameter", "√(4A/π)"),
    Column("circularity", _P, "Circularity", "4πA/P², Crofton perimeter"),
    Column("circularity_imagej", _P, "Circularity (ImageJ)", "4πA/P², ImageJ's traced perimeter, at most 1"),
    Column("roundness", _P, "Roundness", "4A/(π·major²)"),
    Column("aspect_ratio", _P, "Aspect ratio", "major/minor axis of the second-moment ellipse"),
    Column("eccentricity", _P, "Eccentricity", "√(1 − minor²/major²)"),
    Column("solidity", _P, "Solidity", "A / convex area"),
    Column("extent", _P, "Extent", "A / bounding box area"),
    Column("convexity", _P, "Convexity", "convex perimeter / P"),
    Column("feret_max", _L, "Feret max", "greatest caliper width"),
    Column("feret_min", _L, "Feret min", "least caliper width"),
    Column("volume_sphere", _V, "Volume (sphere)", "π/6 · equivalent diameter³"),
    Column("volume_ellipsoid", _V, "Volume (ellipsoid)", "π/6 · L · W², L = Feret max, W = Feret min"),
    Column("sphericity_2d", _P, "Sphericity (2D)", "√(4πA)/P"),
    Column("centroid_x", _P, "Centroid x", "pixels from the left"),
    Column("centroid_y", _P, "Centroid y", "pixels from the top"),
    Column("bbox_x", _P, "Box left", "pixels from the left"),
    Column("bbox_y", _P, "Box top", "pixels from the top"),
    Column("bbox_width", _P, "Box width", "pixels"),
    Column("bbox_height", _P, "Box height", "pixels"),
    Column("intensity_mean", _P, "Mean intensity", "over the raw pixels"),
    Column("intensity_sd", _P, "Intensity SD", "over the raw pixels"),
    Column("touches_border", _P, "Touches border", "true where a pixel lies on the image's edge"),
    Column("n_holes", _P, "Holes", "number of enclosed holes"),
)

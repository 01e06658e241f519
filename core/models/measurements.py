"""What is measured of a spheroid: each quantity's name, how it scales with the pixel size, its formula."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Dimension(StrEnum):
    """Dimensions of a measurement: the power of the pixel size that it scales with."""

    LENGTH = "length"
    AREA = "area"
    VOLUME = "volume"
    PURE = "pure"  # ratios, counts, raw intensities, pixel positions

    @property
    def power(self) -> int:
        """Exponent of µm per px that turns pixels into micrometres."""
        return {"length": 1, "area": 2, "volume": 3, "pure": 0}[self.value]

    @property
    def px_suffix(self) -> str:
        """Suffix of the exported column in pixels; empty for what has no unit of length."""
        return {"length": "_px", "area": "_px2", "volume": "_px3", "pure": ""}[self.value]

    @property
    def um_suffix(self) -> str:
        """Suffix of the column's micrometre twin; empty where there is none."""
        return {"length": "_um", "area": "_um2", "volume": "_um3", "pure": ""}[self.value]


@dataclass(frozen=True, slots=True)
class MeasurementDefinition:
    """One measured quantity.

    ``name`` is its column everywhere, ``label`` its name for people, ``type`` that of its values, which are
    in pixels or in ``unit``. A table of spheroids shows those with a ``header``, and the others on demand.
    """

    name: str
    dimension: Dimension
    label: str
    formula: str
    type: type[float | int | bool] = float
    unit: str = "ratio"
    header: str = ""

    @property
    def export_name(self) -> str:
        """Name of the exported column, which carries the unit of what is in pixels: area_px2."""
        return self.name + _PX_SUFFIXES.get(self.unit, "")


_PX_SUFFIXES = {"px": "_px", "px²": "_px2", "px³": "_px3"}

_L, _A, _V, _P = Dimension.LENGTH, Dimension.AREA, Dimension.VOLUME, Dimension.PURE
_M = MeasurementDefinition

_VALUES = "pixel values as stored; of a colour image, of the channel that its settings name"

MEASUREMENTS: tuple[MeasurementDefinition, ...] = (
    _M("area", _A, "Area", "pixel count, holes taken out", int, "px²", "Area"),
    _M("perimeter", _L, "Perimeter", "Crofton, 4 directions", unit="px"),
    _M("equivalent_diameter", _L, "Equivalent diameter", "√(4A/π)", unit="px", header="Ø"),
    _M("circularity", _P, "Circularity", "4πA/P², Crofton perimeter", header="Circularity"),
    _M("circularity_imagej", _P, "Circularity (ImageJ)", "4πA/P², ImageJ's traced perimeter, at most 1"),
    _M("roundness", _P, "Roundness", "4A/(π·major²)"),
    _M(
        "aspect_ratio",
        _P,
        "Aspect ratio",
        "major/minor axis of the second-moment ellipse",
        header="Aspect ratio",
    ),
    _M("eccentricity", _P, "Eccentricity", "√(1 − minor²/major²)"),
    _M("solidity", _P, "Solidity", "A / convex area", header="Solidity"),
    _M("extent", _P, "Extent", "A / bounding box area"),
    _M("convexity", _P, "Convexity", "convex perimeter / P"),
    _M("feret_max", _L, "Feret max", "greatest caliper width", unit="px"),
    _M("feret_min", _L, "Feret min", "least caliper width", unit="px"),
    _M("volume_sphere", _V, "Volume (sphere)", "π/6 · equivalent diameter³", unit="px³", header="Volume"),
    _M(
        "volume_ellipsoid", _V, "Volume (ellipsoid)", "π/6 · L · W², L = Feret max, W = Feret min", unit="px³"
    ),
    _M("sphericity_2d", _P, "Sphericity (2D)", "√(4πA)/P"),
    _M("centroid_x", _P, "Centroid x", "pixels from the left", unit="px"),
    _M("centroid_y", _P, "Centroid y", "pixels from the top", unit="px"),
    _M("bbox_x", _P, "Box left", "pixels from the left", int, "px"),
    _M("bbox_y", _P, "Box top", "pixels from the top", int, "px"),
    _M("bbox_width", _P, "Box width", "pixels", int, "px"),
    _M("bbox_height", _P, "Box height", "pixels", int, "px"),
    _M("intensity_mean", _P, "Mean intensity", f"mean of the {_VALUES}", unit="raw units"),
    _M("intensity_sd", _P, "Intensity SD", f"standard deviation of the {_VALUES}", unit="raw units"),
    _M(
        "touches_border",
        _P,
        "At the edge",
        "true where a pixel lies on the image's edge",
        bool,
        "true or false",
        "At the edge",
    ),
    _M("n_holes", _P, "Holes", "number of enclosed holes", int, "count"),
)

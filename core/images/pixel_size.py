"""Read the size of a pixel from the metadata of an image file.

Read are, in this order: OME-XML, MetaMorph / ImageXpress XML, ImageJ's description, the resolution tags of
TIFF and Exif. The first that states a size decides; no size is better than a wrong one, so it is None where

- x and y differ by more than 0.1 %: one number cannot describe such pixels (a missing y counts as equal);
- it is not that of a microscope: outside 0.01 to 100 µm;
- the resolution tags hold a printer's or a screen's setting, as 72 or 300 dpi, which programs write unasked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from xml.parsers import expat

UM_PER_INCH = 25_400.0
UM_PER_CM = 10_000.0

_MAX_DESCRIPTION_BYTES = 2**20  # OME-XML of 200 planes is about 60 KB
_MAX_ELEMENTS = 20_000  # those of real files have 60 bytes and more
_MIN_UM, _MAX_UM = 0.01, 100.0
_MAX_ANISOTROPY = 0.001
_PRINT_DPI = (
    72,
    96,
    100,
    120,
    144,
    150,
    180,
    200,
    240,
    300,
    350,
    360,
    400,
    600,
    720,
    800,
    1200,
    1440,
    2400,
    4800,
)
_PRINT_TOLERANCE = 0.002  # 118 px/cm is 299.7 dpi

_UM_PER_UNIT = {
    "pm": 1e-6,
    "Å": 1e-4,
    "nm": 1e-3,
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,  # the Greek letter; the line above is the micro sign
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "mm": 1e3,
    "cm": UM_PER_CM,
    "m": 1e6,
    "inch": UM_PER_INCH,
    "in": UM_PER_INCH,
}


class PixelSize(NamedTuple):
    """Micrometres per pixel, and the metadata that said so, in words for people."""

    um_per_px: float
    source: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolution tags of TIFF and Exif: pixels per unit; unit 1 is none, 2 inch, 3 centimetre."""

    x: float | None = None
    y: float | None = None
    unit: int = 2


class _Stated(NamedTuple):
    x_um: float
    y_um: float
    source: str


def read(description: bytes, resolution: Resolution, tag: str = "TIFF resolution tag") -> PixelSize | None:
    """Return the pixel size that the metadata of one page states, or None.

    ``description`` is the raw ImageDescription, ``tag`` the name that people know the resolution tags by.
    Never raises: metadata that cannot be understood says nothing.
    """
    text = _text(description)
    for stated in (_ome(text), _metamorph(text), _imagej(text, resolution), _tags(resolution, tag)):
        if stated is not None:
            return _plausible(stated)
    return None


def _plausible(stated: _Stated) -> PixelSize | None:
    x, y, source = stated
    if not (_MIN_UM <= x <= _MAX_UM) or abs(x - y) > _MAX_ANISOTROPY * x:
        return None
    return PixelSize(x, source)


def _text(raw: bytes) -> str:
    """Decode an ImageDescription; ImageJ and MetaMorph write Latin-1, OME UTF-8."""
    if len(raw) > _MAX_DESCRIPTION_BYTES:
        return ""
    raw = raw.partition(b"\0")[0].strip()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _ome(text: str) -> _Stated | None:
    """Source: OME-XML schema 2016-06, Pixels/@PhysicalSizeX, default unit µm."""
    if "<OME" not in text and ":OME" not in text:
        return None
    sizes = {_ome_size(attributes) for name, attributes in _elements(text) if name == "Pixels"}
    if len(sizes) != 1 or (size := sizes.pop()) is None:  # several images of different pixel sizes
        return None
    return _Stated(*size, "OME metadata")


def _ome_size(attributes: dict[str, str]) -> tuple[float, float] | None:
    x = _length(attributes.get("PhysicalSizeX"), attributes.get("PhysicalSizeXUnit", "µm"))
    y = _length(attributes.get("PhysicalSizeY"), attributes.get("PhysicalSizeYUnit", "µm"))
    return None if x is None else (x, x if y is None else y)


def _metamorph(text: str) -> _Stated | None:
    """Source: the <prop> elements that MetaMorph, MetaXpress and ImageXpress write."""
    if not text.startswith("<MetaData>"):
        return None
    props = {
        attributes.get("id", ""): attributes.get("value", "")
        for name, attributes in _elements(text)
        if name == "prop"
    }
    unit = props.get("spatial-calibration-units", "")
    x = _length(props.get("spatial-calibration-x"), unit)
    if x is None or props.get("spatial-calibration-state") == "off":
        return None
    y = _length(props.get("spatial-calibration-y"), unit)
    return _Stated(x, x if y is None else y, "MetaMorph metadata")


def _imagej(text: str, resolution: Resolution) -> _Stated | None:
    """Source: ImageJ's FileInfo: "unit=" of the description; XResolution is pixels per that unit."""
    if not text.startswith("ImageJ="):
        return None
    values = dict(line.partition("=")[::2] for line in text.splitlines())
    unit = values.get("unit", "").replace("\\u00B5", "µ")
    unit_um = _UM_PER_UNIT.get(unit)
    if unit_um is None or not resolution.x or values.get("yunit", unit) != unit:
        return None
    if unit in {"inch", "in", "cm"} and _is_print(resolution.x * UM_PER_INCH / unit_um):
        return None  # ImageJ keeps the print setting of the JPEG it was given
    return _Stated(unit_um / resolution.x, unit_um / (resolution.y or resolution.x), "ImageJ metadata")


def _tags(resolution: Resolution, source: str) -> _Stated | None:
    unit_um = {2: UM_PER_INCH, 3: UM_PER_CM}.get(resolution.unit)
    if unit_um is None or not resolution.x or _is_print(resolution.x * UM_PER_INCH / unit_um):
        return None
    return _Stated(unit_um / resolution.x, unit_um / (resolution.y or resolution.x), source)


def _is_print(dpi: float) -> bool:
    return any(abs(dpi - usual) <= _PRINT_TOLERANCE * usual for usual in _PRINT_DPI)


def _length(number: str | None, unit: str) -> float | None:
    """Return a length in µm; None where it is not a positive number in a known unit."""
    unit_um = _UM_PER_UNIT.get(unit.strip())
    if unit_um is None or not number or not re.fullmatch(r"\s*\+?[0-9.]+([eE][-+]?[0-9]+)?\s*", number):
        return None
    try:
        value = float(number) * unit_um
    except ValueError:
        return None
    return value if 0 < value < math.inf else None


def _elements(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield every element's name, without prefix, and attributes; nothing where the XML is not well formed.

    A DOCTYPE is refused, since entities are the way to make a small XML large; so is a text that is nothing
    but elements, each of which takes more memory than its four bytes.
    """
    elements: list[tuple[str, dict[str, str]]] = []

    def keep(name: str, attributes: dict[str, str]) -> None:
        if len(elements) == _MAX_ELEMENTS:
            raise ValueError("more elements than a description has are not read")
        elements.append((name.rpartition(":")[2], attributes))

    parser = expat.ParserCreate()
    parser.StartElementHandler = keep
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError):
        return iter(())
    return iter(elements)


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a DOCTYPE is not read")

"""Numbers as people read them: three significant digits, thousands apart, units named."""

from __future__ import annotations

import math

from core.models import Dimension

UNKNOWN = "–"
GAP = "\u202f"  # narrow no-break space: groups thousands, and ties a number to its unit
MINUS = "\u2212"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_BYTES = ("B", "kB", "MB", "GB", "TB")
_POWER = {0: "", 1: "", 2: "²", 3: "³"}


def three_digits(value: float | None) -> str:
    """Round to three significant digits: 0.931, 41.2, 133 000; "–" where there is no finite number."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0:
        return "0"
    mantissa, exponent_text = f"{abs(value):.2e}".split("e")
    exponent = int(exponent_text)
    sign = MINUS if value < 0 else ""
    if exponent < -3:
        return f"{sign}{mantissa}{GAP}×{GAP}10{str(exponent).translate(_SUPERSCRIPT)}"
    # Rounded once, in the line above: 999.6 is 1.00e+03 and must not become "1000.0".
    rounded = float(f"{mantissa}e{exponent}")
    return sign + _grouped(f"{rounded:.{max(0, 2 - exponent)}f}")


def count(number: int) -> str:
    """Write a whole number in full with its thousands apart: 1 204."""
    return (MINUS if number < 0 else "") + _grouped(str(abs(number)))


def scaled(px: float | None, dimension: Dimension, um_per_px: float | None) -> float | None:
    """Turn a measurement in pixels into micrometres; leave it in pixels where the pixel size is unknown."""
    if px is None or um_per_px is None:
        return px
    return float(px * um_per_px**dimension.power)


def unit(dimension: Dimension, um_per_px: float | None) -> str:
    """Name the unit that `scaled` answers in: µm² with a pixel size, px² without; empty for pure numbers."""
    if dimension is Dimension.PURE:
        return ""
    return ("px" if um_per_px is None else "µm") + _POWER[dimension.power]


def length(px: float | None, um_per_px: float | None) -> str:
    """Write a length given in pixels with its unit: 412 µm, or 303 px where the pixel size is unknown."""
    return _with_unit(px, Dimension.LENGTH, um_per_px)


def area(px: float | None, um_per_px: float | None) -> str:
    """Write an area given in square pixels with its unit: 133 000 µm² or 71 900 px²."""
    return _with_unit(px, Dimension.AREA, um_per_px)


def clock(seconds: float) -> str:
    """Write a duration as minutes and seconds: 0:40, 12:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def bytes_of_file(number: int) -> str:
    """Write the size of a file in decimal units, as file managers do: 12 kB, 3.4 MB."""
    steps = 0 if number < 1000 else min(int(math.log10(number)) // 3, len(_BYTES) - 1)
    return f"{number / 1000**steps:.3g}{GAP}{_BYTES[steps]}"


def _with_unit(px: float | None, dimension: Dimension, um_per_px: float | None) -> str:
    text = three_digits(scaled(px, dimension, um_per_px))
    return text if text == UNKNOWN else f"{text}{GAP}{unit(dimension, um_per_px)}"


def _grouped(digits: str) -> str:
    whole, point, rest = digits.partition(".")
    return f"{int(whole):,}".replace(",", GAP) + point + rest


def plain(text: str) -> str:
    """Escape text for Markdown: names are not markup."""
    return "".join(f"\\{char}" if char in "\\`*_{}[]()#+-.!|~$:<>" else char for char in text)

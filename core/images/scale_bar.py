"""A scale bar in the lower right corner of a picture: a round number of micrometres, about a fifth of it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SHARE = 0.2  # of the picture's width
MIN_SIDE_PX = 60  # smaller pictures have no room for a bar and its words
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def draw(picture: NDArray[np.uint8], um_per_px: float | None) -> None:
    """Draw into ``picture``, uint8 (Y, X, 3); nothing where the pixel size is unknown or there is no room."""
    height, width = picture.shape[:2]
    if um_per_px is None or min(height, width) < MIN_SIDE_PX:
        return
    um = round_length(width * um_per_px * SHARE)
    length, thick = max(1, round(um / um_per_px)), max(2, round(width / 250))
    size, margin = max(9.0, width / 40), max(4, round(width / 50))
    font = ImageFont.load_default(size=size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # as one of a size is
    text_width = math.ceil(font.getlength(words(um)))
    # Only the corner is copied: a picture may have 100 million pixels.
    box = (max(length, text_width) + 2 * margin, 2 * thick + math.ceil(1.3 * size) + 2 * margin)
    corner = picture[max(0, height - box[1]) :, max(0, width - box[0]) :]
    image = Image.fromarray(corner)
    brush = ImageDraw.Draw(image)
    end, foot = corner.shape[1] - margin, corner.shape[0] - margin
    bar = (end - length, foot - thick, end - 1, foot - 1)
    brush.rectangle((bar[0] - 1, bar[1] - 1, bar[2] + 1, bar[3] + 1), fill=BLACK)
    brush.rectangle(bar, fill=WHITE)
    left = min(end - length / 2 - text_width / 2, end - text_width)
    _write(brush, (left, bar[1] - thick - 0.25 * size), words(um), font)
    corner[...] = np.asarray(image)


def _write(
    brush: ImageDraw.ImageDraw, place: tuple[float, float], text: str, font: ImageFont.FreeTypeFont
) -> None:
    """Write white letters with a black rim, the first at ``place`` on the baseline.

    Pillow's font has no µ: it is a u here, with a stem.
    """
    before, micro, _ = text.partition("µ")
    halo = max(1, round(font.size / 18))
    stem = None
    if micro:
        left = place[0] + font.getlength(before) + font.getbbox("u", anchor="ls")[0]
        stem = (left, place[1] - 0.3 * font.size, left + 0.08 * font.size, place[1] + 0.22 * font.size)
        brush.rectangle((stem[0] - halo, stem[1], stem[2] + halo, stem[3] + halo), fill=BLACK)
    letters = text.replace("µ", "u")
    brush.text(place, letters, fill=WHITE, font=font, anchor="ls", stroke_width=halo, stroke_fill=BLACK)
    if stem:
        brush.rectangle(stem, fill=WHITE)


def round_length(um: float) -> float:
    """The greatest of 1, 2 and 5 times a power of ten that is not greater than ``um``."""
    power = 10.0 ** math.floor(math.log10(um))
    return next(step * power for step in (5, 2, 1) if step * power <= um * (1 + 1e-9))


def words(um: float) -> str:
    """“200 µm”, “1 mm”."""
    return f"{um / 1000:g} mm" if um >= 1000 else f"{um:g} µm"

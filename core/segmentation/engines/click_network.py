"""The network that answers a click: it outlines the spheroid that is clicked, or mends its outline.

It is the engine's U-Net with three more inputs, as in FocalClick (Chen et al. 2022), reduced to one click:
where it is, the outline as it stands, and the outlines beside it. It sees a square window of the image, 256
pixels a side, and answers which of its pixels belong to the spheroid after the click.

torch is imported when a click is first answered.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from core.segmentation.engines.base import Map
from core.segmentation.engines.contrast import views
from core.segmentation.engines.unet import normalise
from core.segmentation.engines.weights import DIRECTORY, load
from core.segmentation.grayscale import Pixels

if TYPE_CHECKING:
    from core.segmentation.engines.unet_model import UNet

Mask = NDArray[np.bool_]
Point = tuple[float, float]  # (x, y)
WEIGHTS = DIRECTORY / "click.safetensors"
SIDE = 256  # pixels of a window as the network sees it
DISC = 4.0  # radius of a click in such pixels
INPUTS = 5  # two views, click, outline, outlines beside it
MAX_ENLARGEMENT = 2.0  # of the image, so that a window is never smaller than SIDE / 2
_COARSEST = 4  # a window larger than this many times SIDE is read in steps of several pixels


@dataclass(frozen=True, slots=True)
class Window:
    """A square part of an image: its first column and row, which may lie outside, and its side in pixels."""

    x: int
    y: int
    side: int

    @classmethod
    def around(cls, centre: Point, side: float, shape: tuple[int, int]) -> Window:
        """The window of about this side around a point (x, y), moved into an image of ``shape`` (Y, X).

        It is at least SIDE / MAX_ENLARGEMENT wide, at most as wide as the image is long.
        """
        length = math.ceil(min(max(side, SIDE / MAX_ENLARGEMENT), max(*shape, SIDE / MAX_ENLARGEMENT)))
        x, y = (
            round((size - length) / 2)
            if length >= size
            else min(max(0, round(at - length / 2)), size - length)
            for at, size in zip(centre, shape[::-1], strict=True)
        )
        return cls(x, y, length)

    @property
    def scale(self) -> float:
        """Pixels of the network's view an image pixel."""
        return SIDE / self.side

    def box(self, shape: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of an image of ``shape`` (Y, X) that lie in it."""
        rows, columns = (
            slice(max(0, first), min(size, first + self.side))
            for first, size in zip((self.y, self.x), shape, strict=True)
        )
        return rows, columns

    def place(self, point: Point) -> Point:
        """A point (x, y) of the image in the network's view."""
        return (point[0] - self.x) * self.scale, (point[1] - self.y) * self.scale

    def view(self, part: NDArray[np.generic], shape: tuple[int, int]) -> Map:
        """The window as the network sees it, float32 (SIDE, SIDE), mirrored beyond the image's edge.

        ``part``: what lies in the image's ``box``, pixels or a mask.
        """
        step = max(1, self.side // (_COARSEST * SIDE))
        values = part[::step, ::step].astype(np.float32)
        rows, columns = self.box(shape)
        size = tuple(max(1, round((axis.stop - axis.start) * self.scale)) for axis in (columns, rows))
        how = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(values, (size[0], size[1]), interpolation=how)
        left, top = round((columns.start - self.x) * self.scale), round((rows.start - self.y) * self.scale)
        right, bottom = max(0, SIDE - left - size[0]), max(0, SIDE - top - size[1])
        framed = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REFLECT_101)
        return np.asarray(framed[:SIDE, :SIDE], dtype=np.float32)

    def mask(self, seen: Map, level: float, shape: tuple[int, int]) -> Mask:
        """Where a map of the network's view (SIDE, SIDE) reaches a level: bool (Y, X) of the ``box``."""
        rows, columns = self.box(shape)
        placed = np.array(
            [
                [self.scale, 0.0, (columns.start - self.x + 0.5) * self.scale - 0.5],
                [0.0, self.scale, (rows.start - self.y + 0.5) * self.scale - 0.5],
            ]
        )
        size = (columns.stop - columns.start, rows.stop - rows.start)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        levels = np.rint(255 * seen).astype(np.uint8)  # an image may have 80 megapixels
        large = cv2.warpAffine(levels, placed, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(large >= 255 * level)


def views_of(image: Map) -> Map:
    """The two views of a window's brightness (SIDE, SIDE), in any scale: float32 (2, SIDE, SIDE)."""
    return views(normalise(image))


def inputs(seen: Map, own: Map, others: Map, click: Point, away: bool) -> Map:
    """What the network is given of a window: float32 (INPUTS, SIDE, SIDE).

    Args:
        seen: its two views; ``own`` and ``others``: the outline and those beside it, 0..1, (SIDE, SIDE).
        click: (x, y) in the window. It asks for what lies there, or with ``away`` says that it is wrong.
    """
    disc = np.zeros((SIDE, SIDE), np.float32)
    centre = (round((click[0] - 0.5) * 16), round((click[1] - 0.5) * 16))
    cv2.circle(disc, centre, round(DISC * 16), -1.0 if away else 1.0, -1, cv2.LINE_8, 4)
    return np.stack([*seen, disc, own, others]).astype(np.float32)


class ClickModel(Protocol):
    """What answers a click: ``ClickNetwork``, or what stands for it in a test."""

    def probability(
        self, window: Window, pixels: Pixels, masks: tuple[Mask, Mask], click: Point, away: bool
    ) -> Map:
        """How probably each pixel of a window belongs to the spheroid after a click: (SIDE, SIDE), 0..1."""
        ...


class ClickNetwork:
    """Answers clicks with the weights of a file, which are read at the first. Safe from any thread."""

    def __init__(self, file: Path = WEIGHTS, threads: int = 1) -> None:
        self._file = file
        self._threads = threads
        self._network: UNet | None = None
        self._lock = threading.Lock()  # of the loading

    def probability(
        self,
        window: Window,
        pixels: Pixels,
        masks: tuple[Mask, Mask],
        click: Point,
        away: bool,
    ) -> Map:
        """How probably each pixel of a window belongs to the spheroid after a click: float32 (SIDE, SIDE).

        Args:
            pixels: of the whole image (Y, X).
            masks: the spheroid's outline and those beside it, of the window's box.
            click: (x, y) in the image.

        Raises:
            SegmentationError: the weights are missing, or others than were tested.
        """
        import torch  # noqa: PLC0415 - see the module's docstring

        network = self._loaded()
        shape = (pixels.shape[0], pixels.shape[1])
        image, own, others = (window.view(values, shape) for values in (pixels[window.box(shape)], *masks))
        given = inputs(views_of(image), own, others, window.place(click), away)
        if torch.get_num_threads() != self._threads:  # each thread has a count of its own
            torch.set_num_threads(self._threads)
        with torch.inference_mode():
            batch = torch.from_numpy(given)[None].contiguous(memory_format=torch.channels_last)
            return np.asarray(torch.sigmoid(network(batch)[0, 0]).numpy())

    def _loaded(self) -> UNet:
        with self._lock:
            if self._network is None:
                self._network = load(self._file)
            return self._network

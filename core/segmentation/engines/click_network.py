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
VIEWS = 2  # the image, and its contrast to the background
INPUTS = VIEWS + 3  # click, outline, outlines beside it
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

    def in_view(self, point: Point) -> Point:
        """A point (x, y) of the image in the network's view."""
        return (point[0] - self.x) * self.scale, (point[1] - self.y) * self.scale

    def view(self, part: NDArray[np.generic], shape: tuple[int, int]) -> Map:
        """The window as the network sees it, float32 (SIDE, SIDE), mirrored beyond the image's edge.

        ``part``: what lies in the image's ``box``, pixels or a mask.
        """
        step = max(1, self.side // (_COARSEST * SIDE))
        values = part[::step, ::step].astype(np.float32)
        height, width = values.shape
        small = values
        if self.scale < 1:
            size = [max(1, round(length * step * self.scale)) for length in (width, height)]
            small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        rows, columns = self.box(shape)
        across = _axis_transform(self.x - columns.start, self.scale, step, small.shape[1] / width)
        down = _axis_transform(self.y - rows.start, self.scale, step, small.shape[0] / height)
        placed = np.array([[across[0], 0.0, across[1]], [0.0, down[0], down[1]]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(small, placed, (SIDE, SIDE), flags=how, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(seen, dtype=np.float32)

    def enlarged(self, seen: Map, shape: tuple[int, int]) -> NDArray[np.uint8]:
        """A map of the view (SIDE, SIDE), 0..1, at the image's resolution: 0..255, of its ``box``."""
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
        return np.asarray(cv2.warpAffine(levels, placed, size, flags=how, borderMode=cv2.BORDER_REPLICATE))


def _axis_transform(first: float, scale: float, step: int, factor: float) -> tuple[float, float]:
    """Slope and offset from a place in the view to the one in a copy of a window's part, both by index.

    ``first``: the window's first pixel in the part, of which the copy has every ``step``-th pixel, resized by
    ``factor``.
    """
    return factor / (step * scale), ((first + 0.5 / scale - 0.5) / step + 0.5) * factor - 0.5


@dataclass(frozen=True, slots=True)
class Picture:
    """The grey pixels (Y, X) of a whole image, and the polarity of its bodies: "auto", "dark" or "bright"."""

    pixels: Pixels
    polarity: str = "auto"

    @property
    def shape(self) -> tuple[int, int]:
        """(Y, X)."""
        return self.pixels.shape[0], self.pixels.shape[1]


def views_of(image: Map, polarity: str = "auto") -> Map:
    """The two views of a window's brightness (SIDE, SIDE), in any scale: float32 (2, SIDE, SIDE)."""
    return views(normalise(image), polarity)[:VIEWS]


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
        self, window: Window, picture: Picture, masks: tuple[Mask, Mask], click: Point, away: bool
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
        picture: Picture,
        masks: tuple[Mask, Mask],
        click: Point,
        away: bool,
    ) -> Map:
        """How probably each pixel of a window belongs to the spheroid after a click: float32 (SIDE, SIDE).

        Args:
            masks: the spheroid's outline and those beside it, of the window's box.
            click: (x, y) in the image.

        Raises:
            SegmentationError: the weights are missing, or others than were tested.
        """
        import torch  # noqa: PLC0415 - see the module's docstring

        network = self._loaded()
        shape = picture.shape
        parts = (picture.pixels[window.box(shape)], *masks)
        image, own, others = (window.view(values, shape) for values in parts)
        seen = views_of(image, picture.polarity)
        given = inputs(seen, own, others, window.in_view(click), away)
        if torch.get_num_threads() != self._threads:  # each thread has a count of its own
            torch.set_num_threads(self._threads)
        with torch.inference_mode():
            batch = torch.from_numpy(given)[None].contiguous(memory_format=torch.channels_last)
            return np.asarray(torch.sigmoid(network(batch)[0, 0]).numpy())

    def prepare(self) -> None:
        """Read the weights and answer one click about nothing, as the first answer takes longest.

        Raises:
            SegmentationError: see ``probability``.
        """
        blank = Picture(np.zeros((SIDE, SIDE), np.uint8))
        none = np.zeros(blank.shape, np.bool_)
        self.probability(Window(0, 0, SIDE), blank, (none, none), (1.0, 1.0), away=False)

    def _loaded(self) -> UNet:
        with self._lock:
            if self._network is None:
                self._network = load(self._file)
            return self._network

"""Label masks of other programs: PNG, TIFF, and arrays of Cellpose.

Each reader takes bytes that nobody trusts and gives a label image a picture, or an error in words. Nothing is
unpickled, nothing is allocated before its size has been checked against the image. ``roi_files`` and
``coco_files`` read outlines.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from core.corrections.outline_drawing import Labels, Shape, require_shape
from core.errors import ImageError, InvalidRequest, StorageError
from core.images import open_image
from core.images.label_png import MAX_LABELS
from core.images.reader import Plane, Reader
from core.models import Limits

_MOST_PIXELS = Limits().max_pixels  # a mask of another size is told so
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class OutlinedPicture:
    """One picture of a file of outlines: its name, and what draws its labels at its image's size.

    ``draw`` returns int32 (Y, X), 0 is background, and raises InvalidRequest where that cannot be. The name
    of a page of several ends in its number: ``a.tif#2``. ``problem`` says why there is nothing to match with
    an image.
    """

    name: str
    draw: Callable[[Shape], Labels]
    problem: str = ""


def picture_not_drawn(name: str, message: str, problem: str = "") -> OutlinedPicture:
    """Return a picture of which nothing can be drawn, with the reason."""

    def draw(_shape: Shape) -> Labels:
        raise InvalidRequest(message)

    return OutlinedPicture(name, draw, problem)


def labels_of_png(data: bytes, shape: Shape) -> Labels:
    """Labels of a PNG of one channel, 8 or 16 bits.

    Raises:
        InvalidRequest: it is no such PNG, or of another size.
    """
    if data[:8] != _PNG or len(data) < 33:
        raise InvalidRequest("This is not a PNG.")
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    require_shape((height, width), shape)
    if data[25] != 0:
        raise InvalidRequest("A label mask has one grey channel; this PNG has colours.")
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 2:
        raise InvalidRequest("This PNG is damaged.")
    return _checked(picture, shape)


def pictures_of_tiff(name: str, data: bytes, limits: Limits) -> Iterator[OutlinedPicture]:
    """Yield a picture a page of a TIFF of whole numbers, (Y, X), also where they are stored as floats.

    It is read as images are: what parses it without a bound on its memory does so in a process of its own.
    Each is to be drawn before the next one is asked for.

    Raises:
        StorageError: the disk refuses.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "mask.tif")
        try:
            path.write_bytes(data)
        except OSError as error:
            raise StorageError(f"{name} could not be stored to be read: {error.strerror}.") from error
        try:
            reader = open_image(path, replace(limits, max_pixels=max(limits.max_pixels, _MOST_PIXELS)))
        except ImageError as error:
            yield picture_not_drawn(name, f"This TIFF cannot be read. {error.message}")
            return
        with reader:
            for plane in reader.planes:
                picture = name if len(reader.planes) == 1 else f"{name}#{plane.page}"
                yield OutlinedPicture(picture, partial(_labels_of_plane, reader, plane))


def _labels_of_plane(reader: Reader, plane: Plane, shape: Shape) -> Labels:
    require_shape((plane.height, plane.width), shape)
    try:
        pixels = reader.read(plane).pixels
    except ImageError as error:
        raise InvalidRequest(f"This TIFF cannot be read. {error.message}") from error
    if pixels.ndim != 2:
        raise InvalidRequest("A label mask has one grey channel; this TIFF has colours.")
    if pixels.dtype.kind == "f" and not np.array_equal(pixels, np.rint(pixels)):  # NaN is no whole number
        raise InvalidRequest("A label mask holds whole numbers.")
    return _checked(pixels, shape)


def labels_of_npy(data: bytes, shape: Shape) -> Labels:
    """Labels of a NumPy file that holds one array of whole numbers, (Y, X).

    Raises:
        InvalidRequest: it holds something else, such as Cellpose's pickled dictionary.
    """
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        found_shape, _, dtype = read(file)
    except (ValueError, EOFError, OSError, SyntaxError, MemoryError, RecursionError) as error:
        raise InvalidRequest("This is not a NumPy file.") from error
    if dtype.hasobject:
        raise InvalidRequest(
            "This _seg.npy holds Python objects, which could run code, so it is not read. In Cellpose choose "
            "File, Save masks as PNG/tif, or use io.save_masks in Python, and import the file that ends in "
            "_cp_masks."
        )
    require_shape(found_shape, shape)
    if dtype.kind not in "biu":
        raise InvalidRequest("A label mask holds whole numbers.")
    file.seek(0)
    try:
        return _checked(np.load(file, allow_pickle=False), shape)
    except ValueError as error:
        raise InvalidRequest("This NumPy file is cut short.") from error


def _checked(labels: NDArray[Any], shape: Shape) -> Labels:
    require_shape(labels.shape, shape)
    if labels.size and not (labels.min() >= 0 and labels.max() <= MAX_LABELS):
        raise InvalidRequest(f"Labels are whole numbers from 0 to {MAX_LABELS:,}.")
    return np.ascontiguousarray(labels, np.int32)

"""What every reader of an image file offers: the planes that it holds, and the pixels of one of them.

Readers raise errors of core.errors where they know the reason. Whatever else a decoder raises means a damaged
file, and becomes an ImageUnreadable here.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageError, ImageTooLarge, ImageUnreadable, PixelsUnsupported, StorageError
from core.images.pixel_size import PixelSize
from core.models import Limits, PageFacts, Raster

Pixels = NDArray[np.generic]

_CAMERA_BITS = (8, 10, 12, 14, 16)
_DISK_ERRORS = {
    errno.EACCES,
    errno.EIO,
    errno.ENOENT,
    errno.EPERM,
    errno.ESTALE,
}  # say nothing of the content


@dataclass(frozen=True, slots=True)
class Plane:
    """One two-dimensional picture of a file, and what the file's header says of it.

    ``page`` counts from 1 and is the number that a stored image is known by; numbers may be missing, where a
    file holds previews. ``series``, ``z``, ``channel`` and ``time`` count from 0; a file that does not say
    what its pages are has one series a page. ``channels`` are the samples of a pixel: 1, 3 (RGB) or 4 (RGB
    with alpha). ``dtype`` is uint8, uint16 or float32, and ``bit_depth`` its bits. ``file_bytes`` is what of
    the file is read into memory to decode it.
    """

    page: int
    width: int
    height: int
    channels: int
    dtype: str
    file_bytes: int
    pixel_size: PixelSize | None = None
    series: int = 0
    z: int = 0
    channel: int = 0
    time: int = 0

    @property
    def bit_depth(self) -> int:
        return np.dtype(self.dtype).itemsize * 8

    @property
    def pixel_bytes(self) -> int:
        """Bytes of the decoded pixels."""
        return self.width * self.height * self.channels * np.dtype(self.dtype).itemsize


class Reader(ABC):
    """An open image file. Close it, or use it as a context manager; one thread at a time.

    ``planes`` are known once it is open, from headers alone; each is decoded when it is read.
    """

    format_name: str
    planes: tuple[Plane, ...]

    @abstractmethod
    def decode(self, plane: Plane) -> Pixels:
        """Return the pixels of one of ``planes``: (Y, X) or (Y, X, channels). May raise anything."""

    @abstractmethod
    def file_of(self, plane: Plane) -> bytes:
        """Return a file that holds one of ``planes``, as page 1, and as little else as can be."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file; a second call does nothing."""

    def plane(self, page: int) -> Plane:
        """Return the plane of a page.

        Raises:
            ImageUnreadable: the file has no such page.
        """
        for plane in self.planes:
            if plane.page == page:
                return plane
        raise ImageUnreadable(f"This file has no page {page}. It may have been replaced; upload it again.")

    def read(self, plane: Plane) -> Raster:
        """Return the pixels of one plane exactly as they are stored, read-only.

        They are uint8, uint16 or float32: (Y, X) for grey, (Y, X, 3) for RGB, (Y, X, 4) for RGB with alpha.

        Raises:
            ImageError: they cannot be read; the message says why.
            StorageError: the disk refuses.
        """
        with decoding(self.format_name):
            return _raster(plane, self.decode(plane))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def decoding(format_name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into an error for people.

    Raises:
        ImageError: the file cannot be taken.
        StorageError: the disk refuses.
    """
    try:
        yield
    except (ImageError, StorageError):
        raise
    except MemoryError as error:
        raise ImageTooLarge(
            "There is not enough memory to open this image. Close others or crop it."
        ) from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise StorageError(f"The file cannot be read: {error.strerror}.") from error
        # The one broad catch: decoders of damaged and hostile files raise OSError, ValueError, SyntaxError,
        # struct.error, cv2.error and more, and each of them means the same to the person with the file.
        raise ImageUnreadable(
            f"This {format_name} file is damaged or was cut short, so it cannot be opened. "
            "Copy it again from the microscope's computer."
        ) from error


def check_size(width: int, height: int, limits: Limits, what: str = "This image") -> None:
    """Check a size that a header promises, before memory is taken for it.

    Raises:
        ImageTooLarge: more pixels than ``limits`` allow.
    """
    if width * height > limits.max_pixels:
        raise ImageTooLarge(
            f"{what} has {width:,} × {height:,} pixels; at most {limits.max_pixels:,} are taken. "
            "Crop it or save it at a lower resolution."
        )


def _raster(plane: Plane, decoded: Pixels) -> Raster:
    pixels = np.ascontiguousarray(decoded)
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if (width, height, channels, pixels.dtype.name) != (
        plane.width,
        plane.height,
        plane.channels,
        plane.dtype,
    ):
        raise ImageUnreadable(
            "This file's header gives another size than its pixels have. Save it again as TIFF."
        )
    if pixels.dtype == np.float32 and not np.isfinite([pixels.min(), pixels.max()]).all():
        raise PixelsUnsupported(
            "This image has pixels without a value (NaN or infinite). Replace them "
            "(in Fiji: Process > Noise > Remove NaNs) and save it again."
        )
    pixels.flags.writeable = False
    size = plane.pixel_size
    facts = PageFacts(
        plane.page,
        width,
        height,
        channels,
        plane.dtype,
        _bits_in_use(pixels),
        None if size is None else size.um_per_px,
        None if size is None else size.source,
    )
    return Raster(pixels, facts)


def _bits_in_use(pixels: Pixels) -> int:
    """Return the least of a camera's usual depths that holds the brightest 16-bit pixel."""
    if pixels.dtype != np.uint16:
        return pixels.dtype.itemsize * 8
    used = int(pixels.max()).bit_length()
    return next(bits for bits in _CAMERA_BITS if bits >= used)

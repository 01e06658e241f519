"""Reader of TIFF: every page is a plane, and reading one reads only its own strips or tiles from the file.

Pillow decodes up to 8 bits and OpenCV more, each what tests have shown it to decode bit for bit.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import ImageFile, TiffImagePlugin

from core.images import tiff_support, tiff_tags
from core.images.reader import Pixels, Plane, Reader
from core.images.single_picture import decode_with_opencv, decode_with_pillow
from core.images.tiff_page_file import page_file
from core.images.tiff_support import TiffPage, tiff_pixel_size
from core.models import Limits


class TiffReader(Reader):
    """TIFF and BigTIFF of any number of pages; previews are passed over."""

    format_name = "TIFF"

    def __init__(self, path: Path, limits: Limits) -> None:
        self._file = path.open("rb")
        try:
            directories = tiff_tags.directories(self._file, limits.max_pages)
            pages = tiff_support.pages(directories, limits)
            self._pages = {page.directory.number: page for page in pages}
            self.planes = tuple(
                _plane(page, series, directories[0]) for series, page in enumerate(self._pages.values())
            )
        except BaseException:
            self._file.close()
            raise

    def decode(self, plane: Plane) -> Pixels:
        page = self._pages[plane.page]
        data = page_file(page.directory, *tiff_support.segments(page))
        if page.bits > 8:
            return decode_with_opencv(data, page.samples)
        return decode_with_pillow(_TiffFile(io.BytesIO(data)))

    def close(self) -> None:
        self._file.close()


class _TiffFile(TiffImagePlugin.TiffImageFile):
    """Pillow's reader without its own limit on pixels, which is a global; ours has been checked."""

    def load_prepare(self) -> None:
        ImageFile.ImageFile.load_prepare(self)


def _plane(page: TiffPage, series: int, first: tiff_tags.Directory) -> Plane:
    size = tiff_pixel_size(page.directory, first, "TIFF resolution tag")
    n_bytes = int(tiff_support.segments(page)[1].sum())
    return Plane(
        page.directory.number,
        page.width,
        page.height,
        page.channels,
        page.dtype,
        n_bytes,
        size,
        series=series,
    )

"""Reader of TIFF: every page is a plane, and reading one reads only its own strips or tiles from the file."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import ImageFile, TiffImagePlugin

from core.images import tiff_pages, tiff_tags
from core.images.child import Child
from core.images.reader import Pixels, Plane, Reader
from core.images.single_picture import decode_with_opencv, decode_with_pillow
from core.images.tiff_decoders import Decoder, Decoding, decoding_of
from core.images.tiff_page_file import page_file
from core.images.tiff_pages import TiffPage, tiff_pixel_size
from core.models import Limits

_CHILD = Path(__file__).with_name("tiff_child.py")
_CHILD_BYTES = 64 * 2**20  # what the child's libraries take on first use


class TiffReader(Reader):
    """TIFF and BigTIFF of any number of pages; previews are passed over."""

    format_name = "TIFF"

    def __init__(self, path: Path, limits: Limits) -> None:
        self._file = path.open("rb")
        self._child = Child(_CHILD, path)
        try:
            directories = tiff_tags.directories(self._file, limits.max_pages)
            pages = tiff_pages.pages(directories, limits)
            self._pages = {page.directory.number: (page, decoding_of(page)) for page in pages}
            self.planes = tuple(
                _plane(page, decoding, series, directories[0])
                for series, (page, decoding) in enumerate(self._pages.values())
            )
        except BaseException:
            self._file.close()
            raise

    def decode(self, plane: Plane) -> Pixels:
        page, decoding = self._pages[plane.page]
        if decoding.decoder is Decoder.TIFFFILE:
            return self._decode_in_child(plane, page, decoding)
        data = self.file_of(plane)
        if decoding.decoder is Decoder.OPENCV:
            return decode_with_opencv(data, page.samples)
        return decode_with_pillow(_TiffFile(io.BytesIO(data)))

    def file_of(self, plane: Plane) -> bytes:
        page, _ = self._pages[plane.page]
        return page_file(page.directory, *tiff_pages.segments(page))

    def close(self) -> None:
        self._file.close()
        self._child.close()

    def _decode_in_child(self, plane: Plane, page: TiffPage, decoding: Decoding) -> Pixels:
        columns, rows = tiff_pages.segment_size(page)
        item_bytes = page.samples * page.bits // 8
        stored = (page.width * page.height + columns * rows) * item_bytes
        shape = (plane.height, plane.width) + ((plane.channels,) if plane.channels > 1 else ())
        return self._child.read(
            {"offset": page.directory.offset, "as_float": decoding.as_float},
            shape,
            plane.dtype,
            _CHILD_BYTES + 3 * stored + 2 * plane.pixel_bytes + plane.file_bytes,
        )


class _TiffFile(TiffImagePlugin.TiffImageFile):
    """Pillow's reader without its own limit on pixels, which is a global; ours has been checked."""

    def load_prepare(self) -> None:
        ImageFile.ImageFile.load_prepare(self)


def _plane(page: TiffPage, decoding: Decoding, series: int, first: tiff_tags.Directory) -> Plane:
    size = tiff_pixel_size(page.directory, first, "TIFF resolution tag")
    n_bytes = int(tiff_pages.segments(page)[1].sum())
    return Plane(
        page.directory.number,
        page.width,
        page.height,
        decoding.channels,
        decoding.dtype,
        n_bytes,
        size,
        series=series,
    )

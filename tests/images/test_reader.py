"""A reader names its planes from headers alone, and reading one reads nothing of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ImageUnreadable, StorageError
from core.images import open_image, tiff_tags
from core.models import Limits
from tests import corpus
from tests.corpus import Array, noise

LIMITS = Limits()


def written(folder: Path, data: bytes) -> Path:
    path = folder / "image"
    path.write_bytes(data)
    return path


def test_planes_are_known_before_anything_is_decoded(tmp_path: Path) -> None:
    kinds = {
        "uint8": corpus.png(noise()),
        "uint16": corpus.tiff(noise(dtype="uint16")),
        "float32": corpus.tiff(noise(dtype="float32")),
    }
    for dtype, data in kinds.items():
        with open_image(written(tmp_path, data), LIMITS) as reader:
            (plane,) = reader.planes
        assert (plane.page, plane.width, plane.height, plane.channels, plane.dtype) == (1, 53, 37, 1, dtype)
        assert plane.bit_depth == np.dtype(dtype).itemsize * 8
        assert plane.pixel_bytes == 53 * 37 * np.dtype(dtype).itemsize


def test_a_page_is_a_series_of_its_own_and_keeps_its_number(tmp_path: Path) -> None:
    preview = corpus.tags(16, 12) | {254: (corpus.LONG, [1])}
    page = corpus.tags(160, 120)
    data = corpus.raw_tiff([(page, bytes(19200)), (preview, bytes(192)), (page, bytes(19200))])
    with open_image(written(tmp_path, data), LIMITS) as reader:
        keys = [(plane.page, plane.series, plane.z, plane.channel, plane.time) for plane in reader.planes]
    assert keys == [(1, 0, 0, 0, 0), (3, 1, 0, 0, 0)]


def test_the_pixel_size_is_a_fact_of_the_header(tmp_path: Path) -> None:
    data = corpus.tiff(noise(), imagej=True, resolution=(2.0, 2.0), metadata={"unit": "um"})
    with open_image(written(tmp_path, data), LIMITS) as reader:
        (plane,) = reader.planes
        facts = reader.read(plane).facts
    assert plane.pixel_size == (0.5, "ImageJ metadata")
    assert (facts.um_per_px, facts.um_per_px_from) == plane.pixel_size


def test_reading_a_page_reads_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = noise((20, 256, 256), "uint16")
    path = written(tmp_path, corpus.tiff(pages, photometric="minisblack"))
    n_bytes = []
    real = tiff_tags._File.read

    def read(self: tiff_tags._File, position: int, size: int) -> bytes:
        n_bytes.append(size)
        return real(self, position, size)

    monkeypatch.setattr(tiff_tags._File, "read", read)
    with open_image(path, LIMITS) as reader:
        for place in (17, 0):
            before = sum(n_bytes)
            np.testing.assert_array_equal(reader.read(reader.planes[place]).pixels, pages[place])
            assert pages[0].nbytes <= sum(n_bytes) - before < pages[0].nbytes + 2000
    assert sum(n_bytes) < path.stat().st_size / 5


def test_strips_that_lie_over_one_another_are_not_read_twice(tmp_path: Path) -> None:
    """A hundred strips, each of which is most of the file: read one by one they would be a hundred files."""
    page = corpus.tags(8, 100, compression=8) | {278: (corpus.LONG, [1])}
    page |= {273: (corpus.LONG, [8] * 100), 279: (corpus.LONG, [50_000] * 100)}
    path = written(tmp_path, corpus.raw_tiff([(page, bytes(50_000))]))
    with open_image(path, LIMITS) as reader, pytest.raises(ImageUnreadable, match="more pieces"):
        reader.read(reader.planes[0])


def test_a_file_that_cannot_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file") as caught:
        open_image(tmp_path / "nothing", LIMITS)
    assert caught.value.may_pass


def test_a_closed_reader_has_let_go_of_its_file(tmp_path: Path) -> None:
    for data in (corpus.tiff(noise()), corpus.png(noise())):
        reader = open_image(written(tmp_path, data), LIMITS)
        reader.close()
        reader.close()
        with pytest.raises(ImageUnreadable):
            reader.read(reader.planes[0])


@pytest.mark.parametrize(
    "pages",
    [
        noise((3, 37, 53)),
        noise((3, 37, 53), "uint16"),
        noise((3, 37, 53), "float32"),
        noise((3, 37, 53), "int16"),
        noise((3, 37, 53, 3)),
    ],
    ids=["uint8", "uint16", "float32", "int16", "rgb"],
)
def test_the_file_of_a_page_holds_that_page_alone(tmp_path: Path, pages: Array) -> None:
    options = {"photometric": "rgb" if pages.ndim == 4 else "minisblack", "rowsperstrip": 5}
    whole = written(tmp_path, corpus.tiff(pages, compression="zlib", description="A" * 9999, **options))
    with open_image(whole, LIMITS) as reader:
        data = reader.file_of(reader.plane(2))
        page = reader.read(reader.plane(2)).pixels
    assert len(data) < whole.stat().st_size / 2
    np.testing.assert_array_equal(page, pages[1])
    np.testing.assert_array_equal(corpus.decode(data, 1, LIMITS).pixels, pages[1])


def test_the_file_of_a_single_picture_is_itself(tmp_path: Path) -> None:
    for data in (corpus.png(noise()), corpus.jpeg(noise()), corpus.bmp(noise())):
        with open_image(written(tmp_path, data), LIMITS) as reader:
            assert reader.file_of(reader.planes[0]) == data

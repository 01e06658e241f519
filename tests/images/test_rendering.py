"""What eyes get: 8-bit views, PNG and thumbnails."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.images.rendering import encode_png, thumbnail, to_display
from core.models import Limits, Raster
from tests import corpus
from tests.corpus import Array, decode, noise


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def raster(array: Array) -> Raster:
    colour = {"photometric": "rgb" if array.ndim == 3 else "minisblack"}
    return decode(corpus.tiff(array, **colour), 1, Limits())


def test_raw_is_linear_over_the_depth() -> None:
    ramp = np.array([[0, 1, 2047, 2048, 4094, 4095]], np.uint16)
    assert to_display(ramp, stretch=False, bit_depth=12).tolist() == [[0, 0, 127, 128, 255, 255]]
    assert to_display(ramp, stretch=False, bit_depth=16)[0, -1] == 16


def test_raw_bytes_stay_as_they_are() -> None:
    for array in (noise(), noise((37, 53, 3))):
        np.testing.assert_array_equal(to_display(array, stretch=False, bit_depth=8), array)


def test_raw_floats_run_from_least_to_greatest() -> None:
    values = np.array([[-2.0, -1.0, 0.0]], np.float32)
    assert to_display(values, stretch=False, bit_depth=32).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_stretch_uses_the_whole_range_but_for_outliers(dtype: str) -> None:
    array = np.full((200, 200), 60, dtype)
    array[:, 100:] = 100
    array[0, 0], array[0, 199] = 0, 255
    view = to_display(array, stretch=True, bit_depth=8)
    assert (view[100, 50], view[100, 150]) == (0, 255)
    assert view.dtype == np.uint8


def test_stretch_keeps_hues() -> None:
    array = noise((50, 50, 3), "uint16") // 4
    view = to_display(array, stretch=True, bit_depth=14)
    assert view.shape == (50, 50, 3)
    order = np.argsort(array.astype(int), axis=-1)
    assert (np.diff(np.take_along_axis(view.astype(int), order, -1), axis=-1) >= 0).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("stretch", [True, False])
def test_a_flat_image_has_a_view(dtype: str, stretch: bool) -> None:
    view = to_display(np.full((5, 6), 7, dtype), stretch, 8)
    assert (view.shape, len(np.unique(view))) == ((5, 6), 1)


def test_extreme_floats_have_a_view() -> None:
    values = np.array([[np.finfo("f4").min, 0, np.finfo("f4").max]], np.float32)
    assert to_display(values, stretch=False, bit_depth=32).tolist() == [[0, 128, 255]]


def test_alpha_is_left_out() -> None:
    assert to_display(noise((9, 9, 4)), stretch=False, bit_depth=8).shape == (9, 9, 3)
    assert to_display(noise((9, 9, 4), "uint16"), stretch=True, bit_depth=16).shape == (9, 9, 3)


@pytest.mark.parametrize("shape", [(37, 53), (37, 53, 3), (1, 1), (1, 70)])
def test_png_is_lossless(shape: tuple[int, ...]) -> None:
    array = noise(shape)
    np.testing.assert_array_equal(np.asarray(opened(encode_png(array))), array)


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((320, 640), (160, 80)),
        ((640, 320), (80, 160)),
        ((100, 150), (150, 100)),
        ((2000, 1), (1, 160)),
        ((3, 40_000), (160, 1)),
        ((300, 300, 3), (160, 160)),
        ((300, 300, 4), (160, 160)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_thumbnail_keeps_the_proportions(shape: tuple[int, ...], size: tuple[int, int], dtype: str) -> None:
    image = opened(thumbnail(raster(noise(shape, dtype))))
    assert (image.format, image.size) == ("WEBP", size)


def test_thumbnail_shows_a_dim_spheroid() -> None:
    dim = corpus.spheroid((400, 400), inside=600)
    grey = np.asarray(opened(thumbnail(raster(dim))).convert("L"))
    assert grey[80, 80] < 40
    assert grey[5, 80] > 120


def test_thumbnail_has_the_size_asked_for() -> None:
    assert opened(thumbnail(raster(noise((500, 500))), size_px=64)).size == (64, 64)

"""Every file is decoded bit for bit, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.errors import ImageTooLarge, ImageUnreadable, PixelsUnsupported
from core.images import formats
from core.models import Limits
from tests import corpus
from tests.corpus import Array, decode, inspect, noise

LIMITS = Limits()

U8, U16, F32 = noise(), noise(dtype="uint16"), noise(dtype="float32")
RGB8, RGB16, RGB32 = (noise((37, 53, 3), kind) for kind in ("uint8", "uint16", "float32"))
RGBA8, RGBA16, RGBA32 = (noise((37, 53, 4), kind) for kind in ("uint8", "uint16", "float32"))
LA8, LA16 = (noise((37, 53, 2), kind) for kind in ("uint8", "uint16"))
BITS = {bits: (U8 >> (8 - bits)).astype(np.uint8) for bits in (1, 2, 4)}
PALETTE = noise((256, 3), seed=1)
COLOUR = {"photometric": "rgb"}
ALPHA = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
DEFLATE = {"compression": "zlib", "predictor": True}
TILES = {"tile": (16, 16)}


def planes(array: Array) -> Array:
    """Return (C, Y, X) of (Y, X, C)."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 0))


def spread(array: Array) -> Array:
    """Return RGBA of grey with alpha."""
    return array[..., [0, 0, 0, 1]]


def jpeg_in_tiff(array: Array) -> bytes:
    return corpus.pillow(array, "TIFF", compression="jpeg", quality=95)


EXACT: dict[str, tuple[Callable[[], bytes], Array]] = {
    "png 1 bit": (lambda: corpus.low_bit_png(BITS[1], 1), BITS[1] * 255),
    "png 2 bits": (lambda: corpus.low_bit_png(BITS[2], 2), BITS[2] * 85),
    "png 4 bits": (lambda: corpus.low_bit_png(BITS[4], 4), BITS[4] * 17),
    "png grey 8": (lambda: corpus.png(U8), U8),
    "png grey 16": (lambda: corpus.png(U16), U16),
    "png rgb 8": (lambda: corpus.png(RGB8), RGB8),
    "png rgb 16": (lambda: corpus.png(RGB16), RGB16),
    "png rgba 8": (lambda: corpus.png(RGBA8), RGBA8),
    "png rgba 16": (lambda: corpus.png(RGBA16), RGBA16),
    "png grey alpha 8": (lambda: corpus.png(LA8), spread(LA8)),
    "png grey alpha 16": (lambda: corpus.png(LA16), spread(LA16)),
    "png interlaced grey 8": (lambda: corpus.png(U8, interlaced=True), U8),
    "png interlaced rgb 16": (lambda: corpus.png(RGB16, interlaced=True), RGB16),
    "png rgb 16 with gamma": (lambda: corpus.png(RGB16, [(b"gAMA", b"\0\0\xb1\x8f")]), RGB16),
    "png rgb 16 with a transparent colour": (lambda: corpus.png(RGB16, [(b"tRNS", bytes(6))]), RGB16),
    "png grey 8 with a transparent colour": (lambda: corpus.png(U8, [(b"tRNS", bytes(2))]), U8),
    "png palette": (lambda: corpus.palette_png(U8, PALETTE), PALETTE[U8]),
    "png palette with transparency": (lambda: corpus.palette_png(U8, PALETTE, bytes(256)), PALETTE[U8]),
    "png and a web page": (corpus.png_with_html, noise()),
    "png 1 x 1": (lambda: corpus.png(U8[:1, :1]), U8[:1, :1]),
    "png 1 x N": (lambda: corpus.png(U16[:1]), U16[:1]),
    "png N x 1": (lambda: corpus.png(U16[:, :1]), U16[:, :1]),
    "bmp 1 bit": (lambda: corpus.pillow(U8 > 127, "BMP"), np.where(U8 > 127, 255, 0).astype(np.uint8)),
    "bmp grey": (lambda: corpus.bmp(U8), U8),
    "bmp rgb": (lambda: corpus.bmp(RGB8), RGB8),
    "bmp 32 bits": (lambda: corpus.bmp(RGBA8), RGBA8[..., :3]),  # the fourth byte means nothing in a BMP
    "tiff 1 bit": (lambda: corpus.low_bit_tiff(BITS[1], 1), BITS[1] * 255),
    "tiff 2 bits": (lambda: corpus.low_bit_tiff(BITS[2], 2), BITS[2] * 85),
    "tiff 4 bits": (lambda: corpus.low_bit_tiff(BITS[4], 4), BITS[4] * 17),
    "tiff palette": (lambda: corpus.palette_tiff(U8, PALETTE), PALETTE[U8]),
    "tiff palette as ImageJ writes it": (lambda: corpus.palette_tiff(U8, PALETTE, 256), PALETTE[U8]),
    "tiff grey alpha 8": (lambda: corpus.tiff(LA8, extrasamples=["unassalpha"]), spread(LA8)),
    "tiff rgba 8": (lambda: corpus.tiff(RGBA8, **ALPHA), RGBA8),
    "tiff rgba 8 in planes": (lambda: corpus.tiff(planes(RGBA8), **ALPHA, planarconfig="separate"), RGBA8),
    "tiff rgb 8 in planes": (lambda: corpus.tiff(planes(RGB8), **COLOUR, planarconfig="separate"), RGB8),
    "tiff rgba 16": (lambda: corpus.tiff(RGBA16, **ALPHA), RGBA16),
    "tiff rgba 32": (lambda: corpus.tiff(RGBA32, **ALPHA), RGBA32),
    "tiff float predictor": (lambda: corpus.float_predictor_tiff(F32), F32),
    "tiff float predictor big endian": (lambda: corpus.float_predictor_tiff(F32, ">"), F32),
    "tiff packbits 16": (lambda: corpus.pillow(U16, "TIFF", compression="packbits"), U16),
    "tiff lzw 8": (lambda: corpus.lzw_tiff(U8), U8),
    "tiff lzw 16": (lambda: corpus.lzw_tiff(U16), U16),
    "tiff lzw rgb 16": (lambda: corpus.lzw_tiff(RGB16), RGB16),
    "tiff 1 x N": (lambda: corpus.tiff(U16[:1]), U16[:1]),
    "tiff N x 1": (lambda: corpus.tiff(U8[:, :1]), U8[:, :1]),
    "tiff with two descriptions": (lambda: corpus.tiff(U16, description="a note"), U16),
    "tiff planar tag on grey": (lambda: corpus.raw_tiff([(corpus.tags(53, 37, planar=2), U8.tobytes())]), U8),
}

VARIANTS = {
    "plain": {},
    "deflate": DEFLATE,
    "tiles": TILES,
    "deflated tiles": DEFLATE | TILES,
    "big endian": {"byteorder": ">"},
    "big endian deflate": {"byteorder": ">"} | DEFLATE,
    "bigtiff": {"bigtiff": True},
    "short strips": {"rowsperstrip": 3},
}


@pytest.mark.parametrize("name", EXACT)
def test_pixels_are_exact(name: str) -> None:
    build, expected = EXACT[name]
    assert_exact(build(), expected)


@pytest.mark.slow
@pytest.mark.parametrize("array", [RGB16, RGB32, RGBA16], ids=["rgb 16", "rgb 32", "rgba 16"])
@pytest.mark.parametrize("variant", [{}, {"byteorder": ">"}, DEFLATE, TILES], ids=str)
def test_deep_channels_in_planes_are_exact(array: Array, variant: dict[str, object]) -> None:
    if array.dtype == np.float32 and "predictor" in variant:
        variant = {"compression": "zlib"}
    options = ALPHA if array.shape[2] == 4 else COLOUR
    assert_exact(corpus.tiff(planes(array), **options, **variant, planarconfig="separate"), array)


NUMBERS = ("int8", "int16", "int32", "uint32", "int64", "uint64", "float16", "float64")


@pytest.mark.slow
@pytest.mark.parametrize("variant", [{}, DEFLATE | TILES, {"byteorder": ">"}], ids=str)
@pytest.mark.parametrize("dtype", NUMBERS)
def test_other_numbers_are_read_where_float32_holds_every_value(
    dtype: str, variant: dict[str, object]
) -> None:
    array = (noise().astype(np.int16) - (0 if dtype.startswith("u") else 128)).clip(-128, 127).astype(dtype)
    if array.dtype.kind == "f" or array.itemsize == 8:
        variant = {name: value for name, value in variant.items() if name != "predictor"}
    assert_exact(corpus.tiff(array, **variant), array.astype(np.float32))


@pytest.mark.parametrize("value", [2**24 + 1, -(2**24) - 1])
def test_a_whole_number_that_would_be_rounded_refuses_the_page(value: int) -> None:
    array = np.zeros((37, 53), np.int32)
    array[36, 52] = value - np.sign(value)
    assert_exact(corpus.tiff(array), array.astype(np.float32))
    array[36, 52] = value
    with pytest.raises(PixelsUnsupported, match="rounding"):
        decode(corpus.tiff(array), 1, LIMITS)


def test_a_float_that_would_be_rounded_refuses_the_page() -> None:
    for value in (0.1, 1e300, 5e-324):
        array = np.zeros((37, 53))
        array[36, 52] = value
        with pytest.raises(PixelsUnsupported, match="rounding"):
            decode(corpus.tiff(array), 1, LIMITS)


def test_a_float64_without_a_value_is_refused_as_float32_is() -> None:
    array = np.zeros((37, 53))
    array[3, 5] = np.nan
    with pytest.raises(PixelsUnsupported, match="NaN"):
        decode(corpus.tiff(array), 1, LIMITS)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["U8", "U16", "F32", "RGB8", "RGB16", "RGB32"])
def test_tiff_layouts_are_exact(name: str, variant: str) -> None:
    array = globals()[name]
    options = VARIANTS[variant] | (COLOUR if array.ndim == 3 else {})
    if array.dtype == np.float32 and "predictor" in options:
        options = options | {"predictor": None}  # written by corpus.float_predictor_tiff
    assert_exact(corpus.tiff(array, **options), array)


@pytest.mark.parametrize("array", [U8, U16, F32], ids=["8", "16", "float"])
def test_big_endian_bigtiff_is_exact(array: Array) -> None:
    assert_exact(corpus.tiff(array, byteorder=">", bigtiff=True), array)


def assert_exact(data: bytes, expected: Array) -> None:
    raster = decode(data, 1, LIMITS)
    assert raster.pixels.dtype == expected.dtype
    np.testing.assert_array_equal(raster.pixels, expected)
    assert (raster.facts,) == inspect(data, LIMITS)
    assert (raster.facts.height, raster.facts.width) == expected.shape[:2]
    assert raster.facts.channels == (1 if expected.ndim == 2 else expected.shape[2])
    assert raster.facts.dtype == expected.dtype.name
    assert not raster.pixels.flags.writeable
    assert raster.pixels.flags.c_contiguous


@pytest.mark.parametrize("array", [U8, RGB8], ids=["grey", "rgb"])
@pytest.mark.parametrize("build", [corpus.jpeg, jpeg_in_tiff], ids=["jpeg", "jpeg in tiff"])
def test_jpeg_keeps_what_its_compression_kept(build: Callable[[Array], bytes], array: Array) -> None:
    smooth = np.ascontiguousarray(np.sort(np.sort(array, 0), 1))
    pixels = decode(build(smooth), 1, LIMITS).pixels
    assert pixels.shape == smooth.shape
    assert np.abs(pixels.astype(int) - smooth).mean() < 6


REFUSED: dict[str, Callable[[], bytes]] = {
    "uint32": lambda: corpus.tiff(noise(dtype="uint32")),
    "int32": lambda: corpus.tiff(noise(dtype="int32")),
    "uint64": lambda: corpus.tiff(noise(dtype="uint64")),
    "float64": lambda: corpus.tiff(noise(dtype="float64")),
    "complex": lambda: corpus.tiff(noise(dtype="float32").astype("complex64")),
    "NaN": corpus.nan_tiff,
    "infinity": corpus.infinite_tiff,
    "white is zero": corpus.negative_tiff,
    "white is zero, 16 bits": lambda: corpus.tiff(U16, photometric="miniswhite"),
    "bmp of 5 bits a colour": corpus.colours_of_5_bits_bmp,
    "cmyk tiff": lambda: corpus.pillow(RGBA8, "TIFF", "CMYK"),
    "cmyk jpeg": lambda: corpus.pillow(RGB8, "JPEG", "CMYK"),
    "cielab": lambda: corpus.pillow(RGB8, "TIFF", "LAB"),
    "ycbcr": lambda: corpus.pillow(RGB8, "TIFF", "YCbCr"),
    "int16 compressed with LZW": lambda: corpus.raw_tiff(
        [(corpus.tags(8, 8, 16, sample_format=2, compression=5), bytes(128))]
    ),
    "float64 with the predictor of floats": lambda: corpus.raw_tiff(
        [(corpus.tags(8, 8, 64, sample_format=3, compression=8) | {317: (corpus.SHORT, [3])}, bytes(512))]
    ),
    "multiplied alpha": lambda: corpus.tiff(RGBA8, photometric="rgb", extrasamples=["assocalpha"]),
    "a fourth channel that is not alpha": lambda: corpus.tiff(
        RGBA8, photometric="rgb", extrasamples=["unspecified"]
    ),
    "three grey channels": lambda: corpus.tiff(
        planes(RGB8), photometric="minisblack", planarconfig="separate"
    ),
    "a finer colour table": lambda: corpus.palette_tiff(U8, PALETTE, 200),
    "zstd": lambda: corpus.pillow(U8, "TIFF", compression="zstd"),
    "a metamorph stack": corpus.metamorph_stack,
    "an imagej stack in one directory": lambda: corpus.tiff(
        U8, description="ImageJ=1.54f\nimages=5\nslices=5\n", metadata=None
    ),
    "only a preview": corpus.preview_only_tiff,
    "an animation": corpus.animated_png,
}


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_pixels_that_could_only_be_read_by_changing_them_are_refused(name: str) -> None:
    data = REFUSED[name]()
    with pytest.raises(PixelsUnsupported) as inspected:
        inspect(data, LIMITS)
    with pytest.raises(PixelsUnsupported) as decoded:
        decode(data, 1, LIMITS)
    assert inspected.value.message == decoded.value.message
    assert inspected.value.message.endswith(".")


def test_sniff_goes_by_content() -> None:
    kinds = {
        formats.PNG: corpus.png(U8),
        formats.JPEG: corpus.jpeg(U8),
        formats.BMP: corpus.bmp(U8),
        formats.TIFF: corpus.tiff(U8),
    }
    assert [formats.sniff(data[: formats.HEAD_BYTES], len(data)) for data in kinds.values()] == list(kinds)


def test_pages_are_counted_from_one() -> None:
    data = corpus.stack(5)
    assert [facts.page for facts in inspect(data, LIMITS)] == [1, 2, 3, 4, 5]
    assert [decode(data, page, LIMITS).pixels.max() for page in (1, 2, 5)] == [0, 1, 4]


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"byteorder": ">"}], ids=str)
def test_pages_of_every_kind_of_tiff(options: dict[str, object]) -> None:
    array = noise((4, 9, 11), "uint16")
    data = corpus.tiff(array, photometric="minisblack", **options)
    for page in range(4):
        np.testing.assert_array_equal(decode(data, page + 1, LIMITS).pixels, array[page])


def test_a_page_that_is_not_there() -> None:
    for data in (corpus.stack(2), corpus.png(U8), corpus.jpeg(U8), corpus.bmp(U8)):
        with pytest.raises(ImageUnreadable, match="no page 3"):
            decode(data, 3, LIMITS)


def test_previews_are_passed_over() -> None:
    marked = corpus.tags(16, 12) | {254: (corpus.LONG, [1])}
    unmarked = corpus.tags(16, 12)  # as Keyence appends one
    other = corpus.tags(60, 50)  # another picture, not a smaller one of page 1
    picture = corpus.tags(160, 120)
    data = corpus.raw_tiff(
        [(picture, bytes(19200)), (marked, bytes(192)), (unmarked, bytes(192)), (other, bytes(3000))]
    )
    assert [facts.page for facts in inspect(data, LIMITS)] == [1, 4]


def test_limits_hold_at_the_number_and_not_before() -> None:
    data = corpus.stack(3)
    exact = Limits(max_bytes=len(data), max_pixels=64, max_pages=3)
    assert len(inspect(data, exact)) == 3
    for limits, number in (
        (Limits(max_bytes=len(data) - 1), "MiB"),
        (Limits(max_pixels=63), "63"),
        (Limits(max_pages=2), "2 pages"),
    ):
        with pytest.raises(ImageTooLarge, match=number):
            inspect(data, limits)


@pytest.mark.parametrize("build", [corpus.png, corpus.jpeg, corpus.bmp, corpus.tiff])
def test_pixels_are_limited_in_every_format(build: Callable[[Array], bytes]) -> None:
    assert inspect(build(U8), Limits(max_pixels=37 * 53))
    with pytest.raises(ImageTooLarge, match="53 × 37"):
        inspect(build(U8), Limits(max_pixels=37 * 53 - 1))


def test_limits_above_pillows_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)
    for data in (corpus.png(U8), corpus.jpeg(U8), corpus.bmp(U8), corpus.tiff(U8), corpus.tiff(U16)):
        assert inspect(data, LIMITS)


@pytest.mark.parametrize(
    ("brightest", "bits"), [(0, 8), (255, 8), (256, 10), (1024, 12), (4095, 12), (4096, 14), (65535, 16)]
)
def test_bit_depth_is_that_of_the_camera(brightest: int, bits: int) -> None:
    array = np.full((4, 4), brightest, np.uint16)
    assert inspect(corpus.tiff(array), LIMITS)[0].bit_depth == bits


def test_bit_depth_of_bytes_and_floats() -> None:
    assert inspect(corpus.png(U8 // 16), LIMITS)[0].bit_depth == 8
    assert inspect(corpus.tiff(F32), LIMITS)[0].bit_depth == 32


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotation_tags_are_ignored(orientation: int) -> None:
    tag = (274, corpus.SHORT, 1, orientation, False)
    for array in (U8, U16):
        for page in (1, 2):
            data = corpus.tiff(np.stack([array, array]), photometric="minisblack", extratags=[tag])
            np.testing.assert_array_equal(decode(data, page, LIMITS).pixels, array)
    rotated = corpus.jpeg(RGB8, exif=corpus.exif(orientation=orientation))
    np.testing.assert_array_equal(
        decode(rotated, 1, LIMITS).pixels, decode(corpus.jpeg(RGB8), 1, LIMITS).pixels
    )

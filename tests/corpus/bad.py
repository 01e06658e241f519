"""Builders of files that must be refused, each named for what is wrong with it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.corpus.arrays import noise
from tests.corpus.plain import bmp, chunk, jpeg, pillow, png
from tests.corpus.tiffs import ASCII, BYTE, LONG, RATIONAL, raw_tiff, tags, tiff

# Pixels that cannot be taken


def nan_tiff() -> bytes:
    array = noise(dtype="float32")
    array[3, 5] = np.nan
    return tiff(array)


def infinite_tiff() -> bytes:
    array = noise(dtype="float32")
    array[3, 5] = -np.inf
    return tiff(array)


def negative_tiff() -> bytes:
    """White is zero."""
    return tiff(noise(), photometric="miniswhite")


def metamorph_stack(n_planes: int = 3) -> bytes:
    """A MetaMorph .stk: one directory, the other planes behind it."""
    page = tags(8, 8) | {33629: (RATIONAL, [1] * 6 * n_planes)}
    return raw_tiff([(page | {279: (LONG, [64])}, bytes(64 * n_planes))])


def preview_only_tiff() -> bytes:
    """As camera raw files: the first directory is a thumbnail, the picture in a private one."""
    return raw_tiff([(tags(16, 12) | {254: (LONG, [1])}, bytes(192))])


def colours_of_5_bits_bmp() -> bytes:
    """16 bits a pixel, shared by three colours."""
    data = bytearray(bmp(noise((8, 8, 3))))
    struct.pack_into("<H", data, 28, 16)
    return bytes(data)


# Damaged


def truncated_png() -> bytes:
    return _cut(png(noise()))


def truncated_jpeg() -> bytes:
    return _cut(jpeg(noise()))


def truncated_bmp() -> bytes:
    return _cut(bmp(noise()))


def truncated_tiff() -> bytes:
    return _cut(raw_tiff([(tags(53, 37), noise().tobytes())]))


def flipped_png() -> bytes:
    """One bit of the pixels' chunk is wrong: only its checksum shows it."""
    data = bytearray(png(noise()))
    data[data.index(b"IDAT") + 40] ^= 1
    return bytes(data)


def missing_strips_tiff() -> bytes:
    """Four strips are due and two are listed; Pillow would leave the lower half black."""
    page = tags(8, 8) | {278: (LONG, [2]), 273: (LONG, [8, 24]), 279: (LONG, [16, 16])}
    return raw_tiff([(page, bytes(64))])


def twice_tagged_tiff() -> bytes:
    """The width is there twice, and readers differ in which one they believe."""
    data = bytearray(raw_tiff([(tags(8, 8) | {260: (LONG, [4])}, bytes(64))]))
    position = data.rindex(struct.pack("<HHI", 260, LONG, 1))
    struct.pack_into("<H", data, position, 256)
    return bytes(data)


def circular_tiff() -> bytes:
    """The second page says that the first one follows."""
    return raw_tiff([(tags(8, 8), bytes(64))] * 2, following={1: 0})


def many_directories_tiff(n_pages: int = 20_000) -> bytes:
    """A real file of 20,000 pages would be larger: these share their one pixel."""
    first, size = 16, 2 + 12 * 8 + 4
    fields = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1)]
    entries = b"".join(struct.pack("<HHII", tag, LONG, 1, value) for tag, value in fields)
    directory = struct.pack("<H", len(fields)) + entries
    offsets = [first + index * size for index in range(1, n_pages)] + [0]
    return (
        b"II*\0"
        + struct.pack("<I", first)
        + bytes(8)
        + b"".join(directory + struct.pack("<I", following) for following in offsets)
    )


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


# Bombs: small files that claim, or become, a great deal


def deflated_zeros(megabytes: int) -> bytes:
    """Return the zlib stream of that many MiB of zeros: one block, repeated, and their Adler-32."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    adler = (megabytes * 2**20 % 65521) << 16 | 1
    return b"\x78\xda" + block * megabytes + b"\x03\0" + struct.pack(">I", adler)


def pixel_bomb_png(width: int = 15_000, height: int = 12_000) -> bytes:
    """180 MP of 1 bit in 22 KB."""
    rows = zlib.compressobj(9)
    packed = b"".join(rows.compress(bytes(1 + -(-width // 8))) for _ in range(height)) + rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def text_bomb_png(kind: bytes = b"zTXt", megabytes: int = 200) -> bytes:
    """A comment (zTXt) or colour profile (iCCP) of 200 MB in 194 KB."""
    return png(noise(), [(kind, b"x\0\0" + deflated_zeros(megabytes))])


def pixel_bomb_jpeg() -> bytes:
    """65,500 x 65,500 pixels by its header."""
    data = bytearray(jpeg(noise()))
    start = data.index(b"\xff\xc0") + 5
    struct.pack_into(">HH", data, start, 65_500, 65_500)
    return bytes(data)


def scan_bomb_jpeg(n_scans: int = 10_000) -> bytes:
    """A progressive JPEG that repeats its last scan; each one costs a pass over the whole picture."""
    data = jpeg(noise((64, 64)), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * n_scans + data[-2:]


def segment_bomb_jpeg(n_segments: int = 1_000_000) -> bytes:
    """A million empty comments before the picture."""
    data = jpeg(noise())
    return data[:2] + b"\xff\xfe\0\2" * n_segments + data[2:]


def pixel_bomb_bmp() -> bytes:
    data = bytearray(bmp(noise()))
    struct.pack_into("<ii", data, 18, 60_000, 60_000)
    return bytes(data)


def pixel_bomb_tiff(order: str = "<") -> bytes:
    return raw_tiff([(tags(60_000, 60_000), bytes(64))], order)


def strip_bomb_tiff(megabytes: int = 300) -> bytes:
    """8 x 8 pixels whose strip inflates to 300 MB."""
    return raw_tiff([(tags(8, 8, compression=8), deflated_zeros(megabytes))])


def signed_strip_bomb_tiff(megabytes: int = 300) -> bytes:
    """As ``strip_bomb_tiff``, of numbers that only tifffile reads."""
    return raw_tiff([(tags(8, 8, 16, compression=8, sample_format=2), deflated_zeros(megabytes))])


def tile_bomb_tiff() -> bytes:
    """8 x 8 pixels in a tile of 60,000 x 60,000."""
    page = tags(8, 8, compression=8)
    del page[278]
    page |= {322: (LONG, [60_000]), 323: (LONG, [60_000]), 324: (LONG, [8]), 325: (LONG, [64])}
    data = raw_tiff([(page, bytes(64))])
    return data.replace(struct.pack("<HHI", 273, LONG, 1), struct.pack("<HHI", 65_000, LONG, 1))


def tag_bomb_tiff(n_tags: int = 2000, size: int = 1_000_000) -> bytes:
    """2,000 tags, each of which is the whole file."""
    page = tags(8, 8)
    data = bytearray(raw_tiff([(page | {40_000 + i: (LONG, [i]) for i in range(n_tags)}, bytes(size))]))
    start = data.index(struct.pack("<HHI", 40_000, LONG, 1))
    for index in range(n_tags):
        struct.pack_into("<HHII", data, start + 12 * index, 40_000 + index, BYTE, size, 8)
    return bytes(data)


def shared_stack_tiff(n_pages: int = 150, side: int = 9000) -> bytes:
    """150 pages of 81 MP that all point at the same deflated pixels."""
    packed = deflated_zeros(-(-side * side // 2**20))
    page = tags(side, side, compression=8) | {273: (LONG, [8]), 279: (LONG, [len(packed)])}
    return raw_tiff([(page, packed)] + [(page, b"")] * (n_pages - 1))


def idat_bomb_png(megabytes: int = 300) -> bytes:
    """53 x 37 pixels whose rows go on for 300 MB behind the last one."""
    whole = png(noise())
    header = whole[: whole.index(b"IDAT") - 4]
    return header + chunk(b"IDAT", deflated_zeros(megabytes)) + chunk(b"IEND", b"")


def run_bomb_tiff(megabytes: int = 300) -> bytes:
    """8 x 8 pixels whose strip is PackBits for 300 MB: 128 zeros in 2 bytes, again and again."""
    return raw_tiff([(tags(8, 8, compression=32_773), b"\x81\0" * (megabytes * 2**20 // 128))])


def jpeg_bomb_tiff() -> bytes:
    """8 x 8 pixels whose strip is a JPEG of 65,500 x 65,500."""
    return raw_tiff([(tags(8, 8, compression=7), pixel_bomb_jpeg())])


def entity_bomb_tiff() -> bytes:
    """OME-XML of a kilobyte whose entities, each of ten others, would become a gigabyte."""
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    text = f'<!DOCTYPE OME [<!ENTITY a0 "x">{entities}]><OME><Pixels PhysicalSizeX="&a9;"/></OME>'
    return raw_tiff([(tags(8, 8) | {270: (ASCII, text.encode() + b"\0")}, bytes(64))])


def element_bomb_tiff() -> bytes:
    """OME-XML of a mebibyte that is nothing but elements."""
    text = b"<OME>" + b"<a/>" * (2**18 - 10) + b"</OME>\0"
    return raw_tiff([(tags(8, 8) | {270: (ASCII, text)}, bytes(64))])


# Disguises


def html() -> bytes:
    return b"<!DOCTYPE html><script>alert(1)</script>"


def svg() -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def eps() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(%pipe%id) (w) file\n"


def pdf() -> bytes:
    return b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n"


def gif() -> bytes:
    return pillow(noise(), "GIF")


def webp() -> bytes:
    return pillow(noise(), "WEBP")


def jpeg_2000() -> bytes:
    return pillow(noise(), "JPEG2000")


def zip_archive() -> bytes:
    return b"PK\x03\x04" + bytes(60)


def numpy_file() -> bytes:
    out = io.BytesIO()
    np.save(out, noise())
    return out.getvalue()


def bm_text() -> bytes:
    """Text that starts as a BMP does."""
    return b"BMI of the patients, measured on Monday, in kg per square metre"


def png_with_html() -> bytes:
    """A whole PNG followed by a web page: an image, to be served as nothing else."""
    return png(noise()) + html()


def animated_png() -> bytes:
    out = io.BytesIO()
    frames = [Image.fromarray(noise(seed=seed)) for seed in (1, 2)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()

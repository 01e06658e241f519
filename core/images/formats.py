"""The one table of the image formats: how each is recognised, named, served and read.

A format that is added here is offered by the uploader, found by the command line, served with its type, and
read. Signatures decide, never the name of a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import EmptyFile, NotAnImage
from core.images.reader import Reader
from core.images.single_picture import BmpReader, JpegReader, PngReader
from core.images.tiff_reader import TiffReader
from core.models import Limits

HEAD_BYTES = 32  # what of a file has to be seen to recognise it


@dataclass(frozen=True, slots=True)
class Format:
    """One image format.

    ``signature`` matches the first bytes of its files; ``suffixes`` are what their names may end in, the
    usual one first. ``open`` makes a reader of a path within limits; None where the app only writes the
    format. A file shorter than ``min_bytes`` is none of these, for signatures that prove little.
    """

    name: str
    signature: re.Pattern[bytes]
    suffixes: tuple[str, ...]
    content_type: str
    open: Callable[[Path, Limits], Reader] | None
    min_bytes: int = 1


PNG = Format("PNG", re.compile(rb"\x89PNG\r\n\x1a\n"), (".png",), "image/png", PngReader)
JPEG = Format(
    "JPEG", re.compile(rb"\xff\xd8\xff"), (".jpg", ".jpeg", ".jpe", ".jfif"), "image/jpeg", JpegReader
)
BMP = Format("BMP", re.compile(rb"BM"), (".bmp", ".dib"), "image/bmp", BmpReader, min_bytes=27)
TIFF = Format(
    "TIFF",
    re.compile(rb"II[*+]\0|MM\0[*+]"),
    (".tif", ".tiff", ".lsm", ".stk"),
    "image/tiff",
    TiffReader,
)
WEBP = Format("WebP", re.compile(rb"RIFF....WEBP", re.DOTALL), (".webp",), "image/webp", None)

FORMATS = (PNG, JPEG, BMP, TIFF, WEBP)
READ = tuple(form for form in FORMATS if form.open is not None)
SUFFIXES = frozenset(suffix for form in READ for suffix in form.suffixes)
_SUFFIX = re.compile(rf"({'|'.join(map(re.escape, sorted(SUFFIXES)))})(?=$|#\d+$)", re.IGNORECASE)
NAMES = ", ".join(form.name for form in READ[:-1]) + f" or {READ[-1].name}"  # in a sentence
OTHER_TYPE = "application/octet-stream"


def sniff(head: bytes, n_bytes: int) -> Format:
    """Return the format of a file of ``n_bytes`` by its first HEAD_BYTES.

    Raises:
        EmptyFile: it has no bytes.
        NotAnImage: it is in none of the formats that are read.
    """
    if not n_bytes:
        raise EmptyFile("This file is empty (0 bytes). Copy it again from the microscope's computer.")
    for form in READ:
        if form.signature.match(head) and n_bytes >= form.min_bytes:
            return form
    raise NotAnImage(
        f"This file is not a {NAMES} image, whatever its name says. "
        "Export the picture from your microscope's program as TIFF or PNG."
    )


def content_type(head: bytes) -> str:
    """Return the media type of a file by its first bytes; its name is not used."""
    return next((form.content_type for form in FORMATS if form.signature.match(head)), OTHER_TYPE)


def named_as(media_type: str, name: str) -> str:
    """Return ``name`` with a suffix that fits the content: an image called x.html must not open as a page."""
    suffixes = next((form.suffixes for form in FORMATS if form.content_type == media_type), (".bin",))
    return name if name.lower().endswith(suffixes) else name + suffixes[0]


def without_suffix(name: str) -> str:
    """The name of a file or of its page without the format's suffix: “A05.tif#2” becomes “A05#2”."""
    return _SUFFIX.sub("", name) or name

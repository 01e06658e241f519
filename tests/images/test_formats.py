"""The one table of formats: what it says holds for the files, and everything else is derived from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.batch.inputs import find_inputs
from core.errors import NotAnImage
from core.images import formats
from core.images.formats import HEAD_BYTES, Format, content_type, named_as, sniff
from tests import corpus
from tests.corpus import noise

SAMPLES: dict[str, Callable[[], bytes]] = {
    "PNG": lambda: corpus.png(noise()),
    "JPEG": lambda: corpus.jpeg(noise()),
    "BMP": lambda: corpus.bmp(noise()),
    "TIFF": lambda: corpus.tiff(noise()),
    "WebP": corpus.webp,
}


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.name)
def test_a_file_is_known_by_its_first_bytes(form: Format) -> None:
    data = SAMPLES[form.name]()
    assert content_type(data[:HEAD_BYTES]) == form.content_type
    if form in formats.READ:
        assert sniff(data[:HEAD_BYTES], len(data)) is form
    else:
        with pytest.raises(NotAnImage):
            sniff(data[:HEAD_BYTES], len(data))


def test_names_and_suffixes_are_those_of_one_format() -> None:
    suffixes = [suffix for form in formats.FORMATS for suffix in form.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)
    assert len({form.content_type for form in formats.FORMATS}) == len(formats.FORMATS)


def test_every_format_that_is_read_is_named_and_found(tmp_path: Path) -> None:
    for form in formats.READ:
        assert form.name in formats.NAMES
        for suffix in form.suffixes:
            (tmp_path / f"image{suffix}").touch()
    assert len(find_inputs([tmp_path])) == len(formats.SUFFIXES)
    with pytest.raises(NotAnImage, match=formats.NAMES):
        sniff(b"%PDF-1.7", 100)


def test_a_suffix_fits_the_content() -> None:
    assert named_as(content_type(b"II*\0"), "scan.LSM") == "scan.LSM"
    assert named_as(content_type(b"\x89PNG\r\n\x1a\n"), "page.html") == "page.html.png"
    assert named_as(content_type(b"<html>"), "page.html") == "page.html.bin"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("A05_day3.tif", "A05_day3"),
        ("A05.TIFF#2", "A05#2"),
        ("stack.tif.png", "stack.tif"),
        ("no suffix", "no suffix"),
        (".png", ".png"),
    ],
)
def test_a_title_names_a_file_without_its_suffix(name: str, title: str) -> None:
    assert formats.without_suffix(name) == title

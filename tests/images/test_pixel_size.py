"""The pixel size is what the file states, or unknown; never a guess."""

from __future__ import annotations

import numpy as np
import pytest

from core.images.pixel_size import Resolution, read
from core.models import Limits, PageFacts
from tests import corpus
from tests.corpus import inspect, noise

OME = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://x"><Image><Pixels {}/></Image></OME>'
METAMORPH = "<MetaData><PlaneInfo>{}</PlaneInfo></MetaData>"
NOTHING = Resolution()


def calibration(**props: str) -> bytes:
    rows = (
        f'<prop id="spatial-calibration-{name}" type="x" value="{value}"/>' for name, value in props.items()
    )
    return METAMORPH.format("".join(rows)).encode()


def facts(**options: object) -> PageFacts:
    return inspect(corpus.tiff(noise(), **options), Limits())[0]


@pytest.mark.parametrize(
    ("attributes", "um_per_px"),
    [
        ('PhysicalSizeX="1.5" PhysicalSizeY="1.5"', 1.5),
        ('PhysicalSizeX="1.5"', 1.5),
        ('PhysicalSizeX="1500" PhysicalSizeXUnit="nm" PhysicalSizeY="1.5" PhysicalSizeYUnit="µm"', 1.5),
        ('PhysicalSizeX="0.0015" PhysicalSizeXUnit="mm" PhysicalSizeY="1.5"', 1.5),
        ('PhysicalSizeX="1.5e0" PhysicalSizeXUnit="\u03bcm"', 1.5),
        ('PhysicalSizeX="1.5" PhysicalSizeXUnit="pixel"', None),
        ('PhysicalSizeX="1.5" PhysicalSizeY="1.6"', None),
        ('PhysicalSizeX="1.5" PhysicalSizeY="1.501"', 1.5),
        ('PhysicalSizeX="0"', None),
        ('PhysicalSizeX="-1.5"', None),
        ('PhysicalSizeX="nan"', None),
        ('PhysicalSizeX="1e400"', None),
        ('PhysicalSizeX="1,5"', None),
        ('PhysicalSizeX="500"', None),
        ('PhysicalSizeX="0.001"', None),
        ('SizeX="5"', None),
    ],
)
def test_ome(attributes: str, um_per_px: float | None) -> None:
    size = read(OME.format(attributes).encode(), NOTHING)
    assert (size and size.um_per_px) == (um_per_px and pytest.approx(um_per_px))
    assert size is None or size.source == "OME metadata"


def test_ome_with_a_prefix_and_with_several_images() -> None:
    image = '<ome:Image><ome:Pixels PhysicalSizeX="{}"/></ome:Image>'
    same = f'<ome:OME xmlns:ome="x">{image.format(2)}{image.format(2)}</ome:OME>'
    other = f'<ome:OME xmlns:ome="x">{image.format(2)}{image.format(3)}</ome:OME>'
    assert read(same.encode(), NOTHING) == (2.0, "OME metadata")
    assert read(other.encode(), NOTHING) is None


def test_ome_that_gives_no_size_leaves_it_to_the_tag() -> None:
    size = read(OME.format('SizeX="5"').encode(), Resolution(10_000, 10_000, 3))
    assert size == (1.0, "TIFF resolution tag")


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE x [<!ENTITY a "1.5">]><OME><Pixels PhysicalSizeX="&a;"/></OME>',
        '<!DOCTYPE OME SYSTEM "file:///etc/passwd"><OME><Pixels PhysicalSizeX="1.5"/></OME>',
        '<OME><Pixels PhysicalSizeX="1.5"></OME>',
        '<OME><Pixels PhysicalSizeX="1.5"/>',
        '<OME><Pixels PhysicalSizeX="1.5"/></OME>' + " " * 2**20 + "<!-- long -->",
        "<OME" + "<a>" * 100_000,
        "<OME>" + "<a/>" * 20_000 + '<Pixels PhysicalSizeX="1.5"/></OME>',
    ],
    ids=["entity", "external", "unclosed", "cut", "too long", "deep", "many"],
)
def test_xml_that_is_not_trusted(xml: str) -> None:
    assert read(xml.encode(), NOTHING) is None


def test_a_billion_laughs_are_not_expanded() -> None:
    entities = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    xml = f'<!DOCTYPE OME [{entities}]><OME><Pixels PhysicalSizeX="1"/>&l9;</OME>'
    assert read(xml.encode(), NOTHING) is None


@pytest.mark.parametrize(
    ("props", "um_per_px"),
    [
        ({"state": "on", "x": "1.3622", "y": "1.3622", "units": "um"}, 1.3622),
        ({"x": "1.3622", "units": "microns"}, 1.3622),
        ({"state": "off", "x": "1.3622", "y": "1.3622", "units": "um"}, None),
        ({"state": "on", "x": "1", "y": "1", "units": "pixel"}, None),
        ({"state": "on", "x": "1", "y": "2", "units": "um"}, None),
        ({"state": "on"}, None),
    ],
)
def test_metamorph(props: dict[str, str], um_per_px: float | None) -> None:
    size = read(calibration(**props), NOTHING)
    assert size == (um_per_px and (um_per_px, "MetaMorph metadata"))


def test_metamorph_in_latin_1() -> None:
    text = METAMORPH.format(
        '<prop id="spatial-calibration-x" value="2"/><prop id="spatial-calibration-units" value="µm"/>'
    )
    assert read(text.encode("latin-1"), NOTHING) == (2.0, "MetaMorph metadata")


@pytest.mark.parametrize(
    ("unit", "per_unit", "um_per_px"),
    [
        ("micron", 2.0, 0.5),
        ("um", 2.0, 0.5),
        ("µm", 2.0, 0.5),
        ("\\u00B5m", 2.0, 0.5),
        ("nm", 0.002, 0.5),
        ("mm", 2000.0, 0.5),
        ("cm", 20_000.0, 0.5),
        ("inch", 300.0, None),
        ("cm", 118.11, None),
        ("pixel", 2.0, None),
        ("", 2.0, None),
    ],
)
def test_imagej(unit: str, per_unit: float, um_per_px: float | None) -> None:
    text = f"ImageJ=1.54f\nunit={unit}\nmin=0.0\n".encode("latin-1")
    size = read(text, Resolution(per_unit, per_unit, 1))
    assert size == (um_per_px and (pytest.approx(um_per_px), "ImageJ metadata"))


def test_imagej_as_tifffile_writes_it() -> None:
    page_facts = facts(imagej=True, resolution=(2.0, 2.0), metadata={"unit": "um"})
    assert (page_facts.um_per_px, page_facts.um_per_px_from) == (pytest.approx(0.5), "ImageJ metadata")


def test_imagej_with_another_unit_for_y() -> None:
    assert read(b"ImageJ=1.54f\nunit=um\nyunit=mm\n", Resolution(2.0, 2.0, 1)) is None


@pytest.mark.parametrize(
    ("x", "y", "unit", "um_per_px"),
    [
        (10_000, 10_000, 3, 1.0),
        (25_400, 25_400, 2, 1.0),
        (5875.618, 5875.618, 2, 4.32295),
        (10_000, None, 3, 1.0),
        (10_000, 20_000, 3, None),
        (10_000, 10_000, 1, None),
        (72, 72, 2, None),
        (96, 96, 2, None),
        (300, 300, 2, None),
        (600, 600, 2, None),
        (118.11, 118.11, 3, None),
        (118, 118, 3, None),
        (28.35, 28.35, 3, None),
        (0.8045, 0.8045, 2, None),
        (1, 1, 2, None),
        (0, 0, 3, None),
        (1e9, 1e9, 3, None),
    ],
)
def test_resolution_tags(x: float, y: float | None, unit: int, um_per_px: float | None) -> None:
    size = read(b"", Resolution(x, y, unit))
    assert size == (um_per_px and (pytest.approx(um_per_px, rel=1e-5), "TIFF resolution tag"))


def test_what_the_program_says_wins_over_the_tag() -> None:
    page_facts = facts(
        description=OME.format('PhysicalSizeX="2"'),
        metadata=None,
        resolution=(10_000, 10_000),
        resolutionunit=3,
    )
    assert (page_facts.um_per_px, page_facts.um_per_px_from) == (2.0, "OME metadata")


def test_pages_without_a_description_take_the_first_ones() -> None:
    first = corpus.tags(8, 8) | {270: (corpus.ASCII, OME.format('PhysicalSizeX="2"').encode())}
    data = corpus.raw_tiff([(first, bytes(64)), (corpus.tags(8, 8), bytes(64))])
    assert [page.um_per_px for page in inspect(data, Limits())] == [2.0, 2.0]


def test_exif_of_a_microscope_and_of_a_camera() -> None:
    pixels = noise((37, 53, 3))
    microscope = inspect(corpus.jpeg(pixels, exif=corpus.exif(dpi=25_400)), Limits())[0]
    camera = inspect(corpus.jpeg(pixels, exif=corpus.exif(dpi=72)), Limits())[0]
    assert (microscope.um_per_px, microscope.um_per_px_from) == (1.0, "Exif resolution tag")
    assert camera.um_per_px is None


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")  # Pillow's, which goes on
def test_damaged_exif_says_nothing() -> None:
    data = corpus.jpeg(noise(), exif=corpus.exif(dpi=25_400))
    broken = data.replace(b"Exif\0\0MM\0*\0\0\0\x08", b"Exif\0\0MM\0*\0\0\xff\x08")
    assert broken != data
    assert inspect(broken, Limits())[0].um_per_px is None


def test_a_damaged_resolution_says_nothing() -> None:
    zero = corpus.tags(8, 8) | {282: (corpus.RATIONAL, [1, 0]), 296: (corpus.SHORT, [3])}
    whole = corpus.tags(8, 8) | {282: (corpus.LONG, [10_000]), 296: (corpus.SHORT, [3])}
    for page in (zero, whole):
        assert inspect(corpus.raw_tiff([(page, bytes(64))]), Limits())[0].um_per_px is None


def test_other_formats_do_not_say() -> None:
    for data in (corpus.png(noise()), corpus.bmp(noise()), corpus.tiff(np.zeros((4, 4), np.uint8))):
        assert inspect(data, Limits())[0].um_per_px is None

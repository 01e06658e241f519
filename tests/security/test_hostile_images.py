"""Files made to deceive, to exhaust or to break: each gets its error code, quickly and in little memory."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from core.errors import ImageError, NotAnImage
from core.models import Limits
from tests import corpus
from tests.corpus import decode, inspect, noise

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Limits()

# Pillow warns of odd metadata and goes on; so do these tests, as the app does.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Fail the test after ``seconds``, by an exception that ``except Exception`` does not catch."""

    def ring(*_: object) -> None:
        pytest.fail(f"took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


DISGUISES = [
    corpus.html,
    corpus.svg,
    corpus.eps,
    corpus.pdf,
    corpus.gif,
    corpus.webp,
    corpus.jpeg_2000,
    corpus.zip_archive,
    corpus.numpy_file,
]


@pytest.mark.parametrize("build", DISGUISES)
def test_disguises_are_no_images(build: Callable[[], bytes]) -> None:
    with pytest.raises(NotAnImage, match="whatever its name says"):
        inspect(build(), LIMITS)


DAMAGED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no bytes": (lambda: b"", "empty_file"),
    "one byte": (lambda: b"B", "not_an_image"),
    "text that starts as a BMP": (corpus.bm_text, "image_unreadable"),
    "png signature only": (lambda: b"\x89PNG\r\n\x1a\n", "image_unreadable"),
    "jpeg signature only": (lambda: b"\xff\xd8\xff\xe0", "image_unreadable"),
    "tiff signature only": (lambda: b"II*\0", "image_unreadable"),
    "tiff without a page": (lambda: b"II*\0" + bytes(4), "image_unreadable"),
    "bigtiff of another size": (lambda: b"II+\0" + bytes(12), "image_unreadable"),
    "png cut": (corpus.truncated_png, "image_unreadable"),
    "jpeg cut": (corpus.truncated_jpeg, "image_unreadable"),
    "bmp cut": (corpus.truncated_bmp, "image_unreadable"),
    "tiff cut": (corpus.truncated_tiff, "image_unreadable"),
    "png with a flipped bit": (corpus.flipped_png, "image_unreadable"),
    "tiff with strips missing": (corpus.missing_strips_tiff, "image_unreadable"),
    "tiff with two widths": (corpus.twice_tagged_tiff, "image_unreadable"),
    "tiff pages in a circle": (corpus.circular_tiff, "image_unreadable"),
    "tiff of 0 x 8 pixels": (lambda: corpus.raw_tiff([(corpus.tags(0, 8), b"")]), "image_unreadable"),
    "tiff without strips": (
        lambda: corpus.raw_tiff([(corpus.tags(8, 8) | {278: (corpus.LONG, [0])}, bytes(64))]),
        "image_unreadable",
    ),
    "tiff whose width is text": (
        lambda: corpus.raw_tiff([(corpus.tags(8, 8) | {256: (corpus.ASCII, b"8\0")}, bytes(64))]),
        "image_unreadable",
    ),
    "numbers that are none": (corpus.nan_tiff, "pixels_unsupported"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_has_its_own_code(name: str) -> None:
    build, code = DAMAGED[name]
    data = build()
    for call in (lambda: inspect(data, LIMITS), lambda: decode(data, 1, LIMITS)):
        with pytest.raises(ImageError) as caught, alarm(2):
            call()
        assert caught.value.code == code


# Bombs, each in a process that may not grow.

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "180 MP png": (corpus.pixel_bomb_png, "image_too_large"),
    "144 MP png, where Pillow only warns": (
        lambda: corpus.pixel_bomb_png(12_000, 12_000),
        "image_too_large",
    ),
    "4 GP jpeg": (corpus.pixel_bomb_jpeg, "image_too_large"),
    "3.6 GP bmp": (corpus.pixel_bomb_bmp, "image_too_large"),
    "3.6 GP tiff": (corpus.pixel_bomb_tiff, "image_too_large"),
    "3.6 GP tiff, big endian": (lambda: corpus.pixel_bomb_tiff(">"), "image_too_large"),
    "comment of 200 MB": (corpus.text_bomb_png, "image_unreadable"),
    "colour profile of 200 MB": (lambda: corpus.text_bomb_png(b"iCCP"), "image_unreadable"),
    "strip of 300 MB": (corpus.strip_bomb_tiff, "fine"),
    "tile of 3.6 GP": (corpus.tile_bomb_tiff, "image_unreadable"),
    "2,000 tags of 1 MB": (corpus.tag_bomb_tiff, "image_unreadable"),
    "20,000 directories": (corpus.many_directories_tiff, "image_too_large"),
    "150 pages of the same 81 MP": (corpus.shared_stack_tiff, "image_too_large"),
    "10,000 scans": (corpus.scan_bomb_jpeg, "image_unreadable"),
    "a million segments": (corpus.segment_bomb_jpeg, "image_unreadable"),
    "strip of 300 MB of numbers with a sign": (corpus.signed_strip_bomb_tiff, "image_too_large"),
    "rows of 300 MB": (corpus.idat_bomb_png, "fine"),
    "runs of 300 MB": (corpus.run_bomb_tiff, "fine"),
    "4 GP jpeg in a tiff of 64 pixels": (corpus.jpeg_bomb_tiff, "image_unreadable"),
    "entities of a gigabyte": (corpus.entity_bomb_tiff, "fine"),
    "262,000 elements": (corpus.element_bomb_tiff, "fine"),
}

CHILD = """
import json, resource, sys
from pathlib import Path
from core.errors import ImageError
from core.images import inspect
from core.models import Limits
from tests import corpus

def peak_kb():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])

def count(frame, event, function):
    global calls
    calls += event in ("call", "c_call")

# what is loaded on first use is no growth
corpus.inspect(corpus.png(corpus.noise()), Limits())
corpus.inspect(corpus.tiff(corpus.noise(dtype="uint16")), Limits())
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + 300 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for path in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    before, code, calls = peak_kb(), "fine", 0
    sys.setprofile(count)
    try:
        inspect(Path(path), Limits())
    except ImageError as error:
        code = error.code
    finally:
        sys.setprofile(None)
    print(json.dumps({"code": code, "calls": calls, "grown_mb": (peak_kb() - before) / 1024}))
"""


@pytest.fixture(scope="module")
def bombed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float | str]]:
    folder = tmp_path_factory.mktemp("bombs")
    for number, (build, _) in enumerate(BOMBS.values()):
        (folder / str(number)).write_bytes(build())
    paths = [str(folder / str(number)) for number in range(len(BOMBS))]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return dict(zip(BOMBS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_do_not_go_off(name: str, bombed: dict[str, dict[str, float | str]]) -> None:
    outcome = bombed[name]
    assert outcome["code"] == BOMBS[name][1]
    assert outcome["calls"] < 100_000
    assert outcome["grown_mb"] < 50


# Every prefix, and many mutants

SMALL: dict[str, Callable[[], bytes]] = {
    "png grey": lambda: corpus.png(noise()),
    "png rgb 16": lambda: corpus.png(noise((37, 53, 3), "uint16")),
    "png palette": lambda: corpus.palette_png(noise(), noise((256, 3))),
    "jpeg": lambda: corpus.jpeg(noise()),
    "jpeg progressive": lambda: corpus.jpeg(noise((37, 53, 3)), progressive=True),
    "bmp": lambda: corpus.bmp(noise((37, 53, 3))),
    "tiff plain": lambda: corpus.tiff(noise()),
    "tiff deflate 16": lambda: corpus.tiff(noise(dtype="uint16"), compression="zlib", predictor=True),
    "tiff tiles": lambda: corpus.tiff(noise((37, 53, 3)), tile=(16, 16), photometric="rgb"),
    "tiff lzw": lambda: corpus.lzw_tiff(noise()),
    "tiff packbits": lambda: corpus.pillow(noise(), "TIFF", compression="packbits"),
    "tiff big endian float": lambda: corpus.tiff(noise(dtype="float32"), byteorder=">"),
    "bigtiff stack": lambda: corpus.stack(3, bigtiff=True),
    "jpeg in tiff": lambda: corpus.pillow(noise(), "TIFF", compression="jpeg"),
}
IN_CHILD: dict[str, Callable[[], bytes]] = {
    "tiff signed": lambda: corpus.tiff(noise(dtype="int16")),
    "tiff signed deflate": lambda: corpus.tiff(noise(dtype="int16"), compression="zlib", predictor=True),
    "tiff planes": lambda: corpus.tiff(
        noise((3, 37, 53), "uint16"), photometric="rgb", planarconfig="separate", tile=(16, 16)
    ),
}
SMALL |= IN_CHILD


def _patience(name: str) -> float:
    """Seconds in which one file of a kind is read on any machine; a hang takes longer."""
    return 30 if name in IN_CHILD else 2  # the start of a process is the machine's, not the file's


@pytest.mark.parametrize("name", SMALL)
def test_every_prefix_is_refused_or_whole(name: str) -> None:
    data = SMALL[name]()
    whole = decode(data, 1, LIMITS).pixels
    for percent in range(100):
        try:
            with alarm(_patience(name)):
                pixels = decode(data[: len(data) * percent // 100], 1, LIMITS).pixels
        except ImageError:
            continue
        np.testing.assert_array_equal(pixels, whole)


def mutants(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield copies with 1 to 4 bytes changed, half of them among the first 200, where the headers are."""
    rng = random.Random(seed)
    for number in range(count):
        changed = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(min(200, len(data)) if number % 2 else len(data))] = rng.randrange(256)
        yield bytes(changed)


def survive(name: str, count: int, seed: int) -> None:
    data = SMALL[name]()
    whole = decode(data, 1, LIMITS).pixels
    count = count // 20 if name in IN_CHILD else count  # each costs the start of a process
    small = Limits(max_pixels=1_000_000)  # a width that a flipped byte made large is not what is tested here
    for mutant in mutants(data, count, seed):
        try:
            with alarm(_patience(name)):
                pixels = decode(mutant, 1, small).pixels
                inspect(mutant, small)
        except ImageError:
            continue
        if name.startswith("png"):  # its checksums show every change to a pixel
            np.testing.assert_array_equal(pixels, whole)


@pytest.mark.parametrize("name", SMALL)
def test_mutants_are_refused_or_read(name: str) -> None:
    survive(name, 100, seed=1)


@pytest.mark.parametrize("count", [500, pytest.param(5000, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", SMALL)
def test_many_mutants_are_refused_or_read(name: str, count: int) -> None:
    survive(name, count, seed=2)

"""A decoder in a process of its own: what happens to it harms nobody, and it outlives nobody."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import ImageTooLarge, ImageUnreadable, PixelsUnsupported
from core.images.child import Child
from core.images.tiff_reader import TiffReader
from core.models import Limits
from tests import corpus
from tests.corpus import noise
from tests.polling import wait_until

MB = 2**20
HANGS = "import sys, time\nfor line in sys.stdin:\n    time.sleep(3600)\n"
DIES = "import os, signal, sys\nfor line in sys.stdin:\n    os.kill(os.getpid(), signal.SIGSEGV)\n"
HALF = """
import sys
for line in sys.stdin:
    sys.stdout.write('{"shape": [100, 100], "dtype": "uint8"}\\n' + "x" * 5000)
    sys.stdout.flush()
    break
"""


def child(folder: Path, script: str, deadline_seconds: float = 60) -> Child:
    path = folder / "script.py"
    path.write_text(script)
    return Child(path, folder / "image", deadline_seconds)


def read(decoder: Child) -> None:
    decoder.read({}, (100, 100), "uint8", MB)


def test_a_decoder_process_that_hangs_is_stopped(tmp_path: Path) -> None:
    decoder = child(tmp_path, HANGS, 0.2)
    with pytest.raises(ImageUnreadable, match=r"longer than 0\.2 seconds"):
        read(decoder)
    decoder.close()


@pytest.mark.parametrize("script", [DIES, HALF, "raise SystemExit(1)", "print('no json')"])
def test_a_decoder_process_that_dies_is_an_error_and_another_is_started(tmp_path: Path, script: str) -> None:
    decoder = child(tmp_path, script)
    for _ in range(2):
        with pytest.raises(ImageUnreadable):
            read(decoder)
    decoder.close()


def test_an_answer_of_another_size_is_not_believed(tmp_path: Path) -> None:
    decoder = child(tmp_path, HALF)
    with pytest.raises(ImageUnreadable, match="another size"):
        decoder.read({}, (50, 100), "uint8", MB)
    decoder.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [("memory", ImageTooLarge), ("rounded", PixelsUnsupported), ("damaged", ImageUnreadable)],
)
def test_what_a_child_says_becomes_an_error_for_people(
    tmp_path: Path, error: str, kind: type[Exception]
) -> None:
    script = (
        f"import json, sys\nfor line in sys.stdin:\n    print(json.dumps({{'error': '{error}'}}), flush=True)"
    )
    decoder = child(tmp_path, script)
    for _ in range(2):  # it lives on
        with pytest.raises(kind):
            read(decoder)
    decoder.close()


def test_a_closed_reader_has_no_child(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(corpus.tiff(noise(dtype="int16")))
    with TiffReader(path, Limits()) as reader:
        assert reader._child._process is None  # until a page needs it
        reader.read(reader.planes[0])
        process = reader._child._process
        assert process is not None
        reader.read(reader.planes[0])
        assert reader._child._process is process
    assert process.returncode is not None


def test_files_that_need_none_start_none(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(corpus.tiff(noise(dtype="uint16")))
    with TiffReader(path, Limits()) as reader:
        reader.read(reader.planes[0])
        assert reader._child._process is None


PARENT = """
import sys, time
from pathlib import Path
from core.images.child import Child

child = Child(Path(sys.argv[1]), Path("image"))
print(child._started().pid, flush=True)
if sys.argv[2] == "reading":
    child.read({}, (10, 10), "uint8", 1)
time.sleep(3600)
"""
SLEEPS = """
import signal, sys, time, json
for line in sys.stdin:
    signal.alarm(1)  # as tiff_child sets one
    time.sleep(3600)
"""


@pytest.mark.parametrize("state", ["idle", "reading"])
def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path, state: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SLEEPS)
    command = [sys.executable, "-c", PARENT, str(script), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not _runs(pid), 30, "the child to end")


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_page_that_inflates_is_stopped_by_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(corpus.signed_strip_bomb_tiff())
    with TiffReader(path, Limits()) as reader, pytest.raises(ImageTooLarge, match="more memory"):
        reader.read(reader.planes[0])


def test_threads_may_each_have_one(tmp_path: Path) -> None:
    array = noise((3, 37, 53), "int16")
    path = tmp_path / "image"
    path.write_bytes(corpus.tiff(array, photometric="minisblack"))

    def pixels(page: int) -> np.ndarray:
        with TiffReader(path, Limits()) as reader:
            return np.asarray(reader.read(reader.plane(page)).pixels)

    with ThreadPoolExecutor(3) as pool:
        for page, page_pixels in enumerate(pool.map(pixels, (1, 2, 3))):
            np.testing.assert_array_equal(page_pixels, array[page])

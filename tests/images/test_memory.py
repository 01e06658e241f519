"""What a job is estimated to take is near what was measured; what it frees is kept for the next."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from core.images.memory import Extent, decoding_bytes, overlay_bytes, rendering_bytes, segmenting_bytes
from core.images.rendering import to_display

MB = 2**20


def extent(megapixels: int, dtype: str = "uint16", channels: int = 1, file_mb: int | None = None) -> Extent:
    item_bytes = {"uint8": 1, "uint16": 2, "float32": 4}[dtype]
    size = megapixels * 10**6 * item_bytes * channels if file_mb is None else file_mb * MB
    return Extent(megapixels * 1000, 1000, channels, dtype, size)


def test_the_estimates_are_near_what_was_measured() -> None:
    assert 881 < segmenting_bytes(extent(80)) / MB < 960  # 841 with unet, 881 with classical
    assert 460 < decoding_bytes(extent(80)) / MB < 510  # 460
    assert 422 < decoding_bytes(extent(80, file_mb=115)) / MB < 460  # 422
    assert 824 < decoding_bytes(extent(80, "uint8", 3, file_mb=61)) / MB < 870  # 824
    assert 308 < decoding_bytes(extent(80, "uint8")) / MB < 340  # 308
    assert 460 < rendering_bytes(extent(80)) / MB < 510  # 460
    assert 723 < overlay_bytes(extent(80)) / MB < 800  # 723, of noise: the picture is as large as its pixels
    assert 244 < overlay_bytes(extent(20, "uint8", 3, file_mb=53)) / MB < 290  # 244


def test_more_bits_and_colours_take_more() -> None:
    for estimate in (decoding_bytes, rendering_bytes, overlay_bytes, segmenting_bytes):
        assert estimate(extent(20, "uint8")) < estimate(extent(20, "float32"))
        assert estimate(extent(20, "uint8")) < estimate(extent(20, "uint8", 3))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_picture_takes_one_byte_a_value_while_it_is_made(dtype: str) -> None:
    pixels = np.zeros((4096, 1024), dtype)
    pixels[0, 0] = 200
    tracemalloc.start()
    try:
        to_display(pixels, True, 8)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * pixels.size


# Pages that are cleared anew while a piece of 16 MB is taken and freed forty times.
FAULTS = """
import ctypes, resource
from core.segmentation import Arithmetic
{call}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for turn in range(41):
    piece = libc.malloc(16 * 2**20)
    ctypes.memset(piece, 1, 16 * 2**20)
    libc.free(ctypes.c_void_p(piece))
    if turn == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize() // 2**20)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told")
def test_what_is_freed_is_kept_for_the_next_step() -> None:
    def cleared_mb(call: str) -> int:
        # as Dask's workers are started
        command = ["env", "MALLOC_TRIM_THRESHOLD_=65536", sys.executable, "-c", FAULTS.format(call=call)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert cleared_mb("") > 20 * 16
    assert cleared_mb("Arithmetic().prepare_process()") < 16

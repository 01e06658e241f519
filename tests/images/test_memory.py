"""What a job is estimated to take is near what was measured; what it frees is kept for the next."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.images.memory import estimated_bytes

MB = 2**20


def estimate_mb(megapixels: int, dtype: str = "uint16", channels: int = 1) -> float:
    item_bytes = {"uint8": 1, "uint16": 2, "float32": 4}[dtype]
    facts = {"width": megapixels * 1000, "height": 1000, "channels": channels, "dtype": dtype}
    return estimated_bytes(facts | {"n_bytes": megapixels * 10**6 * item_bytes * channels}) / MB


def test_the_estimate_is_near_what_was_measured() -> None:
    assert 280 < estimate_mb(20) < 320  # 302 with the classical engine, 286 with the network
    assert 1050 < estimate_mb(80) < 1150  # 1111 and 1084


def test_more_bits_and_colours_take_more() -> None:
    assert estimate_mb(20, "uint8") < estimate_mb(20) < estimate_mb(20, "float32")
    assert estimate_mb(20, "uint8") < estimate_mb(20, "uint8", 3)


# Pages that are cleared anew while a piece of 16 MB is taken and freed forty times.
FAULTS = """
import ctypes, resource
from core.segmentation import Arithmetic, compute_with
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


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told")
def test_what_is_freed_is_kept_for_the_next_step() -> None:
    def cleared_mb(call: str) -> int:
        # as Dask's workers are started
        command = ["env", "MALLOC_TRIM_THRESHOLD_=65536", sys.executable, "-c", FAULTS.format(call=call)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert cleared_mb("") > 20 * 16
    assert cleared_mb("compute_with(Arithmetic())") < 16

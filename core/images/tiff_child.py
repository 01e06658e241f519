"""A process that decodes pages of one TIFF with tifffile; ``core.images.child`` starts it and speaks to it.

It is run as a script and imports nothing of this program, so that it starts quickly. What it may allocate is
limited for each page; it ends when its parent does, and an alarm ends it where a page takes too long.

Requests are lines of JSON; an answer is a line of JSON with the bytes of the pixels behind it, in the byte
order of this computer.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from typing import Any

import numpy as np
import tifffile

try:
    import resource
except ImportError:  # Windows has no limits of this kind
    resource = None  # type: ignore[assignment]

EXACT_WHOLE = 2**24  # float32 holds every whole number up to this
ROWS = 64  # converted at a time


def main(path: str) -> None:
    """Answer requests until standard input ends."""
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if hasattr(signal, "alarm"):
            signal.alarm(math.ceil(request["seconds"]))
        _limit_memory(request["memory_bytes"])
        _answer(path, request)


def _answer(path: str, request: dict[str, Any]) -> None:
    try:
        pixels = _pixels(path, request["offset"])
        if request["as_float"]:
            pixels = _as_float(pixels)
    except MemoryError:
        _send({"error": "memory"})
    except (
        Exception
    ) as error:  # parsers of hostile files raise anything; the parent gives its name to the log
        _send(
            {
                "error": "rounded" if isinstance(error, _RoundedError) else "damaged",
                "name": type(error).__name__,
            }
        )
    else:
        pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
        _send({"shape": pixels.shape, "dtype": pixels.dtype.name}, pixels)


def _pixels(path: str, offset: int) -> np.ndarray:
    """Return the page whose directory lies at ``offset``: (Y, X) or (Y, X, samples)."""
    with tifffile.TiffFile(path) as file:
        file.filehandle.seek(offset)
        page = tifffile.TiffPage(file, 0)
        pixels = page.asarray(maxworkers=1)
    if page.axes not in {"YX", "YXS", "SYX"}:
        raise ValueError(page.axes)
    return np.moveaxis(pixels, 0, -1) if page.axes == "SYX" else pixels


class _RoundedError(Exception):
    """Values would be rounded."""


def _as_float(pixels: np.ndarray) -> np.ndarray:
    """Return float32 of the same values.

    Raises:
        _RoundedError: float32 does not hold all of them.
    """
    floats = np.empty(pixels.shape, np.float32)
    for top in range(0, len(pixels), ROWS):
        rows = pixels[top : top + ROWS]
        with np.errstate(over="ignore"):
            floats[top : top + ROWS] = rows
        if rows.dtype.kind == "f":
            same = np.array_equal(floats[top : top + ROWS].astype(rows.dtype), rows, equal_nan=True)
        else:
            same = bool(rows.max() <= EXACT_WHOLE) and bool(rows.min() >= -EXACT_WHOLE)
        if not same:
            raise _RoundedError
    return floats


def _limit_memory(n_bytes: int) -> None:
    """Let this process grow by ``n_bytes`` at most."""
    if resource is None or not sys.platform.startswith("linux"):
        return
    with open("/proc/self/statm", encoding="ascii") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = now + n_bytes
    resource.setrlimit(
        resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
    )


def _send(head: dict[str, Any], pixels: np.ndarray | None = None) -> None:
    out = sys.stdout.buffer
    out.write(json.dumps(head).encode() + b"\n")
    if pixels is not None:
        out.write(pixels.data)
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1])

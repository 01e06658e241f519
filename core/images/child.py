"""Decode in a process of its own what parsers read that do not bound the memory they take.

A child is started for one file when its first plane is read, and ends with its reader: it cannot harm the
app, nor can what one file does to it reach another. Decision 26 has the measurements.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.errors import ImageTooLarge, ImageUnreadable, PixelsUnsupported
from core.images.reader import Pixels

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 120.0  # for one plane; the largest take a few
_MAX_LINE = 4096
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Child:
    """A script that decodes planes of one file. One thread at a time; close it."""

    def __init__(self, script: Path, path: Path, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._command = [sys.executable, "-P", str(script), str(path)]
        self._deadline_seconds = deadline_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def read(
        self, request: Mapping[str, Any], shape: tuple[int, ...], dtype: str, memory_bytes: int
    ) -> Pixels:
        """Return one plane of ``shape`` and ``dtype``; decoding it may take ``memory_bytes``.

        Raises:
            ImageUnreadable: the file is damaged, or the child died or took too long.
            ImageTooLarge: it would take more memory.
            PixelsUnsupported: values would have to be rounded.
        """
        process = self._started()
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(self._deadline_seconds, stop)
        timer.start()
        try:
            return self._answer(process, {**request, **self._limits(memory_bytes)}, shape, dtype)
        except (OSError, EOFError, ValueError, KeyError) as error:  # it died, or its answer makes no sense
            self.close()
            log.warning("event=decoder.ended status=%s overdue=%s", process.returncode, overdue.is_set())
            raise _ended(self._deadline_seconds if overdue.is_set() else None) from error
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the child; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:  # what it was sent last did not reach it
                continue
        process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
            )
        return self._process

    def _limits(self, memory_bytes: int) -> dict[str, float]:
        # The child's own alarm counts where this process is gone.
        return {"memory_bytes": memory_bytes, "seconds": self._deadline_seconds + 1}

    def _answer(
        self, process: subprocess.Popen[bytes], request: Mapping[str, Any], shape: tuple[int, ...], dtype: str
    ) -> Pixels:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline(_MAX_LINE)
        if not line.endswith(b"\n"):
            raise EOFError
        head = json.loads(line)
        if "error" in head:
            log.info("event=decoder.refused error=%s name=%s", head["error"], head.get("name"))
            raise _refused(head["error"])
        if (tuple(head["shape"]), head["dtype"]) != (shape, dtype):
            self.close()  # the pixels that it sends belong to no request
            raise ImageUnreadable(
                "This file's header gives another size than its pixels have. Save it again as TIFF."
            )
        pixels = np.empty(shape, dtype)
        _fill(pixels, process.stdout)
        return pixels


def _fill(pixels: Pixels, stream: IO[bytes]) -> None:
    """Read the bytes of ``pixels``; they reach memory once.

    Raises:
        EOFError: there are fewer.
    """
    view = memoryview(np.asarray(pixels).data).cast("B")
    while view:
        count = stream.readinto(view)  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        view = view[count:]


def _refused(error: str) -> ImageUnreadable | ImageTooLarge | PixelsUnsupported:
    if error == "memory":
        return ImageTooLarge(
            "Decoding this image takes more memory than its size explains. Save it again without compression."
        )
    if error == "rounded":
        return PixelsUnsupported(
            "This image holds numbers that could only be read by rounding them. "
            "Convert it to 8 or 16 bits, or to 32-bit float."
        )
    return ImageUnreadable(
        "This TIFF file is damaged or was cut short, so it cannot be opened. "
        "Copy it again from the microscope's computer."
    )


def _ended(deadline_seconds: float | None) -> ImageUnreadable:
    if deadline_seconds is not None:
        return ImageUnreadable(
            f"Decoding this image took longer than {deadline_seconds:g} seconds and was stopped. "
            "Save it again without compression."
        )
    return ImageUnreadable(
        "Decoding this image ended the program that does it; the app is not harmed. "
        "The file is probably damaged: copy it again from the microscope's computer."
    )

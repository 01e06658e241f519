"""A number beside the database: how many transactions it is known to hold.

A damaged write-ahead log may open without a word and with half of what was committed (docs/recovery.md). The
database counts its commits inside itself; this file counts them outside, so that a start can compare the two.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

DIGITS = 20


class CommitCounter:
    """The count in the file at ``path``. It is not forced to the disk: it may lag behind, never run ahead."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def noted(self) -> int:
        """The last number noted; 0 where there is none that can be read."""
        try:
            return int(self._path.read_bytes()[:DIGITS])
        except (OSError, ValueError):
            return 0

    def note(self, number: int) -> None:
        """Write ``number`` in place of the last one; a disk that refuses is no reason to stop."""
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.pwrite(handle, str(number).zfill(DIGITS).encode(), 0)
            finally:
                os.close(handle)
        except OSError as error:
            log.warning("event=journal.refused reason=%s", error.strerror)

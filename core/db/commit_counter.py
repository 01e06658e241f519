"""The number of commits, kept beside the database file.

A damaged write-ahead log may open without an error and with half of what was committed (docs/recovery.md).
The database counts its commits inside itself; this file counts them outside, so a start can compare the two.
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

    def load(self) -> int:
        """Return the number saved last; 0 where there is none that can be read."""
        try:
            return int(self._path.read_bytes()[:DIGITS])
        except (OSError, ValueError):
            return 0

    def save(self, number: int) -> None:
        """Replace the saved number; a disk that refuses is only logged."""
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
            try:
                os.pwrite(handle, str(number).zfill(DIGITS).encode(), 0)
            finally:
                os.close(handle)
        except OSError as error:
            log.warning("event=db.commit_count_refused reason=%s", error.strerror)

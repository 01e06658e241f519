"""Tables in files: each is written once, and kept for a while so that its download can be resumed.

A table is read at the database's speed, so a slow client holds some disk, never a cursor: an open one refuses
every checkpoint.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from core.errors import ServiceClosed, StorageError
from core.export import disk_space
from core.export.builder import refuse_too_many
from core.export.text import Pieces
from core.store.results import Rows

KEEP_SECONDS = 600.0  # since it was last asked for


def limited(rows: Rows, limit: int) -> Rows:
    """The rows, of which there may be ``limit``.

    They were counted before, but may have become more since; asked for one more than ``limit``, they show it.

    Raises:
        InvalidRequest: there are more.
    """
    with closing(rows):
        for count, row in enumerate(rows, start=1):
            refuse_too_many(count, limit)
            yield row


class TableFiles:
    """Files of tables by key, in a folder of their own. Safe from any thread."""

    def __init__(self, folder: Path, max_bytes: int, left_free: int) -> None:
        """At most ``max_bytes`` are kept together; ``left_free`` bytes of the folder's disk stay free."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._left_free = left_free
        self._closed = False
        self._changed = threading.Condition()
        self._writers = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():  # of a former run, whose keys nobody has
            path.unlink()

    def find(self, key: str) -> Path | None:
        """The file of a table that has been written; its time begins anew."""
        path = self._folder / key
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def write(self, key: str, pieces: Callable[[], Pieces], client_left: threading.Event) -> Path | None:
        """Write a table and return its file; None where ``client_left`` is set before it is complete.

        Raises:
            SpheroscopeError: what reading it raised; or the app is being stopped.
            StorageError: the disk refuses, or would be too full.
        """
        with self._changed:
            if self._closed:
                raise _closing()
            self._writers += 1
        part = self._folder / f"{secrets.token_hex(16)}.part"
        try:
            self.sweep()
            if not self._fill(part, pieces, client_left):
                return None
            return part.replace(self._folder / key)
        except OSError as error:
            raise StorageError(f"The table could not be written to disk: {error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)
            with self._changed:
                self._writers -= 1
                self._changed.notify_all()

    def sweep(self) -> None:
        """Delete what is past its time, and the oldest where all together are too large."""
        files = []
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):
                files.append((path.stat().st_mtime, path.stat().st_size, path))
        oldest, total = time.time() - KEEP_SECONDS, sum(size for _, size, _ in files)
        for modified, size, path in sorted(files):
            if path.suffix != ".part" and (modified < oldest or total > self._max_bytes):
                path.unlink(missing_ok=True)
                total -= size

    def close(self) -> None:
        """Stop what is being written, and wait until it has let go of the database."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._writers)

    def _fill(self, part: Path, pieces: Callable[[], Pieces], client_left: threading.Event) -> bool:
        with part.open("wb") as file, closing(pieces()) as source:
            for piece in source:
                if self._closed:
                    raise _closing()
                if client_left.is_set():
                    return False
                data = piece.encode()
                disk_space.check(self._folder, len(data), self._left_free)
                file.write(data)
        return True


def _closing() -> ServiceClosed:
    return ServiceClosed("The app is being stopped. Ask again when it is back.")

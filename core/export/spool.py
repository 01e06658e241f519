"""A table between the database and a client that may take it slowly, or never to its end.

The rows are read at the database's speed into a file without a name, and sent from there. A slow client so
holds some disk, never a cursor: an open one refuses every checkpoint.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

from core.errors import ServiceClosed, StorageError
from core.export import disk_space
from core.export.text import Pieces

PIECE_BYTES = 256 * 1024


class Spool:
    """Text being written by one thread while another reads what is there already.

    ``close`` may be called at any time, from any thread: the writer stops at its next piece and closes what
    it reads from.
    """

    def __init__(
        self, pieces: Pieces, folder: Path, left_free: int, on_close: Callable[[Spool], None]
    ) -> None:
        """``left_free`` bytes of the folder's disk stay free; ``on_close`` is told of the end."""
        self._pieces = pieces
        self._folder = folder
        self._left_free = left_free
        self._on_close = on_close
        self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115 - closed by close()
        self._written = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def start(self, executor: Executor) -> Spool:
        """Begin to read; return once the first piece is there.

        Raises:
            SpheroscopeError: what reading it raised.
        """
        try:
            executor.submit(self._fill)
        except RuntimeError:  # it takes nothing new any more
            self.close()
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._written or self._ended)
        if self._closed:
            raise _closed()
        if self._error is not None and not self._written:
            self.close()
            raise self._error
        return self

    def read(self) -> Iterator[bytes]:
        """The whole text from its start, following behind the writer.

        Raises:
            SpheroscopeError: what the writer raised, once all before it has been read; or it was closed: a
                part of a table must not pass for the whole.
        """
        offset = 0
        while data := self._next(offset):
            offset += len(data)
            yield data

    def close(self) -> None:
        """Stop writing and let go of the file."""
        with self._changed:
            if not self._closed:
                self._closed = True
                self._file.close()
            self._changed.notify_all()
        self._on_close(self)

    def _next(self, offset: int) -> bytes:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._ended or self._written > offset)
            if self._closed:
                raise _closed()
            if self._written > offset:
                return os.pread(self._file.fileno(), min(PIECE_BYTES, self._written - offset), offset)
            if self._error is not None:
                raise self._error
            return b""

    def _fill(self) -> None:
        try:
            for piece in self._pieces:
                if not self._append(piece.encode()):
                    break
        except OSError as error:
            self._error = StorageError(f"The table could not be written to disk: {error.strerror}.")
        except BaseException as error:  # it belongs to whoever reads, not to this thread
            self._error = error
        finally:
            self._pieces.close()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _append(self, data: bytes) -> bool:
        disk_space.check(self._folder, len(data), self._left_free)
        with self._changed:
            if self._closed:
                return False
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
            self._written += len(data)
            self._changed.notify_all()
            return True


def _closed() -> ServiceClosed:
    return ServiceClosed("The app is being stopped. Ask again when it is back.")

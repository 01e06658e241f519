"""The bytes of one upload that have arrived so far: a file that one request at a time adds to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ImageTooLarge, StorageError, UploadConflict


class UploadPart:
    """An open file that pieces are added to. ``supersede`` may be called from any thread."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        """Open ``path`` at its end, or make it.

        Raises:
            StorageError: the disk refuses.
        """
        self.path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._superseded = False
        with self._saving():
            self._file = path.open("ab", buffering=0)  # what has been written survives the end of the process
            self.offset = self._file.tell()

    def write(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            UploadConflict: a later request goes on with this upload.
            ImageTooLarge: the file has more bytes than are taken.
            StorageError: the disk refuses; then what has arrived is deleted, to make room for other files.
        """
        with self._lock:
            if self._superseded:
                raise UploadConflict("Another request goes on with this upload.")
            if self.offset + len(piece) > self._max_bytes:
                raise ImageTooLarge.of_bytes(self._max_bytes)
            with self._saving():
                rest = memoryview(piece)
                while rest:
                    n_written = self._file.write(rest)
                    rest = rest[n_written:]
            self.offset += len(piece)

    def supersede(self) -> None:
        """Let nothing more be added: another request goes on."""
        with self._lock:
            self._superseded = True
            self._file.close()

    def close(self) -> None:
        """Close the file; what has arrived stays."""
        with self._lock:
            self._file.close()

    @contextmanager
    def _saving(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.path.unlink(missing_ok=True)
            self.offset = 0
            self._superseded = True
            raise StorageError(
                f"The file could not be saved: {error.strerror}. Free some disk space, then try again."
            ) from error

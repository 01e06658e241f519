"""A zip file that is written once, from front to back, and never fills the disk."""

from __future__ import annotations

import shutil
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TextIO

from core.export import disk_space

COPY_BYTES = 2**20
PACKED = (".csv", ".json", ".txt")  # the other kinds are packed already


class Archive:
    """Entries are added by name; closed as a context manager. ``left_free`` bytes of the disk stay free."""

    def __init__(self, path: Path, now: datetime, left_free: int) -> None:
        self._folder = path.parent
        self._left_free = left_free
        self._time = now.timetuple()[:6]
        self._zip = zipfile.ZipFile(path, "w", allowZip64=True)

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add(self, name: str, data: bytes) -> None:
        """Add an entry.

        Raises:
            StorageError: the disk would be too full.
        """
        disk_space.check(self._folder, len(data), self._left_free)
        self._zip.writestr(self._entry(name, len(data)), data)

    def add_file(self, name: str, path: Path) -> None:
        """Add a file's content, piece by piece.

        Raises:
            StorageError: the disk would be too full.
        """
        size = path.stat().st_size
        disk_space.check(self._folder, size, self._left_free)
        with path.open("rb") as source, self._zip.open(self._entry(name, size), "w") as target:
            shutil.copyfileobj(source, target, COPY_BYTES)

    def _entry(self, name: str, size: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self._time)
        entry.file_size = size  # says whether it needs the fields of large files
        entry.external_attr = 0o644 << 16
        packed = PurePosixPath(name).suffix in PACKED
        entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        return entry


@dataclass(frozen=True, slots=True)
class ExportContext:
    """Where the parts of one archive are made: the archive, a folder for what has to wait until the end, and
    the stack that closes what they have open, however it ends."""

    archive: Archive
    folder: Path
    stack: ExitStack

    def text(self, name: str) -> TextIO:
        """A new text file in the folder, which can be read again."""
        return self.stack.enter_context((self.folder / name).open("w+", encoding="utf-8", newline=""))

    def hand_in(self, name: str) -> None:
        """Add a file of the folder to the archive."""
        self.archive.add_file(name, self.folder / name)

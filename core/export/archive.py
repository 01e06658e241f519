"""A zip file written in one pass, which leaves free space on the disk."""

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
COMPRESSED = (".csv", ".json", ".txt")  # other files are compressed formats already


class Archive:
    """A zip file to add entries to; a context manager. ``left_free`` bytes of the disk stay free."""

    def __init__(self, path: Path, now: datetime, left_free: int) -> None:
        self._folder = path.parent
        self._left_free = left_free
        self._time = now.timetuple()[:6]
        self._zip = zipfile.ZipFile(path, "w", allowZip64=True)

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
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
        """Add a file, copied by COPY_BYTES.

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
        compressed = PurePosixPath(name).suffix in COMPRESSED
        entry.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        return entry


@dataclass(frozen=True, slots=True)
class ExportContext:
    """Shared state of the writers: archive, folder for temporary files, stack that closes open files."""

    archive: Archive
    folder: Path
    stack: ExitStack

    def text(self, name: str) -> TextIO:
        """Create a text file in the folder, open for writing and reading."""
        return self.stack.enter_context((self.folder / name).open("w+", encoding="utf-8", newline=""))

    def add_from_folder(self, name: str) -> None:
        """Add a file of the folder to the archive."""
        self.archive.add_file(name, self.folder / name)

"""Content-addressed files: a file's name is the SHA-256 of what is in it, so it never changes."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Container
from pathlib import Path

from core.errors import BlobDamaged, BlobMissing, StorageError
from core.files.fsync import fsync


class Blobs:
    """Files under ``folder``/blobs, written through ``folder``/tmp. Safe from any thread."""

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._tmp = folder / "tmp"
        try:
            self._blobs.mkdir(parents=True, exist_ok=True)
            self._tmp.mkdir(parents=True, exist_ok=True)
            for left in self._tmp.glob("*.part"):  # a kill between write and rename leaves one
                left.unlink()
        except OSError as error:
            raise StorageError(f"The data folder {folder} cannot be written: {error.strerror}.") from error

    def put(self, data: bytes) -> str:
        """Store ``data`` durably and return its SHA-256.

        What is already there is left alone, unless it has been damaged: then it is made whole.

        Raises:
            StorageError: the disk refuses.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        try:
            if not _holds(path, sha256):
                self._write(path, data)
        except OSError as error:
            raise StorageError(
                f"The file could not be saved: {error.strerror}. Free some disk space, then try again."
            ) from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """Read a file and check that it is what was stored.

        Raises:
            BlobMissing: it is not there.
            BlobDamaged: its content has changed.
            StorageError: the disk refuses.
        """
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise _unreadable(error) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _damaged()
        return data

    def checked(self, sha256: str) -> Path:
        """Where a file lies, after it has been read through, in constant memory.

        Raises:
            BlobMissing, BlobDamaged, StorageError: as ``get``.
        """
        path = self.path(sha256)
        try:
            with path.open("rb") as file:
                right = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError as error:
            raise _unreadable(error) from error
        if not right:
            raise _damaged()
        return path

    def path(self, sha256: str) -> Path:
        """Where the file lies. Only a digest makes a path; no user's text ever does."""
        return self._blobs / sha256[:2] / sha256

    def sweep(self, needed: Container[str]) -> int:
        """Delete the files that nothing needs; return how many went."""
        gone = [path for path in self._blobs.glob("??/*") if path.name not in needed]
        for path in gone:
            path.unlink()
        return len(gone)

    def _write(self, path: Path, data: bytes) -> None:
        part = self._tmp / f"{secrets.token_hex(16)}.part"
        if not path.parent.exists():
            path.parent.mkdir(exist_ok=True)
            fsync(self._blobs)
        try:
            with part.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        fsync(path.parent)


def _holds(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except FileNotFoundError:
        return False


def _unreadable(error: OSError) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return BlobMissing("A stored file is missing from the data folder. Upload the image again.")
    return StorageError(f"A stored file cannot be read: {error.strerror}. Look at the disk, then try again.")


def _damaged() -> BlobDamaged:
    return BlobDamaged("A stored file has been damaged on disk. Upload the image again.")

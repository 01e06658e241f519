"""Content-addressed files: a file's name is the SHA-256 of its bytes, so it never changes.

A file is checked against its name when a process reads it for the first time, and again when its size, its
time or its place on the disk has changed since. ``audit`` checks every file whatever is remembered, and so
finds bits that the disk itself has lost. See docs/decisions.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.errors import BlobDamaged, BlobMissing, StorageError
from core.files.audit import BlobAudit, audit_blobs, is_whole, stored_path
from core.files.fsync import fsync

FOLDERS = tuple(f"{number:02x}" for number in range(256))  # by the first two digits of a file's name
MAX_VERIFIED = 65_536  # files that are known to be whole, about 300 bytes each
SETTLED_SECONDS = (
    1.0  # a file that was written this lately could change again within the same tick of its time
)


class Blobs:
    """Files under ``folder``/blobs, written through ``folder``/tmp. Safe from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs = folder / "blobs"
        self._tmp = folder / "tmp"
        self.uploads = folder / "uploads"  # of files that have not arrived completely, on the same disk
        self._verified = _Verified(MAX_VERIFIED)
        self._lock = threading.Lock()  # a file is not deleted while ``put`` finds that it is there
        try:
            self._blobs.mkdir(parents=True, exist_ok=True)
            self._tmp.mkdir(parents=True, exist_ok=True)
            self.uploads.mkdir(exist_ok=True)
            for part in self._tmp.glob("*.part"):  # a kill between write and rename leaves one
                part.unlink()
        except OSError as error:
            raise StorageError(f"The data folder {folder} cannot be written: {error.strerror}.") from error

    def put(self, data: bytes) -> str:
        """Store ``data`` durably and return its SHA-256.

        A file that is there already is only marked as new, so that ``sweep`` leaves it to whoever saves
        something that names it; one that has been damaged is written again.

        Raises:
            StorageError: the disk refuses.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.path(sha256)
        with _saving():
            if not (self._mark_new(path) and is_whole(path, sha256)):
                with self.receive((data,)) as incoming:
                    incoming.keep()
        return sha256

    def unnamed_file(self) -> BinaryIO:
        """Open a file to be written and read, on the disk of the others, that is gone once it is closed."""
        return tempfile.TemporaryFile(dir=self._tmp)

    @contextmanager
    def receive(self, pieces: Iterable[bytes]) -> Iterator[Incoming]:
        """Write a file to disk piece by piece, to be looked at and then kept; without ``keep`` it is deleted.

        Raises:
            StorageError: the disk refuses. What ``pieces`` raise passes through.
        """
        part = self._tmp / f"{secrets.token_hex(16)}.part"
        digest = hashlib.sha256()
        n_bytes = 0
        try:
            with _saving():
                stream = part.open("wb")
            with stream:
                for piece in pieces:
                    with _saving():
                        stream.write(piece)
                    digest.update(piece)
                    n_bytes += len(piece)
                with _saving():
                    stream.flush()
            yield Incoming(self, part, digest.hexdigest(), n_bytes)
        finally:
            part.unlink(missing_ok=True)

    def adopt(self, path: Path) -> Incoming:
        """Return a file on the data folder's disk as one to be looked at and then kept, in its place.

        Its bytes are read through once, in constant memory, and not copied.

        Raises:
            StorageError: the disk refuses.
        """
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256")
                return Incoming(self, path, digest.hexdigest(), stream.tell())
        except OSError as error:
            raise _unreadable(error) from error

    def get(self, sha256: str) -> bytes:
        """Return the bytes of a file, which are what was stored.

        Raises:
            BlobMissing: it is not there.
            BlobDamaged: its content has changed.
            StorageError: the disk refuses.
        """
        path = self.path(sha256)
        try:
            status = path.stat()
            data = path.read_bytes()
        except OSError as error:
            raise _unreadable(error) from error
        if not self._verified.contains(sha256, status):
            if hashlib.sha256(data).hexdigest() != sha256:
                raise _damaged()
            self._verified.add(sha256, status)
        return data

    def path_of(self, sha256: str, *, verify: bool = True) -> Path:
        """Return where a file lies that is there and, unless ``verify`` is off, is what was stored.

        It is read through where this process has not done so yet, in constant memory.

        Raises:
            BlobMissing, BlobDamaged, StorageError: as ``get``.
        """
        path = self.path(sha256)
        try:
            status = path.stat()
            if verify and not self._verified.contains(sha256, status):
                if not is_whole(path, sha256):
                    raise _damaged()
                self._verified.add(sha256, status)
        except OSError as error:
            raise _unreadable(error) from error
        return path

    def path(self, sha256: str) -> Path:
        """Return where a file lies or would lie. Only a digest makes a path; no user's text ever does."""
        return stored_path(self._folder, sha256)

    def audit(self) -> BlobAudit:
        """Check every stored file, whatever has been checked before; may take long.

        Raises:
            StorageError: the disk refuses.
        """
        outcome = audit_blobs(self._folder)
        for sha256 in outcome.damaged:
            self._verified.forget(sha256)
        return outcome

    def sweep(
        self, folder: str, unneeded: Callable[[Sequence[str]], Collection[str]], age_seconds: float
    ) -> int:
        """Delete files of one of FOLDERS that are not needed and old; return how many.

        ``unneeded`` is given the names of the files that were put more than ``age_seconds`` ago, and returns
        those that nothing names. A file that is put again meanwhile stays: a file must be named within
        ``age_seconds`` after it was put, and put again by whoever takes longer.

        Raises:
            StorageError: the disk refuses.
        """
        before = time.time() - age_seconds
        try:
            old = [path.name for path in self._blobs.glob(f"{folder}/*") if path.stat().st_mtime < before]
            return sum(self._delete(self.path(name), before) for name in unneeded(old))
        except OSError as error:
            raise StorageError(f"Old files cannot be deleted: {error.strerror}. Look at the disk.") from error

    def _delete(self, path: Path, before: float) -> bool:
        with self._lock:
            old = path.stat().st_mtime < before
            if old:
                path.unlink()
        return old

    def _mark_new(self, path: Path) -> bool:
        """Set a file's time to now; False if there is no such file."""
        with self._lock:
            try:
                os.utime(path)
            except FileNotFoundError:
                return False
        return True

    def store(self, part: Path, sha256: str) -> None:
        """Put a written file durably in its place; one that is there and whole stays.

        Raises:
            StorageError: the disk refuses.
        """
        path = self.path(sha256)
        with _saving():
            if self._mark_new(path) and is_whole(path, sha256):
                return
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True)
                fsync(self._blobs)
            os.utime(part)  # it may have been written long ago
            fsync(part)
            part.replace(path)
            fsync(path.parent)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that has been written but is not stored yet: where it lies, its SHA-256, its size."""

    blobs: Blobs
    path: Path
    sha256: str
    n_bytes: int

    def keep(self) -> None:
        """Store it durably. ``path`` is gone then.

        Raises:
            StorageError: the disk refuses.
        """
        self.blobs.store(self.path, self.sha256)


class _Verified:
    """The files that this process has found to be whole, and their state at that time."""

    def __init__(self, max_files: int) -> None:
        self._max_files = max_files
        self._states: OrderedDict[str, tuple[int, int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def contains(self, sha256: str, status: os.stat_result) -> bool:
        with self._lock:
            known = self._states.get(sha256) == _state(status)
            if known:
                self._states.move_to_end(sha256)
            return known

    def add(self, sha256: str, status: os.stat_result) -> None:
        """Remember a file that has been read since ``status`` was taken."""
        if time.time() - status.st_mtime < SETTLED_SECONDS:
            return
        with self._lock:
            self._states[sha256] = _state(status)
            self._states.move_to_end(sha256)
            if len(self._states) > self._max_files:
                self._states.popitem(last=False)

    def forget(self, sha256: str) -> None:
        with self._lock:
            self._states.pop(sha256, None)


def pieces_of(file: BinaryIO, size: int = 2**20) -> Iterator[bytes]:
    """Yield what is left of an open file, ``size`` bytes at a time."""
    while piece := file.read(size):
        yield piece


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ino


@contextmanager
def _saving() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"The file could not be saved: {error.strerror}. Free some disk space, then try again."
        ) from error


def _unreadable(error: OSError) -> StorageError:
    if isinstance(error, FileNotFoundError):
        return BlobMissing("A stored file is missing from the data folder. Upload the image again.")
    return StorageError(f"A stored file cannot be read: {error.strerror}. Look at the disk, then try again.")


def _damaged() -> BlobDamaged:
    return BlobDamaged("A stored file has been damaged on disk. Upload the image again.")

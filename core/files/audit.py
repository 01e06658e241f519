"""Check every stored file against its name, also for bits that the disk has lost unnoticed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import StorageError


@dataclass(frozen=True, slots=True)
class BlobAudit:
    """Result of checking every stored file; ``damaged``: names of those whose content has another hash."""

    n_files: int
    n_bytes: int
    damaged: tuple[str, ...]


def stored_path(folder: Path, sha256: str) -> Path:
    """Return where the file of this SHA-256 lies, or would lie, in a data folder."""
    return folder / "blobs" / sha256[:2] / sha256


def is_whole(path: Path, sha256: str) -> bool:
    """Return whether a file is there and has this SHA-256; it is read through in constant memory.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def audit_blobs(folder: Path, report: Callable[[int], None] = lambda _: None) -> BlobAudit:
    """Read every file below ``folder``/blobs through; changes nothing, so the app may run meanwhile.

    ``report`` is called with the number of files read so far.

    Raises:
        StorageError: the disk refuses.
    """
    damaged, n_files, n_bytes = [], 0, 0
    for path in sorted((folder / "blobs").glob("??/*")):
        try:
            size = path.stat().st_size
            whole = is_whole(path, path.name)
        except FileNotFoundError:  # deleted meanwhile
            continue
        except OSError as error:
            raise StorageError(
                f"A stored file cannot be read: {error.strerror}. Look at the disk, then try again."
            ) from error
        n_files, n_bytes = n_files + 1, n_bytes + size
        if not whole and path.exists():
            damaged.append(path.name)
        report(n_files)
    return BlobAudit(n_files, n_bytes, tuple(damaged))

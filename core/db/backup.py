"""Backup copies of a database file, made before a migration and kept until somebody deletes them."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from core.errors import DatabaseLocked, StorageError
from core.files.fsync import fsync

FOLDER = "backups"
SPARE_BYTES = 64 * 2**20  # of disk that is left free beside a copy


def back_up(path: Path, number: int) -> Path:
    """Copy the database at ``path``, which is checkpointed and closed, before migration ``number``.

    The copy lies in the folder FOLDER beside it, complete or not at all.

    Raises:
        DatabaseLocked: an app has it open.
        StorageError: the disk is too full, or refuses.
    """
    copy = path.parent / FOLDER / f"{path.stem}.before-{number:04}{path.suffix}"
    part = copy.with_name(f"{copy.name}.part")
    try:
        copy.parent.mkdir(exist_ok=True)
        require_space(copy.parent, path.stat().st_size)
        with locked(path) as source, part.open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)
            target.flush()
            os.fsync(target.fileno())
        part.replace(copy)
        fsync(copy.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(
            f"The database could not be backed up before its update: {error.strerror}. Nothing was changed."
        ) from error
    return copy


def require_space(folder: Path, size: int) -> None:
    """Check that a copy of ``size`` bytes fits into ``folder``.

    Raises:
        StorageError: it does not.
    """
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise StorageError(
            f"A copy of the database takes {size // 2**20 + 1} MiB of disk, and there is less. "
            "Free some first. Nothing was changed."
        )


@contextmanager
def locked(path: Path) -> Iterator[BinaryIO]:
    """Open a database file so that no app can, by the lock that DuckDB itself asks for.

    Read it through the file that is given: closing another one of this process would release the lock.

    Raises:
        DatabaseLocked: an app has it open.
    """
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseLocked(
                "Spheroscope has begun to run on this folder. Nothing was changed."
            ) from error
        yield file

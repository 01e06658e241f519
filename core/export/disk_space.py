"""Free disk space: exports leave room for the database's commits."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.errors import StorageError


def check(folder: Path, n_bytes: int, left_free: int) -> None:
    """Check that ``n_bytes`` more leave ``left_free`` bytes of the folder's disk free.

    Raises:
        StorageError: they do not.
    """
    if shutil.disk_usage(folder).free - n_bytes < left_free:
        raise StorageError(
            "The disk is too full for this export. Free some space, delete older exports, or leave out "
            "originals and overlays."
        )

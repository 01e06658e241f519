"""Test images as files: the functions of core.images that take a path, called with bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import images
from core.models import Limits, PageFacts, Raster


@contextmanager
def on_disk(data: bytes) -> Iterator[Path]:
    """Write ``data`` to a file, whose path is given."""
    with tempfile.NamedTemporaryFile(prefix="corpus-") as file:
        file.write(data)
        file.flush()
        yield Path(file.name)


def inspect(data: bytes, limits: Limits) -> tuple[PageFacts, ...]:
    """Return the facts of every page of ``data``."""
    with on_disk(data) as path:
        return images.inspect(path, limits)


def decode(data: bytes, page: int, limits: Limits) -> Raster:
    """Return one page of ``data``."""
    with on_disk(data) as path:
        return images.decode(path, page, limits)

"""A lab on a database without services, and archives made of it at once."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.export.builder import ArchiveBuilder
from core.export.request import ExportRequest, Part
from core.files.blobs import Blobs
from core.models import Project
from core.queue.admission import Admission
from core.settings import Settings
from core.store import Store
from tests.engines import ENGINES
from tests.http.lab import Lab

Pack = Callable[..., zipfile.ZipFile]


@pytest.fixture
def lab(store: Store, blobs: Blobs) -> Lab:
    return Lab(store, blobs)


@pytest.fixture
def builder(store: Store, blobs: Blobs, settings: Settings) -> ArchiveBuilder:
    return ArchiveBuilder(store, blobs, settings, ENGINES, Admission(2**40))


@pytest.fixture
def pack(builder: ArchiveBuilder, tmp_path: Path) -> Pack:
    """Make an archive of a project with these parts; of some images only where ids are given."""

    def packed(project: Project, *parts: Part, ids: tuple[str, ...] | None = None) -> zipfile.ZipFile:
        folder = tmp_path / f"work {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        request = ExportRequest(project.id, frozenset(parts), ids)
        builder.make(request, folder, lambda done: None)
        archive = zipfile.ZipFile(folder / "archive.zip")
        assert archive.testzip() is None
        return archive

    return packed

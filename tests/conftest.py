"""What most tests stand on: an empty data folder, opened whole or in parts, and closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.blobs import Blobs
from core.db import Database
from core.models import Project
from core.monitoring import QueryRecorder
from core.services import Services
from core.settings import Settings
from core.store import Store
from tests.making import ENGINE


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


@pytest.fixture
def recorder() -> QueryRecorder:
    return QueryRecorder()


@pytest.fixture
def db(settings: Settings, recorder: QueryRecorder) -> Iterator[Database]:
    opened = Database.open(settings.data / "spheroscope.duckdb", recorder)
    yield opened
    opened.close()


@pytest.fixture
def store(db: Database, settings: Settings) -> Store:
    return Store(db, settings.max_queued)


@pytest.fixture
def blobs(settings: Settings) -> Blobs:
    return Blobs(settings.data)


@pytest.fixture
def project(store: Store) -> Project:
    return store.projects.create("Plate 1", ENGINE)


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """Everything, its queue at work. Not to be mixed with ``db`` or ``store``: they open the same file."""
    opened = Services.open(settings)
    yield opened
    opened.close()

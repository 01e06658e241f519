"""What most tests stand on: an empty data folder, opened whole or in parts, and closed whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from core.db import Database
from core.files.blobs import Blobs
from core.models import Project
from core.monitoring import QueryRecorder
from core.segmentation import Arithmetic
from core.services import Services
from core.settings import Settings
from core.store import Store
from tests.factories import ENGINE

# No example has a deadline: a busy machine is no failure. `make check` uses "quick"; `make test` searches as
# far as Hypothesis does by default.
hypothesis_settings.register_profile("quick", max_examples=15, deadline=None)
hypothesis_settings.register_profile("full", deadline=None)
hypothesis_settings.load_profile("full")

# Folders whose tests take seconds: script runs, trainings, processes that are killed, mutants by the hundred.
SLOW_FOLDERS = ("http", "export", "deploy", "pages", "training", "faults", "security")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """However many threads of OpenCV an app or a command of an earlier test had, the next has one."""
    yield
    Arithmetic().prepare_process()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # the process of all tests together is larger than an app's, and health would rightly complain
    return Settings(data=tmp_path / "data", container_memory_limit_mb=16_384)


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

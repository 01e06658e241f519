"""What most tests stand on: an empty data folder, opened whole or in parts, and closed whatever happens."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from core.db import Database
from core.db.statements import METRICS_MIGRATIONS
from core.files.blobs import Blobs
from core.models import Project
from core.monitoring import QueryRecorder
from core.operations.history import FILE as METRICS_FILE
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

# Folders whose tests take seconds: pages, browsers, trainings, killed processes, mutants by the hundred.
SLOW_FOLDERS = ("http", "export", "deploy", "pages", "browser", "training", "faults", "security")
BROWSER_SECONDS, SLOW_SECONDS = 8, 2  # of one test, unless its mark says more


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import no slow tests where they are left out: that takes as long as many others, torch above all."""
    if "not slow" not in config.getoption("markexpr"):
        return None
    if collection_path.is_dir():
        return collection_path.name in SLOW_FOLDERS or None
    return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text(encoding="utf-8") or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)
    places = _places(items)
    items.sort(key=lambda item: places[item.path])


def _places(items: list[pytest.Item]) -> dict[Path, float]:
    """Where each file comes: the longest first, so that no process has a long one left when others are done.

    Browsers wait for most of their time: their files come in turns with others, which use the processor
    meanwhile. A place is the time that is spent until then on files of the same kind, roughly in seconds.
    """
    seconds: dict[bool, Counter[Path]] = {True: Counter(), False: Counter()}
    for item in items:
        marks = [mark for mark in item.iter_markers("slow") if mark.args]
        in_browser = item.get_closest_marker("browser") is not None
        usual = BROWSER_SECONDS if in_browser else SLOW_SECONDS if item.get_closest_marker("slow") else 0.1
        seconds[in_browser][item.path] += marks[0].args[0] if marks else usual
    places: dict[Path, float] = {}
    for files in seconds.values():
        spent = 0.0
        for path, own in files.most_common():
            places.setdefault(path, spent)
            spent += own
    return places


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """However many threads of OpenCV an app or a command of an earlier test had, the next has one."""
    yield
    Arithmetic().prepare_process()


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    # the process of all tests together is larger than an app's, and health would rightly complain
    return Settings(data=data_folder, container_memory_limit_mb=16_384)


@pytest.fixture
def recorder() -> QueryRecorder:
    return QueryRecorder()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with empty databases. Copying it takes a fifth of the time of making its tables."""
    folder = tmp_path_factory.mktemp("migrated")
    Database.open(folder / "spheroscope.duckdb", QueryRecorder()).close()
    Database.open(folder / METRICS_FILE, QueryRecorder(), schema=METRICS_MIGRATIONS).close()
    return folder


@pytest.fixture
def data_folder(tmp_path: Path, migrated: Path) -> Path:
    """A data folder of the test's own, as an app leaves it that was opened and closed."""
    return Path(shutil.copytree(migrated, tmp_path / "data"))


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

"""Exports in the background: made once, kept for a while, and gone without a trace when not wanted."""

from __future__ import annotations

import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.clock import utc_now
from core.db import Database
from core.errors import InvalidRequest, NotFound, QueueFull, ServiceClosed, StorageError
from core.export import (
    ArchiveRetention,
    Export,
    ExportRequest,
    Exports,
    ExportState,
    Part,
    TableFiles,
    manager,
)
from core.export.builder import ArchiveBuilder, BuildSummary
from core.models import Project
from core.monitoring import Recorder
from core.operations import history
from core.operations.history import History
from core.settings import Settings
from tests.http.lab import Lab, disc
from tests.polling import wait_until

KEEPING = ArchiveRetention(timedelta(hours=1), 2**30, 0)
Open = Callable[..., Exports]


class Held:
    """A maker that waits at each image until it is let go on, or says what it was told to."""

    def __init__(self, builder: ArchiveBuilder) -> None:
        self.store = builder.store
        self.error: Exception | None = None
        self.go_on = threading.Event()
        self._builder = builder

    def size(self, request: ExportRequest) -> int:
        return self._builder.size(request)

    def make(self, request: ExportRequest, folder: Path, step: Callable[[int], None]) -> BuildSummary:
        def held(done: int) -> None:
            step(done)
            assert self.go_on.wait(10)
            step(done)

        if self.error:
            raise self.error
        return self._builder.make(request, folder, held)


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.data / "exports"


@pytest.fixture
def open_exports(db: Database, builder: ArchiveBuilder, folder: Path) -> Iterator[Open]:
    opened: list[Exports] = []

    def start(
        made_by: Any = builder, keeping: ArchiveRetention = KEEPING, clock: Callable[[], datetime] = utc_now
    ) -> Exports:
        exports = Exports(
            folder,
            TableFiles(folder.parent / "tables", 2**30, 0),
            made_by,
            lambda: db.generation,
            keeping,
            clock,
        )
        opened.append(exports)
        return exports

    yield start
    for exports in opened:
        exports.close()


@pytest.fixture
def plate(lab: Lab) -> Project:
    project = lab.project("Plate 1")
    for name in ("a.tif", "b.tif"):
        lab.measured(lab.image(project, name), disc(1))
    return project


def request_of(project: Project, *parts: Part) -> ExportRequest:
    return ExportRequest(project.id, frozenset(parts or (Part.CSV,)))


def ended(exports: Exports, export_id: str) -> Export:
    wait_until(lambda: not exports.get(export_id).open)
    return exports.get(export_id)


def test_an_export_is_made_and_can_be_taken(open_exports: Open, plate: Project, folder: Path) -> None:
    exports = open_exports()
    export = ended(exports, exports.start(request_of(plate, Part.CSV, Part.MASKS)))
    assert (export.state, export.done, export.total, export.problems) == (ExportState.READY, 2, 2, 0)
    assert export.name.startswith("Plate 1 20")
    taken, path = exports.take(export.id)
    assert taken.n_bytes == path.stat().st_size
    assert "images.csv" in zipfile.ZipFile(path).namelist()
    wait_until(lambda: sorted(path.suffix for path in folder.iterdir()) == [".json", ".zip"])
    assert exports.of_project(plate.id) == (exports.get(export.id),)
    assert exports.of_project("another") == ()


def test_the_same_of_the_same_data_is_not_made_twice(open_exports: Open, plate: Project, lab: Lab) -> None:
    exports = open_exports()
    request = request_of(plate, Part.CSV, Part.MASKS)
    first = exports.start(request)
    assert exports.start(request) == first
    ended(exports, first)
    assert exports.start(replace(request, parts=frozenset((Part.MASKS, Part.CSV)))) == first
    assert exports.start(request_of(plate, Part.CSV)) != first
    lab.store.projects.rename(plate.id, "Plate 2")
    assert exports.start(request) != first


def test_progress_is_told_and_a_cancelled_export_leaves_nothing(
    open_exports: Open, plate: Project, builder: ArchiveBuilder, folder: Path
) -> None:
    held = Held(builder)
    exports = open_exports(held)
    export_id = exports.start(request_of(plate))
    wait_until(lambda: exports.get(export_id).state is ExportState.RUNNING)
    waiting = exports.start(request_of(plate, Part.MASKS))
    assert exports.get(waiting).state is ExportState.WAITING
    with pytest.raises(NotFound, match="not ready"):
        exports.take(export_id)
    exports.cancel(export_id)
    held.go_on.set()
    assert ended(exports, export_id).state is ExportState.CANCELLED
    assert ended(exports, waiting).state is ExportState.READY
    exports.cancel(waiting)
    with pytest.raises(NotFound):
        exports.get(waiting)
    assert not list(folder.iterdir())


def test_a_cancelled_export_is_made_anew_when_asked_for_again(
    open_exports: Open, plate: Project, builder: ArchiveBuilder
) -> None:
    held = Held(builder)
    exports = open_exports(held)
    first = exports.start(request_of(plate))
    exports.cancel(first)
    second = exports.start(request_of(plate))
    held.go_on.set()
    assert first != second
    assert ended(exports, second).state is ExportState.READY


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StorageError("The disk is too full."), "The disk is too full."),
        (OSError(28, "No space left on device"), "No space left on device. Free some disk space"),
        (ZeroDivisionError(), "because of a fault in Spheroscope"),
    ],
)
def test_a_failed_export_has_a_reason_in_words(
    open_exports: Open, plate: Project, builder: ArchiveBuilder, folder: Path, error: Exception, message: str
) -> None:
    held = Held(builder)
    held.error = error
    exports = open_exports(held)
    export = ended(exports, exports.start(request_of(plate)))
    assert export.state is ExportState.FAILED
    assert export.error is not None
    assert message in export.error
    assert not list(folder.iterdir())
    held.error = None
    held.go_on.set()
    again = ended(exports, exports.start(request_of(plate)))
    assert again.state is ExportState.READY


def test_finished_exports_outlive_a_restart_and_unfinished_ones_do_not(
    open_exports: Open, plate: Project, folder: Path
) -> None:
    exports = open_exports()
    export = ended(exports, exports.start(request_of(plate)))
    exports.close()
    (folder / "killed.work").mkdir()
    (folder / "killed.work" / "archive.zip").write_bytes(b"PK")
    (folder / "no description.zip").write_bytes(b"PK")
    (folder / "cut.json").write_text('{"export": {"id":')
    (folder / "no archive.json").write_text(json.dumps({"export": {}}))
    again = open_exports()
    assert again.get(export.id) == export
    assert again.take(export.id)[1].exists()
    assert sorted(path.name for path in folder.iterdir()) == [f"{export.id}.json", f"{export.id}.zip"]
    assert again.start(request_of(plate)) == export.id


def test_exports_past_their_time_are_swept_and_taking_one_begins_it_anew(
    open_exports: Open, plate: Project, folder: Path
) -> None:
    exports = open_exports()
    old, taken = (
        ended(exports, exports.start(request_of(plate, part))).id for part in (Part.CSV, Part.MASKS)
    )
    exports.close()
    for export_id in (old, taken):
        os.utime(folder / f"{export_id}.zip", (0, 0))
    longer = open_exports(keeping=ArchiveRetention(timedelta(days=36500), 2**30, 0))
    longer.take(taken)
    longer.close()
    exports = open_exports()
    assert [export.id for export in exports.of_project(plate.id)] == [taken]
    assert not (folder / f"{old}.zip").exists()


def test_time_alone_sweeps_though_nobody_asks_for_an_export_again(
    open_exports: Open,
    plate: Project,
    folder: Path,
    builder: ArchiveBuilder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "FLUSH_SECONDS", 0.01)
    later = [timedelta(0)]
    held = Held(builder)
    held.go_on.set()
    exports = open_exports(held, clock=lambda: utc_now() + later[0])
    ready = ended(exports, exports.start(request_of(plate))).id
    held.error = StorageError("The disk is too full.")
    failed = ended(exports, exports.start(request_of(plate, Part.MASKS))).id
    periodic = History(Recorder(enabled=False), tmp_path, lambda: (0, 0), periodic_tasks=[exports.sweep])
    periodic.start()
    try:
        later[0] = KEEPING.time - timedelta(minutes=1)
        assert exports.get(ready).state is ExportState.READY
        later[0] = KEEPING.time + timedelta(minutes=1)
        wait_until(lambda: not list(folder.iterdir()), what="the sweep")
        assert not exports._entries.keys() & {ready, failed}
    finally:
        periodic.close()


def test_the_oldest_go_where_all_take_too_much_disk(open_exports: Open, plate: Project) -> None:
    exports = open_exports(keeping=ArchiveRetention(timedelta(hours=1), 9000, 0))
    made = [
        ended(exports, exports.start(request_of(plate, part))).id
        for part in (Part.CSV, Part.MASKS, Part.ROIS)
    ]
    exports.sweep()
    left = {export.id for export in exports.of_project(plate.id)}
    assert made[0] not in left
    assert made[-1] in left


def test_a_file_that_someone_deleted_is_not_there_any_more(
    open_exports: Open, plate: Project, folder: Path
) -> None:
    exports = open_exports()
    export_id = ended(exports, exports.start(request_of(plate))).id
    (folder / f"{export_id}.zip").unlink()
    with pytest.raises(NotFound, match="Make it again"):
        exports.take(export_id)
    assert exports.start(request_of(plate)) != export_id


def test_an_impossible_export_is_refused_before_it_begins(
    open_exports: Open, plate: Project, builder: ArchiveBuilder, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(builder)
    exports = open_exports(held)
    with pytest.raises(NotFound):
        exports.start(ExportRequest("no such project", frozenset(Part)))
    with pytest.raises(InvalidRequest):
        exports.start(ExportRequest(plate.id, frozenset(Part), ()))
    with pytest.raises(NotFound):
        exports.get("../../etc/passwd")
    monkeypatch.setattr(manager, "MAX_WAITING", 1)
    exports.start(request_of(plate))
    with pytest.raises(QueueFull):
        exports.start(request_of(plate, Part.MASKS))
    held.go_on.set()


def test_closing_ends_what_is_being_made(
    open_exports: Open, plate: Project, builder: ArchiveBuilder, folder: Path
) -> None:
    held = Held(builder)
    exports = open_exports(held)
    export_id = exports.start(request_of(plate))
    wait_until(lambda: exports.get(export_id).state is ExportState.RUNNING)
    closing = threading.Thread(target=exports.close)
    closing.start()
    held.go_on.set()
    closing.join(10)
    assert not closing.is_alive()
    assert not list(folder.iterdir())
    with pytest.raises(ServiceClosed):
        exports.start(request_of(plate))

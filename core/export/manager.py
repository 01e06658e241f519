"""Exports in the background: one archive is made at a time, kept for a while, and can be taken again."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.clock import utc_now
from core.errors import NotFound, QueueFull, ServiceClosed, SpheroscopeError
from core.export.archive_store import ArchiveStore, StoredArchive
from core.export.builder import ArchiveBuilder
from core.export.request import Export, ExportRequest, ExportState
from core.export.table_files import TableFiles

log = logging.getLogger(__name__)

MAX_WAITING = 20
FORGOTTEN_AFTER = timedelta(hours=1)  # exports that came to nothing


@dataclass(frozen=True, slots=True)
class ArchiveRetention:
    """How long finished archives are kept, how many bytes they may take together, and what is left free."""

    time: timedelta
    max_bytes: int
    left_free: int


class _Stopped(Exception):
    """Raised into the making of an archive that is not wanted any more."""


@dataclass(slots=True)
class _Entry:
    kept: StoredArchive
    request: ExportRequest | None = None  # None where an earlier run made it
    stop: threading.Event = field(default_factory=threading.Event)


class Exports:
    """Every export there is; any thread may ask."""

    def __init__(
        self,
        folder: Path,
        tables: TableFiles,
        maker: ArchiveBuilder,
        generation: Callable[[], int],
        keeping: ArchiveRetention,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``generation`` tells the database's: where it has not changed, an archive need not be made anew."""
        self.tables = tables
        self._maker = maker
        self._generation = generation
        self._keeping = keeping
        self._clock = clock
        self._shelf = ArchiveStore(folder, keeping.time)
        self._entries = {item.export.id: _Entry(item) for item in self._shelf.take_stock()}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="export")
        self._closed = False
        self.sweep()

    def start(self, request: ExportRequest) -> str:
        """Ask for an archive; returns its id. The same one, of the same data, is not made twice.

        Raises:
            NotFound: the project is not there (any more).
            InvalidRequest: there is nothing to export, or more than the limit.
            QueueFull: too many wait already.
        """
        self.sweep()
        generation, total = self._generation(), self._maker.size(request)
        project = self._maker.store.projects.get(request.project_id)
        with self._lock:
            if self._closed:
                raise ServiceClosed("The app is being stopped. Ask again when it is back.")
            if known := self._same(request.key, generation):
                return known
            if sum(entry.kept.export.open for entry in self._entries.values()) >= MAX_WAITING:
                raise QueueFull("Too many exports wait already. Wait for one of them, or cancel it.")
            now = self._clock()
            export = Export(
                id=secrets.token_hex(16),
                project_id=project.id,
                name=f"{project.name} {now:%Y-%m-%d}.zip",
                parts=tuple(sorted(request.parts)),
                state=ExportState.WAITING,
                created_at=now,
                total=total,
            )
            entry = _Entry(StoredArchive(export, request.key, generation), request)
            self._entries[export.id] = entry
            self._worker.submit(self._run, entry)
        return export.id

    def get(self, export_id: str) -> Export:
        """One export as it stands.

        Raises:
            NotFound: there is none, or it has been swept.
        """
        self.sweep()
        return self._entry(export_id).kept.export

    def of_project(self, project_id: str) -> tuple[Export, ...]:
        """A project's exports, the latest first."""
        self.sweep()
        with self._lock:
            found = [entry.kept.export for entry in self._entries.values()]
        mine = (export for export in found if export.project_id == project_id)
        return tuple(sorted(mine, key=lambda export: export.created_at, reverse=True))

    def take(self, export_id: str) -> tuple[Export, Path]:
        """A finished archive, whose time begins anew.

        Raises:
            NotFound: there is none, it is not finished, or it has been swept.
        """
        entry = self._entry(export_id)
        if entry.kept.export.state is not ExportState.READY:
            raise NotFound(
                "This export is not ready. Wait for it on the Images page, or make it again there."
            )
        try:
            entry.kept = self._shelf.touch(entry.kept)
        except FileNotFoundError:
            with self._lock:
                self._entries.pop(export_id, None)
            raise _gone() from None
        return entry.kept.export, self._shelf.path(export_id)

    def cancel(self, export_id: str) -> None:
        """Stop making an archive; delete one that is finished."""
        entry = self._entry(export_id)
        entry.stop.set()
        if not entry.kept.export.open:
            with self._lock:
                self._entries.pop(export_id, None)
            self._shelf.remove(export_id)

    def sweep(self) -> None:
        """Delete what is past its time; to be called every now and then, whether anybody asks or not."""
        now = self._clock()
        with self._lock:
            ready = {
                key: entry.kept
                for key, entry in self._entries.items()
                if entry.kept.export.state is ExportState.READY
            }
            gone = [
                item.export.id for item in self._shelf.too_old(ready.values(), now, self._keeping.max_bytes)
            ]
            for key, entry in self._entries.items():
                idle = key not in ready and not entry.kept.export.open
                if idle and entry.kept.export.created_at < now - FORGOTTEN_AFTER:
                    gone.append(key)
            for key in gone:
                del self._entries[key]
        for key in gone:
            self._shelf.remove(key)
            log.info("event=export.swept id=%s", key)
        self.tables.sweep()

    def close(self) -> None:
        """Stop what is being made and read, and wait until it has let go of the database."""
        with self._lock:
            self._closed = True
            for entry in self._entries.values():
                entry.stop.set()
        self.tables.close()
        self._worker.shutdown(cancel_futures=True)

    def _entry(self, export_id: str) -> _Entry:
        with self._lock:
            entry = self._entries.get(export_id)
        if entry is None:
            raise _gone()
        return entry

    def _same(self, key: str, generation: int) -> str | None:
        for export_id, entry in self._entries.items():
            state = entry.kept.export.state
            current = state in (ExportState.WAITING, ExportState.RUNNING, ExportState.READY)
            if entry.kept.key == key and entry.kept.generation == generation and current:
                return None if entry.stop.is_set() else export_id
        return None

    def _run(self, entry: _Entry) -> None:
        assert entry.request is not None
        start = time.monotonic()
        self._tell(entry, state=ExportState.RUNNING)
        try:
            work = self._shelf.work(entry.kept.export.id)
            try:
                made = self._maker.make(entry.request, work, lambda done: self._step(entry, done, start))
                told = replace(
                    entry.kept.export,
                    state=ExportState.READY,
                    done=made.n_images,
                    problems=made.problems,
                    seconds_left=None,
                )
                entry.kept = self._shelf.put(work, replace(entry.kept, export=told))
            finally:
                self._shelf.discard(work)
        except _Stopped:
            self._tell(entry, state=ExportState.CANCELLED, seconds_left=None)
        except SpheroscopeError as error:
            self._tell(entry, state=ExportState.FAILED, error=error.message)
        except OSError as error:
            text = f"The export could not be written: {error.strerror}. Free some disk space, then try again."
            self._tell(entry, state=ExportState.FAILED, error=text)
        except Exception:
            log.exception("event=export.failed id=%s", entry.kept.export.id)
            text = "The export could not be made because of a fault in Spheroscope. Its log has details."
            self._tell(entry, state=ExportState.FAILED, error=text)
        log.info("event=export.ended state=%s s=%.1f", entry.kept.export.state, time.monotonic() - start)

    def _step(self, entry: _Entry, done: int, start: float) -> None:
        if entry.stop.is_set():
            raise _Stopped
        left = (time.monotonic() - start) / done * (entry.kept.export.total - done) if done else None
        self._tell(entry, done=done, seconds_left=left)

    def _tell(self, entry: _Entry, **news: Any) -> None:
        entry.kept = replace(entry.kept, export=replace(entry.kept.export, **news))


def _gone() -> NotFound:
    return NotFound("This export is not there any more. Make it again on the Images page.")

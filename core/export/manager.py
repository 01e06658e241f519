"""Exports in the background: archives are made one at a time, stored for some hours, then deleted."""

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
FAILED_EXPIRY = timedelta(hours=1)  # of failed and cancelled exports


@dataclass(frozen=True, slots=True)
class ArchiveRetention:
    """Retention of finished archives: time, greatest total size and free disk space, in bytes."""

    time: timedelta
    max_bytes: int
    left_free: int


class _Stopped(Exception):
    """Raised while an archive is made, to cancel it."""


@dataclass(slots=True)
class _Entry:
    stored: StoredArchive
    request: ExportRequest | None = None  # None if an earlier process made the archive
    stop: threading.Event = field(default_factory=threading.Event)


class Exports:
    """All exports. Any thread may call every method."""

    def __init__(
        self,
        folder: Path,
        tables: TableFiles,
        builder: ArchiveBuilder,
        generation: Callable[[], int],
        retention: ArchiveRetention,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """``generation`` returns the database's: while it is the same, an archive need not be made again."""
        self.tables = tables
        self._builder = builder
        self._generation = generation
        self._retention = retention
        self._clock = clock
        self._archives = ArchiveStore(folder, retention.time)
        self._entries = {item.export.id: _Entry(item) for item in self._archives.load()}
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="export")
        self._closed = False
        self.sweep()

    def start(self, request: ExportRequest) -> str:
        """Queue an export; return its id. An equal request on unchanged data returns the earlier one.

        Raises:
            NotFound: the project is not there (any more).
            InvalidRequest: there is nothing to export, or more than the limit.
            QueueFull: too many wait already.
        """
        self.sweep()
        generation, total = self._generation(), self._builder.size(request)
        project = self._builder.store.projects.get(request.project_id)
        with self._lock:
            if self._closed:
                raise ServiceClosed("The app is being stopped. Ask again when it is back.")
            if known := self._current(request.key, generation):
                return known
            if sum(entry.stored.export.open for entry in self._entries.values()) >= MAX_WAITING:
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
        """Return an export with its progress.

        Raises:
            NotFound: there is none, or it has expired.
        """
        self.sweep()
        return self._entry(export_id).stored.export

    def of_project(self, project_id: str) -> tuple[Export, ...]:
        """Return a project's exports, the latest first."""
        self.sweep()
        with self._lock:
            exports = [entry.stored.export for entry in self._entries.values()]
        of_project = (export for export in exports if export.project_id == project_id)
        return tuple(sorted(of_project, key=lambda export: export.created_at, reverse=True))

    def take(self, export_id: str) -> tuple[Export, Path]:
        """Return a finished export and its archive's path, and restart the time until it expires.

        Raises:
            NotFound: there is none, it is not finished, or it has expired.
        """
        entry = self._entry(export_id)
        if entry.stored.export.state is not ExportState.READY:
            raise NotFound(
                "This export is not ready. Wait for it on the Images page, or make it again there."
            )
        try:
            entry.stored = self._archives.touch(entry.stored)
        except FileNotFoundError:
            with self._lock:
                self._entries.pop(export_id, None)
            raise _not_found() from None
        return entry.stored.export, self._archives.path(export_id)

    def cancel(self, export_id: str) -> None:
        """Cancel an export; delete its archive if it is finished."""
        entry = self._entry(export_id)
        entry.stop.set()
        if not entry.stored.export.open:
            with self._lock:
                self._entries.pop(export_id, None)
            self._archives.remove(export_id)

    def sweep(self) -> None:
        """Delete expired exports. To be called regularly."""
        now = self._clock()
        with self._lock:
            ready = {
                key: entry.stored
                for key, entry in self._entries.items()
                if entry.stored.export.state is ExportState.READY
            }
            to_delete = [
                item.export.id
                for item in self._archives.to_delete(ready.values(), now, self._retention.max_bytes)
            ]
            for key, entry in self._entries.items():
                idle = key not in ready and not entry.stored.export.open
                if idle and entry.stored.export.created_at < now - FAILED_EXPIRY:
                    to_delete.append(key)
            for key in to_delete:
                del self._entries[key]
        for key in to_delete:
            self._archives.remove(key)
            log.info("event=export.swept id=%s", key)
        self.tables.sweep()

    def close(self) -> None:
        """Cancel every export and wait until none uses the database."""
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
            raise _not_found()
        return entry

    def _current(self, key: str, generation: int) -> str | None:
        for export_id, entry in self._entries.items():
            state = entry.stored.export.state
            current = state in (ExportState.WAITING, ExportState.RUNNING, ExportState.READY)
            if entry.stored.key == key and entry.stored.generation == generation and current:
                return None if entry.stop.is_set() else export_id
        return None

    def _run(self, entry: _Entry) -> None:
        assert entry.request is not None
        start = time.monotonic()
        self._update(entry, state=ExportState.RUNNING)
        try:
            work = self._archives.work(entry.stored.export.id)
            try:
                summary = self._builder.make(entry.request, work, lambda done: self._step(entry, done, start))
                export = replace(
                    entry.stored.export,
                    state=ExportState.READY,
                    done=summary.n_images,
                    problems=summary.problems,
                    seconds_left=None,
                )
                entry.stored = self._archives.put(work, replace(entry.stored, export=export))
            finally:
                self._archives.discard(work)
        except _Stopped:
            self._update(entry, state=ExportState.CANCELLED, seconds_left=None)
        except SpheroscopeError as error:
            self._update(entry, state=ExportState.FAILED, error=error.message)
        except OSError as error:
            text = f"The export could not be written: {error.strerror}. Free some disk space, then try again."
            self._update(entry, state=ExportState.FAILED, error=text)
        except Exception:
            log.exception("event=export.failed id=%s", entry.stored.export.id)
            text = "The export could not be made because of a fault in Spheroscope. Its log has details."
            self._update(entry, state=ExportState.FAILED, error=text)
        log.info("event=export.ended state=%s s=%.1f", entry.stored.export.state, time.monotonic() - start)

    def _step(self, entry: _Entry, done: int, start: float) -> None:
        if entry.stop.is_set():
            raise _Stopped
        left = (time.monotonic() - start) / done * (entry.stored.export.total - done) if done else None
        self._update(entry, done=done, seconds_left=left)

    def _update(self, entry: _Entry, **values: Any) -> None:
        entry.stored = replace(entry.stored, export=replace(entry.stored.export, **values))


def _not_found() -> NotFound:
    return NotFound("This export is not there any more. Make it again on the Images page.")

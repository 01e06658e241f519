"""Whether the app can do its work: for whoever watches over it, a person or a container's health check."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from core import __version__
from core.db import Database, Session
from core.errors import SpheroscopeError, StorageError
from core.http.answers import json_answer

if TYPE_CHECKING:
    from core.services import Services

PROBE_BYTES = 4096


class Health:
    """Handler of /api/health."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def health(self, _request: Request) -> Response:
        """200 if the database answers through its writer and the disk takes a file, else 503 and why."""
        try:
            services = self._services()
            schema = _ask_writer(services.db)
            free = _write_probe(services.settings.data)
        except SpheroscopeError as error:
            said = {"code": error.code, "message": error.message}
            return json_answer({"status": "unavailable", "version": __version__, "error": said}, 503)
        return json_answer({"status": "ok", "version": __version__, "schema": schema, "free_bytes": free})


class _RolledBack(Exception):
    """Ends a transaction that shall leave no trace, and carries what it read."""


def _ask_writer(db: Database) -> int:
    """Read the schema's number in a transaction of the writer's; it waits its turn there as a write would.

    It is rolled back, since a commit would count as a change and empty every cache.
    """

    def work(session: Session) -> None:
        raise _RolledBack(session.rows("health.schema")[0]["number"])

    try:
        db.write(work)
    except _RolledBack as ended:
        return int(ended.args[0])
    raise AssertionError("work always raises")


def _write_probe(folder: Path) -> int:
    """Write a little to the disk for good and take it away again; return the bytes left on it.

    Raises:
        StorageError: the disk refuses.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(
            f"The data folder cannot be written: {error.strerror}. "
            "Free some disk space, or look at its permissions."
        ) from error

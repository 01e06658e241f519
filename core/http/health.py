"""Whether the app can do its work, in one answer: for a container's health check."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from core import __version__
from core.errors import SpheroscopeError
from core.http.answers import json_answer
from core.operations.health import ask_writer, write_probe

if TYPE_CHECKING:
    from core.services import Services


class Health:
    """Handler of /api/health."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def health(self, _request: Request) -> Response:
        """200 if the database answers through its writer and the disk takes a file, else 503 and why."""
        try:
            services = self._services()
            schema = ask_writer(services.db)
            free = write_probe(services.settings.data)
        except SpheroscopeError as error:
            said = {"code": error.code, "message": error.message}
            return json_answer({"status": "unavailable", "version": __version__, "error": said}, 503)
        return json_answer({"status": "ok", "version": __version__, "schema": schema, "free_bytes": free})

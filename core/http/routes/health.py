"""/api/health: whether the app can do its work, in one answer for a container's health check."""

from __future__ import annotations

from starlette.responses import Response

from core import __version__
from core.errors import SpheroscopeError
from core.http.answers import json_answer
from core.http.dependencies import ServicesDependency
from core.http.routing import ReadRouter
from core.http.schemas.base import ErrorDetail
from core.http.schemas.states import Health, Unavailable
from core.operations.health import ask_writer, write_probe

router = ReadRouter(prefix="/api", tags=["How the app is doing"])


@router.get("/health", response_model=Health, responses={503: {"model": Unavailable}})
def health(services: ServicesDependency) -> Response | Health:
    """200 if the database answers through its writer and the disk takes a file, else 503 and why."""
    try:
        migration = ask_writer(services.db)
        free = write_probe(services.settings.data)
    except SpheroscopeError as error:
        detail = ErrorDetail(code=error.code, message=error.message)
        unavailable = Unavailable(status="unavailable", version=__version__, error=detail)
        return json_answer(unavailable.model_dump(), 503)
    return Health(status="ok", version=__version__, migration=migration, free_bytes=free)

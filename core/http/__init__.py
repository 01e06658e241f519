"""The routes beside the pages: JSON for programs, pictures for the pages, files to download.

They live in the process of the pages and share its services. Nothing here changes anything: every route takes
GET and HEAD only, so no other site can make a user's browser do something. docs/http_api.md lists them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette_compress import CompressMiddleware

from core.errors import SpheroscopeError
from core.http import contract
from core.http.answers import crashed, problem, refused
from core.http.api import Api
from core.http.connections import send_at_once
from core.http.downloads import Downloads
from core.http.guards import Handler, ReadOnly
from core.http.health import Health
from core.http.metrics import Metrics
from core.http.middleware.encodings import EncodedTags, Uncompressed
from core.http.middleware.entrance import Entrance
from core.http.middleware.headers import PREFIXES, OwnHeaders
from core.http.middleware.hosts import HostGuard, allowed_names
from core.http.middleware.recording import Recording, watch_loop
from core.http.pictures import Pictures
from core.http.prometheus import Prometheus
from core.settings import Settings

if TYPE_CHECKING:
    from core.services import Services

__all__ = ["exception_handlers", "middleware", "routes", "send_at_once", "watch_loop"]


# zstd where the client knows it: at its lowest level it makes rows smaller in a tenth of gzip's time.
COMPRESSED = (Middleware(CompressMiddleware, minimum_size=500, brotli=False, zstd_level=1, gzip_level=6),)


def routes(services: Callable[[], Services]) -> list[Route]:
    """Every route of ours; ``services`` is called at each request, so nothing is opened here."""
    api, pictures, downloads = Api(services), Pictures(services), Downloads(services)
    handlers: dict[str, Handler] = {
        "/api/health": Health(services).health,
        "/api/openapi.json": api.openapi,
        "/api/version": api.version,
        "/api/projects": api.projects,
        "/api/projects/{id}/images": api.images,
        "/api/projects/{id}/objects": api.project_objects,
        "/api/images/{id}": api.image,
        "/api/images/{id}/objects": api.objects,
        "/api/jobs": api.jobs,
        "/api/queue": api.queue,
        "/thumbs/{id}": pictures.thumbnail,
        "/views/{id}.png": pictures.view,
        "/api/exports/{id}": downloads.export_state,
        "/metrics": Prometheus(services).text,
    }
    handlers |= _files(downloads)
    handlers |= _metrics(services, tuple(handlers))
    # Last, what none of them matches: it would fall through to the pages, which answer 200 to any address.
    for prefix in PREFIXES:
        handlers.setdefault(prefix, _unknown)
        handlers[f"{prefix}/{{rest:path}}"] = _unknown
    told = contract.document()
    return [_route(path, contract.guarded(path, handler, told)) for path, handler in handlers.items()]


def _files(downloads: Downloads) -> dict[str, Handler]:
    return {
        "/downloads/projects/{id}/objects.csv": downloads.project_objects,
        "/downloads/projects/{id}/images.csv": downloads.project_images,
        "/downloads/projects/{id}/measurements.csv": downloads.project_measurements,
        "/downloads/images/{id}/objects.csv": downloads.image_objects,
        "/downloads/images/{id}/original": downloads.original,
        "/downloads/images/{id}/mask.png": downloads.mask,
        "/downloads/images/{id}/overlay.png": downloads.overlay,
        "/downloads/formulas.csv": downloads.formulas,
        "/downloads/exports/{id}.zip": downloads.export,
    }


def _route(path: str, handler: Handler) -> Route:
    compressed = COMPRESSED if path.startswith("/api/") else None
    return Route(path, ReadOnly(handler), name=path, middleware=compressed)


def _metrics(services: Callable[[], Services], measured: tuple[str, ...]) -> dict[str, Handler]:
    metrics = Metrics(services, measured)
    return {
        "/api/metrics/performance": metrics.performance,
        "/api/metrics/health": metrics.health,
        "/api/metrics/summary": metrics.summary,
        "/api/metrics/slow-queries": metrics.slow_queries,
        "/api/metrics/endpoints": metrics.endpoints,
    }


def middleware(settings: Settings, services: Callable[[], Services]) -> list[Middleware]:
    """What every request passes, the pages' as well; the first of them comes first."""
    return [
        Middleware(Recording, recorder=lambda: services().recorder),
        Middleware(OwnHeaders),
        Middleware(EncodedTags),
        *([] if settings.compression else [Middleware(Uncompressed)]),
        Middleware(HostGuard, allowed=allowed_names(settings.allowed_hosts)),
        Middleware(Entrance),
    ]


def exception_handlers() -> dict[Any, Callable[[Request, Exception], Response]]:
    """How errors become answers."""
    return {SpheroscopeError: refused, Exception: crashed}


def _unknown(_request: Request) -> Response:
    return problem(404, "not_found", "There is nothing at this address.")

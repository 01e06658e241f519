"""The FastAPI application of all our routes, and how it stands beside the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.routing import Route
from starlette_compress import CompressMiddleware

from core import __version__
from core.http.dependencies import authorised, single_values
from core.http.errors import add_handlers
from core.http.middleware.headers import PREFIXES
from core.http.routes import (
    access,
    audit,
    corrections,
    downloads,
    exports,
    health,
    images,
    jobs,
    metrics,
    outlines,
    pictures,
    projects,
    prometheus,
    reviews,
    second_opinions,
    segment,
    uploads,
)
from core.http.schemas.base import Problem
from core.services import Services

ROUTERS = (
    *(health, jobs, projects, images, corrections, reviews, second_opinions, outlines, uploads, segment),
    *(exports, metrics, prometheus, pictures, downloads, audit),
)
DESCRIPTION = (
    "See docs/http_api.md. What takes GET also takes HEAD; every change needs an Idempotency-Key. Times are "
    "UTC; null is what is not known."
)
TABLES_AT_ONCE = 4  # written to disk
UPLOADS_AT_ONCE = 3  # checked and stored; many more may be on their way
RESPONSES: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing has changed since the ETag that was sent as If-None-Match."},
    "4XX": {"model": Problem, "description": "A parameter cannot be, or there is no such thing."},
    503: {"model": Problem, "description": "Not now; perhaps after Retry-After seconds."},
}


class AnyPath(PathConvertor):
    """What ``{rest:any}`` stands for in an address: as ``path``, and line feeds as well."""

    regex = "(?s:.*)"


register_url_convertor("any", AnyPath())


def routes(services: Callable[[], Services]) -> list[Route]:
    """Return the routes of the app for ``st.App``: every address under our prefixes goes to the application.

    Addresses that it does not know are a 404 there: they would fall through to the pages, which answer 200 to
    any address. ``services`` is called at each request, so nothing is opened here.
    """
    app = create_app(services)
    # zstd where the client knows it: at its lowest level it makes rows smaller in a tenth of gzip's time.
    compressed = CompressMiddleware(app, minimum_size=500, brotli=False, zstd_level=1, gzip_level=6)
    mounted = []
    for prefix in PREFIXES:
        target = compressed if prefix == "/api" else app
        mounted += [Route(prefix, target), Route(f"{prefix}/{{rest:any}}", target)]
    return mounted + access.routes(services)


def create_app(services: Callable[[], Services]) -> FastAPI:
    """Return the application of all routes, with its OpenAPI document and a page that shows it offline."""
    app = FastAPIOffline(
        title="Spheroscope",
        version=__version__,
        description=DESCRIPTION,
        docs_url="/api/docs",
        redoc_url=None,
        static_url="/api/docs-files",
        openapi_url="/api/openapi.json",
        swagger_ui_oauth2_redirect_url="/api/docs/oauth2-redirect",
        redirect_slashes=False,
        dependencies=[Depends(authorised), Depends(single_values)],
        responses=RESPONSES,
    )
    app.state.services = services
    app.state.table_limiter = anyio.CapacityLimiter(TABLES_AT_ONCE)
    app.state.upload_limiter = anyio.CapacityLimiter(UPLOADS_AT_ONCE)
    add_handlers(app)
    for module in ROUTERS:
        app.include_router(module.router)
    generate = app.openapi
    app.openapi = lambda: _simplified(generate())  # type: ignore[method-assign]
    return app


def _simplified(document: dict[str, Any]) -> dict[str, Any]:
    """Say of query parameters what pydantic cannot: that lists have commas, and that null cannot be sent."""
    operations = [item for path in document["paths"].values() for item in path.values()]
    for parameter in [item for operation in operations for item in operation.get("parameters", ())]:
        schema = parameter["schema"]
        if "anyOf" in schema:
            schema |= schema.pop("anyOf")[0]
        if schema.get("type") == "array":
            parameter |= {"style": "form", "explode": False}
    return document

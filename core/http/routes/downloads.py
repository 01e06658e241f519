"""/downloads: tables as CSV, original files, label images, and pictures with outlines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from core import __version__
from core.cache import cached
from core.errors import NotFound
from core.export import images_csv, limited, objects_csv, refuse_too_many
from core.export.text import Pieces
from core.files.file_names import stem, uploaded_name
from core.http.answers import PRIVATE, attachment, conditional
from core.http.dependencies import ImageId, ProjectId, ServicesDependency
from core.http.files import FileAnswer
from core.http.routes.images import version_of_image
from core.http.routes.pictures import view_of
from core.http.routing import ReadRouter
from core.http.schemas.queries import ImagesTableQuery, MeasurementsQuery, TableQuery
from core.http.schemas.rows import EXPORTED_AS
from core.http.tables import CSV, TableAnswer
from core.images import rendering, scale_bar
from core.images.formats import HEAD_BYTES, content_type, named_as
from core.images.memory import overlay_bytes
from core.listing import export_rows
from core.listing.object_table import with_pixel_size
from core.models import Image, ImageFilter
from core.services import Services

router = ReadRouter(prefix="/downloads", tags=["Downloads"], default_response_class=Response)


def file_of(media_type: str) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of an answer that is a file."""
    return {200: {"content": {media_type: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get("/projects/{id}/objects.csv", responses=file_of(CSV))
def project_objects(
    request: Request,
    project_id: ProjectId,
    query: Annotated[ImagesTableQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A row for each spheroid of the results in force, of the images that pass the filter."""
    version = services.store.generations.of(project_id)
    name = services.store.projects.require(project_id)
    ids, limit = _chosen(services, project_id, query.image_filter()), services.settings.max_export_rows
    refuse_too_many(services.store.results.size(project_id, ids).objects, limit)

    def pieces() -> Pieces:
        rows = services.store.results.objects(project_id, limit + 1, ids)
        return objects_csv(limited(rows, limit), digits=query.digits)

    return _table(services, request, version, pieces, f"{name} objects.csv")


@router.get("/projects/{id}/images.csv", responses=file_of(CSV))
def project_images(
    request: Request,
    project_id: ProjectId,
    query: Annotated[ImagesTableQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A row for each image that passes the filter, whatever its status."""
    version = services.store.generations.of(project_id)
    name = services.store.projects.require(project_id)
    ids, limit = _chosen(services, project_id, query.image_filter()), services.settings.max_export_rows
    refuse_too_many(services.store.results.size(project_id, ids).images, limit)

    def pieces() -> Pieces:
        rows = services.store.results.images(project_id, limit + 1, ids)
        return images_csv(limited(rows, limit), query.digits)

    return _table(services, request, version, pieces, f"{name} images.csv")


@router.get("/projects/{id}/measurements.csv", responses=file_of(CSV))
def project_measurements(
    request: Request,
    project_id: ProjectId,
    query: Annotated[MeasurementsQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """The spheroids of a project as the Measurements page shows them: rows, order and columns.

    Beside sizes in micrometres stands the pixel size that they follow from, and its source.
    """
    version = services.store.generations.of(project_id)
    name = services.store.projects.require(project_id)
    narrowing, limit = query.object_filter(), services.settings.max_export_rows
    names = with_pixel_size(tuple(EXPORTED_AS[field] for field in query.fields or EXPORTED_AS))
    refuse_too_many(services.store.objects.count(project_id, narrowing).objects, limit)

    def pieces() -> Pieces:
        rows = services.store.objects.stream(project_id, narrowing, query.sort, limit + 1)
        return objects_csv(limited(rows, limit), names, query.digits)

    return _table(services, request, version, pieces, f"{name} measurements.csv")


@router.get("/images/{id}/objects.csv", responses=file_of(CSV))
def image_objects(
    request: Request,
    image_id: ImageId,
    query: Annotated[TableQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A row for each spheroid of one image."""
    version = version_of_image(services, image_id)
    image, limit = services.store.images.get(image_id), services.settings.max_export_rows
    refuse_too_many(image.n_objects or 0, limit)

    def pieces() -> Pieces:
        rows = services.store.results.objects(image.project_id, limit + 1, (image.id,))
        return objects_csv(limited(rows, limit), digits=query.digits)

    return _table(services, request, version, pieces, f"{stem(image)} objects.csv")


@router.get("/formulas.csv", responses=file_of(CSV))
def formulas(request: Request) -> Response:
    """Unit and formula of every measured column."""
    return _made(
        request, f"formulas-{__version__}", lambda: export_rows.formulas_text().encode(), CSV, "formulas.csv"
    )


@router.get("/images/{id}/original", responses=file_of("*/*"))
def original(request: Request, image_id: ImageId, services: ServicesDependency) -> Response:
    """The file as it was uploaded, byte for byte; several images may be pages of one file."""
    image = services.store.images.get(image_id)
    return _stored(services, request, image.sha256, uploaded_name(image))


@router.get("/images/{id}/mask.png", responses=file_of("image/png"))
def mask(request: Request, image_id: ImageId, services: ServicesDependency) -> Response:
    """The label image: 16-bit PNG, 0 is background, numbers are those of the table."""
    image = services.store.images.get(image_id)
    segmentation = services.store.results.segmentation(image)
    if segmentation is None:
        raise _not_segmented(image)
    return _stored(services, request, segmentation.labels_sha256, f"{stem(image)}_mask.png")


@router.get("/images/{id}/overlay.png", responses=file_of("image/png"))
def overlay(request: Request, image_id: ImageId, services: ServicesDependency) -> Response:
    """The image with its outlines, numbers and, where its pixel size is known, a scale bar."""
    image = services.store.images.get(image_id)
    result = services.store.results.get(image)
    if result is None:
        raise _not_segmented(image)
    segmentation, spheroids = result
    tag = f"{segmentation.labels_sha256}-{image.sha256}-{image.page}-{image.um_per_px}-{__version__}"

    def draw() -> bytes:
        with services.admission.hold(overlay_bytes(image), image.name):
            picture = view_of(services, image, stretch=True)
            overlay_image = rendering.draw_outlines(picture, spheroids)
            scale_bar.draw(overlay_image, image.um_per_px)
            return rendering.encode_png(overlay_image)

    return _made(
        request,
        tag,
        lambda: cached(services.cache, "overlay", tag, draw),
        "image/png",
        f"{stem(image)}_overlay.png",
    )


def _chosen(services: Services, project_id: str, narrowing: ImageFilter) -> tuple[str, ...] | None:
    """Ids of the images that pass the filter; None where it lets all pass."""
    return None if narrowing == ImageFilter() else services.store.images.ids(project_id, narrowing)


def _table(
    services: Services, request: Request, version: str, pieces: Callable[[], Pieces], name: str
) -> Response:
    """A table of a project whose ``version`` was read before anything else was.

    So what changes meanwhile makes the tag too old, never too new.
    """
    about = f"{version} {request.url.path} {request.url.query} {__version__}"
    tag = hashlib.sha256(about.encode()).hexdigest()[:32]
    headers = {"Content-Disposition": attachment(name)}

    def answer() -> Response:
        if services.settings.streaming:
            limiter = request.app.state.table_limiter
            return TableAnswer(services.exports.tables, tag, pieces, headers, limiter)
        return Response("".join(pieces()).encode(), headers=headers, media_type=CSV)

    return conditional(request, tag, PRIVATE, answer)


def _stored(services: Services, request: Request, sha256: str, name: str) -> Response:
    def answer() -> Response:
        path = services.blobs.path_of(sha256)  # a damaged file must not pass for the real one
        with path.open("rb") as file:
            kind = content_type(file.read(HEAD_BYTES))
        return FileAnswer(path, sha256, kind, {"Content-Disposition": attachment(named_as(kind, name))})

    return conditional(request, sha256, PRIVATE, answer)


def _made(request: Request, tag: str, make: Callable[[], bytes], kind: str, name: str) -> Response:
    headers = {"Content-Disposition": attachment(name)}
    return conditional(request, tag, PRIVATE, lambda: Response(make(), headers=headers, media_type=kind))


def _not_segmented(image: Image) -> NotFound:
    return NotFound(f"{image.name} has no outlines yet. Segment it first.")

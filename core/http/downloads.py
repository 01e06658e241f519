"""Files to keep: tables as CSV, originals, masks, pictures with outlines, and whole exports."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Send

from core import __version__, export
from core.cache import cached
from core.errors import NotFound
from core.export.builder import refuse_too_many
from core.files.file_names import stem, uploaded_name
from core.http import forms, parameters
from core.http.answers import attachment, json_answer
from core.http.files import FileAnswer, not_modified, patient
from core.http.pictures import view_of
from core.images import rendering
from core.images.formats import HEAD_BYTES, content_type, named_as
from core.images.memory import overlay_bytes
from core.listing import export_rows
from core.models import Image, ImageFilter
from core.store.objects import DEFAULT_SORT as OBJECT_SORT

if TYPE_CHECKING:
    from core.export.text import Pieces
    from core.services import Services

CSV = "text/csv"  # Starlette adds the charset
OWN_COPY = "private, no-cache"  # may be kept by whoever asked, to be asked for by its ETag again


class Downloads:
    """Handlers of /downloads and of /api/exports."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def project_objects(self, request: Request) -> Response:
        """objects.csv of a project, or of those of its images that pass the filter."""
        services = self._services()
        project_id = request.path_params["id"]
        version = services.store.generations.of(project_id)
        name = services.store.projects.require(project_id)
        ids, limit = _chosen(services, project_id, request), services.settings.max_export_rows
        refuse_too_many(services.store.results.size(project_id, ids).objects, limit)
        return _table(
            services,
            request,
            version,
            lambda: export.objects_csv(services.store.results.objects(project_id, limit, ids)),
            f"{name} objects.csv",
        )

    def project_images(self, request: Request) -> Response:
        """images.csv of a project, or of those of its images that pass the filter."""
        services = self._services()
        project_id = request.path_params["id"]
        version = services.store.generations.of(project_id)
        name = services.store.projects.require(project_id)
        ids, limit = _chosen(services, project_id, request), services.settings.max_export_rows
        refuse_too_many(services.store.results.size(project_id, ids).images, limit)
        return _table(
            services,
            request,
            version,
            lambda: export.images_csv(services.store.results.images(project_id, limit, ids)),
            f"{name} images.csv",
        )

    def project_measurements(self, request: Request) -> Response:
        """The table of a project's spheroids as the Measurements page shows it: rows, order and columns."""
        services = self._services()
        project_id = request.path_params["id"]
        version = services.store.generations.of(project_id)
        name = services.store.projects.require(project_id)
        wanted, limit = parameters.object_filter(request), services.settings.max_export_rows
        sort = request.query_params.get("sort") or OBJECT_SORT
        fields = parameters.fields(request, tuple(forms.SHOWN_AS)) or tuple(forms.SHOWN_AS)
        columns = tuple(forms.SHOWN_AS[field] for field in fields)
        refuse_too_many(services.store.objects.count(project_id, wanted).objects, limit)
        return _table(
            services,
            request,
            version,
            lambda: export.objects_csv(
                services.store.objects.stream(project_id, wanted, sort, limit), columns
            ),
            f"{name} measurements.csv",
        )

    def image_objects(self, request: Request) -> Response:
        """objects.csv of one image."""
        services = self._services()
        image_id = request.path_params["id"]
        version = services.store.generations.of(services.store.images.project_of(image_id))
        image = services.store.images.get(image_id)
        limit = services.settings.max_export_rows
        refuse_too_many(image.n_objects or 0, limit)
        return _table(
            services,
            request,
            version,
            lambda: export.objects_csv(services.store.results.objects(image.project_id, limit, (image.id,))),
            f"{stem(image)} objects.csv",
        )

    def formulas(self, request: Request) -> Response:
        """Unit and formula of every measured column."""
        return _rendered(
            request,
            f"formulas-{__version__}",
            lambda: export_rows.formulas_text().encode(),
            CSV,
            "formulas.csv",
        )

    def original(self, request: Request) -> Response:
        """The file as it was uploaded, byte for byte; several images may be pages of one file."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        return _stored(services, request, image.sha256, uploaded_name(image))

    def mask(self, request: Request) -> Response:
        """The label image: 16-bit PNG, 0 is background, numbers are those of the table."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        segmentation = services.store.results.segmentation(image)
        if segmentation is None:
            raise _not_segmented(image)
        return _stored(services, request, segmentation.labels_sha256, f"{stem(image)}_mask.png")

    def overlay(self, request: Request) -> Response:
        """The image with its outlines and numbers, at full resolution."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        result = services.store.results.get(image)
        if result is None:
            raise _not_segmented(image)
        segmentation, spheroids = result
        tag = f"{segmentation.labels_sha256}-{image.sha256}-{image.page}-{__version__}"

        def draw() -> bytes:
            with services.admission.hold(overlay_bytes(image), image.name):
                return rendering.encode_png(
                    rendering.draw_outlines(view_of(services, image, stretch=True), spheroids)
                )

        return _rendered(
            request,
            tag,
            lambda: cached(services.cache, "overlay", tag, draw),
            "image/png",
            f"{stem(image)}_overlay.png",
        )

    def export(self, request: Request) -> Response:
        """A finished export, for as long as it is kept."""
        made, path = self._services().exports.take(request.path_params["id"])
        try:
            return not_modified(request, made.id, OWN_COPY) or FileAnswer(
                path, made.id, "application/zip", _headers(made.name)
            )
        except FileNotFoundError:  # swept at this very moment
            raise NotFound("This export is not there any more. Make it again on the Images page.") from None

    def export_state(self, request: Request) -> Response:
        """How far an export is, and where to take it from."""
        return json_answer(forms.export(self._services().exports.get(request.path_params["id"])))


class CsvStream(StreamingResponse):
    """CSV sent while it is read; closed when it ends and when the client goes away or takes nothing."""

    def __init__(self, spool: export.Spool, headers: dict[str, str]) -> None:
        self._spool = spool
        super().__init__(spool.read(), headers=headers, media_type=CSV)

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(patient(send))
        finally:
            self._spool.close()


def _chosen(services: Services, project_id: str, request: Request) -> tuple[str, ...] | None:
    """Ids of the images that pass the request's filter; None where it has none."""
    wanted = parameters.image_filter(request)
    return None if wanted == ImageFilter() else services.store.images.ids(project_id, wanted)


def _table(
    services: Services, request: Request, version: str, pieces: Callable[[], Pieces], name: str
) -> Response:
    """A table of a project whose ``version`` was told before anything was read.

    So what changes meanwhile makes the tag too old, never too new.
    """
    asked = f"{version} {request.url.path} {request.url.query} {__version__}"
    tag = hashlib.sha256(asked.encode()).hexdigest()[:32]
    if answer := not_modified(request, tag, OWN_COPY):
        return answer
    headers = _headers(name, tag)
    if request.method == "HEAD":  # nothing is read, so the length is not known, as in the answer to GET
        return StreamingResponse(iter(()), headers=headers, media_type=CSV)
    if not services.settings.streaming:
        return Response("".join(pieces()).encode(), headers=headers, media_type=CSV)
    return CsvStream(services.exports.spool(pieces()), headers)


def _stored(services: Services, request: Request, sha256: str, name: str) -> Response:
    if answer := not_modified(request, sha256, OWN_COPY):
        return answer
    path = services.blobs.path_of(sha256)  # a damaged file must not pass for the real one
    with path.open("rb") as file:
        kind = content_type(file.read(HEAD_BYTES))
    return FileAnswer(path, sha256, kind, _headers(named_as(kind, name)))


def _rendered(request: Request, tag: str, make: Callable[[], bytes], kind: str, name: str) -> Response:
    return not_modified(request, tag, OWN_COPY) or Response(
        make(), headers=_headers(name, tag), media_type=kind
    )


def _headers(name: str, tag: str | None = None) -> dict[str, str]:
    headers = {"Cache-Control": OWN_COPY, "Content-Disposition": attachment(name)}
    return headers if tag is None else headers | {"ETag": f'"{tag}"'}


def _not_segmented(image: Image) -> NotFound:
    return NotFound(f"{image.name} has no outlines yet. Segment it first.")

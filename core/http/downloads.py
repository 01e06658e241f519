"""Files to keep: tables as CSV, originals, masks and pictures with outlines."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Send

from core import display, export, overlay, tables
from core.errors import InvalidRequest, NotFound
from core.http.answers import NOT_KEPT, attachment, content_type
from core.http.pictures import view_of
from core.models import Image

if TYPE_CHECKING:
    from core.services import Services

# The suffixes that a file of each type may keep; any other gets the first one added.
SUFFIXES = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/bmp": (".bmp", ".dib"),
    "image/tiff": (".tif", ".tiff", ".lsm", ".stk"),
}
CSV = "text/csv"  # Starlette adds the charset


class Downloads:
    """Handlers of /downloads."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def project_objects(self, request: Request) -> Response:
        """objects.csv of a project."""
        services = self._services()
        project = services.store.projects.get(request.path_params["id"])
        limit = services.settings.max_export_rows
        _refuse_too_many(services.store.results.size(project.id).objects, limit)
        pieces = export.objects_csv(services.store.results.objects(project.id, limit))
        return _csv(request, pieces, f"{project.name} objects.csv")

    def project_images(self, request: Request) -> Response:
        """images.csv of a project."""
        services = self._services()
        project = services.store.projects.get(request.path_params["id"])
        limit = services.settings.max_export_rows
        _refuse_too_many(services.store.results.size(project.id).images, limit)
        pieces = export.images_csv(services.store.results.images(project.id, limit))
        return _csv(request, pieces, f"{project.name} images.csv")

    def image_objects(self, request: Request) -> Response:
        """objects.csv of one image."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        limit = services.settings.max_export_rows
        _refuse_too_many(image.n_objects or 0, limit)
        pieces = export.objects_csv(services.store.results.objects(image.project_id, limit, image.id))
        return _csv(request, pieces, f"{_stem(image)} objects.csv")

    def formulas(self, _request: Request) -> Response:
        """Unit and formula of every measured column."""
        return _saved(tables.formulas_text().encode(), "formulas.csv", CSV)

    def original(self, request: Request) -> Response:
        """The file as it was uploaded, byte for byte; several images may be pages of one file."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        # Read once in full, for a damaged original must not pass for the real one; then sent piece by piece.
        kind = content_type(services.blobs.get(image.sha256)[:16])
        headers = {
            "Cache-Control": NOT_KEPT,
            "Content-Disposition": attachment(_named_as(kind, _uploaded_name(image))),
            # Keeps it from being compressed: 200 MB of TIFF would take seconds, and a part that is asked for
            # later by the same ETag would be of other bytes.
            "Content-Encoding": "identity",
            "ETag": f'"{image.sha256}"',
        }
        return FileResponse(services.blobs.path(image.sha256), headers=headers, media_type=kind)

    def mask(self, request: Request) -> Response:
        """The label image: 16-bit PNG, 0 is background, numbers are those of the table."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        segmentation = services.store.results.segmentation(image)
        if segmentation is None:
            raise _not_segmented(image)
        data = services.blobs.get(segmentation.labels_sha256)
        return _saved(data, f"{_stem(image)}_mask.png", "image/png")

    def overlay(self, request: Request) -> Response:
        """The image with its outlines and numbers, at full resolution."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        result = services.store.results.get(image)
        if result is None:
            raise _not_segmented(image)
        drawn = overlay.draw(view_of(services, image, stretch=True), result[1])
        return _saved(display.encode_png(drawn), f"{_stem(image)}_overlay.png", "image/png")


class CsvStream(StreamingResponse):
    """CSV sent as it is read; the cursor is closed when it ends and when the client goes away."""

    def __init__(self, pieces: export.Pieces, name: str) -> None:
        self._pieces = pieces
        first = next(pieces)  # a query that fails does so here, while the status can still say it
        super().__init__(chain((first,), pieces), headers=_headers(name), media_type=CSV)

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        finally:
            self._pieces.close()


def _csv(request: Request, pieces: export.Pieces, name: str) -> Response:
    if request.method == "HEAD":  # nothing is read, so the length is not known, as in the answer to GET
        return StreamingResponse(iter(()), headers=_headers(name), media_type=CSV)
    return CsvStream(pieces, name)


def _saved(data: bytes, name: str, kind: str) -> Response:
    return Response(data, headers=_headers(name), media_type=kind)


def _headers(name: str) -> dict[str, str]:
    return {"Cache-Control": NOT_KEPT, "Content-Disposition": attachment(name)}


def _refuse_too_many(rows: int, limit: int) -> None:
    if rows > limit:  # part of a table looks like the whole
        raise InvalidRequest(
            f"This export would have {rows:,} rows; at most {limit:,} are given. "
            "Export image by image, or raise MAX_EXPORT_ROWS."
        )


def _not_segmented(image: Image) -> NotFound:
    return NotFound(f"{image.name} has no outlines yet. Segment it first.")


def _uploaded_name(image: Image) -> str:
    """The file's name without the page number that its images' names end in."""
    return image.name.removesuffix(f"#{image.page}")


def _stem(image: Image) -> str:
    """The image's name without its file's suffix; pages of one file stay apart."""
    uploaded = _uploaded_name(image)
    return PurePath(uploaded).stem + image.name[len(uploaded) :].replace("#", "_")


def _named_as(kind: str, name: str) -> str:
    """``name`` with a suffix that fits the content: an image called x.html must not open as a page."""
    known = SUFFIXES.get(kind, (".bin",))
    return name if name.lower().endswith(known) else name + known[0]

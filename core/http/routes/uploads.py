"""Uploads: files received as the bodies of requests, in as many pieces as it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, Header, Path, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from core.errors import ImageTooLarge, SpheroscopeError, UploadConflict
from core.http.answers import json_answer
from core.http.dependencies import IdempotencyKey, ProjectId, ServicesDependency, own_client, requested_by
from core.http.errors import RETRY_SECONDS
from core.http.routing import ReadRouter
from core.http.schemas.uploads import (
    MAX_BYTES,
    FilesToSend,
    UploadAnswer,
    UploadProblem,
    UploadQuery,
    UploadsAnswer,
    UploadsQuery,
)
from core.models import Upload, UploadState
from core.store import NewUpload, UploadBatch
from core.uploads import UploadPart, Uploads

PIECE_BYTES = 2**20  # gathered before they are written: what one request holds in memory
DRAIN_SECONDS = 10.0  # for which the rest of a body is read that nobody needs
CLIENT_CLOSED_REQUEST = 499  # the client went away: nginx's number for it

router = ReadRouter(prefix="/api", tags=["Uploads"])
UploadKey = Annotated[str, Path(alias="key", description="The key that was chosen for the file.")]


@dataclass(frozen=True, slots=True)
class Piece:
    """What the headers say of a body: of which file, from which byte on, and how long that is, if they do."""

    key: str
    offset: int
    n_bytes: int | None


async def _piece(
    request: Request,
    key: IdempotencyKey,
    offset: Annotated[
        int, Header(alias="Upload-Offset", ge=0, description="Which byte of the file the body begins with.")
    ] = 0,
    length: Annotated[
        int | None,
        Header(alias="Upload-Length", ge=0, le=MAX_BYTES, description="Bytes of the whole file."),
    ] = None,
) -> Piece:
    text = request.headers.get("content-length", "")
    if length is None and text.isascii() and text.isdigit():
        length = offset + int(text)
    return Piece(key, offset, length)


PieceDependency = Annotated[Piece, Depends(_piece)]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": UploadAnswer, "description": "The same file is in the project already, or is back."},
    201: {"model": UploadAnswer, "description": "It has been stored."},
    202: {"model": UploadAnswer, "description": "Not all of it has arrived; send the rest from `offset` on."},
    409: {"model": UploadProblem, "description": "Another number of bytes has arrived: see `offset`."},
    422: {"model": UploadProblem, "description": "The file cannot be taken."},
}


@router.post("/projects/{id}/images", responses=ANSWERS, status_code=201, dependencies=[Depends(own_client)])
async def add_image(
    request: Request,
    project_id: ProjectId,
    query: Annotated[UploadQuery, Query()],
    piece: PieceDependency,
    services: ServicesDependency,
) -> Response:
    """Store a file, which is the body, or a piece of one.

    The same key goes on with the same file, from the byte `Upload-Offset` on; of one that has its verdict,
    the verdict comes again.
    """
    uploads = services.uploads
    batch = UploadBatch(query.batch, query.segment, requested_by(request, services.settings))
    file = NewUpload(piece.key, query.path, piece.n_bytes)
    upload = await to_thread.run_sync(uploads.begin, project_id, batch, file)
    if upload.state.ended:
        await _drain(request)
        return answer_of(upload)
    try:
        return answer_of(await _receive(request, uploads, upload, piece))
    except ClientDisconnect:
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    except ImageTooLarge as error:
        return answer_of(await to_thread.run_sync(uploads.refuse, upload, error))
    except UploadConflict as error:
        await _drain(request)
        return _problem(409, error, await to_thread.run_sync(uploads.get, upload.id))


@router.post("/projects/{id}/uploads", status_code=201, dependencies=[Depends(own_client)])
def declare(
    request: Request,
    project_id: ProjectId,
    files: FilesToSend,
    _key: IdempotencyKey,
    services: ServicesDependency,
) -> UploadsAnswer:
    """Say which files are about to be sent: those that never come are named then, whoever has left."""
    name = requested_by(request, services.settings, files.requested_by)
    batch = UploadBatch(files.batch, files.segment, name)
    new = [NewUpload(file.key, file.path, file.n_bytes) for file in files.files]
    return _answer(services.uploads.declare(project_id, batch, new))


@router.get("/uploads")
def all_uploads(services: ServicesDependency, query: Annotated[UploadsQuery, Query()]) -> UploadsAnswer:
    """Uploads of all projects that nobody has dismissed, the latest first."""
    return _listed(services.uploads, None, query)


@router.get("/projects/{id}/uploads")
def uploads_of_project(
    project_id: ProjectId, services: ServicesDependency, query: Annotated[UploadsQuery, Query()]
) -> UploadsAnswer:
    """Uploads of a project that nobody has dismissed, the latest first."""
    services.store.projects.require(project_id)
    return _listed(services.uploads, project_id, query)


@router.delete("/projects/{id}/uploads", status_code=204, dependencies=[Depends(own_client)])
def dismiss(project_id: ProjectId, _key: IdempotencyKey, services: ServicesDependency) -> None:
    """Dismiss the verdicts of a project, and give up files that nobody is sending any more."""
    services.uploads.dismiss(project_id)


@router.get("/projects/{id}/uploads/{key}")
def upload_of_key(project_id: ProjectId, key: UploadKey, services: ServicesDependency) -> UploadAnswer:
    """Where one upload stands: from which byte on it is to be sent, or its verdict."""
    return UploadAnswer.model_validate(services.uploads.of_key(project_id, key))


@router.delete("/projects/{id}/uploads/{key}", dependencies=[Depends(own_client)])
def cancel(
    project_id: ProjectId, key: UploadKey, _key: IdempotencyKey, services: ServicesDependency
) -> UploadAnswer:
    """Give an upload up; one that has its verdict keeps it."""
    return UploadAnswer.model_validate(services.uploads.cancel(project_id, key))


def answer_of(upload: Upload) -> Response:
    """Where an upload stands as an answer, whose status says whether the file is in the project."""
    if upload.state.in_project:
        return json_answer(_body(upload), 201 if upload.state is UploadState.STORED else 200)
    code, message = upload.code or "not_stored", upload.message or ""
    error = SpheroscopeError(message)
    if upload.state is UploadState.REFUSED:
        status = {"image_too_large": 413, "not_found": 404}.get(code, 422)
        return _problem(status, error, upload, code)
    if upload.state.ended:
        return _problem(409, error, upload, code)
    # It was complete and could not be taken now. Its bytes may be kept, or have to be sent again: see offset.
    if upload.code is not None and upload.offset in (0, upload.n_bytes):
        return _problem(503, error, upload, code)
    return json_answer(_body(upload), 202)


def _problem(status: int, error: SpheroscopeError, upload: Upload, code: str | None = None) -> Response:
    detail = {"code": code or error.code, "message": error.message}
    headers = {"Retry-After": RETRY_SECONDS} if status == 503 else None
    return json_answer({"error": detail, "upload": _body(upload)}, status, headers)


def _body(upload: Upload) -> dict[str, Any]:
    return UploadAnswer.model_validate(upload).model_dump(mode="json")


def _listed(uploads: Uploads, project_id: str | None, query: UploadsQuery) -> UploadsAnswer:
    listed = uploads.listed(project_id)
    return _answer([item for item in listed if not (query.unfinished and item.state.in_project)])


def _answer(uploads: list[Upload] | tuple[Upload, ...]) -> UploadsAnswer:
    return UploadsAnswer(uploads=[UploadAnswer.model_validate(item) for item in uploads])


async def _receive(request: Request, uploads: Uploads, upload: Upload, piece: Piece) -> Upload:
    """Add the body to an upload, and judge it once it is complete. What has arrived is kept.

    Raises:
        ClientDisconnect, UploadConflict, ImageTooLarge, StorageError
    """
    uploads.require_size(piece.n_bytes or 0)
    part = await to_thread.run_sync(uploads.open_part, upload, piece.offset)
    try:
        await _write(request, part)
    finally:
        await to_thread.run_sync(uploads.close_part, upload, part)
    if piece.n_bytes is not None and part.offset < piece.n_bytes:
        return await to_thread.run_sync(uploads.get, upload.id)
    return await to_thread.run_sync(uploads.finish, upload, limiter=request.app.state.upload_limiter)


async def _write(request: Request, part: UploadPart) -> None:
    buffer = bytearray()
    try:
        async for piece in request.stream():
            buffer += piece
            if len(buffer) >= PIECE_BYTES:
                full, buffer = bytes(buffer), bytearray()
                await to_thread.run_sync(part.write, full)
    finally:  # also what came before the client left
        if buffer:
            await to_thread.run_sync(part.write, bytes(buffer))


async def _drain(request: Request) -> None:
    """Read the rest of a body: many programs look at the answer only after they have sent all of it."""
    until = time.monotonic() + DRAIN_SECONDS
    try:
        async for _ in request.stream():
            if time.monotonic() > until:
                return
    except (ClientDisconnect, RuntimeError):  # RuntimeError: it has been read already
        return

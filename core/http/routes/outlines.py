"""Import of outlines that other programs made."""

from __future__ import annotations

from typing import Annotated, BinaryIO

from anyio import to_thread
from fastapi import Depends, Request
from fastapi import Query as QueryParameters
from pydantic import Field

from core.corrections.imports import MAX_BYTES, Imported, ImportState
from core.errors import InvalidRequest, StorageError
from core.http.dependencies import IdempotencyKey, ProjectId, ServicesDependency, own_client
from core.http.routes.corrections import Author
from core.http.routing import ReadRouter
from core.http.schemas.base import Answer, Query

router = ReadRouter(prefix="/api/projects", tags=["Corrections"])


class OutlinesQuery(Query):
    """Which file it is."""

    path: str = Field(min_length=1, max_length=1000, description="Name of the file, such as `A05_masks.png`.")


class ImportedPicture(Answer):
    """What became of the outlines of one picture; `message` says why they were not taken, or are none."""

    name: str
    state: ImportState
    image_id: str | None
    image_name: str | None
    version_id: str | None
    n_objects: int
    message: str


class ImportAnswer(Answer):
    """One row a picture in the file."""

    pictures: list[ImportedPicture]


@router.post("/{id}/outlines", dependencies=[Depends(own_client)])
async def add_outlines(
    request: Request,
    project_id: ProjectId,
    query: Annotated[OutlinesQuery, QueryParameters()],
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> ImportAnswer:
    """Make corrected versions of outlines in the body: a mask, a zip of ImageJ ROIs, COCO, or an array."""
    with services.blobs.unnamed_file() as file:  # on disk, so that no more are in memory than are imported
        await _receive(request, file)

        def add() -> tuple[Imported, ...]:
            file.seek(0)
            return services.imports.add(project_id, query.path, file.read(), author)

        imported = await to_thread.run_sync(add, limiter=request.app.state.upload_limiter)
    return ImportAnswer(pictures=[ImportedPicture.model_validate(item) for item in imported])


async def _receive(request: Request, file: BinaryIO) -> None:
    n_bytes = 0
    async for piece in request.stream():
        n_bytes += len(piece)
        if n_bytes > MAX_BYTES:
            raise InvalidRequest(f"A file of outlines may have {MAX_BYTES // 2**20} MiB.")
        try:
            await to_thread.run_sync(file.write, piece)
        except OSError as error:
            raise StorageError(f"The file could not be stored to be read: {error.strerror}.") from error

"""Import of outlines that other programs made."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request
from fastapi import Query as QueryParameters
from pydantic import Field

from core.corrections.imports import MAX_BYTES
from core.errors import InvalidRequest
from core.http.dependencies import IdempotencyKey, ProjectId, ServicesDependency, own_client
from core.http.routes.corrections import Author
from core.http.routing import ReadRouter
from core.http.schemas.base import Answer, Query

router = ReadRouter(prefix="/api/projects", tags=["Corrections"])


class OutlinesQuery(Query):
    """Which file it is."""

    path: str = Field(min_length=1, max_length=1000, description="Name of the file, such as `A05_masks.png`.")


class ImportedPicture(Answer):
    """What became of the outlines of one picture; `message` says why they were not taken."""

    name: str
    image_id: str | None
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
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BYTES:
            raise InvalidRequest(f"A file of outlines may have {MAX_BYTES // 2**20} MiB.")
    imported = await to_thread.run_sync(services.imports.add, project_id, query.path, bytes(data), author)
    return ImportAnswer(pictures=[ImportedPicture.model_validate(item) for item in imported])

"""Exports: how far one is, and its archive once it is finished."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from core.errors import NotFound
from core.export import ExportState
from core.http.answers import PRIVATE, attachment, conditional
from core.http.dependencies import ExportId, ServicesDependency
from core.http.files import FileAnswer
from core.http.routing import ReadRouter
from core.http.schemas.states import ExportAnswer

router = ReadRouter(tags=["Downloads"])


@router.get("/api/exports/{id}")
def state(export_id: ExportId, services: ServicesDependency) -> ExportAnswer:
    """How far an export is, and where to take it from."""
    export = services.exports.get(export_id)
    answer = ExportAnswer.model_validate(export)
    if export.state is ExportState.READY:
        answer.download = f"/downloads/exports/{export.id}.zip"
    return answer


@router.get(
    "/downloads/exports/{id}.zip",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
def archive(request: Request, export_id: ExportId, services: ServicesDependency) -> Response:
    """A finished export, for as long as it is kept."""
    export, path = services.exports.take(export_id)
    headers = {"Content-Disposition": attachment(export.name)}
    try:
        return conditional(
            request, export.id, PRIVATE, lambda: FileAnswer(path, export.id, "application/zip", headers)
        )
    except FileNotFoundError:  # swept at this very moment
        raise NotFound("This export is not there any more. Make it again on the Images page.") from None

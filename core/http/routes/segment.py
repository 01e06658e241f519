"""Requests to segment images of a project."""

from __future__ import annotations

from fastapi import Depends, Request

from core.http.dependencies import IdempotencyKey, ProjectId, ServicesDependency, own_client, requested_by
from core.http.routing import ReadRouter
from core.http.schemas.uploads import SegmentAnswer, SegmentRequest
from core.models import ImageFilter, ImageStatus
from core.store import JobRequest

WITHOUT_RESULT = ImageFilter(status=(ImageStatus.NEW, ImageStatus.FAILED))

router = ReadRouter(prefix="/api/projects", tags=["Jobs"])


@router.post("/{id}/segment", status_code=202, dependencies=[Depends(own_client)])
def segment(
    request: Request,
    project_id: ProjectId,
    body: SegmentRequest,
    key: IdempotencyKey,
    services: ServicesDependency,
) -> SegmentAnswer:
    """Queue images by their own settings or their project's: those without a result, or all of them again."""
    project = services.store.projects.get(project_id)
    ids = services.store.images.ids(project_id, ImageFilter() if body.again else WITHOUT_RESULT)
    if body.images is not None:
        requested = set(body.images)
        ids = tuple(image_id for image_id in ids if image_id in requested)
    request_details = JobRequest(requested_by=requested_by(request, services.settings))
    recipes = services.requests.recipes(project, ids if body.override else ())
    queued = services.store.enqueue_once(
        f"{project_id}/segment/{key}", project_id, ids, recipes, request_details
    )
    services.queue.wake()
    own = services.requests.with_own_settings(project_id, ids)
    return SegmentAnswer(queued=queued, own_settings=len(own))

"""Review of results: the queue of a project, what people say, and how good the outlines are."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query as QueryParameters
from pydantic import Field
from starlette.responses import Response

from core.corrections.holds import Reviewer
from core.errors import VersionConflict
from core.http.dependencies import IdempotencyKey, ImageId, ProjectId, ServicesDependency
from core.http.routes.corrections import CHANGE, CONFLICTS, Author, conflict
from core.http.routing import ReadRouter
from core.http.schemas import reviews as bodies
from core.http.schemas.base import Query
from core.models import Verdict

router = ReadRouter(prefix="/api", tags=["Review"])


class QueueQuery(Query):
    """How many images."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.put("/images/{id}/review", status_code=204, dependencies=CHANGE, responses=CONFLICTS)
def review(
    image_id: ImageId,
    body: bodies.ReviewBody,
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Say of the result in force that it is right, excluded with a reason, or that one is unsure."""
    try:
        verdict = Verdict(body.state, body.reason, body.seconds)
        services.reviews.judge(image_id, body.version_id, verdict, author)
    except VersionConflict as error:
        return conflict(services, image_id, error)
    return Response(status_code=204)


@router.get("/projects/{id}/review")
def queue(
    project_id: ProjectId,
    query: Annotated[QueueQuery, QueryParameters()],
    services: ServicesDependency,
    author: Author,
) -> bodies.QueueAnswer:
    """Images to look at, worst first and every tenth drawn at random, but those that others look at now."""
    queue = services.reviews.queue(project_id, author)
    waiting = [bodies.WaitingImage.model_validate(item) for item in queue.waiting[: query.limit]]
    return bodies.QueueAnswer(total=len(queue.waiting), waiting=waiting, progress=dict(queue.progress))


@router.post("/projects/{id}/review/next", dependencies=CHANGE)
def next_image(
    project_id: ProjectId,
    _body: bodies.NextBody,
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> bodies.NextAnswer:
    """Take the next image: nobody else is given it for ten minutes."""
    waiting = services.reviews.turn(project_id, Reviewer(author)).image
    return bodies.NextAnswer(image=None if waiting is None else bodies.WaitingImage.model_validate(waiting))


@router.get("/projects/{id}/accuracy")
def accuracy(project_id: ProjectId, services: ServicesDependency) -> bodies.AccuraciesAnswer:
    """How good the automatic outlines of a project are, from the images drawn at random."""
    return bodies.accuracies(services.reviews.accuracy(project_id))

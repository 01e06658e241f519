"""Second opinions: images to draw without their outlines, what people draw, and how far they agree."""

from __future__ import annotations

from core.corrections.holds import Reviewer
from core.http.dependencies import IdempotencyKey, ImageId, ProjectId, ServicesDependency
from core.http.routes.corrections import CHANGE, Author
from core.http.routing import ReadRouter
from core.http.schemas import second_opinions as bodies
from core.http.schemas.reviews import NextBody

router = ReadRouter(prefix="/api", tags=["Review"])


@router.get("/projects/{id}/second-opinions")
def second_opinions(project_id: ProjectId, services: ServicesDependency) -> bodies.SecondOpinionsAnswer:
    """How far people agree who drew the same images, one of them without seeing the outlines."""
    return bodies.second_opinions(services.second_opinions.rows(project_id))


@router.post("/projects/{id}/second-opinions/next", dependencies=CHANGE)
def next_drawing(
    project_id: ProjectId,
    _body: NextBody,
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> bodies.NextDrawingAnswer:
    """Take the next image to draw: nobody else is given it for ten minutes."""
    project = services.store.projects.get(project_id)
    turn = services.second_opinions.turn(project, Reviewer(author))
    return bodies.NextDrawingAnswer.model_validate(turn)


@router.post("/images/{id}/second-opinions", dependencies=CHANGE)
def draw(
    image_id: ImageId,
    body: bodies.DrawingBody,
    key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> bodies.StoredAnswer:
    """Keep what somebody drew of an image without seeing its outlines. No result is changed by it."""
    drawing = body.drawing(key, services.store.images.get(image_id))
    return bodies.StoredAnswer.model_validate(services.second_opinions.add(image_id, drawing, author))

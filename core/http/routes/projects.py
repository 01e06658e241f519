"""/api/projects: the projects, and the images and spheroids of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from core.http.answers import REVALIDATE, conditional, json_answer
from core.http.dependencies import ProjectId, ServicesDependency
from core.http.lists import ListRequest
from core.http.ordered import PROJECT_KEYS, ordered
from core.http.routing import ReadRouter
from core.http.schemas import rows
from core.http.schemas.queries import ImagesQuery, ObjectsQuery, ProjectsQuery
from core.services import Services

router = ReadRouter(prefix="/api/projects", tags=["Results"])


@router.get("", response_model=rows.ProjectsAnswer)
def projects(
    request: Request, query: Annotated[ProjectsQuery, Query()], services: ServicesDependency
) -> Response:
    """A part of the projects."""
    version = str(services.db.generation)

    def answer() -> Response:
        part = ListRequest.of(request, query, services.settings.max_page_size)
        found = [item for item in services.store.projects.list() if query.name.lower() in item.name.lower()]
        items = ordered(found, part.sort, PROJECT_KEYS, "Projects")
        part = part.found(item.id for item in items)
        return json_answer(part.answer("projects", part.part(items), rows.project_row))

    return conditional(request, version, REVALIDATE, answer, weak=True)


@router.get("/{id}/images", response_model=rows.ImagesAnswer)
def images(
    request: Request,
    project_id: ProjectId,
    query: Annotated[ImagesQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A part of a project's images."""
    version = services.store.generations.of(project_id)
    return conditional(
        request, version, REVALIDATE, lambda: _images(request, project_id, query, services), weak=True
    )


def _images(request: Request, project_id: str, query: ImagesQuery, services: Services) -> Response:
    part, narrowing = ListRequest.of(request, query, services.settings.max_page_size), query.image_filter()
    services.store.projects.require(project_id)
    page = services.store.images.page(project_id, narrowing, part.sort, part.limit, part.offset, part.after)
    return json_answer(part.answer("images", page, rows.image_row))


@router.get("/{id}/objects", response_model=rows.ObjectsAnswer)
def objects(
    request: Request,
    project_id: ProjectId,
    query: Annotated[ObjectsQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A part of the spheroids of the results in force, of all images of the project."""
    version = services.store.generations.of(project_id)
    return conditional(
        request, version, REVALIDATE, lambda: _objects(request, project_id, query, services), weak=True
    )


def _objects(request: Request, project_id: str, query: ObjectsQuery, services: Services) -> Response:
    part, narrowing = ListRequest.of(request, query, services.settings.max_page_size), query.object_filter()
    services.store.projects.require(project_id)
    page = services.store.objects.page(project_id, narrowing, part.sort, part.limit, part.offset, part.after)
    return json_answer(part.answer("objects", page, rows.object_row))

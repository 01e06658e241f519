"""/api/projects: the projects, and the images and spheroids of one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from core.http.answers import conditional_json
from core.http.dependencies import ProjectId, ServicesDependency
from core.http.lists import ListRequest, Row
from core.http.ordered import PROJECT_KEYS, ordered
from core.http.routing import ReadRouter
from core.http.schemas import rows
from core.http.schemas.queries import ImagesQuery, ObjectsQuery, ProjectsQuery

router = ReadRouter(prefix="/api/projects", tags=["Results"])


@router.get("", response_model=rows.ProjectsAnswer)
def projects(
    request: Request, query: Annotated[ProjectsQuery, Query()], services: ServicesDependency
) -> Response:
    """A part of the projects."""
    version = str(services.db.generation)

    def body() -> Row:
        part = ListRequest.of(request, query, services.settings.max_page_size)
        named = [item for item in services.store.projects.list() if query.name.lower() in item.name.lower()]
        items = ordered(named, part.sort, PROJECT_KEYS, "Projects")
        part = part.after_cursor(item.id for item in items)
        return part.answer("projects", part.part(items), rows.project_row)

    return conditional_json(request, version, body)


@router.get("/{id}/images", response_model=rows.ImagesAnswer)
def images(
    request: Request,
    project_id: ProjectId,
    query: Annotated[ImagesQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A part of a project's images."""
    store, max_limit = services.store, services.settings.max_page_size
    version = store.generations.of(project_id)

    def body() -> Row:
        part, conditions = ListRequest.of(request, query, max_limit), query.image_filter()
        store.projects.require(project_id)
        page = store.images.page(project_id, conditions, part.sort, part.limit, part.offset, part.after)
        return part.answer("images", page, rows.image_row)

    return conditional_json(request, version, body)


@router.get("/{id}/objects", response_model=rows.ObjectsAnswer)
def objects(
    request: Request,
    project_id: ProjectId,
    query: Annotated[ObjectsQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A part of the spheroids of the results in force, of all images of the project."""
    store, max_limit = services.store, services.settings.max_page_size
    version = store.generations.of(project_id)

    def body() -> Row:
        part, conditions = ListRequest.of(request, query, max_limit), query.object_filter()
        store.projects.require(project_id)
        page = store.objects.page(project_id, conditions, part.sort, part.limit, part.offset, part.after)
        return part.answer("objects", page, rows.object_row)

    return conditional_json(request, version, body)

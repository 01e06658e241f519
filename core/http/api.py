"""The JSON API: projects, images, spheroids and jobs, read only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from core.http import forms, parameters
from core.http.answers import json_answer
from core.models import JobState
from core.store.images import DEFAULT_SORT

if TYPE_CHECKING:
    from core.services import Services


class Api:
    """Handlers of /api."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def version(self, _request: Request) -> Response:
        """A number that changes with every commit, and how many jobs wait or run: for pages that watch."""
        services = self._services()
        active = services.store.jobs.totals().left
        return json_answer({"version": str(services.db.generation), "active": active})

    def projects(self, _request: Request) -> Response:
        """Every project, the one with the latest activity first."""
        items = self._services().store.projects.list()
        return json_answer({"projects": [forms.project(item) for item in items]})

    def images(self, request: Request) -> Response:
        """A page of a project's images."""
        services = self._services()
        window = parameters.window(request, services.settings.max_page_size)
        page = services.store.images.page(
            services.store.projects.get(request.path_params["id"]).id,
            parameters.image_filter(request),
            request.query_params.get("sort") or DEFAULT_SORT,
            window.limit,
            window.offset,
        )
        return json_answer(
            {
                "images": [forms.image(item) for item in page.items],
                "total": page.total,
                "pagination": window.described(page.total),
            }
        )

    def image(self, request: Request) -> Response:
        """One image."""
        item = self._services().store.images.get(request.path_params["id"])
        return json_answer(forms.image_in_full(item))

    def objects(self, request: Request) -> Response:
        """The spheroids of one image."""
        store = self._services().store
        image = store.images.get(request.path_params["id"])
        with_contours = parameters.switch(request, "contours")
        segmentation, spheroids = store.results.get(image) or (None, ())
        return json_answer(
            {
                "image_id": image.id,
                "um_per_px": image.um_per_px,
                "segmentation": segmentation and forms.segmentation(segmentation),
                "objects": [forms.spheroid(item, image.um_per_px, with_contours) for item in spheroids],
            }
        )

    def jobs(self, request: Request) -> Response:
        """A page of the jobs, and the totals of the queue."""
        services = self._services()
        window = parameters.window(request, services.settings.max_page_size)
        state = parameters.choice(request, "state", JobState)
        project = request.query_params.get("project") or None
        if project is not None:
            services.store.projects.get(project)
        page = services.store.jobs.page(state, project, window.limit, window.offset)
        return json_answer(
            {
                "jobs": [forms.job(item) for item in page.items],
                "total": page.total,
                "pagination": window.described(page.total),
                "totals": forms.totals(services.store.jobs.totals()),
            }
        )

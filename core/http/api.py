"""The JSON API: projects, images, spheroids and jobs, read only."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from core.http import contract, forms, parameters
from core.http.answers import json_answer, versioned
from core.http.forms import Form
from core.http.lists import Ask, part
from core.http.ordered import PROJECT_KEYS, SPHEROID_KEYS, ordered
from core.listing.image_query import DEFAULT_SORT
from core.models import JobState
from core.store.objects import DEFAULT_SORT as OBJECT_SORT

if TYPE_CHECKING:
    from core.services import Services

RATE_KEPT_SECONDS = 5


class Api:
    """Handlers of /api."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def version(self, _request: Request) -> Response:
        """A number that changes with every commit, and how many jobs wait or run: for pages that watch."""
        snapshot = self._services().board.snapshot()
        return json_answer({"version": str(snapshot.version), "active": snapshot.totals.left})

    def queue(self, _request: Request) -> Response:
        """How far the queue is, as of at most half a second ago: for pages that show its progress."""
        return json_answer(forms.queue(self._services().board.snapshot()))

    def openapi(self, _request: Request) -> Response:
        """What every address takes and answers."""
        return json_answer(contract.document())

    def projects(self, request: Request) -> Response:
        """A page of the projects."""
        services = self._services()
        return versioned(request, services.db.generation, lambda: self._projects(services, request))

    def _projects(self, services: Services, request: Request) -> Form:
        ask = Ask.of(request, services.settings.max_page_size, "-activity", forms.PROJECT_FIELDS)
        name = parameters.name(request)
        wanted = [
            item
            for item in services.store.projects.list()
            if name is None or name.lower() in item.name.lower()
        ]
        items = ordered(wanted, ask.sort, PROJECT_KEYS, "Projects")
        ask = ask.found(item.id for item in items)
        return ask.answer("projects", part(items, ask.window), forms.project)

    def images(self, request: Request) -> Response:
        """A page of a project's images."""
        services = self._services()
        version = services.store.generations.of(request.path_params["id"])
        return versioned(request, version, lambda: self._images(services, request))

    def _images(self, services: Services, request: Request) -> Form:
        store = services.store
        wanted = parameters.image_filter(request)
        ask = Ask.of(request, services.settings.max_page_size, DEFAULT_SORT, forms.IMAGE_FIELDS)
        project_id = request.path_params["id"]
        store.projects.require(project_id)
        page = store.images.page(project_id, wanted, ask.sort, ask.window.limit, ask.window.offset, ask.after)
        return ask.answer("images", page, forms.image)

    def image(self, request: Request) -> Response:
        """One image."""
        services = self._services()
        image_id = request.path_params["id"]
        version = _version_of_image(services, image_id)
        return versioned(request, version, lambda: forms.image_in_full(services.store.images.get(image_id)))

    def objects(self, request: Request) -> Response:
        """A page of the spheroids of one image."""
        services = self._services()
        version = _version_of_image(services, request.path_params["id"])
        return versioned(request, version, lambda: self._objects(services, request))

    def _objects(self, services: Services, request: Request) -> Form:
        image = services.store.images.get(request.path_params["id"])
        with_contours = parameters.switch(request, "contours")
        fields = (*forms.SPHEROID_FIELDS, *(("contour",) if with_contours else ()))
        ask = Ask.of(request, services.settings.max_page_size, "object", fields)
        segmentation, spheroids = services.store.results.get(image) or (None, ())
        items = ordered(spheroids, ask.sort, SPHEROID_KEYS, "Spheroids")
        ask = ask.found(str(item.number) for item in items)
        page = part(items, ask.window)
        return {
            "image_id": image.id,
            "um_per_px": image.um_per_px,
            "segmentation": segmentation and forms.segmentation(segmentation),
        } | ask.answer("objects", page, lambda item: forms.spheroid(item, image.um_per_px, with_contours))

    def project_objects(self, request: Request) -> Response:
        """A page of the spheroids of a whole project."""
        services = self._services()
        version = services.store.generations.of(request.path_params["id"])
        return versioned(request, version, lambda: self._project_objects(services, request))

    def _project_objects(self, services: Services, request: Request) -> Form:
        store = services.store
        wanted = parameters.object_filter(request)
        ask = Ask.of(request, services.settings.max_page_size, OBJECT_SORT, forms.OBJECT_FIELDS)
        project_id = request.path_params["id"]
        store.projects.require(project_id)
        page = store.objects.page(
            project_id, wanted, ask.sort, ask.window.limit, ask.window.offset, ask.after
        )
        return ask.answer("objects", page, forms.measured)

    def jobs(self, request: Request) -> Response:
        """A page of the jobs, and the totals of the queue."""
        services = self._services()
        # The rate is that of the last minutes, so it changes although nothing else does.
        version = f"{services.db.generation}-{int(time.monotonic() / RATE_KEPT_SECONDS)}"
        return versioned(request, version, lambda: self._jobs(services, request))

    def _jobs(self, services: Services, request: Request) -> Form:
        ask = Ask.of(request, services.settings.max_page_size, "", forms.JOB_FIELDS)
        state = parameters.choice(request, "state", JobState)
        project = request.query_params.get("project") or None
        window = ask.window
        page = services.store.jobs.page(state, project, window.limit, window.offset, ask.sort, ask.after)
        return ask.answer("jobs", page, forms.job) | {
            "totals": forms.totals(services.board.snapshot().totals)
        }


def _version_of_image(services: Services, image_id: str) -> str:
    """Its project's: what is shown of an image depends on nothing else."""
    store = services.store
    return store.generations.of(store.images.project_of(image_id))

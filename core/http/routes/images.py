"""/api/images: one image, and its spheroids."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from core.errors import InvalidRequest
from core.http.answers import conditional_json
from core.http.dependencies import ImageId, ServicesDependency
from core.http.lists import ListRequest, Row
from core.http.ordered import SPHEROID_KEYS, ordered
from core.http.routing import ReadRouter
from core.http.schemas import rows
from core.http.schemas.queries import SpheroidsQuery
from core.services import Services

router = ReadRouter(prefix="/api/images", tags=["Results"])


@router.get("/{id}", response_model=rows.ImageAnswer)
def image(request: Request, image_id: ImageId, services: ServicesDependency) -> Response:
    """One image with everything that is known of its file."""
    version = version_of_image(services, image_id)
    return conditional_json(request, version, lambda: rows.image_in_full(services.store.images.get(image_id)))


@router.get("/{id}/objects", response_model=rows.SpheroidsAnswer)
def spheroids(
    request: Request,
    image_id: ImageId,
    query: Annotated[SpheroidsQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """A part of the spheroids of one image, and the result that they are of."""
    version = version_of_image(services, image_id)
    return conditional_json(request, version, lambda: _spheroids(request, image_id, query, services))


def _spheroids(request: Request, image_id: str, query: SpheroidsQuery, services: Services) -> Row:
    part = ListRequest.of(request, query, services.settings.max_page_size)
    if "contour" in query.fields and not query.contours:
        raise InvalidRequest("The field contour comes with contours=1 only.")
    image = services.store.images.get(image_id)
    segmentation, spheroids = services.store.results.get(image) or (None, ())
    items = ordered(spheroids, part.sort, SPHEROID_KEYS, "Spheroids")
    part = part.after_cursor(str(item.number) for item in items)
    about = {
        "image_id": image.id,
        "um_per_px": image.um_per_px,
        "segmentation": segmentation and rows.segmentation(segmentation),
    }
    answer = part.answer(
        "objects", part.part(items), lambda item: rows.spheroid_row(item, image.um_per_px, query.contours)
    )
    return about | answer


def version_of_image(services: Services, image_id: str) -> str:
    """The version of its project: what is shown of an image depends on nothing else.

    Raises:
        NotFound: there is no such image.
    """
    store = services.store
    return store.generations.of(store.images.project_of(image_id))

"""/thumbs and /views: pictures whose addresses never change what they show, so browsers keep them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import numpy as np
from fastapi import Query, Request
from numpy.typing import NDArray
from pydantic import Field
from starlette.responses import Response

from core import __version__, images
from core.cache import cached
from core.http.answers import IMMUTABLE, REVALIDATE, conditional
from core.http.dependencies import ImageId, ServicesDependency
from core.http.routing import ReadRouter
from core.http.schemas.base import Query as Parameters
from core.images import rendering
from core.images.formats import HEAD_BYTES, content_type
from core.images.memory import rendering_bytes
from core.models import Image
from core.services import Services

RAW = "raw"
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/*": {"schema": {"type": "string", "format": "binary"}}}}
}

router = ReadRouter(tags=["Pictures"], default_response_class=Response, responses=PICTURE)


class Contrast(StrEnum):
    """How an image's values become grey levels."""

    STRETCH = "stretch"
    RAW = "raw"


class ThumbnailQuery(Parameters):
    """Which thumbnail."""

    v: str = Field(
        default="",
        description="The segmentation whose outlines are wanted, or `raw`. Exactly the one in force, or "
        "`raw`, may be kept for ever.",
    )


class ViewQuery(Parameters):
    """Which view."""

    contrast: Contrast = Field(
        default=Contrast.STRETCH,
        description="`stretch` spreads the values from the 0.1 to the 99.9 percentile, `raw` the whole range "
        "of the bit depth.",
    )


@router.get("/thumbs/{id}")
def thumbnail(
    request: Request,
    image_id: ImageId,
    query: Annotated[ThumbnailQuery, Query()],
    services: ServicesDependency,
) -> Response:
    """The small picture, with outlines if there are any.

    Only an answer to exactly the result in force, or to `raw`, may be cached for ever; to any other `v` the
    current picture is given, to be asked for again.
    """
    image = services.store.images.get(image_id)
    sha256 = image.thumbnail_sha256
    if query.v != RAW and (result := services.store.results.segmentation(image)):
        sha256 = result.thumbnail_sha256
    cache_control = IMMUTABLE if query.v in (RAW, image.version_id) else REVALIDATE
    return conditional(
        request,
        sha256,
        cache_control,
        lambda: _picture(cached(services.cache, "thumbnail", sha256, lambda: services.blobs.get(sha256))),
    )


@router.get("/views/{id}.png")
def view(
    request: Request, image_id: ImageId, query: Annotated[ViewQuery, Query()], services: ServicesDependency
) -> Response:
    """The image at full resolution as 8 bits, for eyes."""
    image = services.store.images.get(image_id)
    tag = f"{image.sha256}-{image.page}-{query.contrast}-{__version__}"
    return conditional(
        request, tag, IMMUTABLE, lambda: _picture(_rendered(services, image, query.contrast, tag))
    )


def _rendered(services: Services, image: Image, contrast: Contrast, key: str) -> bytes:
    def render() -> bytes:
        # once there is memory for it; another request may have rendered it meanwhile
        with services.admission.hold(rendering_bytes(image), image.name):
            if (data := services.cache.get("view", key)) is not None:
                return data
            return rendering.encode_png(view_of(services, image, contrast is Contrast.STRETCH))

    return cached(services.cache, "view", key, render)


def view_of(services: Services, image: Image, stretch: bool) -> NDArray[np.uint8]:
    """Decode an image for eyes: uint8 (Y, X) or (Y, X, 3)."""
    path = services.blobs.path_of(image.sha256)
    raster = images.decode(path, image.page, services.settings.limits)
    return rendering.to_display(raster.pixels, stretch, raster.facts.bit_depth)


def _picture(data: bytes) -> Response:
    return Response(data, media_type=content_type(data[:HEAD_BYTES]))

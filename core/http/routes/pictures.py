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
from core.errors import InvalidRequest
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
    longest: int | None = Field(
        default=None,
        ge=256,
        le=16_384,
        description="Longest side in pixels; a larger image is scaled down to it. Without, it is full size.",
    )
    box: str | None = Field(
        default=None,
        pattern=r"^\d{1,6},\d{1,6},\d{1,6},\d{1,6}$",
        description="Only this part: x,y,width,height in pixels of the image, which must lie within it.",
    )

    @property
    def name(self) -> str:
        """What tells this view from others of the same image."""
        part = f"-{self.box}" if self.box else ""
        return f"{self.contrast}{part}-{self.longest}" if self.longest or part else str(self.contrast)


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
    """The image, or a part of it, as 8 bits, for eyes; at full resolution unless it is to be smaller."""
    image = services.store.images.get(image_id)
    tag = f"{image.sha256}-{image.page}-{query.name}-{__version__}"
    part = _part(query.box, image)
    return conditional(
        request, tag, IMMUTABLE, lambda: _picture(_rendered(services, image, query, part, tag))
    )


def _part(box: str | None, image: Image) -> tuple[slice, slice]:
    """Rows and columns of a part of an image; raises InvalidRequest where it does not lie within it."""
    if box is None:
        return slice(None), slice(None)
    x, y, width, height = map(int, box.split(","))
    if min(width, height) < 1 or x + width > image.width or y + height > image.height:
        raise InvalidRequest("The box must lie within the image.")
    return slice(y, y + height), slice(x, x + width)


def _rendered(
    services: Services, image: Image, query: ViewQuery, part: tuple[slice, slice], key: str
) -> bytes:
    def render() -> bytes:
        # once there is memory for it; another request may have rendered it meanwhile
        with services.admission.hold(rendering_bytes(image), image.name):
            if (data := services.cache.get("view", key)) is not None:
                return data
            whole = view_of(services, image, query.contrast is Contrast.STRETCH)
            return rendering.encode_png(rendering.shrunk(np.ascontiguousarray(whole[part]), query.longest))

    return cached(services.cache, "view", key, render)


def view_of(services: Services, image: Image, stretch: bool) -> NDArray[np.uint8]:
    """Decode an image for eyes: uint8 (Y, X) or (Y, X, 3)."""
    path = services.blobs.path_of(image.sha256)
    raster = images.decode(path, image.page, services.settings.limits)
    return rendering.to_display(raster.pixels, stretch, raster.facts.bit_depth)


def _picture(data: bytes) -> Response:
    return Response(data, media_type=content_type(data[:HEAD_BYTES]))

"""Thumbnails and full-resolution views: addresses that never change what they show, so browsers keep them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from core import __version__, images
from core.cache import cached
from core.http import parameters
from core.http.answers import ASK_AGAIN, IMMUTABLE, picture, unchanged
from core.images import rendering
from core.images.memory import rendering_bytes
from core.models import Image

if TYPE_CHECKING:
    from core.services import Services

RAW = "raw"


class Contrast(StrEnum):
    """How an image's values become grey levels."""

    STRETCH = "stretch"
    RAW = "raw"


class Pictures:
    """Handlers of /thumbs and /views."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def thumbnail(self, request: Request) -> Response:
        """The small picture, with outlines if there are any.

        ``v`` names the result that is asked for, or ``raw`` for none. Only an answer to exactly that may be
        cached for ever; to any other ``v`` the current picture is given, to be asked for again.
        """
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        asked = request.query_params.get("v", "")
        sha256 = image.thumbnail_sha256
        if asked != RAW and (result := services.store.results.segmentation(image)):
            sha256 = result.thumbnail_sha256
        cache_control = IMMUTABLE if asked in (RAW, image.version_id) else ASK_AGAIN
        etag = f'"{sha256}"'
        return unchanged(request, etag, cache_control) or picture(
            cached(services.cache, "thumbnail", sha256, lambda: services.blobs.get(sha256)),
            etag,
            cache_control,
        )

    def view(self, request: Request) -> Response:
        """The image at full resolution as 8 bits for eyes; ``contrast`` is ``stretch`` or ``raw``."""
        services = self._services()
        image = services.store.images.get(request.path_params["id"])
        contrast = parameters.choice(request, "contrast", Contrast) or Contrast.STRETCH
        etag = f'"{image.sha256}-{image.page}-{contrast}-{__version__}"'
        return unchanged(request, etag, IMMUTABLE) or picture(
            self._rendered(services, image, contrast, etag), etag, IMMUTABLE
        )

    def _rendered(self, services: Services, image: Image, contrast: Contrast, key: str) -> bytes:
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

"""What every request passes on its way to a route: recording, security headers, encodings, host names."""

from __future__ import annotations

from collections.abc import Callable

from starlette.middleware import Middleware

from core.http.middleware.access import AccessGuard
from core.http.middleware.encodings import EncodedTags, Uncompressed
from core.http.middleware.headers import OwnHeaders, PageHeaders
from core.http.middleware.hosts import HostGuard, allowed_names
from core.http.middleware.recording import Recording
from core.services import Services
from core.settings import Settings


def middleware(settings: Settings, services: Callable[[], Services]) -> list[Middleware]:
    """Return what every request passes, those of the pages as well; the first of them comes first."""
    return [
        Middleware(Recording, recorder=lambda: services().recorder),
        *([] if settings.auth.strip().lower() == "none" else [Middleware(PageHeaders)]),
        Middleware(OwnHeaders),
        Middleware(EncodedTags),
        *([] if settings.compression else [Middleware(Uncompressed)]),
        Middleware(HostGuard, allowed=allowed_names(settings.allowed_hosts)),
        Middleware(AccessGuard, services=services),
    ]

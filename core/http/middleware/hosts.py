"""Refuses requests for a host that the app is not known by."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from core.http.errors import problem

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


class HostGuard:
    """Refuses requests, of pages and websockets too, whose Host is not one that the app is known by.

    A foreign site can point its own name at this computer and would then count as the same origin (DNS
    rebinding). It cannot do so with an IP address, so those always pass.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or self._allows(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send)
            return
        response = problem(
            400,
            "host_refused",
            "Spheroscope is not known by the name in this address. Use its IP address, or have the name "
            "added to the setting ALLOWED_HOSTS.",
        )
        await response(scope, receive, send)

    def _allows(self, hosts: list[str]) -> bool:
        if "*" in self._allowed:
            return True
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            return False
        name = (match[1] or match[2]).lower()
        return name in self._allowed or _is_address(name)


def allowed_names(setting: str) -> frozenset[str]:
    """The names of ALLOWED_HOSTS, which parts them by commas."""
    return frozenset(name.strip().lower() for name in setting.split(",") if name.strip())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

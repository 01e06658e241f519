"""The routes beside the pages: JSON for programs, pictures for the pages, files to download.

They live in the process of the pages and share its services. Most only read; those that change something
refuse what another site makes a visitor's browser send (``dependencies.own_client``). docs/http_api.md lists
them.
"""

from __future__ import annotations

from core.http.app import create_app, routes
from core.http.connections import send_at_once
from core.http.middleware import middleware
from core.http.middleware.recording import watch_loop
from core.http.routes.access import announce_first_admin

__all__ = ["announce_first_admin", "create_app", "middleware", "routes", "send_at_once", "watch_loop"]

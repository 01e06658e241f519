"""The routes beside the pages: JSON for programs, pictures for the pages, files to download.

They live in the process of the pages and share its services. Nothing here changes anything: every route takes
GET and HEAD only, so no other site can make a user's browser do something. docs/http_api.md lists them.
"""

from __future__ import annotations

from core.http.app import create_app, routes
from core.http.connections import send_at_once
from core.http.middleware import middleware
from core.http.middleware.recording import watch_loop

__all__ = ["create_app", "middleware", "routes", "send_at_once", "watch_loop"]

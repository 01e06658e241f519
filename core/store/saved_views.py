"""Saved views: named filters and orders of a project's table of images."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from core.clock import utc_now
from core.db import Database, Session
from core.errors import InvalidRequest
from core.models.text import one_line
from core.store.projects import require_project

MAX_NAME = 60  # characters
MAX_VIEWS = 50  # of a project
MAX_QUERY = 2000  # characters; longer addresses are cut off by some programs


@dataclass(frozen=True, slots=True)
class SavedView:
    """A named view; ``query`` is what follows the project in the address of the page of images."""

    id: str
    name: str
    query: str
    created_by: str
    created_at: datetime


class SavedViews:
    """The table of saved views. Methods may be called from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of_project(self, project_id: str) -> tuple[SavedView, ...]:
        """Return the views of a project by name."""
        with self._db.read() as session:
            rows = session.rows("saved_views.of_project", {"project_id": project_id})
        return tuple(SavedView(**row) for row in rows)

    def save(self, project_id: str, name: str, query: Iterable[tuple[str, str]], created_by: str) -> None:
        """Save the parameters of an address under a name.

        Raises:
            InvalidRequest: the name is empty, too long or taken, or there are too many views.
            NotFound: the project is not there.
        """
        clean, text = _checked_name(name), urlencode(sorted(query))
        values = {
            "id": secrets.token_hex(8),
            "project_id": project_id,
            "name": clean,
            "query": text,
            "created_by": created_by,
            "now": utc_now(),
        }
        if len(text) > MAX_QUERY:
            raise InvalidRequest("This filter is too long for an address. Shorten the part of the name.")

        def work(session: Session) -> None:
            require_project(session, project_id)  # raises where the project is not there
            views = session.rows("saved_views.of_project", {"project_id": project_id})
            if len(views) >= MAX_VIEWS:
                raise InvalidRequest(f"A project may have {MAX_VIEWS} views. Delete one first.")
            taken = {"project_id": project_id, "name": clean}
            if session.one("saved_views.same_name", taken):
                raise InvalidRequest(f"There is already a view named “{clean}”. Choose another name.")
            session.rows("saved_views.add", values)

        self._db.write(work)

    def delete(self, project_id: str, view_id: str) -> None:
        """Delete a view; one that is not there any more is no error."""
        values = {"project_id": project_id, "id": view_id}
        self._db.write(lambda session: session.rows("saved_views.delete", values))


def _checked_name(name: str) -> str:
    clean = one_line(name)
    if not clean:
        raise InvalidRequest("Give the view a name.")
    if len(clean) > MAX_NAME:
        raise InvalidRequest(f"A view's name may have {MAX_NAME} characters; this one has {len(clean)}.")
    return clean

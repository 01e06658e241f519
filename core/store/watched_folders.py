"""Which folder each project takes images in from, as chosen on the page of settings."""

from __future__ import annotations

from core.clock import utc_now
from core.db import Database, Session
from core.store.projects import require_project


class WatchedFolderStore:
    """The table of watched folders. Methods may be called from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def chosen(self) -> dict[str, str]:
        """Return the folders that were chosen, by project; empty where a project watches none."""
        with self._db.read() as session:
            return {row["project_id"]: row["folder"] for row in session.rows("watched_folders.all")}

    def choose(self, project_id: str, folder: str, changed_by: str) -> None:
        """Choose a project's folder, relative to the folder of all; empty to watch none.

        Raises:
            NotFound: the project is not there.
        """
        values = {"project_id": project_id, "folder": folder, "changed_by": changed_by, "now": utc_now()}

        def work(session: Session) -> None:
            require_project(session, project_id)
            session.rows("watched_folders.set", values)

        self._db.write(work)

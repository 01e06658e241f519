"""The repository: names of SQL statements in, models out. The only door to the database's tables."""

from __future__ import annotations

from datetime import timedelta

from core.cache import Cache, NoCache
from core.clock import utc_now
from core.db import Database, Session
from core.listing.page_index import PageIndex
from core.store.export_reader import ExportReader
from core.store.images import ImageStore, NewImage
from core.store.images import insert as insert_images
from core.store.jobs import JobStore
from core.store.jobs import insert as insert_jobs
from core.store.objects import ObjectStore
from core.store.project_versions import ProjectVersions
from core.store.projects import ProjectStore
from core.store.recipe import ANONYMOUS, JobRequest, Recipe
from core.store.results import ResultStore

PAGE_INDEX_BYTES = 256 * 2**20
MOST_DAYS = 36_500  # a date further back may not exist


class Store:
    """One room a table, and the few acts that touch several of them."""

    def __init__(
        self,
        db: Database,
        max_queued: int = 100_000,
        page_index_bytes: int = PAGE_INDEX_BYTES,
        cache: Cache | None = None,
        *,
        batching: bool = True,
    ) -> None:
        """Open the rooms; with ``page_index_bytes`` 0, tables are read by SQL alone."""
        cache = cache or NoCache()
        self.generations = ProjectVersions(db)
        self.page_index = PageIndex(db, page_index_bytes) if page_index_bytes else None
        self.projects = ProjectStore(db, cache, self.generations, self.page_index, batching=batching)
        self.images = ImageStore(db, self.page_index)
        self.jobs = JobStore(db, max_queued)
        self.results = ResultStore(db, cache, self.generations, self.page_index)
        self.exports = ExportReader(db)
        self.objects = ObjectStore(db, cache, self.generations)
        self._db = db
        self._max_queued = max_queued

    def add_images(
        self,
        project_id: str,
        images: tuple[NewImage, ...],
        recipe: Recipe | None,
        request: JobRequest = ANONYMOUS,
    ) -> tuple[str, ...]:
        """Insert those of ``images`` that are new, each with its queued job, in one transaction.

        Returns the ids that were new. With ``recipe`` None nothing is queued.

        Raises:
            NotFound: the project is not there.
            QueueFull: the jobs would not fit; then no image is added either.
        """

        def work(session: Session) -> tuple[str, ...]:
            known = session.rows("images.known", {"ids": [image.id for image in images]})
            taken = {row["id"] for row in known}
            fresh = [image for image in images if image.id not in taken]
            if fresh:
                insert_images(session, project_id, fresh)
            ids = tuple(image.id for image in fresh)
            if recipe is not None:
                insert_jobs(session, project_id, ids, recipe, request, self._max_queued)
            return ids

        return self._db.write(work)

    def purge(self, days: int) -> set[str] | None:
        """Remove for good what was deleted more than ``days`` days ago.

        Returns the files that are still needed, or None where nothing was removed.
        """
        before = utc_now() - timedelta(days=min(days, MOST_DAYS))

        def work(session: Session) -> set[str] | None:
            projects = [row["id"] for row in session.rows("projects.purge", {"before": before})]
            values = {"before": before, "project_ids": projects}
            images = [row["id"] for row in session.rows("images.purge", values)]
            if not images:
                return None
            for statement in ("jobs.purge", "results.purge", "results.purge_objects"):
                session.rows(statement, {"image_ids": images})
            return {row["sha256"] for row in session.rows("images.blobs")}

        return self._db.write(work)

"""The repository of the lab's tables: one part for each, and the operations that touch several of them."""

from __future__ import annotations

from collections.abc import Sequence

from core.cache import Cache, NoCache
from core.db import Database, Session
from core.listing.page_index import PageIndex
from core.store.correction_audit import CorrectionAudit
from core.store.corrections import CorrectionStore
from core.store.export_reader import ExportReader
from core.store.frozen_lists import FrozenLists
from core.store.images import ImageStore, NewImage
from core.store.images import insert as insert_images
from core.store.jobs import JobStore
from core.store.jobs import insert as insert_jobs
from core.store.objects import ObjectStore
from core.store.own_settings import ImageRecipes, OwnSettingsStore, insert_by_settings
from core.store.project_generations import ProjectGenerations
from core.store.projects import ProjectStore
from core.store.recipe import ANONYMOUS, JobRequest, Recipe
from core.store.results import ResultStore
from core.store.retention import RetentionStore
from core.store.reviews import ReviewStore
from core.store.saved_views import SavedViews
from core.store.second_opinions import SecondOpinionStore
from core.store.trash import TrashStore
from core.store.uploads import UploadStore, once
from core.store.watched_folders import WatchedFolderStore

PAGE_INDEX_BYTES = 256 * 2**20


class Store:
    """The parts of the repository, opened together."""

    def __init__(
        self,
        db: Database,
        max_queued: int = 100_000,
        page_index_bytes: int = PAGE_INDEX_BYTES,
        cache: Cache | None = None,
        *,
        batching: bool = True,
    ) -> None:
        """Open the parts; with ``page_index_bytes`` 0, tables of images are read by SQL alone."""
        cache = cache or NoCache()
        self.generations = ProjectGenerations(db)
        self.page_index = PageIndex(db, page_index_bytes) if page_index_bytes else None
        self.projects = ProjectStore(db, cache, self.generations, self.page_index, batching=batching)
        self.images = ImageStore(db, self.page_index)
        self.frozen_lists = FrozenLists(self.images)
        self.jobs = JobStore(db, max_queued)
        self.own_settings = OwnSettingsStore(db, max_queued)
        self.results = ResultStore(db, cache, self.generations, self.page_index)
        self.trash = TrashStore(db)
        self.corrections = CorrectionStore(db)
        self.correction_audit = CorrectionAudit(db)
        self.reviews = ReviewStore(db)
        self.second_opinions = SecondOpinionStore(db)
        self.exports = ExportReader(db)
        self.objects = ObjectStore(db, cache, self.generations)
        self.retention = RetentionStore(db)
        self.uploads = UploadStore(db)
        self.saved_views = SavedViews(db)
        self.watched_folders = WatchedFolderStore(db)
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

    def enqueue_once(
        self,
        request_id: str,
        project_id: str,
        image_ids: Sequence[str],
        recipes: ImageRecipes,
        request: JobRequest = ANONYMOUS,
    ) -> int:
        """As ``own_settings.segment``; a request that has been answered before queues nothing more.

        Raises:
            NotFound, QueueFull, InvalidRequest: as ``own_settings.segment``.
        """

        def work(session: Session) -> int:
            def change() -> str:
                return str(
                    insert_by_settings(session, project_id, image_ids, recipes, request, self._max_queued)
                )

            return int(once(session, request_id, change))

        return self._db.write(work)

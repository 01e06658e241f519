"""Composition root: opens every part of the app; pages get them as their visitor may use them."""

from __future__ import annotations

import atexit
import gc
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import streamlit as st

from core.accounts import LOCAL, Access, AccessRules, Principal
from core.accounts.caller import Caller
from core.cache import Cache, open_cache
from core.corrections.corrections import Corrections
from core.corrections.imports import Imports
from core.corrections.review import Reviews
from core.corrections.second_opinions import SecondOpinions
from core.db import Database
from core.demo.loading import DemoLoader
from core.demo.plate import demo_plate
from core.errors import NotSignedIn, StorageError
from core.export import ArchiveRetention, Exports, TableFiles
from core.export.builder import ArchiveBuilder
from core.files.blobs import Blobs
from core.ingest import Ingest
from core.models import Image, JobState, Project, Segmentation
from core.monitoring import QueryRecorder, Recorder
from core.monitoring.garbage import freeze_loaded
from core.monitoring.system import app_memory_bytes
from core.operations.file_metrics import count_file
from core.operations.health import HealthChecks
from core.operations.history import History
from core.operations.retention import Retention, RetentionRules
from core.operations.stage_metrics import StageMetrics
from core.queue.admission import Admission
from core.queue.cancellation import cancellation_hook
from core.queue.job_queue import JobQueue
from core.queue.opening import open_queue
from core.queue.previews import Previews
from core.queue.resources import ComputeResources
from core.queue.segmentation_requests import SegmentationRequests
from core.queue.status import QueueMonitor
from core.segmentation import DEFAULT_ENGINE, Arithmetic, EngineRegistry
from core.settings import MemoryBudget, Settings
from core.store import JobRequest, Recipe, Store
from core.store.query_plans import QueryPlans
from core.store.recipe import ANONYMOUS
from core.store.throughput import ThroughputStore
from core.uploads import Uploads
from core.uploads.uploads import UploadRules
from core.uploads.watched_folders import WatchedFolders

log = logging.getLogger(__name__)

# parts besides the store that have to do with projects
GUARDED = (
    *("ingest", "uploads", "corrections", "reviews", "imports", "previews", "exports", "queue"),
    *("queue_monitor", "second_opinions", "watched"),
)
CALLER_HEADER = "spheroscope-caller"  # set by the access guard alone, which drops what clients send in it


@dataclass(frozen=True, slots=True)
class Services:
    """Every part that a page or a route may use; opened and closed together."""

    settings: Settings
    memory: MemoryBudget
    recorder: Recorder
    history: History
    db: Database
    cache: Cache
    blobs: Blobs
    store: Store
    engines: EngineRegistry
    admission: Admission
    queue: JobQueue
    previews: Previews
    ingest: Ingest
    uploads: Uploads
    watched: WatchedFolders
    corrections: Corrections
    reviews: Reviews
    second_opinions: SecondOpinions
    imports: Imports
    checks: HealthChecks
    plans: QueryPlans
    throughput: ThroughputStore
    exports: Exports
    queue_monitor: QueueMonitor
    demo: DemoLoader
    access: Access
    principal: Principal = LOCAL  # whom the parts are handed to; see ``for_caller``

    @classmethod
    def open(cls, settings: Settings) -> Services:
        """Open the data folder, recover the jobs of an earlier run, and start the queue.

        Raises:
            InvalidRequest: the settings do not fit together.
            DatabaseLocked: another process works on this folder.
            StorageError: the folder cannot be used.
        """
        memory = settings.memory_budget(app_memory_bytes() // 2**20)
        recorder = Recorder(settings.enable_performance_monitoring)
        db = Database.open(
            settings.data / "spheroscope.duckdb",
            QueryRecorder(recorder),
            memory.database_mb,
            settings.duckdb_threads,
            settings.query_timeout_ms,
        )
        try:
            return cls._opened(settings, memory, recorder, db)
        except OSError as error:
            db.close()
            reason = error.strerror or type(error).__name__
            raise StorageError(f"The data folder {settings.data} cannot be used: {reason}.") from error
        except BaseException:
            db.close()
            raise

    @classmethod
    def _opened(cls, settings: Settings, memory: MemoryBudget, recorder: Recorder, db: Database) -> Services:
        cache = open_cache(settings.cache, memory.cache_mb * 2**20, settings.redis_url, recorder.count_lookup)
        store, blobs = _store(settings, memory, db, cache), Blobs(settings.data)
        queue = open_queue(settings, store, blobs, resources := _resources(settings, memory))
        db.add_commit_hook(partial(cancellation_hook, queue.cancel_running))
        monitor, exports = QueueMonitor(db, store, queue), _exports(settings, db, store, blobs, resources)
        ingest = Ingest(store, blobs, settings.limits, resources.admission, partial(count_file, recorder))
        uploads = Uploads(store, blobs, ingest, UploadRules.of(settings))
        watched = WatchedFolders.open(settings.watched_root, store, uploads)
        tasks = [exports.sweep, uploads.sweep, watched.run, _retention(settings, store, blobs).run_due]
        sources = [StageMetrics(queue.timeline)]
        history = History(recorder, settings.data, lambda: _depth(store), sources, tasks, memory.metrics_mb)
        return cls(
            settings=settings,
            memory=memory,
            recorder=recorder,
            history=history,
            db=db,
            cache=cache,
            blobs=blobs,
            store=store,
            engines=resources.engines,
            admission=resources.admission,
            queue=queue,
            previews=Previews(store, blobs, resources, settings.preview_deadline_seconds),
            ingest=ingest,
            uploads=uploads,
            watched=watched,
            corrections=Corrections.open(store, blobs, settings.limits, resources.admission),
            reviews=Reviews(store),
            second_opinions=SecondOpinions.open(store, blobs, settings.limits, resources.admission),
            imports=Imports.open(store, blobs, settings.limits, resources.admission),
            checks=HealthChecks(settings.data, db, history, memory.limit_mb, monitor, cache),
            plans=QueryPlans(db),
            throughput=ThroughputStore(db, cache),
            exports=exports,
            queue_monitor=monitor,
            demo=DemoLoader(demo_plate),
            access=Access.open(db, AccessRules.of(settings), settings.data),
        )._started()

    def _started(self) -> Services:
        self.queue.start()  # last: if opening fails before, no thread is left at work
        self.uploads.start(self.recipe_by_id, self.queue.wake)
        self.history.start()
        return self

    def close(self) -> bool:
        """Drain the queue, checkpoint and close; a second call does nothing.

        Returns False if a job or a preview still runs. A job is taken up at the next start; but its thread
        would hold up the end of the process for as long as it runs.
        """
        self.demo.close()
        self.uploads.close()
        self.exports.close()
        idle = self.previews.close()
        drained = self.queue.drain(self.settings.drain_seconds) and idle
        self.history.close()
        self.db.close()
        self.cache.close()
        log.info("event=services.closed drained=%s", drained)
        return drained

    def for_caller(self, principal: Principal) -> Services:
        """Return the parts as somebody may use them: what they may not reach is not there for them."""
        if not self.access.rules.enabled:
            return self
        exports = self.exports
        caller = Caller(principal, self.access, lambda export_id: exports.get(export_id).project_id)
        guarded = {name: caller.guard(name, getattr(self, name)) for name in GUARDED}
        return replace(self, store=caller.guard_store(self.store), principal=principal, **guarded)

    @property
    def requests(self) -> SegmentationRequests:
        """Requests to segment images, each by its settings."""
        return SegmentationRequests(self.store, self.engines, self.queue.wake)

    def recipe(self, project: Project) -> Recipe:
        """The recipe by which this project's images are segmented."""
        return self.requests.recipe(project)

    def recipe_by_id(self, project_id: str) -> Recipe:
        """As ``recipe``, of the project with this id."""
        return self.recipe(self.store.projects.get(project_id))

    def create_project(self, name: str, um_per_px: float | None = None) -> Project:
        """Add a project that uses the default engine."""
        return self.store.projects.create(name, DEFAULT_ENGINE, um_per_px)

    def recipe_of(self, engine: str, params: Mapping[str, object]) -> Recipe:
        """An engine with parameters; as ``SegmentationRequests.recipe_of``."""
        return self.requests.recipe_of(engine, params)

    def preview(self, image: Image, recipe: Recipe) -> Segmentation:
        """Segment one image now and keep nothing; as ``Previews.segment``."""
        return self.previews.segment(image, recipe)

    def segment(
        self,
        project: Project,
        image_ids: tuple[str, ...],
        request: JobRequest = ANONYMOUS,
        override: tuple[str, ...] = (),
    ) -> int:
        """Queue images by their own settings or their project's; as ``SegmentationRequests.segment``."""
        return self.requests.segment(project, image_ids, request, override)


def _depth(store: Store) -> tuple[int, int]:
    counts = store.jobs.totals().counts
    return counts[JobState.QUEUED], counts[JobState.RUNNING]


def _retention(settings: Settings, store: Store, blobs: Blobs) -> Retention:
    rules = RetentionRules(settings.undo_days, settings.keep_versions_days)
    return Retention(store.retention, blobs, rules)


def _store(settings: Settings, memory: MemoryBudget, db: Database, cache: Cache) -> Store:
    batching = settings.project_list_batching
    return Store(db, settings.max_queued, memory.page_index_mb * 2**20, cache, batching=batching)


def _resources(settings: Settings, memory: MemoryBudget) -> ComputeResources:
    admission = Admission(memory.images_mb * 2**20, settings.memory_wait_seconds)
    return ComputeResources.open(Arithmetic(precision=settings.precision), settings.limits, admission)


def _exports(
    settings: Settings, db: Database, store: Store, blobs: Blobs, resources: ComputeResources
) -> Exports:
    max_bytes, left_free = settings.export_disk_mb * 2**20, settings.min_free_mb * 2**20
    return Exports(
        settings.data / "exports",
        TableFiles(settings.data / "tmp" / "tables", max_bytes, left_free),
        ArchiveBuilder(store, blobs, settings, resources.engines, resources.admission),
        lambda: db.generation,
        ArchiveRetention(timedelta(hours=settings.export_hours), max_bytes, left_free),
    )


def _release(services: Services) -> None:
    services.close()


# "Clear cache" in Streamlit's menu must not leave a second queue at work on the same folder.
@st.cache_resource(show_spinner=False, on_release=_release)
def app_services() -> Services:
    """The services of this process: opened at the first call, closed when the process ends."""
    services = Services.open(Settings.from_env())
    atexit.register(gc.unfreeze)  # what is set aside below would be reported as leaked
    atexit.register(services.close)
    freeze_loaded()
    return services


def get_services() -> Services:
    """The services as whoever looks at a page may use them.

    Raises:
        NotSignedIn: their session has ended.
    """
    services = app_services()
    if not services.access.rules.enabled:
        return services
    key, address = st.context.headers.get(CALLER_HEADER, ""), st.context.ip_address or ""
    principal = services.access.principal(key, address)
    if principal is None:
        raise NotSignedIn("Your session has ended. Load this page again to sign in.")
    return services.for_caller(principal)

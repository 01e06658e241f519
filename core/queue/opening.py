"""Opens the queue as the settings want it: on threads here, or on workers elsewhere."""

from __future__ import annotations

from functools import partial

from core.errors import InvalidRequest
from core.files.blobs import Blobs
from core.queue.admission import Admission
from core.queue.executor import Executor, ThreadExecutor
from core.queue.job_queue import JobQueue
from core.queue.resources import UNLIMITED_BYTES, ComputeResources
from core.queue.slots import QueueRules
from core.queue.task import page_to_send, process, process_elsewhere
from core.settings import Settings
from core.store import Store


def open_queue(settings: Settings, store: Store, blobs: Blobs, resources: ComputeResources) -> JobQueue:
    """Return the queue, which has not begun to work.

    Raises:
        InvalidRequest: workers elsewhere need packages that are not installed.
    """
    rules = QueueRules(settings.segmentation_workers, settings.max_attempts, settings.job_deadline_seconds)
    if not settings.dask_scheduler:
        threads = ThreadExecutor(rules.slots)
        work = partial(process, resources=resources)
        return JobQueue(store, blobs, threads, work, rules, resources.admission)
    cluster = _cluster(settings)
    work = partial(
        process_elsewhere,
        limits=settings.limits,
        keys=resources.engines.keys,
        precision=settings.precision,
    )
    # what workers elsewhere have for memory is not ours to count
    return JobQueue(store, blobs, cluster, work, rules, Admission(UNLIMITED_BYTES))


def _cluster(settings: Settings) -> Executor:
    try:
        from core.queue.dask_executor import DaskExecutor  # noqa: PLC0415 - an optional package, and slow to import
    except ImportError as error:
        raise InvalidRequest(
            "DASK_SCHEDULER needs packages that are not installed: pip install -r requirements-cluster.txt"
        ) from error
    return DaskExecutor(settings.dask_scheduler, partial(page_to_send, limits=settings.limits))

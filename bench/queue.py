"""Images through the durable queue: threads of the app beside Dask's processes, one worker and more.

Every side segments the same images with one torch thread a worker and exact arithmetic. What the queue itself
takes of a job is seen twice: the time of its worker outside decoding, segmenting, measuring and packing, with
one worker, whom nobody hinders; and how much longer four workers take than a bare pool that saves nothing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL

import psutil

from bench.report import Bar, Report, median_p95
from bench.running import HOST, free_port
from bench.scenes import png, spheroids
from bench.segment import resources, segment_once
from core.models import JobState
from core.segmentation import DEFAULT_ENGINE
from core.services import Services, freeze_loaded
from core.settings import Settings

SIDE_PX = 1024
MAX_WORKERS = 4
WORKERS = (1, 2, MAX_WORKERS)
PRECISION = "float32"
POOL = f"bare pool, {MAX_WORKERS}"
WAITS = ("queued", "read", "wait", "save")  # stages that are the queue's
POLL_S = 0.02
Tree = Sequence[psutil.Popen]  # processes that work for the app: what they take counts, too


@dataclass(frozen=True, slots=True)
class Run:
    """All images through one side: seconds, those of the processor, and a job's ms outside its stages."""

    seconds: float
    cpu_seconds: float
    outside_ms: float | None = None


def run(quick: bool) -> Report:
    """Each side in turn, as often as there are rounds."""
    count, rounds = (8, 1) if quick else (200, 2)
    files = [_file(number) for number in range(count)]
    resources(1, PRECISION).engines.arithmetic.prepare_process()
    segment_once(files[0], DEFAULT_ENGINE, resources(1, PRECISION))  # loads what is loaded once
    freeze_loaded()  # as every page does
    runs: dict[str, list[Run]] = {}
    for _ in range(rounds):
        runs.setdefault(POOL, []).append(_bare(files))
        for workers in WORKERS:
            runs.setdefault(f"threads, {workers}", []).append(_queued(files, workers))
    for workers in WORKERS:
        with _cluster(workers) as (address, tree):
            _queued(files[: 2 * MAX_WORKERS], workers, address, tree)  # its workers load the network
            runs[f"Dask, {workers}"] = [_queued(files, workers, address, tree) for _ in range(rounds)]
    return _report(runs, count)


def _file(number: int) -> bytes:
    made = spheroids(SIDE_PX, 4, number)
    return png(made)


def _bare(files: Sequence[bytes]) -> Run:
    start, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(MAX_WORKERS) as pool:
        list(pool.map(lambda data: segment_once(data, DEFAULT_ENGINE, resources(1, PRECISION)), files))
    return Run(time.perf_counter() - start, time.process_time() - cpu)


def _queued(files: Sequence[bytes], workers: int, scheduler: str = "", tree: Tree = ()) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(
            Settings(
                data=Path(folder),
                segmentation_workers=workers,
                segmentation_precision=PRECISION,
                dask_scheduler=scheduler,
                container_memory_limit_mb=1_000_000,
            )
        )
        try:
            return _segmented(services, files, tree)
        finally:
            services.close()


def _segmented(services: Services, files: Sequence[bytes], tree: Tree) -> Run:
    project = services.create_project("bench")
    for number, data in enumerate(files):
        services.ingest.add(project.id, f"{number:03}.png", data, None)
    ids = services.store.images.ids(project.id)
    while services.queue_monitor.snapshot().state.problem:
        time.sleep(POLL_S)
    start, cpu = time.perf_counter(), _cpu_seconds(tree)
    services.segment(project, ids)
    while services.queue.timeline.total < len(files):
        time.sleep(POLL_S)
    seconds, used = time.perf_counter() - start, _cpu_seconds(tree) - cpu
    spans = services.queue.timeline.latest()
    assert [span.state for span in spans] == [JobState.DONE] * len(files)
    inside = sum(ms for span in spans for stage, ms in span.stages_ms.items() if stage not in WAITS)
    workers = services.settings.segmentation_workers
    return Run(seconds, used, (1000 * seconds * workers - inside) / len(files))


@contextmanager
def _cluster(workers: int) -> Iterator[tuple[str, Tree]]:
    """A scheduler and its workers, as docs/cluster.md says; yields its address and its processes."""
    port = str(free_port())
    address = f"tcp://{HOST}:{port}"
    commands = (
        ("distributed.cli.dask_scheduler", "--host", HOST, "--port", port, "--no-dashboard"),
        ("core", "worker", address, "--workers", str(workers)),
    )
    tree = [
        psutil.Popen([sys.executable, "-m", *command], stdout=DEVNULL, stderr=DEVNULL) for command in commands
    ]
    try:
        yield address, tree
    finally:
        for process in [below for root in tree for below in (*root.children(recursive=True), root)]:
            process.kill()
        psutil.wait_procs(tree)


def _cpu_seconds(tree: Tree) -> float:
    """What this process and those of the tree have taken of the processor."""
    processes = [below for root in tree for below in (root, *root.children(recursive=True))]
    times = [process.cpu_times() for process in processes]
    return time.process_time() + sum(taken.user + taken.system for taken in times)


def _report(runs: Mapping[str, Sequence[Run]], count: int) -> Report:
    report = Report("queue")
    seconds = {side: median_p95([run.seconds for run in measured])[0] for side, measured in runs.items()}
    alone = seconds["threads, 1"]
    for side, measured in runs.items():
        outside = [run.outside_ms for run in measured if run.outside_ms is not None]
        report.rows.append(
            {
                "side": side,
                "images_a_second": count / seconds[side],
                "times_one_thread": alone / seconds[side],
                "cores_used": median_p95([run.cpu_seconds / run.seconds for run in measured])[0],
                "cpu_ms_a_job": median_p95([run.cpu_seconds / count * 1000 for run in measured])[0],
                "worker_ms_outside_stages": median_p95(outside)[0] if outside else None,
            }
        )
    four = f"threads, {MAX_WORKERS}"
    report.bars.append(Bar(f"{four}, to one", alone / seconds[four], 1.7, "times", at_most=False))
    outside_ms = median_p95([run.outside_ms or 0.0 for run in runs["threads, 1"]])[0]
    report.bars.append(Bar("overhead a job, one worker", outside_ms, 10, "ms"))
    beside_pool = (seconds[four] - seconds[POOL]) / count * 1000
    report.bars.append(
        Bar(f"overhead a job, {MAX_WORKERS} workers beside the bare pool", beside_pool, 10, "ms")
    )
    return report

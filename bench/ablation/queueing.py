"""Claims 1 and 9: several images at once, within a limit of memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from bench.ablation.lab import opened, peak_growth_mib
from bench.ablation.outcome import Outcome, median
from bench.scenes import png, spheroids
from core.services import Services
from core.settings import Settings

WORKERS = 4
LIMIT_MB = 904  # leaves 200 MB for images, of which each takes 188
NO_LIMIT_MB = 1_000_000
POLL_S = 0.005


def concurrency(quick: bool) -> list[Outcome]:
    """Segment the same images with one worker and with four, in turns."""
    count, rounds = (4, 1) if quick else (16, 3)
    files = [png(spheroids(768, 4, seed)) for seed in range(count)]
    times: dict[int, list[float]] = {1: [], WORKERS: []}
    for round_ in range(rounds + 1):
        for workers, taken in times.items():
            with opened(segmentation_workers=workers) as services:
                seconds = segmented(services, files)
            if round_:  # the first round warms up
                taken.append(seconds / count * 1000)
    off, on = median(times[1]), median(times[WORKERS])
    cores = os.cpu_count() or 1
    return [
        Outcome(
            1,
            "several images segmented at once",
            f"{count} images of 768² pixels through the queue",
            "SEGMENTATION_WORKERS=1",
            "ms an image",
            off,
            on,
            off / on >= 4,
            f"{WORKERS} workers on {cores} cores of the processor.",
            "one image already keeps a core busy, so no more images are computed at the same time than there "
            f"are cores ({cores} here): four times as many a second need at least four cores.",
        )
    ]


def memory(quick: bool) -> list[Outcome]:
    """Segment large images four at once with and without a limit, each side in a process of its own."""
    side = 1500 if quick else 3500
    grown = {limit: _grown(limit, side) for limit in (NO_LIMIT_MB, LIMIT_MB)}
    off, on = grown[NO_LIMIT_MB], grown[LIMIT_MB]
    bound = Settings().memory_budget(LIMIT_MB).images_mb
    return [
        Outcome(
            9,
            "images wait for memory",
            f"{WORKERS} images of {side}² pixels, 16 bits, dropped at once; {bound} MB left for images",
            "CONTAINER_MEMORY_LIMIT_MB=1000000",
            "MiB grown",
            off,
            on,
            on < off and on <= 1.25 * bound,
            "Images wait until there is memory for them, so the peak is the limit's and not the queue's.",
            "the images that were segmented at the same time took more memory than was reserved for them.",
        )
    ]


def segmented(services: Services, files: list[bytes]) -> float:
    """Seconds from asking for the images to the last result saved."""
    project = services.create_project("bench")
    for number, data in enumerate(files):
        services.ingest.add(project.id, f"{number}.png", data, None)
    ids = services.store.images.ids(project.id)
    start = time.perf_counter()
    services.segment(project, ids)
    while services.store.jobs.totals().left:
        time.sleep(POLL_S)
    return time.perf_counter() - start


def _grown(limit_mb: int, side: int) -> float:
    command = [sys.executable, "-m", "bench.ablation.queueing", str(limit_mb), str(side)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _main(limit_mb: int, side: int) -> None:
    files = [png(spheroids(side, 4, seed)) for seed in range(WORKERS)]
    small = [png(spheroids(256, 1))]
    with opened(segmentation_workers=WORKERS, container_memory_limit_mb=limit_mb) as services:
        segmented(services, small)  # loads what is loaded once
        project = services.create_project("large")
        for number, data in enumerate(files):
            services.ingest.add(project.id, f"{number}.png", data, None)
        files.clear()
        ids = services.store.images.ids(project.id)

        def act() -> None:
            services.segment(project, ids)
            while services.store.jobs.totals().left:
                time.sleep(POLL_S)

        print(peak_growth_mib(act))


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))

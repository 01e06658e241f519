"""Claim 1: several images at once."""

from __future__ import annotations

import time

from bench.ablation.lab import opened
from bench.ablation.outcome import Outcome, median
from bench.scenes import png, spheroids
from core.services import Services

WORKERS = 4
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
    return [
        Outcome(
            1,
            "images segmented at once",
            "4 times the throughput",
            f"{count} images of 768² pixels through the queue",
            "SEGMENTATION_WORKERS=1",
            "ms an image",
            off,
            on,
            off / on >= 4,
            "Workers share the processor's cores: more than there are of them add little.",
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

"""Claims 3 and 7: fewer bytes on the wire, and tables that are sent while they are read."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.ablation.lab import browsing, fill, measure, multiply, opened, peak_growth_mib
from bench.ablation.outcome import Outcome, median
from core.services import Services
from core.settings import Settings


def compression(quick: bool) -> list[Outcome]:
    """The same page of images with and without compression."""
    sizes: dict[bool, list[float]] = {False: [], True: []}
    times: dict[bool, list[float]] = {False: [], True: []}
    with ExitStack() as stack:
        sides = {}
        for on in sizes:
            services = stack.enter_context(opened(compression=on))
            services.queue.drain(1)  # so that it does not take what is to be claimed here
            project = fill(services, "compressed", 200)
            measure(services, project, 3)
            path = f"/api/projects/{project.id}/images"
            sides[on] = (stack.enter_context(browsing(services)), path)
        for _ in range(3 if quick else 20):
            for on, (browser, path) in sides.items():
                answer = browser.get(path, "limit=200")
                sizes[on].append(answer.sent_bytes)
                times[on].append(answer.ms)
    off, on_bytes = median(sizes[False]), median(sizes[True])
    cost = median(times[True]) - median(times[False])
    return [
        Outcome(
            3,
            "gzip",
            "GET of 200 images as JSON",
            "COMPRESSION=off",
            "bytes",
            off,
            on_bytes,
            on_bytes <= 0.4 * off,
            f"{100 * (1 - on_bytes / off):.0f} % smaller, for {cost:.1f} ms of the server's time.",
            "what was sent holds too few repetitions to be made three fifths smaller.",
        )
    ]


def streaming(quick: bool) -> list[Outcome]:
    """A table of many spheroids sent while it is read, and built in memory first."""
    images, each, times = (4, 100, 2) if quick else (10, 1_000, 30)
    with tempfile.TemporaryDirectory() as folder:
        services = Services.open(Settings(data=Path(folder)))
        services.queue.drain(1)  # so that it does not take what is to be claimed here
        project = fill(services, "large", images)
        measure(services, project, each)
        multiply(services, project, times)
        services.close()
        grown = {switch: _grown(Path(folder), project.id, switch) for switch in ("off", "on")}
    return [
        Outcome(
            7,
            "tables sent from disk",
            f"objects.csv of {images * each * times} spheroids",
            "STREAMING=off",
            "MiB grown",
            grown["off"],
            grown["on"],
            grown["on"] < 0.5 * grown["off"],
            why_not="so much of the table is prepared before it is sent that little memory is saved.",
        )
    ]


def _grown(folder: Path, project_id: str, switch: str) -> float:
    command = [sys.executable, "-m", "bench.ablation.wire", str(folder), project_id, switch]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _main(folder: str, project_id: str, switch: str) -> None:
    services = Services.open(Settings(data=Path(folder), streaming=switch == "on"))
    path = f"/downloads/projects/{project_id}/objects.csv"
    warm = replace(services, settings=replace(services.settings, streaming=True))
    with browsing(warm) as browser:
        browser.get(path)  # the database keeps in memory what it has read, whoever asks
    with browsing(services) as browser:
        print(peak_growth_mib(lambda: browser.get(path)))
    services.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])

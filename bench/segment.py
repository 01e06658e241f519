"""From a file's bytes to contours and measurements: ours by stage, one image alone and four at once; peers.

The peers: spheroidkit (``pip install --no-deps -r requirements-bench.txt``) and a network of the size that
SpheroSeg ships, timed with random weights and without everything that comes before and after it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.report import Bar, Report, interleaved_ms, median_p95
from bench.scenes import png, spheroids
from core.models import Job, JobState
from core.queue.resources import ComputeResources
from core.queue.task import Processed, process
from core.segmentation import Arithmetic, EngineOutput, EngineRegistry, SegmentationParams, delineate, predict

SIZES = (1024, 2048)
WORKERS = 4
PEER_SIDE = SIZES[0]
# engine, and precision of the network's arithmetic
OURS = {"unet": ("unet", "float32"), "unet bf16": ("unet", "bfloat16"), "classical": ("classical", "float32")}


def run(quick: bool) -> Report:
    """Measure every side at each size, in turns."""
    report = Report("segment")
    rounds = 2 if quick else 12
    for side in SIZES:
        data = png(spheroids(side, 6))
        peers = _peers(data) if side == PEER_SIDE else {}
        alone, times = _alone(data, peers, rounds)
        for name, results in alone.items():
            report.rows += _stages(name, side, results)
        for name, results in alone.items():
            times[name] = [_to_measurements(result) for result in results]
            report.rows.append(_row(name, side, "bytes to measurements", times[name]))
        for name in peers:
            report.rows.append(_row(name, side, "bytes to measurements", times[name]))
        for name in OURS:
            rate = _images_per_second(data, name, rounds * 2)
            report.rows.append(_row(name, side, f"{WORKERS} at once, images/s", [rate]))
            if side == PEER_SIDE and name == "unet":
                report.bars.append(Bar(f"{name}, {WORKERS} workers", rate, 14, "images/s", at_most=False))
        if side == PEER_SIDE:
            rate = _images_per_second(data, "unet", rounds * 2, threads=2)
            report.rows.append(_row("unet", side, f"{WORKERS} at once, 2 threads each, images/s", [rate]))
            _add_batches(report, rounds)
            _tried(report, side, rounds)
            _judge(report, {name: median_p95(values)[0] for name, values in times.items()}, quick)
    report.bars.append(Bar(f"peak memory, {WORKERS} at once at {SIZES[-1]}²", _peak_mb(), 700, "MB"))
    return report


def _tried(report: Report, side: int, rounds: int) -> None:
    """Other settings from the maps kept with a result, decoded pixels at hand."""
    pixels, params = spheroids(side, 6).pixels, SegmentationParams()
    engine = resources(1, "float32").engines.get("unet")
    maps = predict(pixels, params, engine).pack()
    other = SegmentationParams(sensitivity=0.2)
    again = interleaved_ms(
        {"": lambda: delineate(pixels, EngineOutput.unpack(maps, engine, params), other)}, rounds
    )[""]
    report.rows.append(_row("unet", side, "other settings", again))
    report.bars.append(Bar(f"other settings on a {side}² image", median_p95(again)[0], 50, "ms"))


def _judge(report: Report, medians: dict[str, float], quick: bool) -> None:
    ours = medians["unet"]
    report.bars.append(Bar(f"unet, one {PEER_SIDE}² image", ours, 100, "ms"))
    if "spheroidkit" in medians:
        ratio = medians["spheroidkit"] / ours
        report.bars.append(Bar("spheroidkit's time to ours", ratio, 12, "times", at_most=False))
    if quick:  # the large network takes minutes
        return
    for precision, bar in (("float32", 200), ("bfloat16", 200)):
        large = _large_network_ms(precision)
        report.rows.append(_row(f"132 M network {precision}", PEER_SIDE, "forward only", large))
        same = ours if precision == "float32" else medians["unet bf16"]
        ratio = median_p95(large)[0] / same
        report.bars.append(Bar(f"132 M network's time to ours, {precision}", ratio, bar, "times", False))


@cache
def resources(threads: int, precision: str) -> ComputeResources:
    """What workers share that compute in this way."""
    return ComputeResources(EngineRegistry.shipped(Arithmetic(threads, precision)))


def segment_once(data: bytes, engine: str, shared: ComputeResources) -> Processed:
    """Segment one file as a worker does, by an engine with its defaults."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        return process(Path(file.name), _job(engine), shared)


def _ours(data: bytes, name: str, threads: int) -> Processed:
    engine, precision = OURS[name]
    shared = resources(threads, precision)
    shared.engines.arithmetic.prepare_process()
    return segment_once(data, engine, shared)


def _alone(
    data: bytes, peers: dict[str, Callable[[], object]], rounds: int
) -> tuple[dict[str, list[Processed]], dict[str, list[float]]]:
    """One image at a time with all cores, every side in turn: our stages, and everybody's wall times."""
    done: dict[str, list[Processed]] = {name: [] for name in OURS}
    cores = os.cpu_count() or 1
    sides: dict[str, Callable[[], object]] = {
        name: lambda name=name: done[name].append(_ours(data, name, cores)) for name in OURS
    }
    times = interleaved_ms(sides | peers, rounds)
    return {name: results[1:] for name, results in done.items()}, times


def _to_measurements(result: Processed) -> float:
    """Its time in ms without the files that the app keeps, which no peer writes."""
    return sum(ms for stage, ms in result.timings_ms.items() if stage != "encode")


def _stages(name: str, side: int, results: Sequence[Processed]) -> list[dict[str, str | float | int | None]]:
    stages = results[0].timings_ms
    return [_row(name, side, stage, [result.timings_ms[stage] for result in results]) for stage in stages]


def _row(name: str, side: int, stage: str, values: Sequence[float]) -> dict[str, str | float | int | None]:
    median, p95 = median_p95(values)
    return {"side": name, "image": f"{side}²", "stage": stage, "median": median, "p95": p95}


def _add_batches(report: Report, rounds: int) -> None:
    """The network alone on one thread, images one by one and four together."""
    import torch  # noqa: PLC0415

    from core.segmentation.engines.weights import load  # noqa: PLC0415

    network, torch_threads = load(), torch.get_num_threads()
    torch.set_num_threads(1)
    views = torch.rand(WORKERS, network.inputs, 512, 512).contiguous(memory_format=torch.channels_last)
    sides: dict[str, Callable[[], object]] = {
        f"network, batches of {count}": partial(_forward, network, views.split(count))
        for count in (1, WORKERS)
    }
    with torch.inference_mode():
        times = interleaved_ms(sides, rounds)
    torch.set_num_threads(torch_threads)
    for name, values in times.items():
        report.rows.append(_row(name, 512, "forward, an image", [ms / WORKERS for ms in values]))


def _forward(network: Callable[[Any], object], batches: Sequence[Any]) -> None:
    for batch in batches:
        network(batch)


def _images_per_second(data: bytes, name: str, count: int, threads: int = 1) -> float:
    _ours(data, name, threads)
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda _: _ours(data, name, threads), range(count)))
    return count / (time.perf_counter() - start)


def _peers(data: bytes) -> dict[str, Callable[[], object]]:
    if importlib.util.find_spec("spheroidkit") is None:
        return {}
    return {"spheroidkit": lambda: _spheroidkit(data)}


def _spheroidkit(data: bytes) -> object:
    from spheroidkit.config import DEFAULT  # noqa: PLC0415  # optional
    from spheroidkit.core.measure import measure_mask  # noqa: PLC0415
    from spheroidkit.core.preprocess import preprocess  # noqa: PLC0415
    from spheroidkit.core.segment import segment  # noqa: PLC0415

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    mask = segment(preprocess(pixels[:, :, ::-1], DEFAULT.preprocess), DEFAULT.segment)
    return measure_mask(mask, DEFAULT.calibration)


def _large_network_ms(precision: str) -> list[float]:
    import torch  # noqa: PLC0415

    from bench.resunet import ResUNet  # noqa: PLC0415

    kind = torch.float32 if precision == "float32" else torch.bfloat16
    torch.set_num_threads(os.cpu_count() or 1)
    network = ResUNet().eval().to(kind, memory_format=torch.channels_last)
    image = torch.rand(1, 3, PEER_SIDE, PEER_SIDE, dtype=kind).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        return interleaved_ms({"": lambda: network(image)}, 2)[""]


def _peak_mb() -> float:
    """Peak memory of a fresh process that segments images of the greatest size on all workers."""
    code = "from bench.segment import peak_mb; print(peak_mb())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def peak_mb() -> float:
    """Segment on all workers, then say this process's peak memory in MB."""
    _images_per_second(png(spheroids(SIZES[-1], 6)), "unet", 2 * WORKERS)
    # Not by getrusage, whose peak begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _job(engine: str) -> Job:
    return Job(
        id="",
        image_id="",
        project_id="",
        image_name="",
        sha256="",
        page=1,
        state=JobState.RUNNING,
        sequence=1,
        request=1,
        attempt=1,
        suspect=False,
        engine=engine,
        params={},
        created_at=datetime(2026, 1, 1),
    )

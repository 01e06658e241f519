"""Outlines that are wrong, how long the simulated hand takes to mend them, and how many clicks do.

They are blobs and masks of the data sets that were spoilt, and automatic outlines of the data sets that have
an IoU of 0.70 to 0.85 with their mask. The data sets are looked for beside the checkout, as trainings do.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from scipy import ndimage

from bench.editor_hand import ALL_TOOLS, Outline, Surroundings, clicked, drawn_anew, iou, mended, wrong_parts
from bench.editor_tools import EditorTools, editor_tools
from bench.report import Bar, Report
from core.corrections import Region, regions_of
from core.corrections.operations import Objects
from core.corrections.regions import Box, Mask
from core.segmentation import EngineRegistry, SegmentationParams
from core.segmentation.engines.click_network import ClickModel, Picture
from core.segmentation.engines.stored_maps import rounded
from core.segmentation.outlines.postprocess import postprocess
from training.data import TEST_SETS, Pair, pairs

DATA = Path("../shared/datasets")
LOW, HIGH = 0.70, 0.85  # IoU of the outlines that are mended
SECONDS_BAR, GESTURES_BAR, TIMES_BAR, CLICKS_BAR = 5.0, 3.0, 3.0, 2.0
CLICK_GOAL, MOST_CLICKS, JITTER = 0.9, 10, 0.15  # jitter: SD in the depth of the part that is clicked
SHOWN_CLICKS = 6  # of which the mean IoU is shown, none among them
LEAST_AREA = 400  # px: smaller spheroids are not mended by anybody
MOST_OF_IMAGE = 5  # outlines, so that no image of hundreds decides
TOOLS = {"brush and eraser": ("brush", "erase"), "bend": ("bend",), "the best of all": ALL_TOOLS}


def add_mending(report: Report, count: int) -> None:
    """Mend so many outlines of each kind with each tool, and by clicks."""
    sets = {"spoilt blobs": [_blob(np.random.default_rng(seed)) for seed in range(count)]}
    if DATA.is_dir():
        shuffled = random.Random(1).sample(pairs(DATA), len(pairs(DATA)))
        sets["spoilt masks"] = list(islice(_spoilt_masks(shuffled), count))
        sets["automatic outlines"] = list(islice(_automatic(shuffled), count))
    with editor_tools() as tools:
        for name, outlines in sets.items():
            _add_hand(report, name, outlines, tools)
        if DATA.is_dir():
            _add_clicks(report, "automatic outlines", sets["automatic outlines"], tools.network)
            unseen = [pair for pair in shuffled if pair.set_name in TEST_SETS]
            outlines = list(islice(_automatic(unseen), count))
            _add_clicks(report, "automatic outlines of a set never learnt from", outlines, tools.network)


def _add_hand(report: Report, name: str, outlines: Sequence[Outline], tools: EditorTools) -> None:
    anew = [drawn_anew(item) for item in outlines]
    _add(report, f"{name}: drawn anew", anew, "s")
    for what, allowed in TOOLS.items():
        used = [name for name in allowed if name != "click" or outlines[0].around is not None]
        work = [mended(item, tools, used, np.random.default_rng(seed)) for seed, item in enumerate(outlines)]
        reached = [item for item in work if item.iou >= 0.95]
        seconds = [item.seconds if item in reached else float("inf") for item in work]
        gestures = [float(len(item.tools)) if item in reached else float("inf") for item in work]
        _add(report, f"{name}, {what}: to IoU 0.95", seconds, "s")
        _add(report, f"{name}, {what}: to IoU 0.95", gestures, "gestures")
        times = [whole / part for whole, part in zip(anew, seconds, strict=True)]
        _add(report, f"{name}, {what}: faster than drawing anew", times, "times")
        share = 100 * len(reached) / len(work)
        report.rows.append(_row(f"{name}, {what}: mended", len(work), share, None, "%"))
        if allowed == ALL_TOOLS:
            by = {key: sum(key in item.tools for item in work) for key in ALL_TOOLS}
            report.rows += [
                _row(f"{name}: mended with {key} among others", len(work), n, None, "outlines")
                for key, n in by.items()
            ]
            middle = statistics.median
            report.bars += [
                Bar(f"{name}: median to IoU 0.95", middle(seconds), SECONDS_BAR, "s"),
                Bar(f"{name}: median gestures", middle(gestures), GESTURES_BAR, "gestures"),
                Bar(f"{name}: median faster than anew", middle(times), TIMES_BAR, "times", at_most=False),
            ]


def _add_clicks(report: Report, name: str, outlines: Sequence[Outline], network: ClickModel) -> None:
    for what, start in (("from the bad outline", True), ("from nothing", False)):
        ious = [
            _ious_by_click(item, list(item.regions) if start else [], np.random.default_rng(n), network)
            for n, item in enumerate(outlines)
        ]
        clicks = [next((n for n, iou in enumerate(row) if iou >= CLICK_GOAL), float("inf")) for row in ious]
        _add(report, f"{name}: clicks to IoU {CLICK_GOAL} {what}", clicks, "clicks")
        share = 100 * float(np.isfinite(clicks).mean())
        report.rows.append(_row(f"{name}: got there by clicks {what}", len(clicks), share, None, "%"))
        for used, mean in enumerate(np.mean(ious, axis=0)[:SHOWN_CLICKS]):
            row = _row(f"{name}: mean IoU {what} after {used} clicks", len(ious), float(mean), None, "IoU")
            report.rows.append(row)
        report.bars.append(
            Bar(f"{name}: median clicks to IoU 0.9 {what}", statistics.median(clicks), CLICKS_BAR, "clicks")
        )


def _ious_by_click(
    outline: Outline, regions: list[Region], rng: np.random.Generator, network: ClickModel
) -> list[float]:
    """How good an outline is after 0 to MOST_CLICKS clicks, each on the largest part that is wrong."""
    ious = [iou(regions, outline.truth)]
    for _ in range(MOST_CLICKS):
        part, missing = next(wrong_parts(regions, outline.truth), (None, False))
        if part is not None:
            depth = ndimage.distance_transform_edt(part)
            row, column = np.unravel_index(int(depth.argmax()), depth.shape)
            off = rng.normal(0, JITTER * depth.max(), 2)
            x = float(np.clip(column + 0.5 + off[0], 0, part.shape[1] - 0.5))
            y = float(np.clip(row + 0.5 + off[1], 0, part.shape[0] - 0.5))
            after = clicked(outline, regions, "click" if missing else "away", (x, y), network)
            regions = regions if after is None else after
        ious.append(iou(regions, outline.truth))
    return ious


def _blob(rng: np.random.Generator) -> Outline:
    """A blob 200 pixels across, and an outline of it with a bay, a bulge, or both."""
    rows, columns = np.indices((300, 300))
    angle, away = np.arctan2(rows - 150, columns - 150), np.hypot(rows - 150, columns - 150)
    waves = sum(rng.normal(0, 3) * np.cos(k * angle + rng.uniform(0, 6.3)) for k in range(2, 6))
    truth = away < 100 + waves
    while True:
        shift = np.zeros_like(away)
        for _ in range(int(rng.integers(1, 3))):
            apart = np.angle(np.exp(1j * (angle - rng.uniform(0, 6.3))))
            shift += (
                rng.choice([-1, 1]) * rng.uniform(20, 65) * np.exp(-((apart / rng.uniform(0.3, 0.9)) ** 2))
            )
        outline = away < 100 + waves + shift
        if _is_bad(outline, truth):
            return Outline("blob", (_region(outline),), truth)


def _spoilt_masks(every: Sequence[Pair]) -> Iterator[Outline]:
    """Objects of masks with a bay, a bulge, or both."""
    for pair in every:
        rng = np.random.default_rng(len(pair.image.name))
        pixels, labels = pair.read()
        regions = regions_of(labels)
        for number, box in _some_objects(labels, rng):
            truth = labels[box] == number
            for _ in range(40):
                outline = _spoilt(truth, rng)
                if _is_bad(outline, truth):
                    others = {other: region for other, region in regions.items() if other != number}
                    around = Surroundings(Picture(pixels), others, (box[1].start, box[0].start))
                    yield Outline(pair.image.name, (_region(outline),), truth, around)
                    break


def _spoilt(truth: Mask, rng: np.random.Generator) -> Mask:
    """A mask of which the edge is shifted around one or two of its places."""
    radius = float(np.sqrt(truth.sum() / np.pi))
    inwards = ndimage.distance_transform_edt(truth) - ndimage.distance_transform_edt(~truth)
    edge = np.argwhere(truth & ~ndimage.binary_erosion(truth))
    rows, columns = np.indices(truth.shape)
    for _ in range(int(rng.integers(1, 3))):
        row, column = edge[rng.integers(len(edge))]
        away = np.hypot(rows - row, columns - column) / (rng.uniform(0.3, 0.9) * radius)
        inwards = inwards + rng.choice([-1, 1]) * rng.uniform(0.2, 0.65) * radius * np.exp(-(away**2))
    return np.asarray(inwards > 0)


def _automatic(every: Sequence[Pair]) -> Iterator[Outline]:
    """Automatic outlines of an IoU of 0.70 to 0.85."""
    engine, params = EngineRegistry.shipped().get("unet"), SegmentationParams()
    for pair in every:
        pixels, labels = pair.read()
        seen = rounded(engine.predict(pixels, params))
        found = postprocess(seen, params, pixels.shape[:2])
        regions = regions_of(found)
        bad = (
            _matched(regions, labels == number, box, Picture(pixels), pair.image.name)
            for number, box in _some_objects(labels, np.random.default_rng(1), len(labels))
        )
        yield from islice((outline for outline in bad if outline is not None), MOST_OF_IMAGE)


def _matched(regions: Objects, truth: Mask, box: Box, picture: Picture, name: str) -> Outline | None:
    """The automatic outline of one object, if it is bad, and those beside it."""
    shared = {number: int(truth[region.box][region.mask].sum()) for number, region in regions.items()}
    number = max(shared, key=lambda key: shared[key], default=None)
    if number is None or not shared[number]:
        return None
    mask = regions[number].within(box)
    if not _is_bad(mask, truth[box]):
        return None
    others = {other: region for other, region in regions.items() if other != number}
    around = Surroundings(picture, others, (box[1].start, box[0].start))
    return Outline(name, (_region(mask),), truth[box], around)


def _some_objects(
    labels: np.ndarray, rng: np.random.Generator, most: int = MOST_OF_IMAGE
) -> Iterator[tuple[int, Box]]:
    """Numbers of some objects of a label image in one part each, with a box that has room around them."""
    boxes = [(number, box) for number, box in enumerate(ndimage.find_objects(labels), start=1) if box]
    for place in rng.permutation(len(boxes))[:most].tolist():
        number, (rows, columns) = boxes[place]
        mask = labels[rows, columns] == number
        if mask.sum() < LEAST_AREA or ndimage.label(mask, np.ones((3, 3)))[1] > 1:
            continue
        room = round(0.6 * max(mask.shape))
        yield (
            number,
            (
                slice(max(0, rows.start - room), min(labels.shape[0], rows.stop + room)),
                slice(max(0, columns.start - room), min(labels.shape[1], columns.stop + room)),
            ),
        )


def _is_bad(outline: Mask, truth: Mask) -> bool:
    return bool(LOW <= (outline & truth).sum() / max(1, (outline | truth).sum()) <= HIGH)


def _region(mask: Mask) -> Region:
    region = Region.of(mask)
    assert region is not None, "an outline that is bad has pixels"
    return region


def _add(report: Report, what: str, values: Sequence[float], unit: str) -> None:
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    report.rows.append(_row(what, len(values), statistics.median(values), high, unit))


def _row(
    what: str, n: int, median: float, p95: float | None, unit: str
) -> dict[str, str | float | int | None]:
    return {"what": what, "n": n, "median": median, "p95": p95, "unit": unit}

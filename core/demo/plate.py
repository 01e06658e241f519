"""A synthetic 96-well drug response plate, photographed on three days, for a first look at the app.

Columns 1 and 2 are vehicle, columns 3 to 12 rising doses, rows are replicates. Vehicle spheroids grow
1.3-fold in diameter a day; the drug slows them, shrinks them and at high doses breaks them up. Some wells
have problems that real plates have, so that the app has something to flag.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.demo.synthetic import BodySpec, Scene, SceneSpec, scene

SEED = 96
ROWS = "ABCDEFGH"
COLUMNS = range(1, 13)
DAYS = (1, 2, 3)
SIDE_PX = 384
UM_PER_PX = 2.5
BITS = 12
IMAGE_DESCRIPTION, PREDICTOR = 270, 317  # TIFF tags

START_UM = 280.0
GROWTH = 1.3  # of the diameter, a day, in vehicle
SHRINKAGE = 0.74  # the same at a saturating dose
IC50_MICROMOLAR = 1.0
HILL = 1.1
WELL_SCATTER = 0.04  # between wells on day 1, as a coefficient of variation
DAY_SCATTER = 0.02  # of each day's growth


class WellProblem(StrEnum):
    """Problems of wells that are drawn on purpose."""

    EMPTY = "empty well"
    TWO_SPHEROIDS = "two spheroids"
    DEBRIS = "strong debris"
    OUT_OF_FOCUS = "out of focus"


PROBLEMS = {
    "B04": WellProblem.TWO_SPHEROIDS,
    "C09": WellProblem.OUT_OF_FOCUS,
    "D07": WellProblem.EMPTY,
    "E10": WellProblem.EMPTY,
    "F05": WellProblem.DEBRIS,
    "G02": WellProblem.OUT_OF_FOCUS,
    "H06": WellProblem.TWO_SPHEROIDS,
}
SPHEROIDS = {WellProblem.EMPTY: 0, WellProblem.TWO_SPHEROIDS: 2}  # one in every other well


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file of the plate: a 16-bit TIFF with 12 significant bits that says its pixel size."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class DemoTruth:
    """Truth of one file. ``diameters_um``: equivalent diameter of every spheroid, the largest first."""

    name: str
    well: str
    day: int
    dose_micromolar: float
    diameters_um: tuple[float, ...]
    problem: WellProblem | None


def demo_plate(seed: int = SEED) -> Iterator[DemoFile]:
    """Draw the plate's 288 files one by one, well by well and day by day; a seed always gives the same."""
    for truth, drawn in demo_scenes(seed):
        yield DemoFile(truth.name, tiff(drawn.pixels, truth.name))


def demo_scenes(seed: int = SEED) -> Iterator[tuple[DemoTruth, Scene]]:
    """Draw what the files of ``demo_plate(seed)`` show, with their label images."""
    for truth in manifest(seed):
        rng = np.random.default_rng([seed, *truth.name.encode()])
        yield truth, scene(rng, _spec(seed, truth))


def manifest(seed: int = SEED) -> tuple[DemoTruth, ...]:
    """Return what ``demo_plate(seed)`` shows, in the same order, without drawing it."""
    return tuple(
        truth for row in ROWS for column in COLUMNS for truth in _well(seed, f"{row}{column:02}", column)
    )


def dose_micromolar(column: int) -> float:
    """Dose of a column, 1 to 12: 0 is vehicle, then half a decade a column from 0.01."""
    return 0.0 if column <= 2 else 0.01 * 10 ** ((column - 3) / 2)


def tiff(pixels: NDArray[np.uint8] | NDArray[np.uint16], name: str) -> bytes:
    """Encode pixels uint16 (Y, X) as a TIFF that says 2.5 µm a pixel and 12 significant bits.

    LZW over horizontal differences: deflate makes it a tenth smaller and takes 5 times as long.
    """
    height, width = pixels.shape
    description = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0" Name="{name}"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" '
        f'SignificantBits="{BITS}" SizeX="{width}" SizeY="{height}" SizeC="1" SizeZ="1" SizeT="1" '
        f'PhysicalSizeX="{UM_PER_PX}" PhysicalSizeXUnit="&#181;m" '
        f'PhysicalSizeY="{UM_PER_PX}" PhysicalSizeYUnit="&#181;m">'
        '<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>'
    )
    file = io.BytesIO()
    tags = {IMAGE_DESCRIPTION: description, PREDICTOR: 2}
    Image.fromarray(pixels).save(file, format="TIFF", compression="tiff_lzw", tiffinfo=tags)
    return file.getvalue()


def _well(seed: int, well: str, column: int) -> Iterator[DemoTruth]:
    """The three days of one well: a spheroid grows or shrinks from what it was the day before."""
    rng = np.random.default_rng([seed, *well.encode()])
    problem, dose = PROBLEMS.get(well), dose_micromolar(column)
    count = SPHEROIDS.get(problem, 1) if problem else 1
    # two spheroids in one well share the cells that were seeded
    diameters = START_UM * max(1, count) ** (-1 / 3) * np.exp(rng.normal(0, WELL_SCATTER, count))
    for day in DAYS:
        if day > DAYS[0]:
            diameters = diameters * _growth(dose) * np.exp(rng.normal(0, DAY_SCATTER, count))
        largest_first = tuple(sorted(map(float, diameters), reverse=True))
        yield DemoTruth(f"{well}_day{day}.tif", well, day, dose, largest_first, problem)


def _growth(dose: float) -> float:
    """Factor on the diameter in one day, on a Hill curve from GROWTH to SHRINKAGE."""
    return math.exp(math.log(SHRINKAGE) + math.log(GROWTH / SHRINKAGE) * (1 - _effect(dose, IC50_MICROMOLAR)))


def _effect(dose: float, half: float) -> float:
    """Share of the drug's greatest effect; ``half`` is the dose of half of it."""
    return 1 - 1 / (1 + math.pow(dose / half, HILL))


def _spec(seed: int, truth: DemoTruth) -> SceneSpec:
    """Return how the file looks: dying spheroids are ragged and thin and shed cells."""
    rng = np.random.default_rng([seed, *truth.well.encode(), 1])  # a well looks alike on every day
    damage = _effect(truth.dose_micromolar, 10 * IC50_MICROMOLAR) * (truth.day - 1) / 2
    bodies = tuple(
        _body(diameter, center, damage)
        for diameter, center in zip(truth.diameters_um, _centers(rng, len(truth.diameters_um)), strict=True)
    )
    debris_factor = 6 if truth.problem is WellProblem.DEBRIS else 1
    return SceneSpec(
        bodies,
        (SIDE_PX, SIDE_PX),
        UM_PER_PX,
        loose_cells=int(debris_factor * (8 + 20 * rng.random() + 170 * damage)),
        specks=int(debris_factor * (15 + 25 * rng.random())),
        well_wall=bool(rng.random() < 0.15),
        defocus_px=7.0 if truth.problem is WellProblem.OUT_OF_FOCUS else 0.0,
        bits=BITS,
    )


def _body(diameter_um: float, center: tuple[float, float], damage: float) -> BodySpec:
    size = diameter_um / START_UM  # the thicker, the darker; the core starves from about 400 µm on
    return BodySpec(
        center,
        diameter_um / UM_PER_PX,
        irregularity=0.03 + 0.09 * damage,
        opacity=0.95 * math.sqrt(size) * (1 - 0.2 * damage),
        necrosis=min(0.6, max(0.0, 1.2 * (size - 1.2))),
    )


def _centers(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """Middles in pixels: one near the middle of the well, two side by side."""
    middle, turn = SIDE_PX / 2 + rng.normal(0, 12, 2), rng.uniform(0, 2 * math.pi)
    distance = 85.0 if count == 2 else 0.0
    return [
        (
            float(middle[0] + sign * distance * math.cos(turn)),
            float(middle[1] + sign * distance * math.sin(turn)),
        )
        for sign in (1, -1)[:count]
    ]

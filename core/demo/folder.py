"""The demo plate as files: its images, and a table of what is in them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from core.demo.plate import SEED, DemoTruth, demo_plate, manifest

IMAGES, TRUTH = "images", "truth.csv"
COLUMNS = ("name", "n", "diameters_um", "dose_micromolar", "problem")


def write_demo(out: Path, seed: int = SEED) -> Iterator[str]:
    """Write ``out``/images and ``out``/truth.csv; yields the name of each image once it is written."""
    (out / IMAGES).mkdir(parents=True, exist_ok=True)
    with (out / TRUTH).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        table.writerows(_row(truth) for truth in manifest(seed))
    for image in demo_plate(seed):
        (out / IMAGES / image.name).write_bytes(image.data)
        yield image.name


def _row(truth: DemoTruth) -> tuple[str, int, str, str, str]:
    """Diameters are separated by semicolons, the largest first; no problem is an empty cell."""
    diameters = ";".join(f"{diameter:.2f}" for diameter in truth.diameters_um)
    problem = truth.problem.value if truth.problem else ""
    return truth.name, len(truth.diameters_um), diameters, f"{truth.dose_micromolar:.6g}", problem

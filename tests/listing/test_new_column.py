"""A column is added by its description, a migration and its value alone, and is found everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).parent / "new_column_child.py"
OF_IMAGES = """
    Column(
        "roughness", "Roughness", "How rough outlines are", unit="ratio", formula="by eye",
        summary=True, sort="roughness", filter="roughness", export="roughness", shown=Shown.ON_DEMAND,
    ),
"""
OF_SPHEROIDS = """
    _M("waviness", _P, "Waviness", "by eye"),
"""
VALUE = """
        "roughness": largest.get("waviness"),
"""
MIGRATION = """
ALTER TABLE image ADD COLUMN roughness DOUBLE;
ALTER TABLE version ADD COLUMN roughness DOUBLE;
ALTER TABLE object ADD COLUMN waviness DOUBLE;
"""


def put_before(path: Path, anchor: str, lines: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(anchor) == 1
    path.write_text(text.replace(anchor, lines.rstrip() + anchor), encoding="utf-8")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A copy of the program with one column more in each table."""
    copy = tmp_path / "program"
    shutil.copytree(ROOT / "core", copy / "core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "data").symlink_to(ROOT / "data")
    put_before(copy / "core/listing/image_columns.py", '\n    exported_only("engine"', OF_IMAGES)
    put_before(copy / "core/models/measurements.py", '\n    _M("n_holes"', OF_SPHEROIDS)
    put_before(copy / "core/models/summary.py", '\n        "confidence"', VALUE)
    migrations = copy / "core/db/sql/migrations"
    (migrations / "9999_roughness.sql").write_text(MIGRATION, encoding="utf-8")
    return copy


@pytest.mark.slow
def test_a_described_column_is_everywhere(program: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, program / "tests/listing/new_column_child.py", tmp_path, "roughness", "waviness"],
        env=os.environ | {"PYTHONPATH": str(program)},
        cwd=program,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert json.loads(done.stdout) == {
        "sorted by memory": [0.75, 0.25],
        "narrowed by memory": ["b.png"],
        "sorted by SQL": [0.75, 0.25],
        "narrowed by SQL": ["b.png"],
        "API of images": [0.75, 0.25],
        "API of images, narrowed": [0.75],
        "API of an image": 0.75,
        "API of spheroids": [0.75, 0.25],
        "API of spheroids, narrowed": [0.75],
        "API of an image's spheroids": [0.75],
        "OpenAPI": [True, True, True, True],
        "images.csv": [0.25, 0.75],
        "objects.csv": [0.25, 0.75],
        "images of results.xlsx": [0.25, 0.75],
        "objects of results.xlsx": [0.25, 0.75],
        "images.parquet": ["Float64", 0.25, 0.75],
        "objects.parquet": ["Float64", 0.25, 0.75],
        "formulas.csv": ["waviness", "roughness"],
        "grids": [["Roughness", "roughness", "roughness"], ["Waviness", "waviness", "waviness"]],
        "filters": ["Roughness", "Waviness"],
        "command line": [0.5, 0.5],
    }

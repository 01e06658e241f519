"""Four images of 80 megapixels, ten previews and a picture of each, all at once, within the memory limit."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import cv2
import numpy as np
import pytest

from core.settings import ROOT

pytestmark = pytest.mark.full

SHAPE = (8000, 10_000)  # 80 megapixels of 16 bits: 160 MB each
IMAGES = 4
SECONDS = 3000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four TIFF files; bodies on an uneven field, smooth, so that the pictures of them are small."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "files").mkdir()
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    field = (20_000 + rows // 4 + columns // 8).astype(np.uint16)
    for number in range(IMAGES):
        pixels = field.copy()
        for body in range(6):
            center = (1200 + 1500 * body, 2000 + 900 * number + 500 * (body % 3))
            cv2.circle(pixels, center, 500, 9_000 + 100 * number, -1)
        file = folder / "files" / f"{number}.tif"
        assert cv2.imwrite(str(file), pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 1])
    return folder


def at_once(folder: Path, limit_mb: int, tmp_path: Path) -> dict[str, Any]:
    env = {
        "SPHEROSCOPE_DATA": str(tmp_path / "data"),
        "CONTAINER_MEMORY_LIMIT_MB": str(limit_mb),
        # however busy this computer is, nobody waits in vain
        "MEMORY_WAIT_SECONDS": str(SECONDS),
        "PREVIEW_DEADLINE_SECONDS": str(SECONDS),
        "JOB_DEADLINE_SECONDS": str(SECONDS),
        "QUERY_TIMEOUT_MS": str(SECONDS * 1000),
    }
    command = [sys.executable, "-m", "tests.deploy.large_images", str(folder)]
    with Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=PIPE, text=True) as process:
        output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    return dict(json.loads(output.splitlines()[-1]))


@pytest.mark.timeout(SECONDS + 60)
def test_all_at_once_stays_under_the_limit_and_everything_is_answered(folder: Path, tmp_path: Path) -> None:
    report = at_once(folder, 2048, tmp_path)
    assert report["uploads"] == ["stored"] * IMAGES
    assert report["jobs"] == {"done": IMAGES}, report["failed"]
    assert set(report["previews"] + report["pictures"] + report["overlays"]) == {"done"}, report
    assert report["peak_mb"] <= 2048


@pytest.mark.timeout(SECONDS + 60)
def test_what_never_fits_is_refused_in_words_and_the_app_lives_on(folder: Path, tmp_path: Path) -> None:
    report = at_once(folder, 1024, tmp_path)
    assert report["uploads"] == ["refused"] * IMAGES
    assert all("raise CONTAINER_MEMORY_LIMIT_MB" in message for message in report["messages"]), report
    assert report["peak_mb"] <= 1024

"""The demo plate in the review: its bad wells are found by the reasons, its healthy ones hardly ever."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from core import images
from core.corrections.review_order import doubts
from core.demo.plate import demo_plate, manifest
from core.models import Limits
from core.models.summary import summary
from core.segmentation import SegmentationParams, segment
from core.segmentation.engines.registry import DEFAULT_ENGINE, EngineRegistry

pytestmark = [pytest.mark.slow(20), pytest.mark.timeout(900)]

EVERY = 4  # of the healthy images; all of them agree with it, and take minutes


def test_every_bad_image_has_a_reason_and_hardly_any_healthy_one(tmp_path: Path) -> None:
    engine = EngineRegistry.shipped().get(DEFAULT_ENGINE)
    healthy = [item.name for item in manifest() if not item.problem][::EVERY]
    looked_at = {item.name for item in manifest() if item.problem} | set(healthy)
    rows = {}
    for file in demo_plate():
        if file.name in looked_at:
            path = tmp_path / file.name
            path.write_bytes(file.data)
            result = segment(images.decode(path, 1, Limits()).pixels, SegmentationParams(), engine)
            rows[file.name] = summary(result.spheroids, result.confidence, result.quality)
    usual = median(rows[name]["specks"] for name in healthy)
    project = {"review": "unseen", "usual_specks": usual, "spheroids_expected": "one"}
    found = {name: tuple(doubts(row | project)) for name, row in rows.items()}
    missed = [item.name for item in manifest() if item.problem and not found[item.name]]
    alarms = {name: found[name] for name in healthy if found[name]}
    assert missed == []
    assert len(alarms) <= 0.02 * len(healthy), alarms

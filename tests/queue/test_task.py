"""What a worker does with one image gives the same on every computer."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from core.errors import ImageUnreadable
from core.models import Job, JobState, Limits
from core.queue.resources import ComputeResources
from core.queue.task import page_to_send, process, process_elsewhere
from core.segmentation import Arithmetic
from tests import corpus

JOB = Job(
    id="job",
    image_id="image",
    project_id="project",
    image_name="stack.tif#2",
    sha256="0" * 64,
    page=2,
    state=JobState.RUNNING,
    sequence=1,
    request=1,
    attempt=1,
    suspect=False,
    engine="classical",
    params={},
    created_at=datetime(2026, 1, 1),
)


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "stack.tif"
    pages = np.stack([corpus.spheroid((200, 200), inside=inside) for inside in (300, 900, 1500, 2100)])
    path.write_bytes(corpus.tiff(pages, photometric="minisblack"))
    return path


def test_another_computer_gets_the_page_of_a_job_and_finds_the_same(stack: Path) -> None:
    data = page_to_send(stack, JOB, Limits())
    assert len(data) < stack.stat().st_size / 3
    here = process(stack, JOB, ComputeResources.open(Arithmetic(), Limits()))
    there = process_elsewhere(data, JOB, Limits(), {}, "float32")
    assert here.spheroids
    assert (there.spheroids, there.labels_png, there.thumbnail) == (
        here.spheroids,
        here.labels_png,
        here.thumbnail,
    )


def test_a_page_that_is_not_there_is_not_sent(stack: Path) -> None:
    with pytest.raises(ImageUnreadable, match="no page 9"):
        page_to_send(stack, replace(JOB, page=9), Limits())

"""What workers of a real cluster are given to do in tests; they import it, so nothing heavy stands here."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from core.models import Job
from core.queue.task import Processed
from tests.factories import processed, spheroid


def where(_data: bytes, job: Job) -> Processed:
    """Say in the result which process made it."""
    return processed(job.image_id, [spheroid(1, area=os.getpid())])


def slowly(_data: bytes, job: Job) -> Processed:
    """Take long enough to be killed."""
    time.sleep(0.5)
    return processed(job.image_id, [spheroid()])


def noted(_data: bytes, job: Job, folder: str, seconds: float) -> Processed:
    """Leave a file when it begins, and take its time."""
    (Path(folder) / job.image_id).touch()
    time.sleep(seconds)
    return processed(job.image_id, [spheroid()])


def poisoned(_data: bytes, job: Job) -> Processed:
    """Die of one image."""
    if job.image_name == "poison.tif":
        os.kill(os.getpid(), signal.SIGKILL)
    return processed(job.image_id, [spheroid()])

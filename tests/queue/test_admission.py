"""Admission: what does not fit beside what runs waits; what fits nowhere runs alone."""

from __future__ import annotations

from datetime import datetime

from core.models import Job, JobState
from core.queue.admission import Admission

MB = 2**20


def job(megabytes: int) -> Job:
    return Job(
        id=f"{megabytes}",
        image_id="",
        project_id="",
        image_name="",
        sha256="",
        page=1,
        state=JobState.QUEUED,
        sequence=1,
        attempt=0,
        suspect=False,
        engine="",
        params={},
        created_at=datetime(2026, 1, 1),
        memory_bytes=megabytes * MB,
    )


def test_huge_images_do_not_run_together_and_small_ones_do() -> None:
    admission = Admission(1500 * MB)
    admission.take("worker 1", job(1100))
    assert not admission.fits(job(1100))
    assert admission.waiting == job(1100)
    assert admission.fits(job(40))
    assert admission.waiting is None
    admission.give_back("worker 1")
    assert admission.fits(job(1100))
    assert admission.taken_bytes == 0


def test_what_is_larger_than_all_the_memory_runs_alone() -> None:
    admission = Admission(100 * MB)
    assert admission.fits(job(1100))
    admission.take("worker 1", job(40))
    assert not admission.fits(job(1100))
    admission.give_back("worker 1")
    assert admission.waiting is None

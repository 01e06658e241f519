"""Admission: what does not fit beside the images in work waits; what never fits is refused in words."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import pytest

from core.errors import AppBusy, ImageTooLarge
from core.models import Job, JobState
from core.queue.admission import MAX_OVERTAKEN, PLACE_SECONDS, Admission, JobAdmission
from tests.polling import wait_until

MB = 2**20
LONG = 60.0


def job(megabytes: int, name: str = "") -> Job:
    return Job(
        id=f"{megabytes}",
        image_id="",
        project_id="",
        image_name=name,
        sha256="",
        page=1,
        state=JobState.QUEUED,
        sequence=1,
        request=1,
        attempt=0,
        suspect=False,
        engine="",
        params={},
        created_at=datetime(2026, 1, 1),
        memory_bytes=megabytes * MB,
    )


class Visitors:
    """Threads that hold memory until they are let go."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._pool = ThreadPoolExecutor(8)
        self.order: list[str] = []
        self.doors: dict[str, threading.Event] = {}

    def come(self, name: str, megabytes: int) -> Future[None]:
        door = self.doors[name] = threading.Event()

        def hold() -> None:
            with self._admission.hold(megabytes * MB, name, LONG):
                self.order.append(name)
                assert door.wait(LONG)

        waiting = len(self._admission._waiting_line)
        future = self._pool.submit(hold)
        wait_until(lambda: name in self.order or len(self._admission._waiting_line) > waiting)
        return future

    def leave(self, name: str) -> None:
        self.doors[name].set()

    def close(self) -> None:
        for door in self.doors.values():
            door.set()
        self._pool.shutdown()


@pytest.fixture
def admission() -> Admission:
    return Admission(1000 * MB)


@pytest.fixture
def visitors(admission: Admission):
    made = Visitors(admission)
    yield made
    made.close()


def test_memory_is_held_while_the_block_runs_and_released_whatever_happens(admission: Admission) -> None:
    def fail() -> None:
        with admission.hold(600 * MB, "a.tif"):
            assert admission.held_bytes == 600 * MB
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert admission.held_bytes == 0


def test_an_image_that_does_not_fit_waits_for_memory(admission: Admission, visitors: Visitors) -> None:
    visitors.come("a.tif", 600)
    visitors.come("b.tif", 600)
    assert visitors.order == ["a.tif"]
    assert admission.waiting == "b.tif"
    visitors.leave("a.tif")
    wait_until(lambda: visitors.order == ["a.tif", "b.tif"])
    assert admission.waiting is None
    assert admission.held_bytes == 600 * MB


def test_who_waits_too_long_is_refused_in_words_and_leaves_the_line(
    admission: Admission, visitors: Visitors
) -> None:
    visitors.come("a.tif", 600)
    with pytest.raises(AppBusy, match="busy with large images"), admission.hold(600 * MB, "b.tif", 0.01):
        pass
    assert admission.waiting is None
    with admission.hold(400 * MB, "c.tif", 0.01):
        pass


def test_a_large_image_is_not_passed_by_others_as_large(admission: Admission, visitors: Visitors) -> None:
    visitors.come("a.tif", 600)
    visitors.come("large.tif", 900)
    visitors.come("b.tif", 300)
    assert visitors.order == ["a.tif"]  # though b.tif would fit beside it
    visitors.leave("a.tif")
    wait_until(lambda: visitors.order == ["a.tif", "large.tif"])
    visitors.leave("large.tif")
    wait_until(lambda: visitors.order == ["a.tif", "large.tif", "b.tif"])


def test_small_images_pass_a_large_one_that_waits_but_not_without_end(
    admission: Admission, visitors: Visitors
) -> None:
    visitors.come("a.tif", 600)
    visitors.come("large.tif", 900)
    for _ in range(MAX_OVERTAKEN):
        with admission.hold(50 * MB, "small.tif", LONG):
            pass
    with pytest.raises(AppBusy), admission.hold(50 * MB, "small.tif", 0.01):
        pass
    visitors.leave("a.tif")
    wait_until(lambda: "large.tif" in visitors.order)


def test_more_than_all_the_memory_is_refused_with_what_to_change(admission: Admission) -> None:
    with pytest.raises(ImageTooLarge) as caught, admission.hold(1100 * MB, "huge.tif"):
        pass
    assert "huge.tif needs about 1,100 MB" in caught.value.message
    assert "CONTAINER_MEMORY_LIMIT_MB" in caught.value.message
    assert admission.held_bytes == 0


def test_a_block_within_a_block_waits_for_nothing_and_counts_what_it_adds(
    admission: Admission, visitors: Visitors
) -> None:
    with admission.hold(600 * MB, "a.tif"):
        with admission.hold(500 * MB, "a.tif", 0.01):
            assert admission.held_bytes == 600 * MB
        waiting = visitors.come("b.tif", 500)
        with admission.hold(900 * MB, "a.tif", 0.01):
            assert admission.held_bytes == 900 * MB
        assert admission.held_bytes == 600 * MB
        assert not waiting.done()
    wait_until(lambda: visitors.order == ["b.tif"])


def test_a_refused_request_keeps_its_place_for_a_time() -> None:
    now = [0.0]
    admission = Admission(1000 * MB, clock=lambda: now[0])
    assert admission.try_hold("a", 600 * MB, "a.tif")
    assert not admission.try_hold("next", 900 * MB, "large.tif")
    assert not admission.try_hold("b", 300 * MB, "b.tif")
    assert admission.waiting == "large.tif"
    admission.release("a")
    assert not admission.try_hold("b", 300 * MB, "b.tif")
    now[0] = PLACE_SECONDS + 1  # who does not ask again is not waited for
    assert admission.try_hold("b", 300 * MB, "b.tif")
    assert admission.waiting is None
    assert not admission.try_hold("next", 900 * MB, "large.tif")  # at the end of the line now
    admission.release("b")
    assert admission.try_hold("next", 900 * MB, "large.tif")


def test_every_release_is_announced_without_a_lock() -> None:
    admission, heard = Admission(1000 * MB), []
    admission.on_release(lambda: heard.append(admission.held_bytes))
    with admission.hold(600 * MB, "a.tif"):
        admission.try_hold("b", 300 * MB, "b.tif")
    admission.release("b")
    admission.release("b")
    assert heard == [300 * MB, 0]


class TestJobs:
    """The queue's side."""

    def test_huge_images_do_not_run_together_and_small_ones_do(self, admission: Admission) -> None:
        jobs = JobAdmission(admission, lambda: None)
        assert jobs.fits(job(900))
        jobs.claimed("worker 1")
        assert not jobs.fits(job(900, "large.tif"))
        jobs.claimed(None)
        assert admission.waiting == "large.tif"
        assert jobs.fits(job(40))
        jobs.claimed("worker 2")
        assert admission.waiting is None
        jobs.ended("worker 1")
        assert jobs.fits(job(900))
        assert admission.held_bytes == 940 * MB

    def test_what_is_found_to_fit_and_then_not_claimed_is_released(self, admission: Admission) -> None:
        jobs = JobAdmission(admission, lambda: None)
        assert jobs.fits(job(900))
        jobs.claimed(None)
        assert admission.held_bytes == 0

    def test_a_job_that_is_gone_holds_up_nobody(self, admission: Admission) -> None:
        jobs = JobAdmission(admission, lambda: None)
        with admission.hold(600 * MB, "a.tif"):
            assert not jobs.fits(job(900, "large.tif"))
            jobs.claimed(None)
            assert admission.waiting == "large.tif"
            jobs.claimed(None)  # nothing waits to be claimed any more
            assert admission.waiting is None

    def test_a_job_that_never_fits_is_let_through_to_fail(self, admission: Admission) -> None:
        jobs = JobAdmission(admission, lambda: None)
        assert jobs.fits(job(1100, "huge.tif"))
        jobs.claimed("worker 1")
        assert admission.held_bytes == 0
        with pytest.raises(ImageTooLarge, match=r"huge\.tif"):
            jobs.require_possible(job(1100, "huge.tif"))

    def test_a_preview_is_not_starved_by_jobs_nor_a_job_by_previews(
        self, admission: Admission, visitors: Visitors
    ) -> None:
        jobs = JobAdmission(admission, lambda: None)
        assert jobs.fits(job(700))
        jobs.claimed("worker 1")
        visitors.come("preview.tif", 600)
        assert not jobs.fits(job(300))  # would fit beside the running job, but came later
        jobs.claimed(None)
        jobs.ended("worker 1")
        wait_until(lambda: visitors.order == ["preview.tif"])
        assert jobs.fits(job(300))

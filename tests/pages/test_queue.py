from __future__ import annotations

from core.errors import SegmentationError
from core.models import JobState, Priority, Project
from core.services import Services
from tests import corpus
from tests.factories import claim
from tests.pages.conftest import Open, texts


def test_empty_queue_says_what_to_do_next(open_page: Open) -> None:
    page = open_page("queue.py")
    assert not page.exception
    assert "Nothing has been segmented yet" in texts(page)


def test_queue_counts_jobs_by_state(open_page: Open, plate: Project, services: Services) -> None:
    page = open_page("queue.py")
    assert not page.exception
    counts = services.queue_monitor.snapshot().totals.counts
    assert (counts[JobState.DONE], counts[JobState.QUEUED], counts[JobState.FAILED]) == (3, 0, 0)
    assert page.session_state["state"] == "done"
    (chart,) = page.get("plotly_chart")
    assert '"done"' in chart.proto.spec
    assert plate.name


def test_waiting_jobs_can_be_cancelled(open_page: Open, services: Services) -> None:
    services.queue.drain(5)  # so that they keep waiting
    project = services.create_project("Waiting")
    services.ingest.add(project.id, "a.png", corpus.png(corpus.noise()), services.recipe(project))
    page = open_page("queue.py")
    assert page.session_state["state"] == "queued"
    next(button for button in page.button if button.label == "Cancel all queued").click().run()
    assert services.store.jobs.totals().counts[JobState.CANCELLED] == 1
    assert services.store.images.page(project.id).items[0].status.value == "new"


def test_the_queue_shows_one_project_and_cancels_only_its_jobs(open_page: Open, services: Services) -> None:
    services.queue.drain(5)
    for name in ("One", "Two"):
        project = services.create_project(name)
        services.ingest.add(project.id, "a.png", corpus.png(corpus.noise()), services.recipe(project))
    page = open_page("queue.py")
    page.selectbox(key="of").set_value(project.id).run()
    assert not page.exception
    assert "1 queued" in texts(page)
    next(button for button in page.button if button.label == "Cancel these 1").click().run()
    counts = services.store.jobs.totals().counts
    assert (counts[JobState.QUEUED], counts[JobState.CANCELLED]) == (1, 1)
    assert services.throughput.jobs(project.id)[JobState.CANCELLED] == 1


def test_waiting_jobs_are_given_another_place(open_page: Open, services: Services) -> None:
    services.queue.drain(5)
    project = services.create_project("Waiting")
    for seed in (1, 2):
        data = corpus.png(corpus.noise(seed=seed))
        services.ingest.add(project.id, f"{seed}.png", data, services.recipe(project))
    page = open_page("queue.py")
    next(button for button in page.button if button.label == "High").click().run()
    assert not page.exception
    assert {job.priority for job in services.store.jobs.page(JobState.QUEUED).items} == {Priority.HIGH}


def test_failed_jobs_are_tried_again(open_page: Open, services: Services) -> None:
    services.queue.drain(5)
    project = services.create_project("Failed")
    data = corpus.png(corpus.noise())
    services.ingest.add(project.id, "a.png", data, services.recipe(project))
    services.store.jobs.fail(claim(services.store), SegmentationError("It would not be outlined."))
    page = open_page("queue.py", state="failed")
    assert not page.exception
    next(button for button in page.button if button.label == "Retry all failed").click().run()
    assert services.store.jobs.totals().counts[JobState.QUEUED] == 1


def test_buttons_have_nothing_to_do_where_no_job_is(open_page: Open, plate: Project) -> None:
    page = open_page("queue.py", state="failed")
    assert [button.disabled for button in page.button if button.label.startswith("Retry")] == [True]
    assert plate.name

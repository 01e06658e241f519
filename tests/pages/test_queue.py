from __future__ import annotations

from core.models import JobState, Project
from core.services import Services
from tests import corpus
from tests.pages.conftest import Open, texts


def test_empty_queue_says_what_to_do_next(open_page: Open) -> None:
    page = open_page("queue.py")
    assert not page.exception
    assert "Nothing has been segmented yet" in texts(page)


def test_queue_counts_jobs_by_state(open_page: Open, plate: Project) -> None:
    page = open_page("queue.py")
    assert not page.exception
    counts = {metric.label: metric.value for metric in page.metric}
    assert counts["Done"] == "3"
    assert counts["Queued"] == counts["Failed"] == "0"


def test_waiting_jobs_can_be_cancelled(open_page: Open, services: Services) -> None:
    services.queue.drain(5)  # so that they keep waiting
    project = services.create_project("Waiting")
    services.ingest.add(project.id, "a.png", corpus.png(corpus.noise()), services.recipe(project))
    page = open_page("queue.py")
    assert page.session_state["state"] == "queued"
    next(button for button in page.button if button.label == "Cancel all").click().run()
    assert services.store.jobs.totals().counts[JobState.CANCELLED] == 1
    assert services.store.images.page(project.id).items[0].status.value == "new"

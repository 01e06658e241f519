"""The Queue page as a visitor meets it: ten thousand jobs in one list, live figures, silence at rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from core.errors import SegmentationError
from core.ingest import UploadOutcome
from core.models import JobState
from core.services import Services
from core.settings import Settings
from core.store import NewImage
from tests import corpus
from tests.browser.app import app_server
from tests.browser.chromium import browser_tab
from tests.browser.test_journey import assert_clean, grid
from tests.factories import RECIPE, claim, new_image
from tests.polling import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]

JOBS = 10_000
MAX_DRAWN = 80  # rows in the page at once, however many there are: this is what keeps scrolling smooth


def test_ten_thousand_jobs_scroll_smoothly_and_are_acted_on(tmp_path: Path) -> None:
    fill(tmp_path)
    nobody = "tcp://127.0.0.1:9"  # the jobs keep waiting
    with app_server(tmp_path, DASK_SCHEDULER=nobody) as address, browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/queue")
        expect(page.locator("[data-name=queued] b")).to_have_text("9\u202f998")
        expect(page.get_by_text("cannot be reached").first).to_be_visible()
        rows = grid(page)
        expect(rows.locator("[row-id] .opens").first).to_be_visible()
        body = rows.locator(".ag-body-viewport")
        for share in (0.25, 0.5, 0.75, 0.99):
            body.evaluate("(body, share) => { body.scrollTop = share * body.scrollHeight; }", share)
            first = f"{int(share * (JOBS - 2)) // 1000 * 1000 // 1000:02}"
            expect(rows.locator(f"[row-id] .opens a:text-matches('^{first}')").first).to_be_visible()
            assert rows.locator(".ag-center-cols-container .ag-row").count() < MAX_DRAWN
        expect(rows.locator("[row-id] .opens").last).to_contain_text(".tif")
        page.get_by_test_id("stButtonGroup").get_by_text("failed", exact=True).click()
        expect(rows.get_by_text("It would not be outlined.")).to_be_visible()
        rows.locator("[row-id] .ag-checkbox-input").first.check()
        page.get_by_role("button", name="Retry 1 selected").click()
        expect(page.locator("[data-name=failed] b")).to_have_text("0")
        tab.shot("queue-long")
        assert_clean(tab)


def fill(data: Path) -> None:
    services = Services.open(Settings(data=data))
    services.queue.drain(5)
    project = services.create_project("Long")
    sha256 = services.blobs.put(corpus.png(corpus.noise()))
    rows = [
        NewImage(f"{n:032x}", f"{n:05}.tif", sha256, 6, new_image("x").facts, sha256) for n in range(JOBS)
    ]
    services.store.add_images(project.id, tuple(rows), RECIPE)
    services.store.jobs.fail(claim(services.store), SegmentationError("It would not be outlined."))
    services.store.jobs.cancel([services.store.jobs.page(JobState.QUEUED, limit=1).items[0].id])
    services.close()


def test_figures_follow_the_work_and_nothing_is_asked_at_rest(tmp_path: Path) -> None:
    services = Services.open(Settings(data=tmp_path))
    services.queue.drain(5)
    project = services.create_project("Live")
    for seed in range(12):
        data = corpus.png(corpus.spheroid((512, 512), inside=900 + seed))
        verdict = services.ingest.add(project.id, f"{seed}.png", data, services.recipe(project))
        assert verdict.outcome is UploadOutcome.STORED
    services.close()
    with app_server(tmp_path) as address, browser_tab() as tab:
        page = tab.page
        page.goto(f"{address}/queue?state=done")
        expect(page.locator("[data-name=done] b")).to_have_text("12", timeout=120_000)
        expect(page.get_by_text("Queue: nothing waiting").first).to_be_visible()
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))

        def is_silent() -> bool:
            requests.clear()
            page.wait_for_timeout(6000)
            return not [url for url in requests if "/api/queue" in url]

        # The end of work asks for one more run of the script, after which nothing may be asked.
        wait_until(is_silent, 60, "six seconds in which nothing is asked")
        tab.shot("queue-done")
        assert_clean(tab)

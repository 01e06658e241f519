from __future__ import annotations

import math
from typing import Any

import pytest

from core.models import JobState, Project
from core.services import Services
from core.store import NewUpload, UploadBatch
from core.ui.components import grid
from tests import corpus
from tests.factories import upload
from tests.pages.conftest import Open, texts
from tests.polling import wait_until

OFFER = "Sizes are in px: calibrate"


def test_empty_project_offers_the_drop_zone(open_page: Open, services: Services) -> None:
    services.create_project("Empty")
    page = open_page("images.py", project="Empty")
    assert not page.exception
    assert page.title[0].value == "Empty"
    assert [toggle.label for toggle in page.toggle] == ["Segment as they arrive"]
    assert not page.button


def test_page_counts_what_it_shows(open_page: Open, plate: Project) -> None:
    page = open_page("images.py", project=plate.name)
    assert not page.exception
    assert "**3 images** · 3 done" in texts(page)
    assert "**All 3 images**" in texts(page)


def test_every_dropped_file_gets_its_own_verdict_until_it_is_dismissed(
    open_page: Open, services: Services
) -> None:
    project = services.create_project("Drop")
    upload(services, project.id, "earlier.png", corpus.png(corpus.noise(seed=3)), batch="earlier")
    bad = {"cut.tif": corpus.truncated_tiff(), "bomb.png": corpus.pixel_bomb_png(), "page.png": corpus.html()}
    for name, data in (bad | {"nothing.png": b""}).items():
        upload(services, project.id, name, data)
    upload(services, project.id, "../" + "🔬" * 300 + ".png", corpus.png(corpus.noise()))
    upload(services, project.id, "day 3/good.png", corpus.png(corpus.noise(seed=8)))
    page = open_page("images.py", project="Drop")
    assert not page.exception
    verdicts = page.dataframe[0].value
    outcome = dict(zip(verdicts["File"], verdicts["Verdict"], strict=True))
    assert outcome["cut.tif"] == outcome["bomb.png"] == outcome["page.png"] == "✕ refused"
    assert outcome["nothing.png"] == "✕ refused"
    assert outcome["day 3/good.png"] == "● stored"
    assert "earlier.png" not in outcome
    assert len(set(verdicts["Details"])) >= 5, "each refusal has a reason of its own"
    assert "**Last upload:** 2 stored, 4 refused" in texts(page)
    page.button(key="verdicts-dismiss").click().run()
    assert not page.dataframe
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)


def test_files_that_never_came_are_named_until_they_come(open_page: Open, services: Services) -> None:
    project = services.create_project("Left")
    files = [NewUpload(name, name, 100) for name in ("a.png", "b.png")]
    services.uploads.declare(project.id, UploadBatch("left"), files)
    assert not open_page("images.py", project="Left").dataframe, "they are being sent"
    services.uploads._senders._clock = lambda: math.inf
    verdicts = open_page("images.py", project="Left").dataframe[0].value
    assert list(verdicts["File"]) == ["a.png", "b.png"]
    assert list(verdicts["Verdict"]) == ["▲ not stored"] * 2
    assert "Drop it again" in verdicts["Details"][0]


def test_filter_narrows_what_segment_all_means(open_page: Open, plate: Project) -> None:
    page = open_page("images.py", project=plate.name)
    page.text_input(key="name").set_value("day1").run()
    assert "**1 image on this filter**" in texts(page)


def test_the_filter_stands_in_the_address_and_is_told_in_words(
    open_page: Open, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = services.create_project("Plate", 2.0)
    services.ingest.add(project.id, "a.png", corpus.png(corpus.noise()), None)
    given: dict[str, Any] = {}
    monkeypatch.setattr(grid, "AgGrid", lambda *_, **options: given.update(options) or {})
    bounds = {"diameter_px_min": "200", "circularity_max": "0.5", "objects_min": "many"}
    page = open_page("images.py", project="Plate", name="day1", **bounds)
    assert not page.exception
    sentence = "Showing only: name contains “day1”, Ø largest at least 200 px, circularity at most 0.5"
    assert sentence in texts(page)
    query = given["gridOptions"]["context"]["query"]
    assert query == "name=day1&diameter_px_min=200.0&circularity_max=0.5"
    assert "**0 images on this filter**" in texts(page)
    page.number_input(key="circularity_max").set_value(None).run()
    assert "circularity" not in given["gridOptions"]["context"]["query"]


def test_segment_queues_every_image(open_page: Open, plate: Project, services: Services) -> None:
    services.queue.drain(5)  # so that they keep waiting
    page = open_page("images.py", project=plate.name)
    next(button for button in page.button if button.label == "Segment").click().run()
    assert not page.exception
    waiting = services.store.jobs.page(JobState.QUEUED).items
    assert sorted(job.image_id for job in waiting) == sorted(services.store.images.ids(plate.id))


def test_segment_asks_where_images_have_settings_of_their_own(
    open_page: Open, plate: Project, services: Services
) -> None:
    services.queue.drain(5)  # so that they keep waiting
    ids = services.store.images.ids(plate.id)
    services.requests.accept(plate, ids[:1], services.recipe_of("classical", {}))
    services.store.jobs.cancel()
    page = open_page("images.py", project=plate.name)
    (segment,) = [button for button in page.button if button.label == "Segment"]
    assert "By the project's settings: unet, default settings." in segment.help
    segment.click().run()
    assert services.store.jobs.totals().left == 0, "nothing is queued before the answer"
    assert "2 images by the project's settings: unet, default settings." in texts(page)
    assert page.radio(key="own-settings").label == "1 image has settings of its own."
    services.segment(plate, ids)
    engines = {job.image_id: job.engine for job in services.store.jobs.page(JobState.QUEUED).items}
    assert engines == {ids[0]: "classical", ids[1]: "unet", ids[2]: "unet"}


def test_a_project_without_a_pixel_size_offers_calibration(open_page: Open, services: Services) -> None:
    project = services.create_project("Plate")
    services.ingest.add(project.id, "a.png", corpus.png(corpus.noise()), None)
    for name in ("images.py", "measurements.py"):
        if name == "measurements.py":
            services.segment(project, services.store.images.ids(project.id))
            wait_until(lambda: services.store.jobs.totals().left == 0, 60)
        page = open_page(name, project="Plate")
        assert not page.exception
        next(button for button in page.button if button.label == OFFER).click().run()
        assert "For all images whose file does not name a pixel size" in texts(page)
    services.store.projects.set_pixel_size(project.id, 0.65)
    assert OFFER not in [button.label for button in open_page("images.py", project="Plate").button]


def test_acts_are_on_the_selected_images(
    open_page: Open, plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = services.store.images.ids(plate.id)[:2]
    monkeypatch.setattr(grid, "AgGrid", lambda *_, **__: {"selected": list(chosen)})
    page = open_page("images.py", project=plate.name)
    assert "**2 images selected**" in texts(page)
    next(button for button in page.button if button.label == "Delete").click().run()
    assert "Delete 2 images and their results?" in texts(page)


def test_what_has_been_deleted_is_not_selected_any_more(
    open_page: Open, plate: Project, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = services.store.images.ids(plate.id)[:2]
    services.store.images.delete(plate.id, chosen[:1])
    monkeypatch.setattr(grid, "AgGrid", lambda *_, **__: {"selected": list(chosen)})
    assert "**1 image selected**" in texts(open_page("images.py", project=plate.name))

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.models import Project
from core.services import Services
from core.store.objects import ObjectFilter, ObjectHistogram
from core.ui import feedback, measurements_panel
from core.ui.components import grid, grid_scripts
from core.ui.components.grid_columns import object_columns
from tests import corpus
from tests.pages.conftest import Open, texts
from tests.polling import wait_until


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the grid was given last."""
    given: dict[str, Any] = {}

    def component(_rows: object, **options: Any) -> dict[str, Any]:
        given.update(options)
        return {}

    monkeypatch.setattr(grid, "AgGrid", component)
    return given


def charts(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.spec) for element in page.get("plotly_chart")]  # type: ignore[attr-defined]


def test_a_project_without_spheroids_says_what_to_do(open_page: Open, services: Services) -> None:
    services.create_project("Empty")
    page = open_page("measurements.py", project="Empty")
    assert not page.exception
    assert "Nothing has been measured yet" in texts(page)


def test_every_spheroid_is_counted_drawn_and_listed(
    open_page: Open, plate: Project, services: Services, drawn: dict[str, Any]
) -> None:
    page = open_page("measurements.py", project=plate.name)
    assert not page.exception
    total = services.store.results.size(plate.id).objects
    assert f"**{total} spheroids** of 3 images" in texts(page)
    bars, points = charts(page)
    assert sum(bars["data"][0]["y"]) == total
    images = set(services.store.images.ids(plate.id))
    assert {image_id for image_id, _ in points["data"][0]["customdata"]} <= images
    assert drawn["gridOptions"]["context"]["url"] == f"/api/projects/{plate.id}/objects"
    assert "rowSelection" not in drawn["gridOptions"], "there is nothing to be done with rows"


def test_bounds_in_the_address_narrow_table_and_charts(
    open_page: Open, plate: Project, drawn: dict[str, Any]
) -> None:
    page = open_page("measurements.py", project=plate.name, circularity_min="2.5", name="day1")
    assert not page.exception
    assert "**0 spheroids** of 0 images: image name contains “day1”, circularity at least 2.5" in texts(page)
    assert charts(page) == []
    assert drawn["gridOptions"]["context"]["query"] == "name=day1&circularity_min=2.5"
    page.number_input(key="circularity_min").set_value(0.1).run()
    assert "circularity at least 0.1" in texts(page)
    assert drawn["gridOptions"]["context"]["query"] == "name=day1&circularity_min=0.1"


@pytest.fixture
def uncalibrated(services: Services, plate: Project) -> int:
    """How many spheroids there are on an image of the plate whose file names no pixel size."""
    picture = corpus.png(corpus.spheroid((256, 256)))
    services.ingest.add(plate.id, "no size.png", picture, services.recipe(plate))
    services.queue.wake()
    wait_until(lambda: services.store.jobs.totals().left == 0, 60)
    return services.store.objects.count(plate.id, ObjectFilter(calibrated=False)).objects


def test_spheroids_without_a_pixel_size_are_said_to_be_missing_in_charts(
    open_page: Open, services: Services, plate: Project, uncalibrated: int
) -> None:
    assert uncalibrated > 0
    sentence = f"{feedback.plural(uncalibrated, 'spheroid')} of images without a pixel size"
    page = open_page("measurements.py", project=plate.name)
    assert not page.exception
    assert sentence in texts(page)
    page.button(key="calibrate-rest").click().run()
    assert page.number_input(key="project-size").label == "µm per pixel"
    services.store.projects.set_pixel_size(plate.id, 2.5)
    page.run()
    assert "without a pixel size" not in texts(page)


def test_charts_and_bounds_of_what_has_no_unit_leave_nothing_out(
    open_page: Open, plate: Project, uncalibrated: int
) -> None:
    assert uncalibrated > 0
    page = open_page("measurements.py", project=plate.name)
    page.selectbox(key="of").set_value("solidity")
    page.selectbox(key="x").set_value("solidity").run()
    assert "without a pixel size" not in texts(page)
    bounded = open_page("measurements.py", project=plate.name, equivalent_diameter_um_min="1")
    bounded.selectbox(key="of").set_value("solidity")
    bounded.selectbox(key="x").set_value("solidity").run()
    assert "without a pixel size" in texts(bounded), "a bound in µm leaves them out of every chart"


def test_without_a_pixel_size_sizes_are_in_pixels() -> None:
    assert measurements_panel.labels(True)["area_um2"] == "Area, µm²"
    assert measurements_panel.labels(False)["area"] == "Area, px²"
    assert "area" not in measurements_panel.labels(True)
    for calibrated, first in ((True, "area_um2"), (False, "area")):
        shown = [column["field"] for column in object_columns(calibrated) if not column.get("initialHide")]
        assert shown[:3] == ["image_name", "object", first]
    everything = {column["field"] for column in object_columns(True)}
    assert everything == {column["field"] for column in object_columns(False)}
    assert len(everything) == len(object_columns(True))


def test_confidence_is_a_column_and_sizes_without_a_pixel_size_are_in_pixels() -> None:
    columns = {column["field"]: column for column in object_columns(True)}
    assert not columns["confidence"].get("initialHide")
    assert columns["area_um2"]["valueFormatter"] is grid_scripts.SIZE_OR_PIXELS
    assert columns["area_um2"]["context"] == {"param": "area_um2", "px": "area", "unit": "px²"}
    assert measurements_panel.labels(True)["confidence"] == "Confidence"


def test_a_name_cannot_become_markup_in_a_chart() -> None:
    point = measurements_panel.Point("id", "<a href='x'>y</a>", 1, 1.0, 2.0)
    text = measurements_panel.scatter((point,), "x", "y").data[0].text[0]
    assert "<" not in text


@pytest.mark.parametrize(("counts", "step"), [((1, 0, 3), 1), ((5, 0, 30), None)])
def test_few_spheroids_are_counted_in_whole_numbers(counts: tuple[int, ...], step: int | None) -> None:
    drawn = measurements_panel.histogram(ObjectHistogram((0.0, 1.0, 2.0, 3.0), counts), "Area, µm²")
    assert drawn.layout.yaxis.dtick == step

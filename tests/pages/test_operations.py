"""The operations pages: what they say with nothing to show, and what they show."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.demo.plate import DemoFile, demo_plate
from core.errors import ImageUnreadable
from core.models import Project
from core.monitoring import Kind
from core.services import Services
from core.settings import Settings
from core.ui.operations.health import settings_rows
from tests.factories import record_lookups, upload
from tests.http.lab import Lab
from tests.pages.conftest import Open, opened_page, opened_services, texts

LOADING_SECONDS = 6.0  # of a demo plate of three files


def figures(page: AppTest) -> list[dict[str, object]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_performance_without_figures_says_so(open_page: Open) -> None:
    page = open_page("performance.py", kind="Pages")
    assert not page.exception
    text = texts(page)
    assert "No pages in the last hour yet" in text
    assert "No cache was used" in text
    assert metrics(page)["Cache hits"] == metrics(page)["Segmentation, p95"] == "–"
    assert figures(page) == []


def test_performance_shows_percentiles_caches_and_stages(open_page: Open, services: Services) -> None:
    for number in range(1, 101):
        services.recorder.record(Kind.REQUEST, "GET /api/jobs", float(number), "200", 1024)
    record_lookups(services.recorder, "thumbnails", 7)
    services.recorder.record(Kind.STAGE, "predict", 80.0)
    services.recorder.record(Kind.STAGE, "queued", 900_000.0)
    services.recorder.record(Kind.STAGE, "wait", 5_000.0)
    services.recorder.record(Kind.STAGE, "whole image", 120.0)
    services.history.flush()
    page = open_page("performance.py")
    assert not page.exception
    assert metrics(page)["Requests, p95"] == "95 ms" or metrics(page)["Requests, p95"].startswith("9")
    assert metrics(page)["Cache hits"] == "100 %"
    assert metrics(page)["Segmentation, p95"] == "120 ms"
    latency, cache, stages = figures(page)
    assert [line["name"] for line in latency["data"]] == ["p50", "p95", "p99"]  # type: ignore[union-attr]
    assert [line["name"] for line in cache["data"]] == ["thumbnails"]  # type: ignore[union-attr]
    assert [bar["name"] for bar in stages["data"]] == ["predict"]  # type: ignore[union-attr]
    assert page.success[0].value.startswith("**All is well:** 19 of 20 requests within 9")
    assert "Too little to judge: 7 look-ups" in texts(page)


def test_a_few_slow_page_runs_are_too_little_to_judge(open_page: Open, services: Services) -> None:
    for _ in range(20):
        services.recorder.record(Kind.PAGE, "Images", 5000.0)
    page = open_page("performance.py", kind="Pages")
    assert not page.warning
    assert page.info[0].value.startswith("**Too little to judge:** 2")
    assert "from 100 on they are judged" in page.info[0].value


def test_many_slow_page_runs_are_said_first(open_page: Open, services: Services) -> None:
    for _ in range(200):
        services.recorder.record(Kind.PAGE, "Images", 5000.0)
    page = open_page("performance.py")
    assert page.warning[0].value.startswith("**Look here:** one page run in 20 took longer than 4.9")


def test_operations_pages_answer_what_a_head_of_a_lab_asks(open_page: Open, plate: Project) -> None:
    for name in ("performance", "throughput", "health"):
        page = open_page(f"{name}.py")
        assert not page.exception
        told = texts(page)
        for question in ("How many images need review?", "When will it be finished?", "What changed since"):
            assert question in told
        assert "No image is waiting" in told
    assert plate.name


def test_loading_the_demo_plate_is_not_the_pages_time(
    open_page: Open, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw() -> Iterator[DemoFile]:
        for file in islice(demo_plate(), 3):
            time.sleep(LOADING_SECONDS / 3)
            yield file

    monkeypatch.setattr(services.demo, "_draw", draw)
    page = open_page()
    next(button for button in page.button if button.label == "Load demo plate").click().run(timeout=240)
    assert services.demo.count == 3
    runs = [record for record in services.recorder.latest(Kind.PAGE) if record.name == "Projects"]
    assert max(record.ms for record in runs if record.outcome != "cold") < 5000 < LOADING_SECONDS * 1000


def test_slow_statements_are_listed(open_page: Open, services: Services) -> None:
    services.recorder.record(Kind.QUERY, "projects.list", 60_000.0, amount=3)
    page = open_page("performance.py")
    assert not page.exception
    table = next(frame.value for frame in page.dataframe if "slow calls" in frame.value)
    assert table["statement"][0] == "projects.list"  # a busy computer may have others
    assert (table["worst ms"][0], table["slow calls"][0]) == (60_000.0, 1)


def test_throughput_counts_what_was_done(open_page: Open, services: Services, plate: Project) -> None:
    job = services.store.jobs.page(None, plate.id, 10, 0).items[0]
    assert job.state.value == "done"
    page = open_page("throughput.py")
    assert not page.exception
    assert metrics(page)["Images segmented"] == "3"
    assert (metrics(page)["Images failed"], metrics(page)["Files refused"]) == ("0", "0")
    assert "No image failed and no file was refused in the last 7 days" in texts(page)
    assert page.success[0].value.startswith("**All is well:** 3 images segmented in the last 7 days")
    images, spheroids, waits = figures(page)
    assert sum(images["data"][0]["y"]) == 3  # type: ignore[index]
    assert sum(spheroids["data"][0]["y"]) >= 3  # type: ignore[index]
    assert [line["name"] for line in waits["data"]] == ["median", "19 of 20 within"]  # type: ignore[union-attr]


def test_refused_files_count(open_page: Open, services: Services) -> None:
    project = services.create_project("Plate 1")
    services.ingest.add(project.id, "a.png", b"no picture", None)
    services.history.flush()
    page = open_page("throughput.py")
    assert not page.exception
    assert metrics(page)["Files refused"] == "1"
    assert page.warning[0].value.startswith("**Look here:** 1 file could not be added")
    (refusals,) = (chart for chart in figures(page) if chart["data"][0].get("orientation") == "h")  # type: ignore[index]
    assert refusals["data"][0]["y"] == ["The content is none of the formats read here"]  # type: ignore[index]


def test_refused_files_of_one_project_are_those_of_its_uploads(open_page: Open, services: Services) -> None:
    one, other = services.create_project("Plate 1"), services.create_project("Plate 2")
    upload(services, one.id, "a.png", b"no picture")
    page = open_page("throughput.py")
    page.selectbox(key="of").set_value(one.id).run()
    assert not page.exception
    assert metrics(page)["Files refused"] == "1"
    assert "1 file could not be added" in page.warning[0].value
    page.selectbox(key="of").set_value(other.id).run()
    assert metrics(page)["Files refused"] == "0"


def test_throughput_tells_failures_in_words(open_page: Open, services: Services) -> None:
    services.queue.drain(5)
    project = services.create_project("Plate *1*")
    lab = Lab(services.store, services.blobs)
    lab.failed(lab.image(project, "a.png"), ImageUnreadable("Cut short."))
    page = open_page("throughput.py")
    assert not page.exception
    assert metrics(page)["Images failed"] == "1"
    (failures,) = (chart for chart in figures(page) if chart["data"][0].get("orientation") == "h")  # type: ignore[index]
    assert failures["data"][0]["y"] == ["The file is damaged or cut short"]  # type: ignore[index]


def test_health_is_told_in_words_with_versions_and_switches(open_page: Open, services: Services) -> None:
    services.history.flush()
    page = open_page("health.py")
    assert not page.exception
    assert page.success[0].value.startswith("**All is well:** database, disk and queue work.")
    assert "The database answers and takes writes" in texts(page)
    assert len(figures(page)) == 4
    (versions,) = (frame.value for frame in page.dataframe)
    (switches,) = (table.value for table in page.table)
    assert "duckdb" in set(versions["part"])
    assert {"`SPHEROSCOPE_DATA`", "`ENABLE_PERFORMANCE_MONITORING`"} <= set(switches["Setting"])


def test_health_that_needs_a_look_says_what(open_page: Open, services: Services) -> None:
    services.history.problem = "The disk is *full*."
    page = open_page("health.py")
    assert page.warning[0].value.startswith("**Look here:** Metrics are not saved")
    assert "full" in page.warning[0].value


def test_the_password_of_an_address_is_not_shown() -> None:
    rows = settings_rows(Settings(redis_url="redis://app:se/cret@host:6379/0"))
    assert [row["value"] for row in rows if row["setting"] == "REDIS_URL"] == ["redis://…@host:6379/0"]
    assert "cret" not in str(rows)


def test_settings_are_all_there(open_page: Open) -> None:
    page = open_page("settings.py")
    assert not page.exception
    (table,) = (table.value for table in page.table)
    changed = dict(zip(table["Setting"], table["Value"], strict=True))
    assert "(changed)" in changed["`SPHEROSCOPE_DATA`"]
    assert changed["`SEGMENTATION_WORKERS`"] == "4"


def save_folder(page: AppTest, folder: str) -> None:
    next(field for field in page.text_input if field.label.startswith("Folder, below")).set_value(folder)
    next(button for button in page.button if button.label == "Save").click().run()


def test_settings_say_what_a_project_watches_and_let_it_be_chosen(
    open_page: Open, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = services.create_project("Melanoma")
    assert "Off for the whole app. Start it with the setting WATCHED" in texts(open_page("settings.py"))
    root = tmp_path / "instruments"
    root.mkdir()
    monkeypatch.setattr(services.watched, "_root", root)
    page = open_page("settings.py")
    assert not page.exception
    assert "no folder is watched for this project" in texts(page)
    page.toggle[0].set_value(True)
    save_folder(page, "../elsewhere")
    assert "Choose a folder below" in page.error[0].value
    save_folder(page, "confocal")
    assert services.store.watched_folders.chosen() == {project.id: "confocal"}
    assert "is not there" in page.warning[0].value
    (root / "confocal").mkdir()
    assert "**On:**" in texts(open_page("settings.py"))


def test_page_runs_are_recorded_by_title(open_page: Open, services: Services) -> None:
    open_page("queue.py")
    names = [record.name for record in services.recorder.latest(Kind.PAGE)]
    assert names[-1] == "Queue"
    assert {record.outcome for record in services.recorder.latest(Kind.PAGE)} == {"cold"}
    open_page("queue.py")
    assert services.recorder.latest(Kind.PAGE)[-1].outcome == "ok"


@pytest.fixture
def off(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    with opened_services(monkeypatch, data_folder, ENABLE_PERFORMANCE_MONITORING="off") as opened:
        yield opened


def test_switched_off_the_page_says_how_to_switch_it_on(off: Services) -> None:
    page = opened_page("performance.py", {})
    assert not page.exception
    assert "ENABLE_PERFORMANCE_MONITORING is off" in texts(page)
    assert not page.metric
    assert off.recorder.totals() == {}

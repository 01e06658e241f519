"""The JSON API: what it answers, page by page, and how it refuses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from core import __version__, errors
from core.db.statements import load_migrations
from core.errors import ImageUnreadable, QueueFull
from core.models import MEASUREMENTS, ImageStatus, JobState
from core.services import Services
from core.settings import ROOT
from core.store import Recipe
from tests import corpus
from tests.http.conftest import DOCUMENT, application
from tests.http.lab import RECIPE, Lab, digest, disc
from tests.polling import wait_until

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def error_of(response: Any, status: int) -> tuple[str, str]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    return error["code"], error["message"]


def names(client: TestClient, project_id: str, query: str = "") -> list[str]:
    response = client.get(f"/api/projects/{project_id}/images?{query}")
    assert response.status_code == 200, response.text
    return [image["name"] for image in response.json()["images"]]


@pytest.fixture(scope="module")
def project_id(empty_client: TestClient) -> str:
    return empty_client.app.state.services.create_project("Empty").id  # type: ignore[attr-defined]


def test_health_says_ok_with_version_schema_and_room(client: TestClient) -> None:
    answer = client.get("/api/health").json()
    assert (answer["status"], answer["version"], answer["schema"]) == (
        "ok",
        __version__,
        load_migrations()[-1].number,
    )
    assert answer["free_bytes"] > 0


def test_health_leaves_nothing_behind(client: TestClient, services: Services) -> None:
    before = sorted(services.settings.data.rglob("*"))
    assert client.get("/api/health").status_code == 200
    assert sorted(services.settings.data.rglob("*")) == before


def test_health_is_503_when_the_database_is_closed(client: TestClient, services: Services) -> None:
    services.db.close()
    response = client.get("/api/health")
    assert error_of_health(response) == ("service_closed", "The database has been closed.")


def test_health_is_503_when_the_disk_takes_nothing(services: Services, tmp_path: Path) -> None:
    gone = replace(services, settings=replace(services.settings, data=tmp_path / "unmounted"))
    with TestClient(application(gone), base_url="http://localhost") as client:
        code, message = error_of_health(client.get("/api/health"))
    assert code == "storage_error"
    assert "cannot be written" in message


def error_of_health(response: Any) -> tuple[str, str]:
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    error = response.json()["error"]
    return error["code"], error["message"]


def test_the_version_changes_with_every_change_and_with_nothing_else(client: TestClient, lab: Lab) -> None:
    def version() -> tuple[str, int]:
        answer = client.get("/api/version").json()
        return answer["version"], answer["active"]

    first = version()
    client.get("/api/health")
    assert version() == first
    project = lab.project()
    lab.store.jobs.enqueue(project.id, [lab.image(project, "a.png").id], RECIPE)
    wait_until(lambda: version() != first and version()[1] == 1)  # told at most twice a second
    assert (first[1], version()[0]) == (0, version()[0])


def test_the_queue_tells_how_far_it_is_and_how_it_is(client: TestClient, lab: Lab) -> None:
    answer = client.get("/api/queue").json()
    assert (answer["left"], answer["progress"], answer["light"], answer["message"]) == (0, 1.0, "green", "")
    assert answer["counts"] == dict.fromkeys(JobState, 0)
    project = lab.project()
    lab.store.jobs.enqueue(project.id, [lab.image(project, "a.png").id], RECIPE)
    wait_until(lambda: client.get("/api/queue").json()["left"] == 1)
    answer = client.get("/api/queue").json()
    assert (answer["progress"], answer["workers"], answer["lost"]) == (0.0, 4, 0)


def test_projects_come_with_counts_and_thumbnails(client: TestClient, lab: Lab) -> None:
    project = lab.project("Melanoma µ", 1.5)
    image = lab.measured(lab.image(project, "a.png"), disc())
    lab.failed(lab.image(project, "b.png"), ImageUnreadable("No."))
    (answer,) = client.get("/api/projects").json()["projects"]
    assert (answer["id"], answer["name"], answer["um_per_px"]) == (project.id, "Melanoma µ", 1.5)
    assert answer["counts"] == dict.fromkeys(ImageStatus, 0) | {"done": 1, "failed": 1}
    assert answer["n_images"] == 2
    assert f"/thumbs/{image.id}" in answer["thumbnails"]
    assert STAMP.fullmatch(answer["created_at"])
    assert STAMP.fullmatch(answer["last_activity"])
    assert all(client.get(url).status_code == 200 for url in answer["thumbnails"])


def test_an_image_row_has_pixels_and_micrometres(client: TestClient, lab: Lab) -> None:
    project = lab.project(um_per_px=2.0)
    image = lab.measured(lab.image(project, "a.png"), disc(1, 4), disc(2, 10, circularity=0.9))
    (row,) = client.get(f"/api/projects/{project.id}/images").json()["images"]
    assert row.keys() == {
        *("id", "name", "status", "error", "error_code", "n_objects"),
        *("largest_diameter_px", "largest_diameter_um", "largest_area_px", "largest_area_um2"),
        *("largest_circularity", "confidence", "look_at_this", "um_per_px", "um_per_px_source"),
        *("width", "height", "bit_depth"),
        *("created_at", "seconds", "thumbnail"),
        *("review", "review_reason", "reviewed_by", "reviewed_at", "edge_blur", "specks", "own_settings"),
    }
    assert (row["id"], row["name"], row["status"], row["n_objects"]) == (image.id, "a.png", "done", 2)
    assert row["largest_area_px"] == 314
    assert row["largest_area_um2"] == 314 * 4
    assert row["largest_diameter_um"] == pytest.approx(2 * row["largest_diameter_px"], rel=1e-5)
    assert row["largest_diameter_um"] == pytest.approx(39.99, abs=0.01)
    assert (row["largest_circularity"], row["um_per_px_source"]) == (0.9, "project")
    assert (row["width"], row["height"], row["bit_depth"], row["seconds"]) == (53, 37, 8, 0.0035)
    assert row["thumbnail"] == f"/thumbs/{image.id}?v={image.version_id}"
    stored = datetime.fromisoformat(row["created_at"])
    assert stored.tzinfo is not None
    assert STAMP.fullmatch(row["created_at"])


def test_measured_numbers_have_six_digits_and_downloads_all(client: TestClient, lab: Lab) -> None:
    project = lab.project(um_per_px=1.23456789)
    values = {
        "circularity": 0.123456789,
        "volume_sphere": 123456789.5,
        "solidity": 1e-9 / 3,
        "bbox_x": 1234567,
    }
    image = lab.measured(lab.image(project, "a.png"), disc(1, 10.0, **values))
    rows = [
        client.get(f"/api/images/{image.id}/objects").json()["objects"][0],
        client.get(f"/api/projects/{project.id}/objects").json()["objects"][0],
    ]
    for row in rows:
        assert (row["circularity"], row["volume_sphere"]) == (0.123457, 123457000.0)
        assert (row["solidity"], row["bbox_x"], row["area"]) == (3.33333e-10, 1234567, 314)
    assert rows[1]["um_per_px"] == 1.23456789
    shown = client.get(f"/api/projects/{project.id}/images").json()["images"][0]
    assert (shown["largest_circularity"], shown["um_per_px"]) == (0.123457, 1.23456789)
    text = client.get(f"/downloads/projects/{project.id}/objects.csv").text
    assert "0.123456789" in text
    assert "123456789.5" in text


def test_an_uncalibrated_image_has_no_micrometres(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    lab.measured(lab.image(project, "a.png"), disc())
    (row,) = client.get(f"/api/projects/{project.id}/images").json()["images"]
    nothing = {row[name] for name in ("largest_diameter_um", "largest_area_um2", "um_per_px")}
    assert nothing == {None}
    assert row["um_per_px_source"] is None
    assert row["largest_diameter_px"] > 0


def test_an_image_without_a_result_says_so(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    new = lab.image(project, "new.png")
    failed = lab.failed(lab.image(project, "failed.png"), ImageUnreadable("Cut short."))
    rows = {row["id"]: row for row in client.get(f"/api/projects/{project.id}/images").json()["images"]}
    assert rows[new.id]["thumbnail"] == f"/thumbs/{new.id}?v=raw"
    assert (rows[new.id]["status"], rows[new.id]["n_objects"], rows[new.id]["error"]) == ("new", None, None)
    assert rows[failed.id]["status"] == "failed"
    assert (rows[failed.id]["error_code"], rows[failed.id]["error"]) == ("image_unreadable", "Cut short.")


def test_pages_join_to_the_whole_list(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    names = [lab.image(project, f"{letter}.png").name for letter in "abcdefg"]
    address = f"/api/projects/{project.id}/images?sort=name&limit=3"
    pages = [client.get(f"{address}&page={page}").json() for page in (1, 2, 3, 4)]
    assert [image["name"] for page in pages for image in page["images"]] == names
    assert {page["total"] for page in pages} == {7}
    assert [page["pagination"] for page in pages] == [
        {"limit": 3, "offset": 3 * number, "page": number + 1, "totalPages": 3, "hasMore": number < 2}
        for number in range(4)
    ]
    assert client.get(f"{address}&offset=3").json() == pages[1]


def test_an_empty_project_has_one_empty_page(client: TestClient, lab: Lab) -> None:
    answer = client.get(f"/api/projects/{lab.project().id}/images").json()
    assert answer == {
        "images": [],
        "total": 0,
        "pagination": {"limit": 50, "offset": 0, "page": 1, "totalPages": 0, "hasMore": False},
        "next": None,
    }


def test_images_are_sorted_and_filtered(client: TestClient, lab: Lab) -> None:
    project = lab.project()
    for name, radius in (("small_1.png", 3), ("large_1.png", 9), ("Small_2.png", 5)):
        lab.measured(lab.image(project, name), disc(1, radius))
    lab.failed(lab.image(project, "other.png"), ImageUnreadable("No."))
    lab.image(project, "new%.png")
    assert names(client, project.id, "sort=-diameter")[:3] == ["large_1.png", "Small_2.png", "small_1.png"]
    assert names(client, project.id, "sort=name&name=SMALL") == ["small_1.png", "Small_2.png"]
    assert names(client, project.id, "sort=name&status=failed,new") == ["new%.png", "other.png"]
    assert names(client, project.id, "sort=name&status=done&name=_1") == ["large_1.png", "small_1.png"]
    assert names(client, project.id, "name=%25") == ["new%.png"]
    assert names(client, project.id, "name=nothing") == []
    assert names(client, project.id)[0] == "new%.png"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=0", "limit must be a whole number from 1."),
        ("limit=201", "limit must be a whole number from 1 to 200."),
        ("limit=ten", "limit must be"),
        ("limit=1e2", "limit must be"),
        ("limit=1_0", "limit must be"),
        ("limit=%D9%A3", "limit must be"),
        ("limit=" + "9" * 5000, "limit must be"),
        ("limit=", "limit must be"),
        ("offset=-1", "offset must be a whole number from 0"),
        ("page=0", "page must be a whole number from 1"),
        ("page=1&offset=0", "either offset or page"),
        ("sort=sha256", "cannot be sorted by"),
        ("sort=--name", "cannot be sorted by"),
        ("status=gone", "status cannot be “gone”. Known: new, queued, running, done, failed."),
        ("status=done,DONE", "status cannot be"),
        ("name=" + "x" * 201, "name may have 200 characters."),
    ],
)
def test_bad_parameters_are_refused_in_words(
    empty_client: TestClient, project_id: str, query: str, reason: str
) -> None:
    response = empty_client.get(f"/api/projects/{project_id}/images?{query}")
    code, message = error_of(response, 400)
    assert code == "invalid_request"
    assert reason in message


def test_one_image_comes_with_all_that_is_known(client: TestClient, lab: Lab) -> None:
    data = corpus.png(corpus.noise((5, 7, 3)))
    image = lab.image(lab.project(), "rgb.png", data)
    answer = client.get(f"/api/images/{image.id}").json()
    assert (answer["sha256"], answer["n_bytes"]) == (digest(data), len(data))
    assert (answer["page"], answer["channels"], answer["dtype"]) == (1, 3, "uint8")
    assert (answer["project_id"], answer["segmentation_id"]) == (image.project_id, None)
    assert client.get(answer["view"]).status_code == 200
    assert client.get(answer["original"]).content == data


def test_objects_have_the_columns_of_the_tables(client: TestClient, lab: Lab) -> None:
    image = lab.measured(
        lab.image(lab.project(um_per_px=2.0), "a.png"), disc(1, 3), disc(2, 10, solidity=None)
    )
    answer = client.get(f"/api/images/{image.id}/objects").json()
    first, second = answer["objects"]
    assert set(first) == {
        *("id", "object", "confidence", "look_at_this", "reasons", "outline", "outline_version_id"),
        *(column.name for column in MEASUREMENTS),
        *(column.name + column.dimension.um_suffix for column in MEASUREMENTS),
    }
    assert (first["object"], second["object"]) == (1, 2)
    assert (second["area"], second["area_um2"], second["touches_border"]) == (314, 1256.0, False)
    assert (second["solidity"], second["reasons"]) == (None, {"solidity": "it could not be computed"})
    assert (answer["image_id"], answer["um_per_px"]) == (image.id, 2.0)
    assert answer["segmentation"]["engine"] == "classical"
    assert answer["segmentation"]["params"] == RECIPE.params
    assert answer["segmentation"]["timings_ms"] == {"decode": 1.5, "predict": 2.0}


def test_outlines_come_only_when_asked_for(client: TestClient, lab: Lab) -> None:
    image = lab.measured(lab.image(lab.project(), "a.png"), disc())
    address = f"/api/images/{image.id}/objects"
    assert "contour" not in client.get(f"{address}?contours=0").json()["objects"][0]
    contour = client.get(f"{address}?contours=1").json()["objects"][0]["contour"]
    assert contour["outer"] == [[10.0, 5.5], [20.0, 5.5], [20.0, 15.5], [10.0, 15.5]]
    assert contour["holes"] == [contour["outer"][:3]]
    assert error_of(client.get(f"{address}?contours=yes"), 400)[0] == "invalid_request"


def test_micrometre_twins_are_null_without_a_pixel_size(client: TestClient, lab: Lab) -> None:
    image = lab.measured(lab.image(lab.project(), "a.png"), disc())
    (row,) = client.get(f"/api/images/{image.id}/objects").json()["objects"]
    twins = [column.name + column.dimension.um_suffix for column in MEASUREMENTS if column.dimension.power]
    assert {row[name] for name in twins} == {None}


def test_an_image_that_was_not_segmented_has_no_objects(client: TestClient, lab: Lab) -> None:
    answer = client.get(f"/api/images/{lab.image(lab.project(), 'a.png').id}/objects").json()
    assert (answer["segmentation"], answer["objects"]) == (None, [])


def test_jobs_by_state_and_project_with_totals(client: TestClient, lab: Lab) -> None:
    project, other = lab.project("One"), lab.project("Two")
    lab.measured(lab.image(project, "a.png"), disc())
    lab.failed(lab.image(project, "b.png"), ImageUnreadable("Cut short."))
    for letter in "cde":
        image = lab.image(other, f"{letter}.png")
        lab.store.jobs.enqueue(other.id, [image.id], RECIPE)
    answer = client.get("/api/jobs").json()
    assert [job["image_name"] for job in answer["jobs"]] == ["e.png", "d.png", "c.png", "b.png", "a.png"]
    assert answer["totals"]["counts"] == dict.fromkeys(JobState, 0) | {"queued": 3, "done": 1, "failed": 1}
    assert answer["totals"]["left"] == 3
    (failed,) = client.get("/api/jobs?state=failed").json()["jobs"]
    assert (failed["error_code"], failed["error"], failed["attempt"]) == (
        "image_unreadable",
        "Cut short.",
        1,
    )
    assert STAMP.fullmatch(failed["finished_at"])
    assert client.get(f"/api/jobs?state=done&project={other.id}").json()["total"] == 0
    page = client.get(f"/api/jobs?state=queued&project={other.id}&limit=2&offset=2").json()
    assert [job["image_name"] for job in page["jobs"]] == ["e.png"]
    assert page["pagination"] == {"limit": 2, "offset": 2, "page": 2, "totalPages": 2, "hasMore": False}


@pytest.mark.parametrize(
    ("query", "status"), [("state=lost", 400), ("limit=201", 400), ("offset=x", 400), ("project=none", 404)]
)
def test_jobs_refuse_what_cannot_be(empty_client: TestClient, query: str, status: int) -> None:
    error_of(empty_client.get(f"/api/jobs?{query}"), status)


@pytest.mark.parametrize(
    "address",
    [
        *("/api", "/api/", "/api/nothing", "/api/projects/", "/api/projects/x", "/api/projects/x/images"),
        *("/api/images/x", "/api/images/x/objects", "/thumbs/x", "/views/x.png", "/views/x", "/downloads"),
        *("/downloads/images/x/original", "/downloads/projects/x/objects.csv", "/downloads/nothing.csv"),
    ],
)
def test_what_is_not_there_is_a_json_404(empty_client: TestClient, address: str) -> None:
    assert error_of(empty_client.get(address), 404)[0] == "not_found"


def test_what_has_been_deleted_is_not_there(client: TestClient, lab: Lab) -> None:
    project, other = lab.project("Old"), lab.project("Kept")
    inside = lab.measured(lab.image(project, "a.png"), disc())
    alone = lab.measured(lab.image(other, "b.png"), disc())
    lab.store.projects.delete(project.id)
    lab.store.images.delete(other.id, [alone.id])
    for image in (inside, alone):
        for address in (f"/api/images/{image.id}", f"/thumbs/{image.id}", f"/views/{image.id}.png"):
            assert client.get(address).status_code == 404
        for name in ("original", "mask.png", "overlay.png", "objects.csv"):
            assert client.get(f"/downloads/images/{image.id}/{name}").status_code == 404
    assert client.get(f"/api/projects/{project.id}/images").status_code == 404
    assert client.get(f"/downloads/projects/{project.id}/images.csv").status_code == 404
    assert "b.png" not in client.get(f"/downloads/projects/{other.id}/objects.csv").text


def test_page_size_follows_its_setting(services: Services, lab: Lab) -> None:
    project = lab.project()
    small = replace(services, settings=replace(services.settings, max_page_size=20))
    with TestClient(application(small), base_url="http://localhost") as client:
        answer = client.get(f"/api/projects/{project.id}/images").json()
        assert answer["pagination"]["limit"] == 20
        assert client.get(f"/api/projects/{project.id}/images?limit=21").status_code == 400


def test_a_full_queue_is_503_and_worth_another_try(services: Services) -> None:
    def full(*_: object) -> None:
        raise QueueFull("5 images are waiting and 5 may wait at once.")

    busy = replace(services, store=FailingStore(full))
    with TestClient(application(busy), base_url="http://localhost") as client:
        response = client.get("/api/projects")
    assert error_of(response, 503)[0] == "queue_full"
    assert response.headers["retry-after"] == "5"


class FailingStore:
    """Stands where a store does; its projects cannot be listed."""

    def __init__(self, listed: Any) -> None:
        self.projects = type("Projects", (), {"list": listed})()


def test_a_different_result_has_another_thumbnail_address(client: TestClient, lab: Lab) -> None:
    image = lab.measured(lab.image(lab.project(), "a.png"), disc())
    again = lab.measured(image, disc(), recipe=Recipe("classical", "4", {}))
    first, second = (f"/thumbs/{image.id}?v={item.version_id}" for item in (image, again))
    assert first != second
    assert client.get(f"/api/images/{image.id}").json()["thumbnail"] == second


def test_the_document_lists_the_routes() -> None:
    text = (ROOT / "docs" / "http_api.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("### `")]
    described = {path for line in headings for path in re.findall(r"`[A-Z]+ (/[^`?]*)", line)}
    assert described == set(DOCUMENT["paths"]) | {"/api/openapi.json", "/api/docs"}


def test_the_document_lists_the_codes_of_errors() -> None:
    text = (ROOT / "docs" / "http_api.md").read_text(encoding="utf-8")
    raised = {kind for kind in vars(errors).values() if isinstance(kind, type)} - {
        errors.SpheroscopeError,
        errors.ImageError,
        errors.AccessError,
    }
    codes = {kind.code for kind in raised if issubclass(kind, errors.SpheroscopeError)}
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_images_are_narrowed_by_time_and_measurement(client: TestClient, lab: Lab) -> None:
    project = lab.project(um_per_px=2.0)
    for name, radius in (("small.png", 3), ("large.png", 9)):
        lab.measured(lab.image(project, name), disc(1, radius, circularity=radius / 10))
    lab.image(project, "new.png")
    assert names(client, project.id, "diameter_um_min=20") == ["large.png"]
    assert names(client, project.id, "diameter_um_max=20") == ["small.png"]
    assert names(client, project.id, "circularity_min=0.3&circularity_max=0.3") == ["small.png"]
    assert len(names(client, project.id, "objects_min=1&created_from=2026-01-01")) == 2
    day = client.get(f"/api/projects/{project.id}/images").json()["images"][0]["created_at"][:10]
    assert len(names(client, project.id, f"created_from={day}&created_to={day}")) == 3
    assert names(client, project.id, "created_to=2020-01-01T00:00:00%2B02:00") == []
    assert names(client, project.id, "created_from=2999-12-31T23:59:59.999Z") == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("created_from=yesterday", "created_from must be a date or a time such as 2026-11-02"),
        ("created_from=2026-13-01", "created_from must be a date"),
        ("created_to=20261102", "created_to must be a date"),
        ("created_to=0001-01-01T00:00:00%2B14:00", "created_to must be a date"),
        ("created_from=2026-11-03&created_to=2026-11-02", "created_from is later than created_to"),
        ("diameter_um_min=inf", "diameter_um_min must be a number"),
        ("diameter_min=3", "There is no parameter “diameter_min”."),
    ],
)
def test_ranges_that_cannot_be_are_refused(
    empty_client: TestClient, project_id: str, query: str, reason: str
) -> None:
    _, message = error_of(empty_client.get(f"/api/projects/{project_id}/images?{query}"), 400)
    assert reason in message

"""An image whose last try failed after a result: lists, counts and exported tables agree on what it is."""

from __future__ import annotations

import csv
import io

import pytest
from starlette.testclient import TestClient

from core.errors import SegmentationError
from core.models import Image, Project
from tests.http.lab import Lab, disc

ERROR = SegmentationError("It would not be outlined.")


@pytest.fixture
def project(lab: Lab) -> Project:
    return lab.project()


@pytest.fixture
def image(lab: Lab, project: Project) -> Image:
    """One image with a result and a failed try after it, beside one that only failed."""
    lab.failed(lab.image(project, "failed.png"), ERROR)
    image = lab.measured(lab.image(project, "kept.png"), disc(1), disc(2))
    return lab.failed(image, ERROR)


def table(client: TestClient, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(address).text.removeprefix("\ufeff"))))


def test_lists_filters_and_counts_call_it_done(client: TestClient, project: Project, image: Image) -> None:
    address = f"/api/projects/{project.id}/images"
    (done,) = client.get(f"{address}?status=done").json()["images"]
    assert (done["id"], done["n_objects"]) == (image.id, 2)
    assert (done["status"], done["error_code"], done["error"]) == ("done", ERROR.code, ERROR.message)
    (failed,) = client.get(f"{address}?status=failed").json()["images"]
    assert (failed["name"], failed["n_objects"]) == ("failed.png", None)
    (counted,) = client.get("/api/projects").json()["projects"]
    assert (counted["counts"]["done"], counted["counts"]["failed"]) == (1, 1)
    answer = client.get(f"/api/images/{image.id}").json()
    assert (answer["status"], answer["error"]) == ("done", ERROR.message)
    assert client.get(f"/api/projects/{project.id}/objects").json()["total"] == 2


def test_exported_tables_say_the_same(client: TestClient, project: Project, image: Image) -> None:
    rows = {row["path"]: row for row in table(client, f"/downloads/projects/{project.id}/images.csv")}
    row = rows[image.name]
    assert (row["status"], row["n_objects"]) == ("done", "2")
    assert (row["error_code"], row["error"]) == (ERROR.code, ERROR.message)
    assert (rows["failed.png"]["status"], rows["failed.png"]["n_objects"]) == ("failed", "")
    objects = table(client, f"/downloads/projects/{project.id}/objects.csv")
    assert [row["path"] for row in objects] == [image.name] * 2

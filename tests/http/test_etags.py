"""ETags: what is known is not sent again, and what has changed always is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from core.errors import ImageUnreadable
from core.http.routes import jobs
from core.models import Image, Project
from core.monitoring import Kind
from core.services import Services
from core.store import Recipe
from tests.http.conftest import application
from tests.http.lab import Lab, disc
from tests.http.test_api import error_of

OTHER = Recipe("classical", "4", {})


@pytest.fixture
def project(lab: Lab) -> Project:
    return lab.project()


@pytest.fixture
def image(lab: Lab, project: Project) -> Image:
    return lab.measured(lab.image(project, "a.png"), disc())


def addresses(image: Image) -> list[str]:
    """Those that tell of one project alone."""
    project = f"/api/projects/{image.project_id}"
    return [
        f"{project}/images",
        f"{project}/objects",
        f"/api/images/{image.id}",
        f"/api/images/{image.id}/objects",
    ]


def tables(image: Image) -> list[str]:
    project = f"/downloads/projects/{image.project_id}"
    names = ("objects", "images", "measurements")
    return [*(f"{project}/{name}.csv" for name in names), f"/downloads/images/{image.id}/objects.csv"]


def tags(client: TestClient, image: Image) -> dict[str, str]:
    every = [*addresses(image), *tables(image)]
    return {address: client.get(address).headers["etag"] for address in every}


def again(client: TestClient, known: dict[str, str]) -> set[int]:
    return {client.get(at, headers={"If-None-Match": tag}).status_code for at, tag in known.items()}


def test_an_answer_that_the_client_has_is_304(
    client: TestClient, lab: Lab, services: Services, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RATE_SECONDS", 1e9)
    for address in ("/api/projects", *addresses(image), "/api/jobs"):
        first = client.get(address)
        assert first.headers["cache-control"] == "no-cache"
        tag = first.headers["etag"]
        n_queries = len(services.recorder.latest(Kind.QUERY))
        answer = client.get(address, headers={"If-None-Match": tag})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert len(services.recorder.latest(Kind.QUERY)) == n_queries, "304 needs no query"


def test_lists_of_everything_are_sent_again_after_every_change(
    client: TestClient, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "RATE_SECONDS", 1e9)
    known = {address: client.get(address).headers["etag"] for address in ("/api/projects", "/api/jobs")}
    lab.project("Another")
    assert again(client, known) == {200}


def test_changes_of_other_projects_keep_the_etag(client: TestClient, lab: Lab, image: Image) -> None:
    known = tags(client, image)
    other = lab.project("Other", um_per_px=2.0)
    there = lab.measured(lab.image(other, "b.png"), disc())
    lab.failed(lab.image(other, "c.png"), ImageUnreadable("No."))
    lab.store.images.set_pixel_size([there.id], 3.0)
    lab.store.images.delete(other.id, [there.id])
    lab.store.projects.rename(other.id, "Renamed")
    lab.store.projects.delete(other.id)
    assert again(client, known) == {304}


CHANGES: dict[str, Callable[[Lab, Image], object]] = {
    "another image is added": lambda lab, image: lab.store.add_images(
        image.project_id, lab.pages(image.project_id, "b.png"), None
    ),
    "a job is queued": lambda lab, image: lab.store.jobs.enqueue(image.project_id, [image.id], OTHER),
    "a result": lambda lab, image: lab.measured(image, disc(1), disc(2), recipe=OTHER),
    "the same result again": lambda lab, image: lab.measured(image, disc(3)),
    "a failure": lambda lab, image: lab.failed(image, ImageUnreadable("No.")),
    "its pixel size": lambda lab, image: lab.store.images.set_pixel_size([image.id], 0.5),
    "its project's pixel size": lambda lab, image: lab.store.projects.set_pixel_size(image.project_id, 0.5),
    "its project's name": lambda lab, image: lab.store.projects.rename(image.project_id, "Renamed"),
    "its project's recipe": lambda lab, image: lab.store.projects.set_recipe(
        image.project_id, "unet", {"sensitivity": 0.1}
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_after_a_change_of_its_own_it_is_sent_again(
    client: TestClient, lab: Lab, image: Image, what: str
) -> None:
    known = tags(client, image)
    before = {address: client.get(address).text for address in known}
    CHANGES[what](lab, image)
    assert again(client, known) == {200}
    if what not in ("its project's name", "its project's recipe"):
        assert {address: client.get(address).text for address in known} != before
    assert again(client, tags(client, image)) == {304}


def test_after_a_job_is_cancelled_it_is_sent_again(client: TestClient, lab: Lab, image: Image) -> None:
    lab.store.jobs.enqueue(image.project_id, [image.id], OTHER)
    known = tags(client, image)
    lab.store.jobs.cancel()
    assert again(client, known) == {200}


def test_what_is_deleted_is_gone_at_once_and_comes_back_with_what_it_had(
    client: TestClient, lab: Lab, image: Image
) -> None:
    lists = [*addresses(image)[:2], *tables(image)[:3]]
    alone = [*addresses(image)[2:], tables(image)[3]]
    known = tags(client, image)
    lab.store.images.delete(image.project_id, [image.id])
    assert again(client, {address: known[address] for address in lists}) == {200}
    for address in alone:
        error_of(client.get(address, headers={"If-None-Match": known[address]}), 404)
    lab.store.images.restore(image.project_id, [image.id])
    assert again(client, known) == {200}
    assert client.get(alone[0]).json()["name"] == "a.png"


def test_a_deleted_project_is_gone_at_once(client: TestClient, lab: Lab, image: Image) -> None:
    known = tags(client, image)
    lab.store.projects.delete(image.project_id)
    for address, tag in known.items():
        error_of(client.get(address, headers={"If-None-Match": tag}), 404)
    lab.store.projects.restore(image.project_id)
    assert again(client, known) == {200}


def test_a_purged_image_is_gone_at_once(client: TestClient, lab: Lab, image: Image) -> None:
    known = tags(client, image)
    lab.store.images.delete(image.project_id, [image.id])
    lab.store.retention.purge_deleted(days=-1)
    for address in (*addresses(image)[2:], tables(image)[3]):
        error_of(client.get(address, headers={"If-None-Match": known[address]}), 404)


def test_the_version_is_told_before_the_body_is_read(
    client: TestClient, lab: Lab, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed while an answer is made must not be called known afterwards."""
    get = lab.store.images.get

    def get_then_change(image_id: str) -> Image:
        image = get(image_id)
        lab.store.images.set_pixel_size([image_id], 0.25)
        return image

    monkeypatch.setattr(lab.store.images, "get", get_then_change)
    old = client.get(f"/api/images/{image.id}")
    monkeypatch.undo()
    assert old.json()["um_per_px"] is None
    answer = client.get(f"/api/images/{image.id}", headers={"If-None-Match": old.headers["etag"]})
    assert (answer.status_code, answer.json()["um_per_px"]) == (200, 0.25)


def test_a_restart_makes_everything_new(
    services: Services, client: TestClient, lab: Lab, image: Image
) -> None:
    known = tags(client, image)
    services.close()
    opened = Services.open(services.settings)
    try:
        with TestClient(application(opened), base_url="http://localhost") as fresh:
            assert again(fresh, known) == {200}
    finally:
        opened.close()

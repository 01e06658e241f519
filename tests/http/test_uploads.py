"""Uploads over HTTP: a verdict a file, in any number of pieces, never twice, and only for our own clients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.errors import StorageError
from core.files.blobs import Blobs
from core.models import ImageStatus, JobState, Project
from core.services import Services
from core.settings import Settings
from core.uploads import UploadPart
from tests import corpus
from tests.http.conftest import application
from tests.http.lab import Lab
from tests.http.test_api import error_of

PNG = corpus.png(corpus.noise())


@pytest.fixture
def project(lab: Lab) -> Project:
    return lab.project()


def send(
    client: TestClient, project: Project, data: bytes, key: str = "k", path: str = "a.png", **headers: str
) -> Any:
    named = {"Idempotency-Key": key} | {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(
        f"/api/projects/{project.id}/images", params={"path": path}, content=data, headers=named
    )


def state(client: TestClient, project: Project, key: str = "k") -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/api/projects/{project.id}/uploads/{key}").json()
    return answer


def n_images(services: Services, project: Project) -> int:
    return services.store.projects.get(project.id).n_images


def parts(services: Services) -> list[Path]:
    return list(services.blobs.uploads.iterdir())


def test_a_file_is_stored_and_queued_and_the_same_request_changes_nothing_more(
    client: TestClient, services: Services, project: Project
) -> None:
    for status in (201, 201):
        answer = send(client, project, PNG, path="day 3/A05.png")
        assert answer.status_code == status
        assert (answer.json()["state"], answer.json()["path"]) == ("stored", "day 3/A05.png")
    (image,) = services.store.images.page(project.id).items
    assert (image.name, image.status) == ("day 3/A05.png", ImageStatus.QUEUED)
    assert answer.json()["image_ids"] == [image.id]
    assert services.blobs.get(services.store.images.get(image.id).sha256) == PNG
    assert parts(services) == []


def test_the_same_file_under_another_key_is_there_already(client: TestClient, project: Project) -> None:
    send(client, project, PNG)
    answer = send(client, project, PNG, key="another", path="b.png")
    assert (answer.status_code, answer.json()["state"]) == (200, "already there")
    assert "as a.png" in answer.json()["message"]


def test_images_need_not_be_segmented(client: TestClient, services: Services, project: Project) -> None:
    address = f"/api/projects/{project.id}/images?path=a.png&segment=0"
    assert client.post(address, content=PNG, headers={"Idempotency-Key": "k"}).status_code == 201
    assert services.store.images.page(project.id).items[0].status is ImageStatus.NEW


@pytest.mark.parametrize("size", [1, 1000, len(PNG) - 1])
def test_a_file_goes_on_from_where_it_had_got_to(
    client: TestClient, services: Services, project: Project, size: int
) -> None:
    length = {"Upload_Length": str(len(PNG))}
    first = send(client, project, PNG[:size], **length)
    assert (first.status_code, first.json()["state"], first.json()["offset"]) == (202, "waiting", size)
    assert state(client, project)["offset"] == size
    wrong = send(client, project, PNG, **length)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "upload_conflict")
    assert wrong.json()["upload"]["offset"] == size
    last = send(client, project, PNG[size:], Upload_Offset=str(size), **length)
    assert (last.status_code, last.json()["state"]) == (201, "stored")
    assert services.blobs.get(services.store.images.get(last.json()["image_ids"][0]).sha256) == PNG


def test_more_bytes_than_were_said_are_refused(
    client: TestClient, services: Services, project: Project
) -> None:
    code, message = error_of(send(client, project, PNG, Upload_Length="10"), 400)
    assert code == "invalid_request"
    assert "was said to have 10 bytes" in message
    assert parts(services) == []
    assert send(client, project, PNG, key="another").status_code == 201


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (corpus.html(), 422, "not_an_image"),
        (corpus.truncated_tiff(), 422, "image_unreadable"),
        (corpus.pixel_bomb_png(), 413, "image_too_large"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(
    client: TestClient, services: Services, project: Project, data: bytes, status: int, code: str
) -> None:
    answer = send(client, project, data)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"] == answer.json()["upload"]["message"]
    assert answer.json()["upload"]["state"] == "refused"
    assert parts(services) == []
    listed = client.get(f"/api/projects/{project.id}/uploads?unfinished=1").json()["uploads"]
    assert [item["path"] for item in listed] == ["a.png"]


def test_a_file_over_the_limit_is_refused_before_it_is_sent_or_while_it_comes(tmp_path: Path) -> None:
    opened = Services.open(Settings(data=tmp_path, max_upload_mb=1))
    opened.queue.drain(5)
    project = Lab(opened.store, opened.blobs).project()
    with TestClient(application(opened), base_url="http://localhost") as client:
        said = send(client, project, b"x", Upload_Length=str(2**20 + 1))
        assert (said.status_code, said.json()["error"]["code"]) == (413, "image_too_large")
        pieces = (bytes(2**19) for _ in range(4))  # nobody says how long
        coming = send(client, project, pieces, key="chunked")  # type: ignore[arg-type]
        assert (coming.status_code, coming.json()["error"]["code"]) == (413, "image_too_large")
        assert parts(opened) == []
    opened.close()


def test_a_project_that_is_not_there_takes_nothing(
    client: TestClient, services: Services, project: Project
) -> None:
    services.store.projects.delete(project.id)
    assert error_of(send(client, project, PNG), 404)[0] == "not_found"
    assert parts(services) == []


def test_a_project_deleted_while_a_file_comes_refuses_it(
    client: TestClient, services: Services, project: Project
) -> None:
    send(client, project, PNG[:100], Upload_Length=str(len(PNG)))
    (upload,) = services.uploads.listed(project.id)
    part = services.uploads.open_part(upload, 100)
    part.write(PNG[100:])
    services.uploads.close_part(upload, part)
    services.store.projects.delete(project.id)
    ended = services.uploads.finish(upload)
    assert (ended.state, ended.code) == ("refused", "not_found")
    assert parts(services) == []


def test_a_full_disk_says_so_frees_its_room_and_the_file_can_be_sent_again(
    client: TestClient, services: Services, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: UploadPart, _piece: bytes) -> None:
        with self._saving():
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(UploadPart, "write", full)
        answer = send(client, project, PNG)
    code, message = error_of(answer, 503)
    assert (code, answer.headers["retry-after"]) == ("storage_error", "5")
    assert "No space left on device" in message
    assert parts(services) == []
    assert state(client, project)["offset"] == 0
    assert send(client, project, PNG).status_code == 201


def test_a_disk_that_is_full_when_the_file_is_stored_keeps_it_waiting(
    client: TestClient, services: Services, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("The file could not be saved: Disk quota exceeded.")

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "store", full)
        answer = send(client, project, PNG)
    assert (answer.status_code, answer.json()["upload"]["state"]) == (503, "waiting")
    assert answer.json()["upload"]["offset"] == len(PNG)
    assert "quota" in state(client, project)["message"]
    length = str(len(PNG))
    again = send(client, project, b"", Upload_Offset=length, Upload_Length=length)
    assert (again.status_code, n_images(services, project)) == (201, 1)


def declare(client: TestClient, project: Project, *names: str, batch: str = "b") -> Any:
    files = [{"key": name, "path": name, "n_bytes": len(PNG)} for name in names]
    return client.post(
        f"/api/projects/{project.id}/uploads",
        json={"batch": batch, "files": files},
        headers={"Idempotency-Key": "declared"},
    )


def test_files_that_never_come_are_named(client: TestClient, services: Services, project: Project) -> None:
    for _ in range(2):
        answer = declare(client, project, "a.png", "b.png")
        assert [item["state"] for item in answer.json()["uploads"]] == ["waiting", "waiting"]
    send(client, project, PNG, key="a.png")
    listed = client.get("/api/uploads?unfinished=1").json()["uploads"]
    assert [(item["path"], item["active"]) for item in listed] == [("b.png", True)]


def test_cancelled_is_cancelled_and_stored_is_stored(
    client: TestClient, services: Services, project: Project
) -> None:
    declare(client, project, "a.png", "b.png")
    send(client, project, PNG[:10], key="a.png", Upload_Length=str(len(PNG)))
    send(client, project, PNG, key="b.png")
    states = [
        client.delete(
            f"/api/projects/{project.id}/uploads/{name}", headers={"Idempotency-Key": f"no {name}"}
        ).json()["state"]
        for name in ("a.png", "b.png")
    ]
    assert states == ["cancelled", "stored"]
    assert parts(services) == []
    again = send(client, project, PNG, key="a.png")
    assert (again.status_code, again.json()["upload"]["state"]) == (409, "cancelled")


def test_dismissed_verdicts_are_not_listed_any_more(client: TestClient, project: Project) -> None:
    send(client, project, corpus.html())
    address = f"/api/projects/{project.id}/uploads"
    assert client.delete(address, headers={"Idempotency-Key": "away"}).status_code == 204
    assert client.get(address).json() == {"uploads": []}


def test_segment_queues_what_has_no_result_and_once_a_key(
    client: TestClient, services: Services, lab: Lab, project: Project
) -> None:
    images = [lab.image(project, f"{number}.png") for number in range(3)]
    address = f"/api/projects/{project.id}/segment"

    def queued(key: str, **body: Any) -> int:
        answer = client.post(address, json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == 202
        return int(answer.json()["queued"])

    assert queued("one", images=[images[0].id, "unknown"]) == 1
    assert queued("rest") == 2
    assert queued("again") == 0
    services.store.jobs.cancel()
    assert queued("rest") == 2, "what was answered"
    assert services.store.jobs.totals().left == 0, "and nothing was queued"
    assert queued("all", again=True) == 3


def test_segment_holds_to_what_was_accepted_for_an_image(
    client: TestClient, services: Services, lab: Lab, project: Project
) -> None:
    image, other = lab.image(project, "a.png"), lab.image(project, "b.png")
    services.queue.drain(5)  # so that they keep waiting
    services.requests.accept(project, (image.id,), services.recipe_of("classical", {}))
    services.store.jobs.cancel()
    address = f"/api/projects/{project.id}/segment"

    def answer(key: str, **body: Any) -> dict[str, Any]:
        return dict(client.post(address, json=body, headers={"Idempotency-Key": key}).json())

    def engines() -> dict[str, str]:
        jobs = services.store.jobs.page(JobState.QUEUED).items
        return {job.image_id: job.engine for job in jobs}

    assert answer("one", again=True) == {"queued": 2, "own_settings": 1}
    assert engines() == {image.id: "classical", other.id: project.engine}
    assert client.get(f"/api/images/{image.id}").json()["own_engine"] == "classical"
    services.store.jobs.cancel()
    assert answer("two", again=True, override=True) == {"queued": 2, "own_settings": 0}
    assert engines() == {image.id: project.engine, other.id: project.engine}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_website_can_change_nothing(
    client: TestClient, services: Services, project: Project, headers: dict[str, str]
) -> None:
    answer = send(client, project, PNG, **headers)
    assert error_of(answer, 403)[0] == "foreign_request"
    assert n_images(services, project) == 0


def test_our_own_pages_and_programs_can(client: TestClient, project: Project) -> None:
    for number, headers in enumerate(
        ({}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost", "Host": "localhost"})
    ):
        assert send(client, project, PNG, key=str(number), **headers).status_code in (200, 201)


def test_what_a_form_of_another_site_could_send_lacks_its_key(client: TestClient, project: Project) -> None:
    for method, address in (
        ("POST", f"/api/projects/{project.id}/images?path=a.png"),
        ("POST", f"/api/projects/{project.id}/segment"),
        ("POST", f"/api/projects/{project.id}/uploads"),
        ("DELETE", f"/api/projects/{project.id}/uploads"),
        ("DELETE", f"/api/projects/{project.id}/uploads/k"),
    ):
        code, message = error_of(client.request(method, address), 400)
        assert code == "invalid_request"
        assert message == "This request needs Idempotency-Key as a header." or "body" in message


@pytest.mark.parametrize(
    ("address", "body", "message"),
    [
        ("images", b"", "This request needs path as a parameter."),
        ("images?path=", b"", "path"),
        ("images?path=a.png&segment=2", b"", "segment must be 0 or 1."),
        ("uploads", b"{", "JSON"),
        ("uploads", b'{"batch": "b", "files": []}', "files cannot be taken"),
        ("uploads", b'{"batch": "b", "files": [{"key": "k", "path": "p", "n_bytes": -1}]}', "n_bytes"),
        ("segment", b'{"imags": []}', "imags cannot be taken"),
    ],
)
def test_a_wrong_request_is_answered_with_its_reason(
    client: TestClient, project: Project, address: str, body: bytes, message: str
) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = client.post(f"/api/projects/{project.id}/{address}", content=body, headers=headers)
    assert message in error_of(answer, 400)[1]
    wrong = send(client, project, PNG, Upload_Offset="-1")
    assert "Upload-Offset cannot be taken" in error_of(wrong, 400)[1]


def test_a_proxy_names_who_sends(services: Services, lab: Lab, project: Project) -> None:
    named = replace(services, settings=replace(services.settings, user_header="X-User"))
    with TestClient(application(named), base_url="http://localhost") as client:
        send(client, project, PNG, X_User="Ada")
        send(client, project, corpus.png(corpus.noise(seed=5)), key="two")
    names = {job.requested_by for job in services.store.jobs.page(None).items}
    assert names == {"Ada", "program"}

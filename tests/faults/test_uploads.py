"""Uploads over a network that breaks, to an app that is killed: every file stored or named, none twice."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from core.models import UploadState
from core.services import Services
from core.settings import Settings
from core.store import NewUpload, UploadBatch
from tests import corpus
from tests.faults import oracle
from tests.faults.test_app import START_SECONDS, App, app
from tests.polling import wait_until

FILES, LEFT, BREAKS = 60, 5, 20
GROWTH_BYTES = 100 * 2**20


class Sender:
    """A program that sends files, whose connections break where it is told to."""

    def __init__(self, port: int, project_id: str) -> None:
        self.port, self._project_id = port, project_id

    def state(self, key: str) -> dict[str, Any]:
        return self.read(f"/api/projects/{self._project_id}/uploads/{key}")

    def read(self, address: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", address)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def send(self, path: str, data: bytes, stop: int | None = None, query: str = "") -> int:
        """Send a file on from where it has got to, up to byte ``stop``; return the status, 0 if stopped."""
        offset = int(self.state(path).get("offset", 0))
        head = (
            f"POST /api/projects/{self._project_id}/images?path={path}{query} HTTP/1.1\r\nHost: localhost\r\n"
            f"Idempotency-Key: {path}\r\nUpload-Offset: {offset}\r\nUpload-Length: {len(data)}\r\n"
            f"Content-Length: {len(data) - offset}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as client:
            client.sendall(head.encode() + data[offset:stop])
            return 0 if stop is not None else int(client.recv(16).split()[1])

    def finish(self, path: str, data: bytes) -> None:
        """Send what is left of a file; what had been sent before may still be arriving, which is a 409."""
        wait_until(lambda: self.send(path, data) in (200, 201), 30, path)


def project_in(data: Path) -> str:
    services = Services.open(Settings(data=data))
    project = services.create_project("Sixty")
    services.close()
    return project.id


def started(stack: ExitStack, data: Path) -> App:
    opened = stack.enter_context(app(data))
    wait_until(opened.is_up, START_SECONDS, "the app")
    return opened


def test_sixty_files_over_twenty_breaks_and_two_kills(tmp_path: Path) -> None:
    random = Random(20)
    files = {f"{n:02}.png": corpus.png(corpus.noise((90, 90), seed=n)) for n in range(FILES)}
    breaks = set(random.sample(range(FILES), BREAKS))
    project_id = project_in(tmp_path)
    with ExitStack() as stack:
        opened = started(stack, tmp_path)
        sender = Sender(opened.port, project_id)
        for number, (name, data) in enumerate(files.items()):
            if number in breaks or number >= FILES - LEFT:
                sender.send(name, data, stop=random.randrange(1, len(data)))
            if number in (20, 40):
                opened.process.kill()
                opened = started(stack, tmp_path)
                sender.port = opened.port
            if number >= FILES - LEFT:
                continue  # its sender has left
            sender.finish(name, data)
            sender.finish(name, data)  # its verdict again
        address = f"/api/projects/{project_id}/uploads?unfinished=1"
        wait_until(
            lambda: len(sender.read(address)["uploads"]) == LEFT, 30, "the last broken requests to end"
        )
        listed = sender.read(address)["uploads"]
        assert sorted(item["path"] for item in listed) == list(files)[-LEFT:], "every other is named"
        images = sender.read(f"/api/projects/{project_id}/images?limit=200&sort=name")["images"]
        assert [image["name"] for image in images] == list(files)[:-LEFT], "stored, and none twice"
    assert oracle.check_killed(tmp_path).total() == FILES - LEFT


def test_a_file_that_had_arrived_when_the_app_was_killed_is_stored_at_the_next_start(tmp_path: Path) -> None:
    data = corpus.png(corpus.noise())
    services = Services.open(Settings(data=tmp_path))
    project = services.create_project("Killed")
    new = NewUpload("a.png", "a.png", len(data))
    (upload,) = services.uploads.declare(project.id, UploadBatch("dropped"), [new])
    part = services.uploads.open_part(upload, 0)
    part.write(data)  # and here the process ends
    part.close()
    services.close()
    again = Services.open(Settings(data=tmp_path))
    wait_until(lambda: again.uploads.get(upload.id).state is UploadState.STORED, 30)
    assert list((tmp_path / "uploads").iterdir()) == []
    again.close()


@pytest.mark.full
@pytest.mark.timeout(1800)
def test_a_thousand_files_of_two_megabytes_do_not_grow_the_app(tmp_path: Path) -> None:
    picture = corpus.tiff(corpus.noise((1024, 1024), "uint16", seed=1))
    project_id = project_in(tmp_path)
    with ExitStack() as stack:
        opened = started(stack, tmp_path)
        sender, process = Sender(opened.port, project_id), psutil.Process(opened.process.pid)
        before = peak = 0
        for number in range(1000):
            assert (
                sender.send(f"{number}.tif", picture + number.to_bytes(4, "big"), query="&segment=0") == 201
            )
            if number == 20:  # decoders and caches are there
                before = process.memory_info().rss
            peak = max(peak, process.memory_info().rss)
    assert peak - before < GROWTH_BYTES

"""The app as a process: started twice, told to stop, told twice, its clients slow and gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from core.ingest import UploadOutcome
from core.services import Services
from core.settings import Settings
from tests import corpus
from tests.faults import oracle
from tests.http.lab import Lab, disc
from tests.polling import wait_until
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120.0
STOP_SECONDS = 60.0  # also on a busy machine; how long it may drain is a setting
STOPPED = (0, -signal.SIGTERM)  # the server ends with the signal that it has been told to stop by
FULL = pytest.mark.full


class App:
    """One started app."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.address = process, f"http://127.0.0.1:{port}"
        self.port = port

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.output()
        try:
            with urlopen(f"{self.address}/api/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def end(self, seconds: float) -> int:
        return self.process.wait(timeout=seconds)

    def output(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()


@contextmanager
def app(data: Path, **env: str) -> Iterator[App]:
    """``python -m core serve`` on a folder; killed with the block if it still runs."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "serve", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "SPHEROSCOPE_DATA": str(data), "DRAIN_SECONDS": "2", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield App(process, port)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def fill(data: Path, count: int) -> None:
    """A project of real images that wait."""
    services = Services.open(Settings(data=data))
    services.queue.drain(5)
    project = services.create_project("Waiting")
    for number in range(count):
        image = corpus.png(corpus.noise((256, 256), seed=number))
        verdict = services.ingest.add(project.id, f"{number}.png", image, services.recipe(project))
        assert verdict.outcome is UploadOutcome.STORED
    services.close()


def test_a_second_app_on_the_folder_ends_with_a_sentence_that_names_the_first(tmp_path: Path) -> None:
    with app(tmp_path) as first:
        wait_until(first.is_up, START_SECONDS, "the first app")
        with app(tmp_path) as second:
            assert second.end(START_SECONDS) == 3
            output = second.output()
        assert f"already running on {tmp_path} (process {first.process.pid})" in output
        assert "Traceback" not in output
        assert first.is_up()


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"MAX_PAGES": "many"}, "MAX_PAGES must be a number (int), not 'many'."),
        ({"CACHE": "maybe"}, "CACHE must be on or off, not 'maybe'."),
        ({"SEGMENTATION_PRECISION": "float8"}, "SEGMENTATION_PRECISION must be one of"),
        (
            {"CONTAINER_MEMORY_LIMIT_MB": "1024", "DUCKDB_MEMORY_MB": "1024"},
            "Raise CONTAINER_MEMORY_LIMIT_MB to 1711, or lower DUCKDB_MEMORY_MB.",
        ),
    ],
)
def test_a_setting_that_cannot_be_ends_the_start_with_a_sentence(
    tmp_path: Path, env: dict[str, str], sentence: str
) -> None:
    with app(tmp_path, **env) as process:
        assert process.end(START_SECONDS) == 3
        output = process.output()
    assert sentence in output
    assert "Traceback" not in output


def test_told_to_stop_with_fifty_waiting_it_ends_in_time_and_goes_on_at_the_next_start(
    tmp_path: Path,
) -> None:
    fill(tmp_path, 50)
    with app(tmp_path) as first:
        wait_until(first.is_up, START_SECONDS, "the app")
        first.process.terminate()
        assert first.end(STOP_SECONDS) in STOPPED, first.output()
    states = oracle.check(tmp_path)
    assert set(states) <= {"done", "queued"}
    assert states.total() == 50


def test_told_twice_it_ends_at_once_and_nothing_counts_as_a_crash(tmp_path: Path) -> None:
    fill(tmp_path, 50)
    with app(tmp_path, DRAIN_SECONDS="3600") as first:
        wait_until(first.is_up, START_SECONDS, "the app")
        first.process.terminate()
        first.process.send_signal(signal.SIGTERM)
        assert first.end(STOP_SECONDS) in STOPPED
    assert set(oracle.check(tmp_path)) <= {"done", "queued"}


@FULL
def test_slow_clients_that_vanish_hold_nothing(tmp_path: Path) -> None:
    services = Services.open(Settings(data=tmp_path))
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    project = lab.project("Large")
    for number in range(40):
        lab.measured(lab.image(project, f"{number:03}.png"), *(disc(n, 10 + n) for n in range(1, 400)))
    services.close()
    with app(tmp_path) as served:
        wait_until(served.is_up, START_SECONDS, "the app")
        process = psutil.Process(served.process.pid)
        before = process.num_fds()
        clients = [_slow_client(served.port, project.id) for _ in range(20)]
        for _ in range(3):
            for client in clients:
                client.recv(1024)
            assert served.is_up()
        for client in clients:
            client.close()
        wait_until(lambda: process.num_fds() <= before + 2, 30, "the files to be closed")
        assert served.is_up()  # health writes through the one writer


def _slow_client(port: int, project_id: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    path = f"/downloads/projects/{project_id}/objects.csv"
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    return client

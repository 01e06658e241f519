"""A disk that is really full: a small one of its own, or a limit on what a process may write (F4, F19)."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from core.db import Database
from core.files.blobs import Blobs
from core.ingest import Ingest, UploadOutcome, UploadVerdict
from core.models import Limits, Project
from core.monitoring import QueryRecorder
from core.operations.health import State, worst
from core.services import Services
from core.settings import Settings
from core.store import Store
from tests import corpus
from tests.factories import ENGINE, RECIPE
from tests.faults import oracle
from tests.faults.child import NURSERY
from tests.faults.test_rush import queue_on
from tests.faults.test_slow_clients import CLIENTS, SPHEROIDS, open_tables, serving, slow_client
from tests.http.lab import Lab, disc
from tests.polling import wait_until

FULL = pytest.mark.full
DISK_BYTES = 64 * 2**20
SOME_BYTES = 300_000  # which a few small files fit into, or their commit
FILE_BYTES = 20_000  # that a process may write into one file: less than an upload
AGAIN_SECONDS = 30


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB; the test is skipped where none may be mounted."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


class Ballast:
    """A file that takes the room of a disk away."""

    def __init__(self, disk: Path) -> None:
        self._disk, self._path = disk, disk / "ballast"

    def leave(self, n_bytes: int) -> None:
        """Take all but ``n_bytes`` of what is free."""
        room = os.statvfs(self._disk)
        with suppress(OSError), self._path.open("ab") as file:  # somebody else may have been quicker
            file.write(bytes(max(0, room.f_bavail * room.f_frsize - n_bytes)))

    def lift(self) -> None:
        self._path.unlink()


def noisy(number: int) -> bytes:
    """Some 40 KB, which do not compress."""
    return corpus.png(corpus.noise((200, 200), seed=number))


def upload(services: Services, project: Project, number: int) -> UploadVerdict:
    return services.ingest.add(project.id, f"{number}.png", noisy(number), services.recipe(project))


@pytest.mark.parametrize("count", [15, pytest.param(50, marks=FULL)])
def test_a_full_disk_refuses_uploads_loses_nothing_and_takes_them_again_by_itself(
    disk: Path, count: int
) -> None:
    services, ballast = Services.open(Settings(data=disk)), Ballast(disk)
    project = services.create_project("Full")
    verdicts = [upload(services, project, number) for number in range(5)]
    assert {verdict.outcome for verdict in verdicts} == {UploadOutcome.STORED}
    ballast.leave(SOME_BYTES)
    verdicts += [upload(services, project, number) for number in range(5, count)]
    services.queue.wake()
    ballast.leave(0)
    assert worst(services.checks.run()) is State.BAD
    refused = [verdict for verdict in verdicts if verdict.outcome is UploadOutcome.REFUSED]
    assert refused
    assert {verdict.code for verdict in refused} == {"storage_error"}
    ballast.lift()
    wait_until(lambda: upload(services, project, 999).outcome is not UploadOutcome.REFUSED, AGAIN_SECONDS)
    services.queue.wake()
    wait_until(lambda: services.store.jobs.totals().left == 0, 120, "all jobs to end")
    assert worst(services.checks.run()) is not State.BAD
    stored_ids = {
        key for verdict in verdicts if verdict.outcome is UploadOutcome.STORED for key in verdict.image_ids
    }
    assert stored_ids <= set(services.store.images.ids(project.id))
    assert services.close()
    assert set(oracle.check(disk)) == {"done"}


def test_a_disk_full_amid_a_checkpoint_costs_one_reopening_and_no_row(
    disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    db, ballast = Database.open(disk / "spheroscope.duckdb", QueryRecorder()), Ballast(disk)
    store = Store(db)
    created = [store.projects.create(f"Project {number}", ENGINE).id for number in range(400)]
    ballast.leave(8192)  # too little for the pages that a checkpoint writes
    assert not db._writer.checkpoint()
    assert caplog.messages.count("event=db.invalidated") == 1
    assert {project.id for project in store.projects.list()} == set(created)
    ballast.lift()
    created.append(store.projects.create("after", ENGINE).id)
    assert db._writer.checkpoint()
    db.close()
    again = Database.open(disk / "spheroscope.duckdb", QueryRecorder())
    assert {project.id for project in Store(again).projects.list()} == set(created)
    assert again.lost_commits == 0
    again.close()
    oracle.check(disk)


def test_slow_clients_on_a_full_disk_hold_nothing_and_what_is_written_is_served(disk: Path) -> None:
    services, ballast = Services.open(Settings(data=disk, min_free_mb=1)), Ballast(disk)
    services.queue.drain(5)  # results are made up, not computed
    lab = Lab(services.store, services.blobs)
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), *(disc(number) for number in range(1, SPHEROIDS)))
    folder, process = disk / "tmp", psutil.Process()
    address = f"/downloads/projects/{project.id}/objects.csv"
    with serving(services) as port, ExitStack() as stack:
        clients = [stack.enter_context(slow_client(port, address)) for _ in range(CLIENTS)]
        wait_until(lambda: open_tables(process, folder) == CLIENTS, 30, "every client's file to be open")
        wait_until(services.db._writer.checkpoint, 30, "the tables to be read to their ends")
        ballast.leave(SOME_BYTES)
        assert status_of(port, f"{address}?status=done") == 503  # a table of its own, still to be written
        assert open_tables(process, folder) == CLIENTS, "who is refused leaves nothing"
        assert status_of(port, address) == 200
        for client in clients:
            client.close()
        wait_until(lambda: open_tables(process, folder) == 0, 30, "files of clients that left to be closed")
        ballast.lift()
        assert status_of(port, f"{address}?status=done") == 200
        wait_until(services.db._writer.checkpoint, 30, "a checkpoint, which an open cursor would refuse")
    services.close()
    oracle.check(disk)


def status_of(port: int, address: str) -> int:
    """Ask, take everything, and tell the status."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head = client.recv(16)
        while client.recv(65_536):
            pass
    return int(head.split()[1])


def squeezed(folder: Path, say: Connection) -> None:
    """Upload, be refused for want of room in files, and upload again once there is some."""
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(folder)
    project, ingest = store.projects.create("Squeezed", ENGINE), Ingest(store, blobs, Limits())
    queue = queue_on(store, blobs)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def upload(first: int) -> None:
        for number in range(first, first + 5):
            verdict = ingest.add(project.id, f"{number}.png", noisy(number), RECIPE)
            queue.wake()
            say.send((verdict.outcome.value, verdict.code, verdict.image_ids))

    upload(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, hard))
    upload(5)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    upload(10)
    wait_until(lambda: store.jobs.totals().left == 0, 120, "all jobs to end")
    queue.drain(10)
    db.close()


def test_a_process_that_may_not_write_any_more_refuses_and_goes_on_when_it_may(tmp_path: Path) -> None:
    heard, say = NURSERY.Pipe(duplex=False)
    process = NURSERY.Process(target=squeezed, args=(tmp_path, say))
    process.start()
    say.close()
    verdicts = [heard.recv() for _ in range(15)]
    process.join(120)
    assert process.exitcode == 0
    stored, refused = UploadOutcome.STORED.value, UploadOutcome.REFUSED.value
    assert [outcome for outcome, *_ in verdicts] == [stored] * 5 + [refused] * 5 + [stored] * 5
    assert {code for outcome, code, _ in verdicts if outcome == refused} == {"storage_error"}
    assert oracle.check(tmp_path) == {"done": 10}

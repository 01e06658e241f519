"""Twenty clients that take a table byte by byte and then vanish: nothing of the app's is held by them."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import uvicorn

from core.services import Services
from tests.http.conftest import application
from tests.http.lab import Lab, disc
from tests.polling import wait_until

CLIENTS = 20
SPHEROIDS = 4000


@contextmanager
def serving(services: Services) -> Iterator[int]:
    """The routes on a port of this machine; its network holds little of what nobody takes."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    server = uvicorn.Server(uvicorn.Config(application(services), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def slow_client(port: int, address: str) -> socket.socket:
    """Asks, takes the first bytes, and then takes nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    client.sendall(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert client.recv(16).startswith(b"HTTP/1.1 200")
    return client


def open_tables(process: psutil.Process, folder: Path) -> int:
    """How often the process has files open in ``folder``."""
    held = (Path(f"/proc/{process.pid}/fd/{number}") for number in os.listdir(f"/proc/{process.pid}/fd"))
    return sum(str(folder) in link for link in map(_target, held))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


def test_slow_clients_hold_no_cursor_and_vanished_ones_nothing(services: Services) -> None:
    services.queue.drain(5)  # results are made up, not computed
    lab = Lab(services.store, services.blobs)
    project = lab.project()
    lab.measured(lab.image(project, "a.tif"), *(disc(number) for number in range(1, SPHEROIDS)))
    folder, process = services.settings.data / "tmp" / "tables", psutil.Process()
    address = f"/downloads/projects/{project.id}/objects.csv"
    with serving(services) as port, ExitStack() as stack:
        clients = [stack.enter_context(slow_client(port, address)) for _ in range(CLIENTS)]
        # The tables are too large for the network's buffers.
        wait_until(lambda: open_tables(process, folder) == CLIENTS, 30, "every client's file to be open")
        lab.project("written meanwhile")
        # Every table has been read to its end, although no client has taken more than its beginning.
        wait_until(services.db._writer.checkpoint, 30, "a checkpoint, which an open cursor would refuse")
        assert clients[0].recv(64), "and those that wait can still take theirs"
        for client in clients:
            client.close()
        wait_until(lambda: open_tables(process, folder) == 0, 30, "files of clients that left to be closed")

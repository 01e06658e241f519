"""Servers for tests: a real Redis, and some that only look like one."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import redis

from tests.polling import wait_until

Behaviour = Callable[[socket.socket], None]

# Below the ports that Linux lends to outgoing connections, which may take one before its server is there.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of this machine that nothing listens on, for a server that is started afterwards."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("every port is taken")


class RedisServer:
    """A redis-server of its own on a Unix socket, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "redis.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        arguments = ["redis-server", "--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen([*arguments, "--daemonize", "no"], stdout=subprocess.DEVNULL)
        wait_until(self._answers, what="redis-server")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """Take calls and answer none of them, until ``go_on``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def _answers(self) -> bool:
        with closing(redis.Redis.from_url(self.url, socket_timeout=1)) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A running one; the test is skipped where Redis is not installed."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(folder)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def server_that(behaves: Behaviour) -> Iterator[str]:
    """A TCP server that does ``behaves`` with each connection; gives a Redis URL to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                threading.Thread(target=_quietly, args=(behaves, connection), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in connections:
            connection.close()


def silent(connection: socket.socket) -> None:
    """Takes everything and never says a word."""
    while connection.recv(4096):
        pass


def hangs_up(connection: socket.socket) -> None:
    """Ends each connection at its first word."""
    connection.recv(1)
    connection.close()


def says(answer: bytes) -> Behaviour:
    """Has the same answer to everything."""

    def behave(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    return behave


def drips(connection: socket.socket) -> None:
    """Answers one byte at a time, each just in time."""
    while connection.recv(65536):
        for byte in b"$40\r\n" + b"x" * 40 + b"\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.03)


def _quietly(behaves: Behaviour, connection: socket.socket) -> None:
    try:
        behaves(connection)
    except OSError:
        connection.close()  # the client has gone, which is what it should do

"""A process to be killed: it serves the app's routes on a data folder, and says on which port."""

from __future__ import annotations

import socket
from multiprocessing.connection import Connection
from pathlib import Path

import uvicorn

from core.services import Services
from core.settings import Settings
from tests.http.conftest import application


def serve(folder: Path, opened: Connection) -> None:
    """Serve until the process is killed."""
    # the process that gives birth has imported all tests, and health would rightly complain
    services = Services.open(Settings(data=folder, container_memory_limit_mb=16_384))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        opened.send(listener.getsockname()[1])
        config = uvicorn.Config(application(services), log_level="error", lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])

"""The app in a process of its own, its exports and its visitors, for tests of what it takes from outside.

``python -m tests.deploy.serving PORT`` is that process: it serves the app, and makes the exports that are
requested on its standard input, a line each, since no route does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.polling import wait_until
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS, EXPORT_SECONDS = 120.0, 240.0
MARK = "export "  # begins the lines with ids of exports; servers print as well


@dataclass(frozen=True, slots=True)
class Served:
    """A running app."""

    address: str
    process: subprocess.Popen[str]

    def get(self, path: str) -> dict[str, Any]:
        with urlopen(self.address + path, timeout=60) as answer:
            return dict(json.load(answer))

    def export(self, project_id: str, parts: Iterable[str]) -> dict[str, Any]:
        """Have an archive made; return what /api/exports says of it when it is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([project_id, sorted(parts)]), file=self.process.stdin, flush=True)
        while not (line := self.process.stdout.readline()).startswith(MARK):
            assert line, "the app has ended"
        path = f"/api/exports/{line.removeprefix(MARK).strip()}"
        wait_until(
            lambda: self.get(path)["state"] not in ("waiting", "running"), EXPORT_SECONDS, "the export"
        )
        return self.get(path)

    def peak_bytes(self) -> int:
        """The most memory of its own (RSS) that the process has had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def is_up(self) -> bool:
        assert self.process.poll() is None, "the app has ended"
        with suppress(OSError):
            return bool(self.get("/api/health"))
        return False


@contextmanager
def served(
    data: Path, env: dict[str, str] | None = None, confine: Callable[[int], object] = lambda pid: None
) -> Iterator[Served]:
    """The app on the folder ``data``; ``confine`` gets the process's id before it has loaded anything."""
    port = free_port()
    with (data.parent / "serving.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.deploy.serving", str(port)],
            cwd=ROOT,
            env={**os.environ, **(env or {}), "SPHEROSCOPE_DATA": str(data)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    confine(process.pid)
    app = Served(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(app.is_up, START_SECONDS, "the app")
        yield app
    finally:
        process.terminate()
        process.communicate(timeout=60)


@asynccontextmanager
async def visitor(app: Served) -> AsyncIterator[Visitor]:
    """A session of the app, as a browser begins one."""
    address = app.address.replace("http", "ws", 1) + "/_stcore/stream"
    async with websockets.connect(address, max_size=None, open_timeout=60) as connection:
        yield Visitor(connection)


@dataclass(frozen=True, slots=True)
class Visitor:
    """One session."""

    connection: websockets.ClientConnection

    async def open(self, page: str) -> None:
        """Open a page by its name in the address, and wait until it is drawn; a traceback on it fails."""
        request = BackMsg()
        request.rerun_script.page_name = page
        await self.connection.send(request.SerializeToString())
        message = ForwardMsg()
        while message.WhichOneof("type") != "script_finished":
            message.ParseFromString(await self.connection.recv(decode=False))
            assert message.delta.new_element.WhichOneof("type") != "exception", page


def main(port: int) -> None:
    """Serve the app, and start the exports that are requested on standard input."""
    import uvicorn  # noqa: PLC0415 - the tests themselves need neither of them

    from app import app  # noqa: PLC0415

    threading.Thread(target=_start_exports, daemon=True).start()
    uvicorn.run(app, host="127.0.0.1", port=port, access_log=False)


def _start_exports() -> None:
    from core.export import ExportRequest, Part  # noqa: PLC0415
    from core.services import app_services  # noqa: PLC0415

    for line in sys.stdin:
        project_id, parts = json.loads(line)
        request = ExportRequest(project_id, frozenset(Part(part) for part in parts))
        print(f"{MARK}{app_services().exports.start(request)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

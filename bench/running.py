"""The whole app in a process of its own, on this computer only, so that what it costs is seen from outside.

``python -m bench.running PORT`` is that process: it serves the app and makes the exports that are asked for
on its standard input, a line each, since no route can.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import psutil

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent
START_S = 120.0
POLL_S = 0.05
MARK = "export "  # begins the lines that are answers; servers like to print


@dataclass
class Served:
    """A running app."""

    address: str
    process: subprocess.Popen[str]
    peak: Peak

    def export(self, project_id: str, parts: Iterable[str]) -> dict[str, Any]:
        """Have an archive made and wait for it; returns what /api/exports tells of it at the end."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([project_id, sorted(parts)]) + "\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith(MARK):
            assert line, "the app has ended; see serving.log beside its data"
        address = f"{self.address}/api/exports/{line.removeprefix(MARK).strip()}"
        while (export := get_json(address))["state"] in ("waiting", "running"):
            time.sleep(POLL_S)
        return export


@dataclass
class Peak:
    """Watches how much memory a process has of its own (RSS), in MB of 10⁶ bytes."""

    process: psutil.Process
    highest: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def now(self) -> float:
        return float(self.process.memory_info().rss) / 1e6

    def begin(self) -> float:
        """Forget the peak; returns what there is now."""
        self.highest = self.now()
        return self.highest

    def watch(self) -> None:
        while not self._stop.wait(POLL_S):
            try:
                self.highest = max(self.highest, self.now())
            except psutil.NoSuchProcess:
                return

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def served(
    data: Path, env: dict[str, str] | None = None, confine: Callable[[int], object] = lambda pid: None
) -> Iterator[Served]:
    """Run the app on the data folder ``data`` until the block ends.

    ``confine`` is told the process's id before it has loaded anything: whoever limits it does so there.
    """
    port = free_port()
    address = f"http://{HOST}:{port}"
    with (data.parent / "serving.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.running", str(port)],
            cwd=ROOT,
            env={**os.environ, **(env or {}), "SPHEROSCOPE_DATA": str(data)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    confine(process.pid)
    peak = Peak(psutil.Process(process.pid))
    watching = threading.Thread(target=peak.watch, daemon=True)
    try:
        _wait_until_it_answers(f"{address}/api/health", process)
        peak.begin()
        watching.start()
        yield Served(address, process, peak)
    finally:
        peak.stop()
        process.terminate()
        process.communicate(timeout=60)


def get_json(address: str) -> dict[str, Any]:
    with urlopen(address, timeout=60) as answer:
        return dict(json.load(answer))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(address: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended with {process.returncode}; see serving.log beside its data")
        try:
            get_json(address)
        except (URLError, OSError):
            time.sleep(POLL_S)
        else:
            return
    raise RuntimeError(f"the app did not answer within {START_S:.0f} s")


def main(port: int) -> None:
    import uvicorn  # noqa: PLC0415 - the benchmarks themselves need neither of them

    from app import app  # noqa: PLC0415

    threading.Thread(target=_make_what_is_asked_for, daemon=True).start()
    uvicorn.run(app, host=HOST, port=port, access_log=False)


def _make_what_is_asked_for() -> None:
    from core.export import ExportRequest, Part  # noqa: PLC0415
    from core.services import app_services  # noqa: PLC0415

    for line in sys.stdin:
        project_id, parts = json.loads(line)
        request = ExportRequest(project_id, frozenset(Part(part) for part in parts))
        print(f"{MARK}{app_services().exports.start(request)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))

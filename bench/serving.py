"""The app as it is deployed, started for a benchmark and asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.running import HOST, free_port

START_SECONDS = 90
STOP_SECONDS = 30


class Server:
    """``python -m core serve`` on a data folder; a context manager."""

    def __init__(self, folder: Path, **env: str) -> None:
        port = free_port()
        self.address = f"http://{HOST}:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core", "serve", "--port", str(port)],
            env=os.environ | {"SPHEROSCOPE_DATA": str(folder)} | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._connection = http.client.HTTPConnection(HOST, port, timeout=30)

    def __enter__(self) -> Server:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.get("/api/health", {})
            except OSError:
                self._connection.close()
                time.sleep(0.2)
            else:
                return self
        self.__exit__()
        raise RuntimeError("the app did not start")

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait(STOP_SECONDS)

    def get(self, path: str, query: dict[str, Any]) -> Any:
        """The answer's JSON."""
        filled = {name: value for name, value in query.items() if value not in ("", None)}
        self._connection.request("GET", f"{path}?{urlencode(filled)}")
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return json.loads(body)

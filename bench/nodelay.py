"""What TCP_NODELAY saves: answers of the app over a kept connection, with it and as Streamlit's server is."""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench.lab import QUICK, Lab, make
from bench.report import Bar, Report, interleaved_ms, median_p95
from tests.browser.chromium import ROOT, streamlit_server

WITH, WITHOUT = "with TCP_NODELAY", "without"
PAUSE_SECONDS = 0.005  # as a page asks: not back to back, which the kernel acknowledges at once
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from core import http

async def nothing():
    pass

if {without}:
    http.send_at_once = nothing
from app import app
"""


def run(quick: bool) -> Report:
    """Ask two servers on data folders of the same content in turns."""
    report = Report("nodelay")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        lab = make(Path(folder) / WITH, QUICK)
        shutil.copytree(Path(folder) / WITH, Path(folder) / WITHOUT)
        servers = {side: stack.enter_context(_server(Path(folder), side)) for side in (WITH, WITHOUT)}
        _answers(report, servers, lab, 20 if quick else 300)
    return report


@contextmanager
def _server(folder: Path, side: str) -> Iterator[str]:
    script = folder / f"{side.replace(' ', '_')}.py"
    script.write_text(SCRIPT.format(root=str(ROOT), without=side == WITHOUT), encoding="utf-8")
    os.environ["SPHEROSCOPE_DATA"] = str(folder / side)
    with streamlit_server(script) as address:
        yield address


def _answers(report: Report, servers: dict[str, str], lab: Lab, rounds: int) -> None:
    addresses = {
        "/api/version": "/api/version",
        "100 images": f"/api/projects/{lab.projects[0][0]}/images?limit=100",
    }
    connections = {
        side: http.client.HTTPConnection(address[7:], timeout=30) for side, address in servers.items()
    }
    for name, path in addresses.items():
        times = interleaved_ms(
            {side: partial(_get, connection, path) for side, connection in connections.items()}, rounds
        )
        medians = {side: median_p95(values)[0] for side, values in times.items()}
        for side, values in times.items():
            figures = {"median_ms": medians[side], "p95_ms": median_p95(values)[1]}
            report.rows.append({"what": name, "side": side, "rounds": rounds, **figures})
        saved = medians[WITHOUT] - medians[WITH]
        report.bars.append(Bar(f"{name}: saved", saved, 0.1 * medians[WITHOUT], "ms", at_most=False))


def _get(connection: http.client.HTTPConnection, path: str) -> None:
    time.sleep(PAUSE_SECONDS)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200, path
    answer.read()

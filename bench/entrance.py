"""What two additions to Streamlit's server save: hints in its page (Entrance) and TCP_NODELAY (connections).

Both servers run at once on data folders of the same content, and are asked in turns. A latency is added by
Chromium to every request, as a network between building and server does.
"""

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
from tests.browser.chromium import ROOT, browser_tab, streamlit_server

LATENCIES_MS = (0, 20)
WITH, WITHOUT = "with", "without"
# The app as it is, or without what is measured.
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
import app as whole
from core import http
from core.http.middleware.entrance import Entrance
from core.services import get_services
from core.settings import Settings

async def nothing():
    pass

middleware = http.middleware(Settings.from_env(), get_services)
if {without}:
    http.send_at_once = nothing
    middleware = [item for item in middleware if item.cls is not Entrance]
page, routes = {root!r} + "/pages/_main.py", http.routes(get_services)
app = st.App(page, lifespan=whole.lifespan, routes=routes, middleware=middleware)
"""


def run(quick: bool) -> Report:
    """Open the Images page in fresh browsers, then ask the API over connections that are kept."""
    report = Report("entrance")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as stack:
        lab = make(Path(folder) / WITH, QUICK)
        shutil.copytree(Path(folder) / WITH, Path(folder) / WITHOUT)
        servers = {side: stack.enter_context(_server(Path(folder), side)) for side in (WITH, WITHOUT)}
        for latency_ms in LATENCIES_MS:
            _first_visits(report, servers, lab, latency_ms, 2 if quick else 8)
        _answers(report, servers, lab, 20 if quick else 300)
    return report


@contextmanager
def _server(folder: Path, side: str) -> Iterator[str]:
    script = folder / f"{side}_app.py"
    script.write_text(SCRIPT.format(root=str(ROOT), without=side == WITHOUT), encoding="utf-8")
    os.environ["SPHEROSCOPE_DATA"] = str(folder / side)
    with streamlit_server(script) as address:
        yield address


def _first_visits(report: Report, servers: dict[str, str], lab: Lab, latency_ms: int, rounds: int) -> None:
    page = f"/images?project={lab.projects[0][0]}"
    sides = {side: partial(_opened, address + page, latency_ms) for side, address in servers.items()}
    _add(report, f"first table, empty browser, {latency_ms} ms latency", interleaved_ms(sides, rounds))


def _opened(address: str, latency_ms: int) -> None:
    with browser_tab() as tab:
        network = tab.page.context.new_cdp_session(tab.page)
        slow = {"offline": False, "latency": latency_ms, "downloadThroughput": -1, "uploadThroughput": -1}
        network.send("Network.emulateNetworkConditions", slow)
        tab.page.goto(address)
        tab.page.frame_locator("iframe").first.locator(".ag-row .opens").first.wait_for(timeout=120_000)


def _answers(report: Report, servers: dict[str, str], lab: Lab, rounds: int) -> None:
    addresses = {
        "/api/version": "/api/version",
        "100 images": f"/api/projects/{lab.projects[0][0]}/images?limit=100",
    }
    kept = {side: http.client.HTTPConnection(address[7:], timeout=30) for side, address in servers.items()}
    for name, path in addresses.items():
        sides = {side: partial(_get, connection, path) for side, connection in kept.items()}
        _add(report, f"{name} over a kept connection", interleaved_ms(sides, rounds))


def _get(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200, path
    answer.read()
    time.sleep(0.005)  # as a page asks: not back to back, which the kernel acknowledges at once


def _add(report: Report, what: str, times: dict[str, list[float]]) -> None:
    medians = {}
    for side, values in times.items():
        medians[side], p95 = median_p95(values)
        row = {"what": what, "side": side, "rounds": len(values), "median_ms": medians[side], "p95_ms": p95}
        report.rows.append(row)
    saved = medians[WITHOUT] - medians[WITH]
    report.bars.append(Bar(f"{what}: saved", saved, 0.1 * medians[WITHOUT], "ms", at_most=False))

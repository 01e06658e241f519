"""Connections: what is written to one is not held back."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from core.http.connections import switch_off_delays
from tests.browser.chromium import ROOT, streamlit_server

# The app's own beginning, and one route that tells of the connections that its server has accepted.
SCRIPT = """
import os, socket, sys
import psutil
import streamlit as st
from starlette.responses import JSONResponse
from starlette.routing import Route
sys.path.insert(0, {root!r})
from app import lifespan

def delays(request):
    options = []
    for item in psutil.Process().net_connections("tcp"):
        if item.status == psutil.CONN_ESTABLISHED:
            with socket.socket(fileno=os.dup(item.fd)) as accepted:
                options.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    return JSONResponse(options)

app = st.App({page!r}, lifespan=lifespan, routes=[Route("/delays", delays)])
"""


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_connections_accepted_from_now_on_hold_nothing_back(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.socket(family) as listener:  # as Streamlit opens it: without the number of TCP
        listener.bind((host, 0))
        listener.listen()
        assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        switch_off_delays()
        with socket.create_connection(listener.getsockname()[:2]):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_connections_that_are_there_hold_nothing_back_any_more() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        with client, accepted:
            switch_off_delays()
            for one in (client, accepted):
                assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_hidden_or_closed_connections_do_not_stop_the_app(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listed = psutil.Process().net_connections("tcp")

    def hidden(*_: object) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "net_connections", hidden)
    switch_off_delays()
    assert "event=connections.hidden reason=AccessDenied" in caplog.text
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.undo()
        connections = [item for item in psutil.Process().net_connections("tcp") if item not in listed]
        assert listener.fileno() in {item.fd for item in connections}
    monkeypatch.setattr(psutil.Process, "net_connections", lambda *_: connections)  # closed meanwhile
    caplog.set_level("DEBUG")
    switch_off_delays()
    assert "event=connections.gone" in caplog.text


def test_the_apps_server_holds_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPHEROSCOPE_DATA", str(tmp_path / "data"))
    page, script = tmp_path / "page.py", tmp_path / "delays.py"
    page.write_text("import streamlit as st\nst.write('here')\n")
    script.write_text(SCRIPT.format(root=str(ROOT), page=str(page)))
    with streamlit_server(script) as address:
        client = HTTPConnection(address.removeprefix("http://"), timeout=30)
        client.request("GET", "/delays")
        options = json.loads(client.getresponse().read())
        client.close()
    assert options
    assert all(options)

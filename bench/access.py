"""What accounts cost: the same requests and page runs in the same run with AUTH=none and with AUTH=local.

Both apps stand on copies of one database and answer in turn, in this process, without a network. With
accounts, a member of every project but the last asks by the cookie of a session. Of that last one, requests
are answered as those for ids that never were; how much the two differ in time is measured as well.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import streamlit as st
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from bench.lab import MILLION, QUICK, make
from bench.report import Bar, Cell, Report, median_p95
from core import http
from core import services as composition
from core.accounts import Level, Role
from core.accounts.passwords import Passwords
from core.services import CALLER_HEADER, Services
from core.settings import ROOT, Settings

PASSWORD = "seven quiet spheroids"
MAX_MS = 5.0
MAX_DIFFERENCE_MS = 0.5  # medians of what is another's and of what never was
WARM = 5  # first rounds, which are not counted
PAGES = ("projects.py", "images.py", "measurements.py", "queue.py")
SESSION = "spheroscope_session"


def run(quick: bool) -> Report:
    """A page's files, the lists and one image, by p95 with accounts and without."""
    report = Report("access")
    with tempfile.TemporaryDirectory(prefix="bench-access-") as folder:
        lab = make(Path(folder), QUICK if quick else MILLION)
        folders = [Path(folder) / name for name in ("none", "local")]
        for path in folders:
            path.mkdir()
            shutil.copy(lab.path, path / "spheroscope.duckdb")
        none, local = (Services.open(_settings(path)) for path in folders)
        try:
            without, with_accounts = _client(none), _client(local)
            with_accounts.cookies.set(SESSION, _session(local))
            rounds = 50 if quick else 500
            _measure(report, (without, with_accounts), none, rounds)
            _measure_pages(report, (none, local), rounds // 5)
            _measure_absence(report, with_accounts, local, rounds * 4)
        finally:
            none.close()
            local.close()
    return report


def _settings(folder: Path) -> Settings:
    return Settings(data=folder, auth=folder.name, container_memory_limit_mb=8192, downloads_per_minute=10**6)


def _client(services: Services) -> TestClient:
    app = Starlette(
        routes=[*http.routes(lambda: services), Mount("/", app=PlainTextResponse("a page"))],
        middleware=http.middleware(services.settings, lambda: services),
    )
    return TestClient(app, "http://127.0.0.1")


def _session(services: Services) -> str:
    """The cookie of a member of every project but the last."""
    access = services.access
    access.passwords = Passwords(PasswordHasher(1, 8, 1))
    account = access.accounts.create("ana", Role.MEMBER, access.passwords.hash(PASSWORD))
    for project in services.store.projects.list()[:-1]:
        access.members.set_level(project.id, account.id, Level.EDIT)
    return access.sign_in("ana", PASSWORD, "127.0.0.1", "bench").session


def _measure(report: Report, clients: tuple[TestClient, TestClient], services: Services, rounds: int) -> None:
    project = services.store.projects.list()[0]
    image = services.store.images.page(project.id, limit=1).items[0]
    paths = {
        "a page's file": "/static/main.js",
        "list of projects": "/api/projects?limit=12",
        "table of images": f"/api/projects/{project.id}/images",
        "one image": f"/api/images/{image.id}",
        "queue": "/api/queue",
    }
    for name, path in paths.items():
        without, with_accounts = _alternating(
            [partial(_get, client, path, 200) for client in clients], rounds
        )
        _compare(report, name, without, with_accounts)


def _measure_pages(report: Report, apps: tuple[Services, Services], rounds: int) -> None:
    """Whole runs of pages' scripts, as the first visit of a session has them."""
    project = apps[1].store.projects.list()[0]
    account = apps[1].access.accounts.named("ana")
    assert account is not None
    for file in PAGES:
        runs = [partial(_run_page, services, file, project.id, account[0].id) for services in apps]
        without, with_accounts = _alternating(runs, rounds)
        _compare(report, f"run of page {file.removesuffix('.py')}", without, with_accounts)


def _run_page(services: Services, file: str, project_id: str, account_id: str) -> None:
    headers = {CALLER_HEADER: f"account:{account_id}"}
    context = SimpleNamespace(headers=headers, ip_address="127.0.0.1", cookies={}, timezone=None)
    with patch.object(composition, "app_services", lambda: services), patch.object(st, "context", context):
        app = AppTest.from_file(str(ROOT / "pages" / "_main.py"), default_timeout=60)
        app.query_params["project"] = project_id
        app.switch_page(str(ROOT / "pages" / file)).run()
    if app.exception or app.error:
        raise RuntimeError(f"{file}: {app.exception or app.error}")


def _measure_absence(report: Report, client: TestClient, services: Services, rounds: int) -> None:
    """What is another's, and what never was, in turn."""
    other = services.store.projects.list()[-1]
    image = services.store.images.page(other.id, limit=1).items[0]
    paths = {
        "a project": ("/api/projects/{}/images", other.id),
        "an image": ("/api/images/{}", image.id),
        "a picture": ("/thumbs/{}", image.id),
        "a download": ("/downloads/images/{}/original", image.id),
    }
    for name, (path, item) in paths.items():
        never = path.format("0" * len(item))
        requests = [partial(_get, client, address, 404) for address in (path.format(item), never)]
        theirs, nobodys = _alternating(requests, rounds)
        figures = {f"{name} of another's": median_p95(theirs), f"{name} that never was": median_p95(nobodys)}
        for request, (median, p95) in figures.items():
            none: dict[str, Cell] = {"request": request, "none median ms": None, "none p95 ms": None}
            report.rows.append(none | {"local median ms": median, "local p95 ms": p95})
        apart = abs(median_p95(theirs)[0] - median_p95(nobodys)[0])
        report.bars.append(
            Bar(f"{name} of another's, from one that never was", apart, MAX_DIFFERENCE_MS, "ms")
        )


def _get(client: TestClient, path: str, expected: int) -> None:
    status = client.get(path).status_code
    if status != expected:
        raise RuntimeError(f"{path} was answered by {status}")


def _alternating(acts: Sequence[Callable[[], None]], rounds: int) -> list[list[float]]:
    """Do each act in turn, another first each time; return the milliseconds of each but the first ones."""
    times: list[list[float]] = [[] for _ in acts]
    for number in range(rounds + WARM):
        order = list(range(len(acts)))
        for index in order if number % 2 else reversed(order):
            start = time.perf_counter()
            acts[index]()
            if number >= WARM:
                times[index].append((time.perf_counter() - start) * 1000)
    return times


def _compare(report: Report, name: str, without: Sequence[float], with_accounts: Sequence[float]) -> None:
    (median_without, p95_without), (median_with, p95_with) = median_p95(without), median_p95(with_accounts)
    report.rows.append(
        {
            "request": name,
            "none median ms": median_without,
            "none p95 ms": p95_without,
            "local median ms": median_with,
            "local p95 ms": p95_with,
        }
    )
    report.bars.append(Bar(f"{name}: p95 above AUTH=none", p95_with - p95_without, MAX_MS, "ms"))

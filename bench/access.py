"""What the access guard costs: the same requests in the same run with AUTH=none and with AUTH=local.

Both apps stand on copies of one database and answer in turn, in this process, without a network. With
accounts, a member of every project asks by the cookie of a session.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.testclient import TestClient

from bench.lab import MILLION, QUICK, make
from bench.report import Bar, Report, median_p95
from core import http
from core.accounts import Level, Role
from core.accounts.passwords import Passwords
from core.services import Services
from core.settings import Settings

PASSWORD = "seven quiet spheroids"
MOST_MS = 5.0
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
            _measure(report, (without, with_accounts), none, 50 if quick else 500)
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
    """The cookie of a member of every project."""
    access = services.access
    access.passwords = Passwords(PasswordHasher(1, 8, 1))
    account = access.accounts.create("ana", Role.MEMBER, access.passwords.hash(PASSWORD))
    for project in services.store.projects.list():
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
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(rounds + 5):
            for client, kept in zip(clients, times, strict=True):
                start = time.perf_counter()
                status = client.get(path).status_code
                if status != 200:
                    raise RuntimeError(f"{path} was answered by {status}")
                if number >= 5:
                    kept.append((time.perf_counter() - start) * 1000)
        (median_without, p95_without), (median_with, p95_with) = (median_p95(kept) for kept in times)
        report.rows.append(
            {
                "request": name,
                "none median ms": median_without,
                "none p95 ms": p95_without,
                "local median ms": median_with,
                "local p95 ms": p95_with,
            }
        )
        report.bars.append(Bar(f"{name}: p95 above AUTH=none", p95_with - p95_without, MOST_MS, "ms"))

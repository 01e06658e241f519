"""T16: over a whole session no secret, and no name of anybody's, gets where it does not belong.

The app runs as it does for a lab, with a Redis that does not answer. Passwords, cookies, tokens, links and
the password in an address of the settings are markers; so are the names of projects and files, which belong
into answers, and not into logs and metrics.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.accounts import Level
from core.accounts.policy import PAGES
from core.services import Services
from core.settings import ROOT, Settings
from tests import corpus
from tests.http.lab import Lab, disc
from tests.pages.conftest import open_as, opened_services, texts
from tests.security.test_absence import READING
from tests.servers import free_port

MARK = "MARKER"
PASSWORDS = {"boss": f"{MARK} seven quiet spheroids", "ana": f"{MARK} four words nobody knows"}
REDIS_PASSWORD = f"{MARK}-of-redis"
PROJECT, FILE = f"{MARK} compound", f"{MARK} well.png"
START_SECONDS = 60.0
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Session:
    """What a session has shown of the app, and the secrets that were in it."""

    address: str
    log: Path
    secrets: set[str] = field(default_factory=set)
    answers: list[httpx2.Response] = field(default_factory=list)
    clients: list[httpx2.Client] = field(default_factory=list)

    def client(self, token: str = "") -> httpx2.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        hooks = {"response": [lambda answer: (answer.read(), self.answers.append(answer))]}
        client = httpx2.Client(
            base_url=self.address, headers=headers | SAME_SITE, timeout=60, event_hooks=hooks
        )
        self.clients.append(client)
        return client

    def post(self, client: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
        answer = client.post(path, data=fields)
        self.secrets |= {cookie.value or "" for cookie in client.cookies.jar} - {""}
        return answer


@contextmanager
def running(folder: Path) -> Iterator[Session]:
    """The app in a process of its own, everything that it prints in a file."""
    port, log = free_port(), folder / "log"
    env = {"SPHEROSCOPE_DATA": str(folder / "data"), "AUTH": "local", "STREAMLIT_SERVER_HEADLESS": "true"}
    env |= {"REDIS_URL": f"redis://lab:{REDIS_PASSWORD}@127.0.0.1:{free_port()}/0"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "serve", "--port", str(port)],
            cwd=ROOT,
            env=os.environ | env,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for_link(log, process)
            yield (session := Session(f"http://127.0.0.1:{port}", log))
            for client in session.clients:
                client.close()
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)
        finally:
            process.kill()
            process.wait()


def wait_for_link(log: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while "/access/password/" not in log.read_text(errors="replace"):
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < until, "the app has not started"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """A session of a lab from the first admin to the last page, with what goes wrong in one as well."""
    folder = tmp_path_factory.mktemp("markers")
    ids = fill(folder / "data")
    with running(folder) as session:
        link = re.search(r"/access/password/(\S+)", session.log.read_text())
        assert link
        boss = session.client()
        chosen = {"password": PASSWORDS["boss"], "again": PASSWORDS["boss"]}
        assert session.post(boss, link[0], name="boss", **chosen).status_code == 303
        for password in (PASSWORDS["ana"], f"{MARK} is wrong"):
            session.post(session.client(), "/access/sign-in", name="boss", password=password)
        session.post(session.client(), link[0], name="eve", **chosen)
        work(boss, ids)
        mistakes(session, boss)
    session.secrets |= {*PASSWORDS.values(), REDIS_PASSWORD, f"{MARK} is wrong", link[1]}
    return session


def fill(data: Path) -> dict[str, str]:
    """Make a project and an image whose names are markers; return their ids by what addresses name."""
    services = Services.open(Settings(data=data, container_memory_limit_mb=16_384))
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    project = lab.project(PROJECT)
    image = lab.measured(lab.image(project, FILE), disc())
    services.close()
    return {
        "projects": project.id,
        "images": image.id,
        "thumbs": image.id,
        "views": image.id,
        "exports": "0" * 32,
    }


def work(client: httpx2.Client, ids: dict[str, str]) -> None:
    """Read every route, upload a file and a damaged one, have images segmented, look for a name."""
    for name in READING:
        path = name.split(" ")[1]
        key = next((kind for kind in ids if f"/{kind}/" in path), "")
        client.get(path.replace("{id}", ids.get(key, "")).replace("{key}", "key"))
    project = f"/api/projects/{ids['projects']}"
    assert PROJECT in client.get("/api/projects").text
    assert client.get(f"{project}/images", params={"name": MARK}).json()["total"] == 1
    client.get(f"{project}/images", params={"sort": MARK})
    for number, data in enumerate((corpus.png(corpus.noise((9, 9))), corpus.truncated_png())):
        named = {"path": f"{MARK} {number}.png"}
        client.post(
            f"{project}/images", params=named, content=data, headers={"Idempotency-Key": f"{MARK}{number}"}
        )
    client.post(f"{project}/segment", json={"again": True}, headers={"Idempotency-Key": MARK})


def mistakes(session: Session, client: httpx2.Client) -> None:
    """Put secrets where they do not belong, as people and scripts do."""
    secret = next(iter(session.secrets))
    token = f"sphero_{'0' * 16}.{MARK}token"
    session.secrets.add(token)
    for path in (f"/api/projects?token={token}", f"/api/projects?name={token}", f"/{token}", f"/api/{token}"):
        client.get(path)
        session.client(token).get(path)
    client.get("/api/projects", headers={"Cookie": f"spheroscope_session={secret}x"})
    client.get("/access/sign-in", params={"next": f"/?password={PASSWORDS['boss']}"})
    client.post("/api/projects/0/segment", content=PASSWORDS["boss"], headers={"Idempotency-Key": token})
    client.get("/access/shared/" + token)
    session.post(client, "/access/sign-out")


def test_no_secret_is_in_the_log(session: Session) -> None:
    log = session.log.read_text(errors="replace")
    once = re.search(r"/access/password/(\S+)", log)
    assert once
    log = log.replace(once[0], "", 1)  # the one place where it is meant to be read, before it is used up
    assert "event=" in log, "something has to be logged, or nothing was looked at"
    assert not [secret for secret in session.secrets if secret in log]
    assert MARK not in log


def test_no_secret_is_in_an_answer_that_did_not_bring_it(session: Session) -> None:
    assert len(session.answers) > len(READING)
    for answer in session.answers:
        request = f"{answer.request.url} {answer.request.headers}"
        leaked = [secret for secret in session.secrets if secret in answer.text and secret not in request]
        assert not leaked, (answer.request.url, leaked)
        assert REDIS_PASSWORD not in str(answer.headers)


# Pages, tables, archives and metrics, of services in this process


@pytest.fixture
def lab(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    """An app with accounts, a project whose names are markers, and a Redis that does not answer."""
    url = f"redis://lab:{REDIS_PASSWORD}@127.0.0.1:{free_port()}/0"
    with opened_services(monkeypatch, data_folder, AUTH="local", REDIS_URL=url) as opened:
        opened.queue.drain(5)
        yield opened


@pytest.fixture
def people(lab: Services) -> dict[str, str]:
    """Ids of an admin and a member, who owns the project."""
    from core.accounts import Role  # noqa: PLC0415

    access = lab.access
    hashed = {name: access.passwords.hash(password) for name, password in PASSWORDS.items()}
    roles = {"boss": Role.ADMIN, "ana": Role.MEMBER}
    ids = {name: access.accounts.create(name, role, hashed[name]).id for name, role in roles.items()}
    project = lab.store.projects.create(PROJECT, "classical", owner=ids["ana"])
    lab.ingest.add(project.id, FILE, corpus.png(corpus.noise()), None)
    access.members.set_level(project.id, ids["ana"], Level.OWN)
    return ids


def test_no_secret_is_on_any_page(
    lab: Services, people: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.accounts import Scope  # noqa: PLC0415

    access = lab.access
    cookie = access.sign_in("boss", PASSWORDS["boss"], "10.0.0.1", "Firefox").session
    token = access.sessions.add_token(people["boss"], "script", Scope.READ, 1)
    link = access.members.add_link(lab.store.projects.list()[0].id, "ana", 1).text
    secrets = {
        *PASSWORDS.values(),
        REDIS_PASSWORD,
        cookie,
        token,
        link,
        access.accounts.password_link(None).text,
    }
    image = lab.store.images.page(lab.store.projects.list()[0].id).items[0].id
    for file in PAGES:
        page = open_as(lab, monkeypatch, "boss", file, project=lab.store.projects.list()[0].id, image=image)
        assert not page.exception, file
        shown = texts(page) + "".join(str(item.value) for item in page.dataframe) + repr(page.main)
        assert not [secret for secret in secrets if secret in shown], file


def test_no_secret_is_in_the_data_folder_in_the_clear(lab: Services, people: dict[str, str]) -> None:
    from core.accounts import Scope  # noqa: PLC0415

    access = lab.access
    cookie = access.sign_in("ana", PASSWORDS["ana"], "10.0.0.1", "Firefox").session
    token = access.sessions.add_token(people["ana"], "script", Scope.WRITE, 1)
    lab.close()
    content = b"".join(path.read_bytes() for path in lab.settings.data.rglob("*") if path.is_file())
    for secret in (
        PASSWORDS["ana"],
        cookie.partition(".")[2],
        token.removeprefix("sphero_").partition(".")[2],
    ):
        assert secret
        assert secret.encode() not in content
    assert REDIS_PASSWORD.encode() not in content


def test_archives_and_metrics_tell_no_secret_and_metrics_no_name(
    lab: Services, people: dict[str, str]
) -> None:
    from core.export import ExportRequest, ExportState, Part  # noqa: PLC0415
    from tests.polling import wait_until  # noqa: PLC0415

    project = lab.store.projects.list()[0]
    export = lab.exports.start(ExportRequest(project.id, frozenset(Part)))
    wait_until(lambda: lab.exports.get(export).state is ExportState.READY, 60)
    with zipfile.ZipFile(lab.exports.take(export)[1]) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    assert any(PROJECT.encode() in data or FILE.encode() in data for data in members.values())
    for name, data in members.items():
        assert REDIS_PASSWORD.encode() not in data, name
        assert not [secret for secret in PASSWORDS.values() if secret.encode() in data], name
        if name.endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                assert not [item for item in book.namelist() if REDIS_PASSWORD.encode() in book.read(item)]
    recorded = [series.name for series in lab.recorder.totals()]
    assert recorded
    assert not [name for name in recorded if MARK in name or "boss" in name]


def test_settings_that_are_shown_have_no_password() -> None:
    from core.ui.operations.health import settings_rows  # noqa: PLC0415

    addresses: dict[str, Any] = {
        "redis_url": f"redis://lab:{REDIS_PASSWORD}@h:1/0",
        "dask_scheduler": f"tls://{REDIS_PASSWORD}@h:2",
        "public_url": f"https://a:{REDIS_PASSWORD}@h",
    }
    rows = settings_rows(Settings(**addresses))
    assert REDIS_PASSWORD not in str(rows)
    assert "h:1/0" in str(rows)

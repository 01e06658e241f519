"""The app with accounts, as a lab on a network has it: a door, some people, two projects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from core import http
from core.accounts import Access, Level, Role, Scope
from core.accounts.passwords import Passwords
from core.export import ExportRequest, ExportState, Part
from core.models import Image, Project
from core.services import CALLER_HEADER, Services
from core.settings import Settings
from core.store import NewUpload, UploadBatch
from tests import corpus
from tests.http.lab import RECIPE, Lab, disc
from tests.polling import wait_until

PASSWORD = "seven quiet spheroids"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SESSION = "spheroscope_session"
UPLOAD = "an-upload"


@dataclass
class Door:
    """The app, and ways to come in."""

    services: Services
    app: Starlette

    @property
    def access(self) -> Access:
        return self.services.access

    def client(self, cookie: str = "", token: str = "") -> TestClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = TestClient(self.app, "http://localhost", headers=headers, follow_redirects=False)
        if cookie:
            client.cookies.set(SESSION, cookie)
        return client

    def account(self, name: str, role: Role = Role.MEMBER) -> str:
        return self.access.accounts.create(name, role, self.access.passwords.hash(PASSWORD)).id

    def signed_in(self, name: str) -> TestClient:
        return self.client(self.access.sign_in(name, PASSWORD, "10.0.0.1", "Firefox").session)


@pytest.fixture
def door(data_folder: Path) -> Iterator[Door]:
    opened = open_door(Settings(data=data_folder, auth="local", container_memory_limit_mb=16_384))
    yield opened
    opened.services.close()


def open_door(settings: Settings) -> Door:
    """Open the app in front of pages that answer every address, and a WebSocket that says who is there."""
    services = Services.open(settings)
    services.queue.drain(5)
    services.access.passwords = Passwords(CHEAP)

    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        async for _ in socket.iter_text():
            await socket.send_text(socket.headers.get(CALLER_HEADER, ""))

    app = Starlette(
        routes=[
            *http.routes(lambda: services),
            WebSocketRoute("/_stcore/stream", stream),
            Mount("/", app=PlainTextResponse("a page")),
        ],
        middleware=http.middleware(settings, lambda: services),
    )
    return Door(services, app)


@dataclass
class Walk:
    """A project with an image and an export, another one, and everybody who may come to them."""

    door: Door
    project: Project
    other: Project
    image: Image
    export_id: str
    callers: dict[str, TestClient]


@pytest.fixture
def walk(door: Door) -> Walk:
    services, access = door.services, door.access
    lab = Lab(services.store, services.blobs)
    project, other = lab.project("This"), lab.project("Another")
    labels = np.zeros(corpus.noise().shape, np.uint16)
    labels[5:15, 5:15] = 1
    recipe = replace(RECIPE, params={})
    image = lab.measured(lab.image(project, "a.png"), disc(), recipe=recipe, mask=corpus.png(labels))
    export_id = services.exports.start(ExportRequest(project.id, frozenset({Part.CSV})))
    wait_until(lambda: services.exports.get(export_id).state is ExportState.READY, 60)
    services.uploads.declare(project.id, UploadBatch("b", False, "x"), [NewUpload(UPLOAD, "b.png", 9)])
    people = {
        "viewer elsewhere": (Role.VIEWER, other, Level.VIEW),
        "viewer": (Role.VIEWER, project, Level.VIEW),
        "member": (Role.MEMBER, project, Level.EDIT),
        "owner": (Role.MEMBER, project, Level.OWN),
        "member elsewhere": (Role.MEMBER, other, Level.OWN),
        "admin": (Role.ADMIN, None, None),
    }
    ids = {}
    for name, (role, theirs, level) in people.items():
        ids[name] = door.account(name, role)
        if theirs is not None and level is not None:
            access.members.set_level(theirs.id, ids[name], level)
    access.members.set_level(other.id, ids["owner"], Level.OWN)
    link = access.members.add_link(project.id, ids["owner"], 1)
    expired = access.sign_in("owner", PASSWORD, "10.0.0.1", "Firefox")
    access.sign_out(expired.principal)
    callers = {name: door.signed_in(name) for name in people} | {
        "nobody": door.client(),
        "expired": door.client(expired.session),
        "link": door.client(access.open_link(link.text, "10.0.0.2", "Firefox")[0]),
        "read token": door.client(token=access.sessions.add_token(ids["member"], "t", Scope.READ, 1)),
        "token elsewhere": door.client(
            token=access.sessions.add_token(ids["owner"], "t", Scope.WRITE, 1, other.id)
        ),
    }
    return Walk(door, project, other, image, export_id, callers)

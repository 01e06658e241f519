"""No address asks the database more often where there is more to tell."""

from __future__ import annotations

from dataclasses import replace

from starlette.testclient import TestClient

from core.monitoring import Kind
from core.services import Services
from core.store import Store
from tests.factories import spheroid
from tests.http.conftest import PATHS, application
from tests.http.lab import Lab

MAX_STATEMENTS = 3


def test_a_walk_takes_three_statements_a_part_however_it_is_narrowed(lab: Lab, services: Services) -> None:
    project = lab.project()
    for number in range(3):
        lab.measured(lab.image(project, f"é{number}.png"), spheroid(1), spheroid(2))
    by_sql = replace(services, store=Store(services.db, page_index_bytes=0))
    for opened in (services, by_sql):
        with TestClient(application(opened), base_url="http://localhost") as client:
            for address in (
                f"/api/projects/{project.id}/images?sort=-diameter&name=É&limit=1",
                f"/api/projects/{project.id}/objects?sort=-area&name=É&limit=1",
                f"/api/jobs?state=done&project={project.id}&sort=worker&limit=1",
                "/api/projects?limit=1",
            ):
                cursor: str | None = ""
                while cursor is not None:
                    seen = len(services.recorder.latest(Kind.QUERY))
                    answer = client.get(address + (f"&cursor={cursor}" if cursor else ""))
                    names = [item.name for item in services.recorder.latest(Kind.QUERY)[seen:]]
                    assert answer.status_code == 200
                    assert len(names) <= MAX_STATEMENTS, (address, names)
                    cursor = answer.json()["next"]


def test_every_address_takes_three_statements_at_most(
    lab: Lab, client: TestClient, services: Services
) -> None:
    projects = [lab.project(f"Plate {number}") for number in range(4)]
    for project in projects:
        for number in range(3):
            image = lab.measured(lab.image(project, f"{project.name} {number}.png"), spheroid(1), spheroid(2))
    statements: dict[str, list[str]] = {}
    for path in PATHS:
        address = path.replace("{id}", projects[-1].id if "projects" in path else image.id)
        seen = len(services.recorder.latest(Kind.QUERY))
        client.get(address)
        statements[path] = [record.name for record in services.recorder.latest(Kind.QUERY)[seen:]]
    assert len(statements) > 20
    assert sum(len(names) > 0 for names in statements.values()) > 15
    assert {path: names for path, names in statements.items() if len(names) > MAX_STATEMENTS} == {}

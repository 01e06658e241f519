"""No address asks the database more often where there is more to tell."""

from __future__ import annotations

from starlette.routing import Route
from starlette.testclient import TestClient

from core.monitoring import Kind
from core.services import Services
from tests.http.lab import Lab
from tests.making import spheroid

MOST = 3


def test_every_address_takes_three_statements_at_most(
    lab: Lab, client: TestClient, services: Services
) -> None:
    projects = [lab.project(f"Plate {number}") for number in range(4)]
    for project in projects:
        for number in range(3):
            image = lab.measured(lab.image(project, f"{project.name} {number}.png"), spheroid(1), spheroid(2))
    asked: dict[str, list[str]] = {}
    for route in client.app.routes:  # type: ignore[attr-defined]
        assert isinstance(route, Route)
        address = route.path.replace("{id}", projects[-1].id if "projects" in route.path else image.id)
        seen = len(services.recorder.latest(Kind.QUERY))
        client.get(address)
        asked[route.path] = [record.name for record in services.recorder.latest(Kind.QUERY)[seen:]]
    assert len(asked) > 20
    assert sum(len(names) > 0 for names in asked.values()) > 15
    assert {path: names for path, names in asked.items() if len(names) > MOST} == {}

"""Who asks for jobs: by login, by a proxy's header, else the page; and that it stays with the jobs."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from core.models import Project
from core.monitoring import Kind
from core.services import Services
from core.store.recipe import LONGEST_NAME
from core.ui import visitor
from tests import corpus
from tests.pages.conftest import Open

ADA = "ada@example.org"


@pytest.fixture
def seen(services: Services, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask with a login and headers as given: who it is then."""

    def asks(user: dict[str, str], headers: dict[str, str], header: str = "") -> str | None:
        monkeypatch.setattr(st, "user", SimpleNamespace(to_dict=lambda: user))
        monkeypatch.setattr(st, "context", SimpleNamespace(headers=headers))
        stub = SimpleNamespace(settings=replace(services.settings, user_header=header))
        return visitor.job_request(stub).requested_by  # type: ignore[arg-type]

    return asks


def test_a_login_is_known_before_a_header(seen: Any) -> None:
    header = {"X-Forwarded-User": "bob"}
    assert seen({"email": ADA, "name": "Ada"}, header, "X-Forwarded-User") == ADA
    assert seen({"name": "Ada"}, header, "X-Forwarded-User") == "Ada"
    assert seen({}, header, "X-Forwarded-User") == "bob"


def test_a_header_is_not_believed_unless_it_is_set_up(seen: Any) -> None:
    assert seen({}, {"X-Forwarded-User": "bob"}) == "page"
    assert seen({}, {}, "X-Forwarded-User") == "page"


def test_a_name_is_one_short_line(seen: Any) -> None:
    assert seen({"name": "A\u202e\n da"}, {}) == "A da"
    assert seen({"name": "a" * 1000}, {}) == "a" * LONGEST_NAME
    assert seen({"name": " \n"}, {}) == "page"


def test_what_a_page_queues_says_who_asked(open_page: Open, services: Services) -> None:
    services.queue.drain(5)
    project = services.create_project("Plate")
    page = open_page("images.py", project=project.id)
    page.file_uploader[0].upload("a.png", corpus.png(corpus.noise()))
    page.run()
    (job,) = services.store.jobs.page(None).items
    assert job.requested_by == "test@example.com"


def test_metrics_know_nobody(open_page: Open, plate: Project, services: Services) -> None:
    page = open_page("images.py", project=plate.id)
    next(button for button in page.button if button.label == "Segment").click().run()
    names = [record.name for kind in Kind for record in services.recorder.latest(kind)]
    assert names
    assert not [name for name in names if "example.com" in name]

"""Second opinions on the Review page as Streamlit runs it; drawing is tried in Chromium."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from core.corrections import regions_of
from core.corrections.holds import Reviewer
from core.corrections.second_opinions import Drawing
from core.models import Project, ReviewSettings, ReviewState, Verdict
from core.services import Services
from core.ui import visitor
from tests import corpus
from tests.corrections.conftest import automatic, labels, pixels
from tests.factories import claim
from tests.http.lab import RECIPE, Lab
from tests.pages.conftest import Open, texts
from tests.pages.test_review import one


@pytest.fixture
def judged(services: Services) -> Project:
    """A project all of whose images ada has called right, and of which two are to be drawn again."""
    services.queue.drain(5)
    lab = Lab(services.store, services.blobs)
    project = lab.project()
    for n in range(3):
        image = lab.image(project, f"{n}.png", corpus.png(pixels()) + str(n).encode())
        services.store.jobs.enqueue(project.id, [image.id], RECIPE)
        assert services.store.results.finish(claim(services.store), automatic(services.blobs, labels()))
        version_id = services.store.images.get(image.id).version_id
        services.reviews.judge(image.id, version_id, Verdict(ReviewState.RIGHT), "ada")
    services.store.projects.set_review(project.id, ReviewSettings(second_opinions=2))
    return services.store.projects.get(project.id)


@pytest.fixture
def bo(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "bo")


def named(monkeypatch: pytest.MonkeyPatch, name: str | None) -> None:
    monkeypatch.setattr(visitor, "known_name", lambda services: name)


def labels_of(page: Any) -> list[str]:
    return [button.label for button in page.button]


def test_another_person_is_led_to_a_picture_of_which_nothing_is_told(
    open_page: Open, judged: Project, bo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page("review.py")
    assert "All 3 images are reviewed" in texts(page)
    viewer = Mock(return_value={})
    monkeypatch.setattr("core.ui.components.viewer._PICTURE", viewer)
    next(item for item in page.button if item.label == "Draw 2 images a second time").click().run()
    assert not page.exception
    assert "Draw every spheroid; the outlines are hidden." in texts(page)
    viewer.assert_called_once()
    sent = viewer.call_args.kwargs["data"]
    assert sent["objects"] == [], "no outline"
    assert sent["editor"]["inForce"] is None
    assert sent["editor"]["blind"]["person"] == "bo"
    image_id = one(page, "image")
    assert sent["urls"]["raw"] == f"/views/{image_id}.png?contrast=raw"


def test_another_image_is_shown_on_request(open_page: Open, judged: Project, bo: None) -> None:
    page = open_page("review.py", draw="1")
    first = page.query_params["image"]
    next(item for item in page.button if item.label == "Another image").click().run()
    assert not page.exception
    assert page.query_params["image"] != first


def test_who_has_judged_is_told_that_somebody_else_has_to_draw(
    open_page: Open, judged: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, "ada")
    page = open_page("review.py")
    assert "2 images wait to be drawn by somebody else, as you have seen the outlines." in texts(page)
    assert not any(label.startswith("Draw") for label in labels_of(page))
    assert "None is left for you to draw" in texts(open_page("review.py", draw="1"))


def test_where_nobody_is_known_by_name_the_page_says_what_that_means(
    open_page: Open, judged: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, None)
    page = open_page("review.py", draw="1")
    assert "it cannot be told whether the same person draws" in texts(page)


def test_the_end_and_the_beginning_say_so(
    open_page: Open, judged: Project, services: Services, bo: None
) -> None:
    services.store.projects.set_review(judged.id, ReviewSettings())
    assert "No image is to be drawn a second time" in texts(open_page("review.py", draw="1"))
    services.store.projects.set_review(judged.id, ReviewSettings(second_opinions=1))
    project = services.store.projects.get(judged.id)
    image = services.second_opinions.turn(project, Reviewer("cy")).image
    assert image is not None
    assert "is being drawn by somebody else" in texts(open_page("review.py", draw="1"))
    drawing = Drawing("a", image.version_id, tuple(regions_of(labels()).values()))
    services.second_opinions.add(image.image_id, drawing, "cy")
    page = open_page("review.py", draw="1")
    assert "All are drawn" in texts(page)
    next(item for item in page.button if item.label == "Back to the review").click().run()
    assert "All 3 images are reviewed" in texts(page)


def test_how_many_are_drawn_a_second_time_is_set_on_the_page(
    open_page: Open, judged: Project, services: Services
) -> None:
    page = open_page("review.py")
    (field,) = [item for item in page.number_input if item.label == "Images drawn a second time"]
    field.set_value(12).run()
    assert not page.exception
    assert services.store.projects.get(judged.id).review.second_opinions == 12
    assert "It takes a second person who may change the project" in texts(page)


def test_whoever_may_only_look_is_offered_none(
    open_page: Open, judged: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "may_edit", lambda services, project: False)
    page = open_page("review.py", draw="1")
    assert "You can look at this project, but not review it" in texts(page)
    assert "Draw every spheroid" not in texts(page)


def test_the_list_of_keys_is_that_of_drawing(
    open_page: Open, judged: Project, bo: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    component = Mock()
    monkeypatch.setattr("core.ui.components.page_keys._COMPONENT", component)
    listed = []
    for address in ({}, {"draw": "1"}):
        open_page("review.py", **address)
        listed.append({keys for keys, _ in component.call_args.kwargs["data"]["keys"]})
    reviewing, drawing = listed
    assert {"U", "E"} <= reviewing
    assert {"D", "Enter"} <= drawing
    assert not {"A", "E", "U"} & drawing

"""What stands in the status line of an image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.models import Image, Project, ReviewState
from core.store import Store
from core.ui import image_panel, project_cards
from tests.factories import add


@pytest.fixture
def image(store: Store, project: Project) -> Image:
    add(store, project.id, "a")
    return store.images.get("a")


@pytest.mark.parametrize(
    ("state", "who", "reason", "words"),
    [
        (ReviewState.UNSEEN, None, None, ""),
        (ReviewState.RIGHT, "Ana", None, " · right by Ana"),
        (ReviewState.RIGHT, "not signed in", None, " · right"),
        (ReviewState.EXCLUDED, "not signed in", "debris", " · excluded: debris"),
    ],
)
def test_who_reviewed_is_named_where_somebody_is_known(
    image: Image, state: ReviewState, who: str | None, reason: str | None, words: str
) -> None:
    reviewed = replace(image, review=state, reviewed_by=who, review_reason=reason)
    assert image_panel.reviewed_words(reviewed) == words


def test_the_card_of_an_empty_project_has_two_lines_as_others_have(project: Project) -> None:
    first, second = project_cards._sentence(project).split("  \n")
    assert first == "No images yet"
    assert second.startswith("Made ")

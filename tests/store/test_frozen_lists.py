"""A list of images stays as it was entered, however its images are mended or deleted meanwhile."""

from __future__ import annotations

import pytest

from core.db import Database
from core.errors import NotFound
from core.models import Image, ImageFilter, Project, Range
from core.store import PAGE_INDEX_BYTES, Store, frozen_lists
from core.store.images import Neighbours
from tests.factories import ENGINE, add, finish, spheroid

pytestmark = pytest.mark.slow

NAMES = ("a", "b", "c", "d", "e")
NOTHING_FOUND = ImageFilter(ranges=(Range("objects", 0, 0),))


@pytest.fixture(params=["page index", "SQL"])
def store(request: pytest.FixtureRequest, db: Database) -> Store:
    """A list is the same from memory and by SQL."""
    return Store(db, page_index_bytes=PAGE_INDEX_BYTES if request.param == "page index" else 0)


@pytest.fixture
def project(store: Store) -> Project:
    """Five images in which nothing was found."""
    made = store.projects.create("Plate", ENGINE)
    add(store, made.id, *NAMES)
    for name in NAMES:
        finish(store, name)
    return made


def place(store: Store, name: str, entry: str = "visit") -> Neighbours:
    image: Image = store.images.get(name)
    return store.frozen_lists.neighbours(entry, image, "name", NOTHING_FOUND)


def test_an_image_that_no_longer_passes_the_filter_keeps_its_place(store: Store, project: Project) -> None:
    assert place(store, "b") == Neighbours("a", "c", 2, 5)
    finish(store, "b", spheroid())
    assert place(store, "b") == Neighbours("a", "c", 2, 5)
    assert place(store, "c") == Neighbours("b", "d", 3, 5)
    assert place(store, "c", "another visit") == Neighbours("a", "d", 2, 4)


def test_the_order_is_that_of_the_list_in_both_directions(store: Store, project: Project) -> None:
    image = store.images.get("b")
    assert store.frozen_lists.neighbours("visit", image, "-name") == Neighbours("c", "a", 4, 5)


def test_deleted_images_are_stepped_over(store: Store, project: Project) -> None:
    place(store, "a")
    store.images.delete(project.id, ["b", "c", "e"])
    assert place(store, "a") == Neighbours(None, "d", 1, 5)
    assert place(store, "d") == Neighbours("a", None, 4, 5)


def test_an_image_that_was_not_in_the_list_is_not_placed_in_it(store: Store, project: Project) -> None:
    place(store, "a")
    add(store, project.id, "f")
    with pytest.raises(NotFound, match="not in the list"):
        place(store, "f")


def test_the_list_used_last_outlives_others(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_lists, "MAX_BYTES", 2 * len(NAMES))  # of names with one letter: two lists
    for entry in ("first", "second"):
        place(store, "a", entry)
    place(store, "a", "first")
    place(store, "a", "third")
    finish(store, "b", spheroid())
    assert place(store, "a", "first").total == 5
    assert place(store, "a", "second").total == 4, "it was forgotten, and is entered anew"


def test_a_list_that_is_too_long_is_read_as_it_is_now(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_lists, "MAX_ROWS", 4)
    assert place(store, "a").total == 5
    finish(store, "b", spheroid())
    assert place(store, "a") == Neighbours(None, "c", 1, 4)

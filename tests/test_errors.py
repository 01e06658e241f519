"""The error tree is the one that is drawn, and every class is fit for a person and a table."""

from __future__ import annotations

import inspect
import re

import pytest

from core import errors
from core.errors import SpheroscopeError

CLASSES = [
    item
    for _, item in inspect.getmembers(errors, inspect.isclass)
    if issubclass(item, SpheroscopeError) and item.__module__ == errors.__name__
]


def drawn() -> dict[str, str | None]:
    """Name of every class in the drawing, with the name of its parent."""
    path: list[str] = []
    parents: dict[str, str | None] = {}
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        branch = re.match(r"^([│├└─ ]*)([A-Z]\w+)(?:\s{2,}\S.*)?$", line)
        if branch is None:
            continue
        depth = len(branch[1]) // 4
        path = [*path[:depth], branch[2]]
        assert branch[2] not in parents, f"{branch[2]} is drawn twice"
        parents[branch[2]] = path[depth - 1] if depth else None
    return parents


def test_the_tree_is_the_one_that_is_drawn() -> None:
    real = {item.__name__: item.__base__.__name__ for item in CLASSES if item is not SpheroscopeError}
    assert drawn() == {"SpheroscopeError": None} | real


@pytest.mark.parametrize("kind", CLASSES, ids=lambda item: item.__name__)
def test_every_class_has_words_of_its_own(kind: type[SpheroscopeError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert "code" in vars(kind), "a code that is inherited cannot be told from its parent's"
    assert kind.__doc__
    error = kind("Said.")
    assert (error.message, str(error)) == ("Said.", "Said.")


def test_codes_are_unique() -> None:
    codes = [item.code for item in CLASSES]
    assert sorted(codes) == sorted(set(codes))


def test_only_a_lack_of_disk_memory_room_in_the_queue_or_other_computers_may_pass() -> None:
    passing = {"AppBusy", "QueueFull", "StorageError", "DatabaseLocked", "DatabaseOutOfMemory"}
    passing |= {"WorkersUnavailable", "TooManyAttempts"}
    assert {item.__name__ for item in CLASSES if item.may_pass} == passing

"""Processes that are killed begin as bare as the app does."""

import sys
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def _bare_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child runs its parent's main module first, and tests of pages leave a page there."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))

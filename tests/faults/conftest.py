"""Processes that are killed begin as bare as the app does."""

import os
import random
import sys
from types import ModuleType

import pytest


@pytest.fixture(autouse=True)
def _bare_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child runs its parent's main module first, and tests of pages leave a page there."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.fixture
def rng() -> random.Random:
    """Seeded by FAULT_SEED, so that a failure can be played again."""
    seed = int(os.environ.get("FAULT_SEED", random.randrange(10**6)))
    print(f"FAULT_SEED={seed}")
    return random.Random(seed)

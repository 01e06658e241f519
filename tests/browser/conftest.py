"""One Chromium for the tests of a file: each opens pages in a profile of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import browser


@pytest.fixture(scope="module", autouse=True)
def _one_browser() -> Iterator[None]:
    with browser():
        yield

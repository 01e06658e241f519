"""T21: packages with known weaknesses below a version; and every threat of the model names a test."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest
from packaging.version import Version

from core.settings import ROOT

FLOORS = {
    "pillow": "13.0.0",  # CVE-2026-96639, GHSA-5x8w-8jj5-q52h
    "streamlit": "1.54",  # CVE-2026-33682
    "starlette": "1.3.1",  # CVE-2025-62727
    "torch": "2.6",  # CVE-2025-32434
    "duckdb": "2.0",
    "jinja2": "3.1.6",  # CVE-2025-27516
    "python-multipart": "0.0.18",  # CVE-2024-53981
    "argon2-cffi": "23.1",
}


@pytest.mark.parametrize("name", FLOORS)
def test_nothing_is_older_than_its_floor(name: str) -> None:
    assert Version(version(name)) >= Version(FLOORS[name])


def test_every_threat_has_a_test_that_is_there() -> None:
    rows = re.findall(
        r"^\| ([TA]\d+) \|.*\| `([^`]+)` \|$", (ROOT / "docs" / "threats.md").read_text(), re.MULTILINE
    )
    assert {name for name, _ in rows} >= {f"T{number}" for number in range(1, 22)}
    for name, place in rows:
        path, _, test = place.partition("::")
        assert (ROOT / path).exists(), name
        assert not test or f"def {test}" in (ROOT / path).read_text(), (name, place)

"""T21: packages with known weaknesses below a version; and every threat of the model names a test."""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, requires, version

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from core.settings import ROOT
from tests.security.audit_packages import outcome

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
PINS = {
    Requirement(line).name.lower(): Requirement(line)
    for path in ROOT.glob("requirements*.txt")
    for line in path.read_text(encoding="utf-8").splitlines()
    if line and not line.startswith(("#", "-r"))
}


@pytest.mark.parametrize("name", FLOORS)
def test_no_package_is_older_than_its_least_safe_version(name: str) -> None:
    assert Version(version(name)) >= Version(FLOORS[name])


@pytest.mark.parametrize("name", FLOORS)
def test_nothing_older_than_its_floor_can_be_installed(name: str) -> None:
    """What the files pin, or leave to others that are pinned, in any environment."""
    below = [f"{Version(FLOORS[name]).major - 1}.99", "0.0.1"]
    if name in PINS:
        assert not [item for item in below if PINS[name].specifier.contains(item)]
        lowest = [item.version for item in PINS[name].specifier if item.operator in ("==", ">=")]
        assert Version(lowest[0]) >= Version(FLOORS[name])
        return
    assert any(needs(pin, name) for pin in PINS), f"{name} comes with nothing that is pinned: pin it"


def needs(package: str, name: str) -> bool:
    try:
        return any(Requirement(item).name.lower() == name for item in requires(package) or ())
    except PackageNotFoundError:  # one that only some comparisons need
        return False


def test_every_package_is_pinned() -> None:
    bounds = {name: {item.operator for item in pin.specifier} for name, pin in PINS.items()}
    assert not [name for name, operators in bounds.items() if operators not in ({"=="}, {">=", "<"})]


@pytest.mark.parametrize(
    ("printed", "errors", "status", "words"),
    [
        ("", "No module named pip_audit", 0, "pip-audit is not installed"),
        ("", "ERROR: the service timed out", 0, "could not ask (ERROR: the service timed out)"),
        ('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', "", 0, "no package was found"),
        ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "", 0, "1 packages audited"),
        (
            json.dumps(
                {
                    "dependencies": [
                        {"name": "a", "version": "1", "vulns": [{"id": "X", "fix_versions": ["2"]}]}
                    ]
                }
            ),
            "",
            1,
            "a 1: X, mended in 2",
        ),
    ],
)
def test_an_audit_says_what_it_found_or_that_it_could_not(
    printed: str, errors: str, status: int, words: str
) -> None:
    code, message = outcome(printed, errors)
    assert code == status
    assert words in message


def test_every_threat_has_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([TA]\d+) \|.*\| (`[^|]+`) \|$", text, re.MULTILINE)
    assert {name for name, _ in rows} >= {f"T{number}" for number in range(1, 22)}
    for name, places in rows:
        for place in re.findall(r"`([^`]+)`", places):
            path, _, test = place.partition("::")
            assert (ROOT / path).exists(), (name, place)
            assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), (name, place)

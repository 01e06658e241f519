"""Names of saved files: safe whatever a user called things, and no two alike."""

from __future__ import annotations

from pathlib import PurePath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.files.file_names import MAX_NAME, UniqueNames, file_name

HOSTILE = [
    "../../etc/passwd",
    "C:\\boot.ini",
    "a\0b",
    "\u202egpj.exe",
    "CON",
    "aux.tif",
    "com1.",
    ".",
    "",
    " ",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_plain_one(name: str) -> None:
    check(file_name(name))


@given(st.text(max_size=300))
def test_any_name_can_be_saved(name: str) -> None:
    check(file_name(name))


def check(saved: str) -> None:
    assert saved
    assert len(saved) <= MAX_NAME + 1
    assert PurePath(saved).name == PureWindowsPath(saved).name == saved
    assert not PureWindowsPath(saved).is_reserved()
    assert saved == saved.strip(" .")
    assert saved.isprintable()


def test_names_of_devices_are_told_from_names_that_only_begin_so() -> None:
    assert [file_name(name) for name in ("con", "NUL.txt", "contrast.png", "com10.png")] == [
        "_con",
        "_NUL.txt",
        "contrast.png",
        "com10.png",
    ]


def test_no_two_names_are_alike_whatever_becomes_of_capitals() -> None:
    names = UniqueNames()
    given_out = [names.name(name, ".png") for name in ("a", "A", "a", "a_2", "b/c", "b_c")]
    assert given_out == ["a.png", "A_2.png", "a_3.png", "a_2_2.png", "b_c.png", "b_c_2.png"]

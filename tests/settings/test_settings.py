"""Settings: read from the environment, refused with a sentence, and every one of them documented."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from core.errors import InvalidRequest
from core.models import Limits
from core.settings import ROOT, Settings

DOCUMENT = ROOT / "docs" / "settings.md"
NUMBERS = [item for item in fields(Settings) if type(item.default) in (int, float)]


def documented() -> dict[str, tuple[str, str]]:
    """Default and help of every row of the table, by the setting's name."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Switches")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    return {name: (default.strip("`"), text) for name, default, text in rows}


def shown(default: object) -> str:
    if isinstance(default, Path):
        return default.relative_to(ROOT).as_posix()
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default)


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()
    assert Settings.from_env({item.metadata["env"]: "" for item in fields(Settings)}) == Settings()


def test_every_setting_has_a_name_a_default_and_a_line_of_help() -> None:
    names = [item.metadata["env"] for item in fields(Settings)]
    assert len(names) == len(set(names))
    for item in fields(Settings):
        assert item.metadata["env"] in {item.name.upper(), "SPHEROSCOPE_DATA"}
        assert re.fullmatch(r"[^|\n]+\.", item.metadata["help"]), item.name
        assert item.metadata["env"] == "SPHEROSCOPE_DATA" or item.default is not None


def test_every_setting_is_in_the_document_as_it_is() -> None:
    expected = {
        item.metadata["env"]: (shown(item.default), item.metadata["help"]) for item in fields(Settings)
    }
    there = documented()
    missing = [
        f"| `{name}` | `{default}` | {text} |"
        for name, (default, text) in expected.items()
        if there.get(name) != (default, text)
    ]
    assert not missing, "docs/settings.md needs these lines:\n" + "\n".join(missing)
    assert list(there) == list(expected), "docs/settings.md: other names, or another order"


@pytest.mark.parametrize(
    ("scheduler", "setting", "used"),
    [
        ("", "auto", "auto"),
        ("tcp://host:8786", "auto", "float32"),
        ("tcp://host:8786", "bfloat16", "bfloat16"),
    ],
)
def test_workers_elsewhere_are_not_left_to_try_what_is_faster(
    scheduler: str, setting: str, used: str
) -> None:
    assert Settings(dask_scheduler=scheduler, segmentation_precision=setting).precision == used


@pytest.mark.parametrize("item", NUMBERS, ids=lambda item: item.name)
def test_a_number_is_taken(item: object) -> None:
    name = item.metadata["env"]  # type: ignore[attr-defined]
    given = Settings.from_env({name: " 7 "})
    value = getattr(given, item.name)  # type: ignore[attr-defined]
    assert value == 7
    assert type(value) is type(item.default)  # type: ignore[attr-defined]


@pytest.mark.parametrize("item", NUMBERS, ids=lambda item: item.name)
@pytest.mark.parametrize("text", ["many", "0", "-1", "1e", "nan", "inf", "-inf", "1,5", "0x10", "½"])
def test_a_wrong_value_is_refused_by_the_settings_name(item: object, text: str) -> None:
    name = item.metadata["env"]  # type: ignore[attr-defined]
    with pytest.raises(InvalidRequest) as caught:
        Settings.from_env({name: text})
    assert name in caught.value.message
    assert repr(text) in caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [("on", True), ("1", True), ("TRUE", True), ("off", False), ("0", False), (" no ", False)],
)
def test_a_switch_is_on_or_off(text: str, value: bool) -> None:
    given = Settings.from_env({"ENABLE_PERFORMANCE_MONITORING": text})
    assert given.enable_performance_monitoring is value


@pytest.mark.parametrize("text", ["maybe", "2", "-"])
def test_a_switch_that_is_neither_on_nor_off_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Settings.from_env({"ENABLE_PERFORMANCE_MONITORING": text})
    assert caught.value.message == f"ENABLE_PERFORMANCE_MONITORING must be on or off, not {text!r}."


def test_every_switch_is_told_with_how_to_turn_it_off() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Switches")[2]
    switches = dict(re.findall(r"^\| `(\w+)` \|.*?\| `(\w+)` \|", text, re.MULTILINE))
    switch_names = {item.metadata["env"] for item in fields(Settings) if isinstance(item.default, bool)}
    assert switch_names <= set(switches), "docs/settings.md, Switches"
    for name, off in switches.items():
        assert Settings.from_env({name: off}) != Settings(), name


def test_a_fraction_is_for_floats_only() -> None:
    assert Settings.from_env({"DRAIN_SECONDS": "2.5"}).drain_seconds == 2.5
    with pytest.raises(InvalidRequest, match="MAX_ATTEMPTS"):
        Settings.from_env({"MAX_ATTEMPTS": "2.5"})


def test_the_data_folder_is_absolute_wherever_the_program_is_started(tmp_path: Path) -> None:
    assert Settings().data.is_absolute()
    assert Settings.from_env({"SPHEROSCOPE_DATA": str(tmp_path / "a" / ".." / "b")}).data == tmp_path / "b"
    assert Settings.from_env({"SPHEROSCOPE_DATA": "~/lab"}).data == Path.home().resolve() / "lab"


def test_other_variables_are_not_looked_at() -> None:
    assert Settings.from_env({"PATH": "/bin", "data": "/x", "MAX": "1"}) == Settings()


def test_limits_come_from_the_settings() -> None:
    assert Settings().limits == Limits()
    assert Settings.from_env({"MAX_UPLOAD_MB": "3"}).limits.max_bytes == 3 * 2**20


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().max_pages = 3  # type: ignore[misc]

"""The container's files, checked without a container engine: by a linter, a specification, and the code."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path

import pytest

from core.settings import Settings
from tests.deploy import compose
from tests.deploy.compose import FOLDER, ROOT
from tests.deploy.serving import served

DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    command = [hadolint, "--failure-threshold", "info", FOLDER / "Dockerfile"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_torch_comes_first_and_alone_and_is_the_pinned_one() -> None:
    installs = re.findall(r"pip install (.+?)(?: \\|$)", DOCKERFILE, re.MULTILINE)
    pinned = re.search(r"^torch==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    assert installs == [pinned[0], "-r requirements-cluster.txt"]


def test_the_app_runs_as_nobody_in_particular_and_cannot_change_itself() -> None:
    assert re.search(r"^USER 10001$", FINAL, re.MULTILINE)
    before = FINAL.partition("\nUSER ")[0]
    assert "--chown" not in before
    assert re.findall(r"^COPY (?!--from)(\S+)", before, re.MULTILINE) == [
        ".streamlit",
        "data/weights",
        "app.py",
        "pages",
        "core",
        "docs",
    ]


def test_everything_that_is_copied_is_there_and_let_through() -> None:
    let_through = [
        line[1:]
        for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for name in line.split()
    ]
    for name in copied:
        assert (ROOT / name).exists(), name
        assert any(fnmatch(pattern, f"{name}*") for pattern in let_through), name


def test_the_limits_are_those_that_are_promised() -> None:
    limits = {name: service["mem_limit"] for name, service in compose.services().items()}
    assert limits == {"app": "1g", "redis": "256m", "scheduler": "512m", "worker": "2g"}
    for service in compose.services().values():
        assert service["memswap_limit"] == service["mem_limit"], "no swapping in place of a limit"


def test_the_app_is_told_its_limit_and_every_variable_is_a_setting() -> None:
    app = compose.services()["app"]
    environment = app["environment"]
    assert int(environment["CONTAINER_MEMORY_LIMIT_MB"]) * 2**20 == compose.n_bytes(app["mem_limit"])
    known = {item.metadata["env"] for item in fields(Settings)}
    assert set(environment) <= known
    assert "SPHEROSCOPE_DATA=/data" in DOCKERFILE
    assert app["volumes"] == ["data:/data"]


def test_only_the_app_is_reached_from_outside_and_only_by_this_computer() -> None:
    ports = {name: service.get("ports") for name, service in compose.services().items()}
    assert ports == {"app": ["127.0.0.1:8501:8501"], "redis": None, "scheduler": None, "worker": None}


@pytest.mark.parametrize("name", ["app", "redis", "scheduler", "worker"])
def test_every_container_is_locked_down(name: str) -> None:
    service = compose.services()[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True


def test_the_cluster_is_optional() -> None:
    assert {name for name, service in compose.services().items() if service.get("profiles") == ["dask"]} == {
        "scheduler",
        "worker",
    }


def test_the_cache_never_outgrows_its_container() -> None:
    redis = compose.services()["redis"]
    options = dict(zip(redis["command"][1::2], redis["command"][2::2], strict=True))
    most = compose.n_bytes(options["--maxmemory"].removesuffix("b"))
    assert most < 0.8 * compose.n_bytes(redis["mem_limit"])
    assert options["--maxmemory-policy"] == "allkeys-lru"


def test_the_health_check_tells_a_running_app_from_none(tmp_path: Path) -> None:
    match = re.search(r'^    CMD \["python", "-c", "(.+)"\]$', FINAL, re.MULTILINE)
    assert match

    def check(address: str) -> int:
        code = match[1].replace("http://127.0.0.1:8501", address)
        return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode

    data = tmp_path / "data"
    data.mkdir()
    with served(data) as app:
        assert check(app.address) == 0
    assert check(app.address) == 1

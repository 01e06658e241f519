"""Looks at the system: plausible for this process, and honest about what cannot be learned."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from core.monitoring import SystemSampler, system
from core.monitoring.system import MIN_APP_BYTES, app_memory_bytes, memory_limit_bytes


def test_a_sample_is_of_this_process_now(tmp_path: Path) -> None:
    before = time.time()
    sample = SystemSampler(tmp_path).sample(3, 1)
    assert before <= sample.at <= time.time()
    assert 10 * 2**20 < sample.rss_bytes < psutil.virtual_memory().total
    assert sample.threads >= 1
    assert sample.disk_free_bytes is not None
    assert sample.disk_free_bytes > 0
    assert (sample.queued, sample.running) == (3, 1)
    assert 0 <= sample.cpu_percent <= 100


def test_a_folder_that_is_gone_has_no_known_room(tmp_path: Path) -> None:
    assert SystemSampler(tmp_path / "unmounted").sample(None, None).disk_free_bytes is None


@pytest.mark.parametrize(
    ("text", "limit"),
    [("1073741824\n", 2**30), ("max\n", None), ("9223372036854771712\n", None)],
)
def test_the_memory_limit_is_the_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, limit: int | None
) -> None:
    (tmp_path / "memory.max").write_text(text)
    monkeypatch.setattr(system, "_CGROUPS", (tmp_path / "none", tmp_path / "memory.max"))
    assert memory_limit_bytes() == (limit or psutil.virtual_memory().total)


def test_without_a_container_it_is_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_CGROUPS", (tmp_path / "none",))
    assert memory_limit_bytes() == psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("container", "machine", "limit"),
    [(3 * 2**29, 2**34, 3 * 2**29), (None, 2**34, 2**33), (None, 2**30, MIN_APP_BYTES)],
)
def test_an_app_may_take_all_of_its_container_or_half_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, container: int | None, machine: int, limit: int
) -> None:
    monkeypatch.setattr(system, "memory_limit_bytes", lambda: container or machine)
    monkeypatch.setattr(system.psutil, "virtual_memory", lambda: SimpleNamespace(total=machine))
    assert app_memory_bytes() == limit

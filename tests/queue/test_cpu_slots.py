"""No more threads compute at once than there are cores, and one that hangs holds up nobody for long."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.queue.cpu_slots import CpuSlots, usable_cores

FOREVER = 60.0
AT_ONCE_SECONDS = 0.2  # long enough for a third to come, if it could


def test_only_as_many_as_there_are_cores_have_a_turn() -> None:
    cores, third = CpuSlots(2, FOREVER), threading.Event()

    def take() -> None:
        with cores.hold():
            third.set()

    with ThreadPoolExecutor(1) as pool, cores.hold():
        with cores.hold():
            waiting = pool.submit(take)
            assert not third.wait(AT_ONCE_SECONDS)
        waiting.result(FOREVER)
    assert third.is_set()


def test_nobody_waits_longer_than_the_timeout() -> None:
    cores = CpuSlots(1, 0.01)
    with cores.hold(), cores.hold():
        pass
    with cores.hold():  # and who went on without a core gave none back
        assert not cores._free.acquire(blocking=False)
    assert cores._free.acquire(blocking=False)


def test_an_error_gives_the_core_back() -> None:
    cores = CpuSlots(1, FOREVER)
    with pytest.raises(ValueError, match="broken"), cores.hold():
        raise ValueError("broken")
    with cores.hold():
        pass


def test_there_is_a_core() -> None:
    assert usable_cores() >= 1

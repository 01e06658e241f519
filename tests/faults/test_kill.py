"""Processes that are killed: nothing lost, nothing done twice, nothing half there, and the rest goes on."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from core.db import Database
from core.files.blobs import Blobs
from core.monitoring import QueryRecorder
from core.store import NewImage, Store
from tests.factories import ENGINE, RECIPE, new_image
from tests.faults import oracle
from tests.faults.child import CUTS, NURSERY, Plan, main, objects_of

ALARM_SECONDS = 120

pytestmark = pytest.mark.slow
FULL = pytest.mark.full


def lay_out(folder: Path, names: list[str]) -> None:
    """A project of images that wait to be segmented."""
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    store, blobs = Store(db), Blobs(folder)
    project = store.projects.create("Killed", ENGINE)
    rows = []
    for number, name in enumerate(names):
        facts = new_image(f"{number:03}").facts
        sha256 = blobs.put(f"pixels of {number}".encode())
        rows.append(NewImage(f"{number:03}", name, sha256, 9, facts, blobs.put(b"thumbnail")))
    store.add_images(project.id, tuple(rows), RECIPE)
    db.close()


def images(folder: Path) -> dict[str, tuple[str, str | None, int | None]]:
    """Status, error and number of objects of every image, by its name."""
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    store = Store(db)
    (project,) = store.projects.list()
    items = store.images.page(project.id, limit=10_000).items
    db.close()
    return {item.name: (item.status.value, item.error_code, item.n_objects) for item in items}


class Child:
    """A process at work on a data folder."""

    def __init__(self, process: BaseProcess, heard: Connection) -> None:
        self.process, self._heard = process, heard

    def stored_ids(self, until: str = "") -> list[str]:
        """Ids of what it stored, up to the word ``until`` or its end."""
        ids = []
        while (word := self._next()) and word != until:
            ids += [] if word == "ready" else [word]
        return ids

    def first(self) -> list[str]:
        """The id of the first thing that it stores."""
        self.stored_ids(until="ready")
        return [self._next()]

    def end(self) -> int:
        """Wait for the end; return the exit status, below 0 for a signal."""
        self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode

    def _next(self) -> str:
        try:
            return self._heard.recv_bytes().decode()
        except (EOFError, OSError):  # it was killed, perhaps in the middle of a word
            return ""


@contextmanager
def child(folder: Path, plan: Plan) -> Iterator[Child]:
    """A child at work; whatever happens, it outlives neither the block nor ALARM_SECONDS."""
    heard, say = NURSERY.Pipe(duplex=False)
    process = NURSERY.Process(target=main, args=(folder, plan, say))
    process.start()
    say.close()
    alarm = threading.Timer(ALARM_SECONDS, process.kill)
    alarm.start()
    try:
        yield Child(process, heard)
    finally:
        alarm.cancel()
        alarm.join()
        process.kill()
        process.join()
        process.close()
        heard.close()


def run_to_the_end(folder: Path, plan: Plan) -> int:
    """Start once more and let it work until nothing is left; return the exit status."""
    with child(folder, plan) as born:
        return born.end()


@pytest.mark.parametrize(("count", "kills"), [(50, 7), pytest.param(200, 100, marks=FULL)])
def test_kills_at_random_lose_nothing_and_do_nothing_twice(
    tmp_path: Path, rng: random.Random, count: int, kills: int
) -> None:
    names = [f"{number:03}" for number in range(count)]
    lay_out(tmp_path, names)
    for turn in range(kills):
        with child(tmp_path, Plan(seconds=rng.uniform(0.01, 0.1))) as born:
            born.stored_ids(until="ready")
            born.process.join(rng.uniform(0.0, 0.35))
            born.process.kill()
        if turn % (1 + kills // 10) == 0:
            oracle.check_killed(tmp_path)
    assert run_to_the_end(tmp_path, Plan()) == 0
    assert oracle.check(tmp_path) == {"done": count}
    assert images(tmp_path) == {name: ("done", None, objects_of(name)) for name in names}


@pytest.mark.parametrize("turns", [2, pytest.param(10, marks=FULL)])
@pytest.mark.parametrize("point", CUTS)
def test_a_kill_at_a_named_point_leaves_old_or_new(
    tmp_path: Path, rng: random.Random, point: str, turns: int
) -> None:
    lay_out(tmp_path, [f"{number}" for number in range(6)])
    stored: list[str] = []
    for turn, passing in enumerate([1, *(rng.randint(2, 4) for _ in range(turns - 1))]):
        plan = Plan(uploads=3, upload_seed=100 * turn, die_at=point, die_after=passing, drain_seconds=2.0)
        with child(tmp_path, plan) as born:
            stored += born.stored_ids()
            assert born.end() in ({-signal.SIGKILL} if passing == 1 else {-signal.SIGKILL, 0})
        oracle.check_killed(tmp_path)
    assert run_to_the_end(tmp_path, Plan()) == 0
    states = oracle.check(tmp_path)
    assert set(states) == {"done"}
    assert 6 + len(stored) <= states["done"] <= 6 + 3 * turns
    assert set(stored) <= set(_ids(tmp_path))


def _ids(folder: Path) -> list[str]:
    db = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
    store = Store(db)
    (project,) = store.projects.list()
    ids = list(store.images.ids(project.id))
    db.close()
    return ids


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=FULL)])
def test_an_upload_that_was_told_as_stored_survives(tmp_path: Path, rng: random.Random, kills: int) -> None:
    lay_out(tmp_path, [])
    stored: list[str] = []
    for turn in range(kills):
        with child(tmp_path, Plan(uploads=1000, upload_seed=1000 * turn, seconds=0.01)) as born:
            stored += born.first()
            killer = threading.Timer(rng.uniform(0.0, 0.4), born.process.kill)
            killer.start()
            stored += born.stored_ids()
            assert born.end() == -signal.SIGKILL
            killer.join()
    assert run_to_the_end(tmp_path, Plan()) == 0
    states = oracle.check(tmp_path)
    assert set(states) == {"done"}
    assert len(stored) == len(set(stored)) > 0
    assert set(stored) <= set(_ids(tmp_path))
    assert states["done"] <= len(stored) + kills  # at most the one that was under way at each kill


def test_a_poison_image_ends_the_process_three_times_and_stops_no_other(tmp_path: Path) -> None:
    names = [f"good {number}" for number in range(99)]
    names.insert(11, "poison")
    lay_out(tmp_path, names)
    ends = Counter[int]()
    while 0 not in ends and ends.total() < 6:
        ends[run_to_the_end(tmp_path, Plan(max_attempts=3))] += 1
    assert ends == {-signal.SIGSEGV: 3, 0: 1}
    assert oracle.check(tmp_path) == {"done": 99, "failed": 1}
    by_name = images(tmp_path)
    assert by_name.pop("poison") == ("failed", "crashed_repeatedly", None)
    assert {status for status, *_ in by_name.values()} == {"done"}


def test_an_image_that_takes_all_the_memory_fails_alone(tmp_path: Path) -> None:
    names = [f"good {number}" for number in range(50)]
    names.insert(7, "huge")
    lay_out(tmp_path, names)
    ends = Counter[int]()
    while 0 not in ends and ends.total() < 6:
        ends[run_to_the_end(tmp_path, Plan(max_attempts=3, memory_bytes=3 * 2**30, seconds=0.002))] += 1
    assert ends.total() <= 4
    assert oracle.check(tmp_path) == {"done": 50, "failed": 1}
    assert images(tmp_path)["huge"][0] == "failed"


def test_an_image_that_hangs_fails_at_its_deadline_and_does_not_hold_up_the_end(tmp_path: Path) -> None:
    lay_out(tmp_path, ["hangs", "good 1", "good 2"])
    plan = Plan(deadline_seconds=1.0, drain_seconds=1.0)
    with child(tmp_path, plan) as born:
        assert born.end() == 0
    by_name = images(tmp_path)
    assert by_name["hangs"][:2] == ("failed", "deadline_passed")
    assert oracle.check(tmp_path) == {"done": 2, "failed": 1}


def test_told_twice_to_stop_it_ends_at_once_and_what_ran_is_no_suspect(tmp_path: Path) -> None:
    lay_out(tmp_path, ["hangs", "good 1"])
    with child(tmp_path, Plan(drain_seconds=60 * ALARM_SECONDS)) as born:
        born.stored_ids(until="ready")
        born.process.join(0.3)
        born.process.terminate()
        born.process.join(0.3)
        born.process.terminate()
        assert born.end() == 0  # the alarm would have ended it with a signal
    assert oracle.check(tmp_path)["queued"] >= 1
    assert images(tmp_path)["hangs"][0] == "queued"


@pytest.mark.parametrize(
    ("seconds", "cycles"), [(0.05, 1), (60.0 * ALARM_SECONDS, 1), pytest.param(0.05, 20, marks=FULL)]
)
def test_a_stop_while_at_work_keeps_to_its_time_and_loses_nothing(
    tmp_path: Path, seconds: float, cycles: int
) -> None:
    lay_out(tmp_path, [f"{number}" for number in range(24)])
    plan = Plan(seconds=seconds, drain_seconds=1.0)
    for _ in range(cycles):
        with child(tmp_path, plan) as born:
            born.stored_ids(until="ready")
            born.process.join(0.2)
            born.process.terminate()
            assert born.end() == 0  # the alarm would have ended it with a signal
    states = images(tmp_path)
    assert {status for status, *_ in states.values()} <= {"done", "queued"}  # none counts as an orphan
    assert run_to_the_end(tmp_path, Plan(max_attempts=3)) == 0
    assert oracle.check(tmp_path) == {"done": 24}

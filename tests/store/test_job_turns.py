"""People whose jobs wait take turns: a thousand jobs of one do not hold up another's."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db.statements import MIGRATIONS
from core.models import JobState, Priority, Project
from core.store import JobRequest, Store
from tests.factories import RECIPE, add, claim
from tests.store.test_jobs import ERROR, claimed, job_of

pytestmark = pytest.mark.slow


@pytest.fixture
def queue(store: Store, project: Project) -> Queue:
    return Queue(store, project.id)


class Queue:
    """A queue to which people add: “ada 1”, “ada 2” and so on are the images of Ada."""

    def __init__(self, store: Store, project_id: str) -> None:
        self.store = store
        self._project_id = project_id
        self._counts: dict[str, int] = {}

    def ask(self, person: str | None, count: int, priority: Priority = Priority.NORMAL) -> list[str]:
        """Queue that many more images in a person's name; return them."""
        name = person or "nobody"
        first = self._counts.get(name, 0) + 1
        self._counts[name] = first + count - 1
        keys = [f"{name} {number}" for number in range(first, first + count)]
        add(self.store, self._project_id, *keys)
        assert self.store.jobs.enqueue(self._project_id, keys, RECIPE, JobRequest(person, priority)) == count
        return keys

    def people(self) -> list[str]:
        """Whose job each of those was that are claimed from now on."""
        return people_of(claimed(self.store))


def people_of(keys: Iterable[str]) -> list[str]:
    return [key.partition(" ")[0] for key in keys]


@pytest.mark.slow
def test_a_thousand_jobs_of_one_do_not_hold_up_anothers(queue: Queue) -> None:
    many = queue.ask("ada", 1000)
    assert [claim(queue.store).image_id for _ in range(5)] == many[:5]
    few = queue.ask("bo", 3)
    taken = claimed(queue.store)
    assert taken[:7] == ["ada 6", "bo 1", "ada 7", "bo 2", "ada 8", "bo 3", "ada 9"]
    assert [key for key in taken if key.startswith("ada")] == many[5:]
    assert [key for key in taken if key.startswith("bo")] == few


def test_many_requests_of_one_get_no_more_than_one_of_another(queue: Queue) -> None:
    for _ in range(4):
        queue.ask("ada", 1)
    queue.ask("bo", 4)
    assert queue.people() == ["ada", "bo"] * 4


def test_a_person_without_waiting_jobs_begins_in_the_present_turn(queue: Queue) -> None:
    queue.ask("ada", 3)
    queue.ask("bo", 20)
    assert people_of(claim(queue.store).image_id for _ in range(14)) == ["ada", "bo"] * 3 + ["bo"] * 8
    queue.ask("ada", 3)
    assert queue.people()[:6] == ["bo", "ada"] * 3


def test_each_priority_has_turns_of_its_own(queue: Queue) -> None:
    queue.ask("ada", 50)
    queue.ask("bo", 2, Priority.HIGH)
    queue.ask("ada", 2, Priority.HIGH)
    queue.ask("cy", 2)
    assert queue.people()[:8] == ["bo", "ada"] * 2 + ["ada", "cy"] * 2


def test_jobs_that_are_given_another_priority_take_turns_there(queue: Queue) -> None:
    queue.ask("ada", 9)
    queue.ask("bo", 2, Priority.HIGH)
    store = queue.store
    for number in (9, 7, 8):
        store.jobs.prioritise(Priority.HIGH, [job_of(store, f"ada {number}").id])
    assert claimed(store)[:5] == ["ada 7", "bo 1", "ada 8", "bo 2", "ada 9"]


def test_people_who_are_not_known_are_one_whose_order_is_that_of_asking(queue: Queue) -> None:
    keys = queue.ask(None, 3) + queue.ask(None, 2) + queue.ask(None, 1)
    store = queue.store
    for priority in (Priority.HIGH, Priority.NORMAL):
        store.jobs.prioritise(priority, [job_of(store, "nobody 2").id])
    assert claimed(store) == keys


def test_what_is_put_back_or_retried_waits_behind_the_same_persons(queue: Queue) -> None:
    queue.ask("ada", 4)
    queue.ask("bo", 30)
    store = queue.store
    first, second = claim(store), claim(store)
    assert (first.image_id, second.image_id) == ("ada 1", "bo 1")
    store.jobs.put_back(first, ERROR)
    store.jobs.fail(second, ERROR)
    store.jobs.retry()
    taken = claimed(store)
    assert [key for key in taken if key.startswith("ada")] == ["ada 2", "ada 3", "ada 4", "ada 1"]
    assert taken[-1] == "bo 1"
    assert people_of(taken)[:6] == ["ada", "bo"] * 3
    assert set(people_of(taken)[6:8]) == {"ada", "bo"}


def test_a_stopped_job_keeps_its_turn(queue: Queue) -> None:
    queue.ask("ada", 1)
    job = claim(queue.store)
    queue.ask("bo", 2)
    queue.ask("ada", 1)
    queue.store.jobs.release(job)
    assert claimed(queue.store) == ["ada 1", "bo 1", "ada 2", "bo 2"]


def test_the_list_of_what_waits_is_the_order_in_which_it_is_taken(queue: Queue) -> None:
    for person, count in (("ada", 7), ("bo", 3), (None, 4), ("ada", 2), ("bo", 5)):
        queue.ask(person, count)
    pages, after = [], None
    while page := queue.store.jobs.page(JobState.QUEUED, limit=4, after=after).items:
        pages += [job.image_id for job in page]
        after = queue.store.jobs.page(JobState.QUEUED, limit=4, after=after).last
    assert pages == claimed(queue.store)


STEPS = st.lists(st.tuples(st.sampled_from(["ada", "bo", "cy", ""]), st.integers(1, 6)), max_size=25)


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_nobody_who_waits_falls_behind(store: Store, project: Project, steps: list[tuple[str, int]]) -> None:
    """Steps add jobs of a person, or without one take some: those who wait all along get as many, but two."""
    store.jobs.cancel()
    queue = Queue(store, project.id)
    run = len(store.images.ids(project.id))  # names of earlier examples are not used again
    waiting: dict[str, int] = {}
    taken: dict[str, int] = {}
    for person, count in steps:
        if person:
            if not waiting.get(f"{person}{run}"):
                taken = {}  # counted among those who wait from here on
            queue.ask(f"{person}{run}", count)
            waiting[f"{person}{run}"] = waiting.get(f"{person}{run}", 0) + count
            continue
        for _ in range(min(count, sum(waiting.values()))):
            who = people_of([claim(store).image_id])[0]
            waiting[who] -= 1
            taken[who] = taken.get(who, 0) + 1
            shares = [taken.get(name, 0) for name, left in waiting.items() if left]
            assert max(shares, default=0) - min(shares, default=0) <= 2
            if not waiting[who]:
                taken = {}


def test_turns_of_a_database_that_had_none_are_by_person(store: Store, queue: Queue) -> None:
    keys = queue.ask("ada", 4) + queue.ask("bo", 2)
    migration = (MIGRATIONS / "0016_turns.sql").read_text(encoding="utf-8").partition(";")[2]
    store._db.write(lambda session: session._cursor.execute(f"UPDATE job SET turn = NULL; {migration}"))
    taken = claimed(store)
    assert sorted(taken) == sorted(keys)
    assert [name for name, _ in groupby(people_of(taken))] == ["ada", "bo", "ada", "bo", "ada"]

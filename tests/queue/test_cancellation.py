"""Whoever cancels a job, by whatever way, is heard of once it is committed, and never before."""

from __future__ import annotations

from functools import partial

import pytest

from core.db import Database
from core.models import JobState, Project
from core.queue.cancellation import cancellation_hook
from core.store import Store
from tests.factories import RECIPE, add, claim


@pytest.fixture
def heard(db: Database) -> list[frozenset[str]]:
    abandoned: list[frozenset[str]] = []
    db.add_commit_hook(partial(cancellation_hook, abandoned.append))
    return abandoned


def test_every_way_to_cancel_is_heard_of(store: Store, project: Project, heard: list[frozenset[str]]) -> None:
    add(store, project.id, *"abcdef", recipe=RECIPE)
    job = claim(store)
    assert heard == []
    store.jobs.cancel([job.id])
    store.images.delete(project.id, ["b", "c"])
    store.jobs.cancel(state=JobState.QUEUED)
    assert heard == [{"a"}, {"b", "c"}, {"d", "e", "f"}]
    store.jobs.enqueue(project.id, ["d"], RECIPE)
    store.projects.delete(project.id)
    assert heard[3:] == [{"d"}]


def test_jobs_that_ended_otherwise_or_were_rolled_back_are_not_cancelled(
    db: Database, store: Store, project: Project, heard: list[frozenset[str]]
) -> None:
    add(store, project.id, "a", "b", recipe=RECIPE)
    store.jobs.release(claim(store))
    queued = {"state": "queued", "now": None, "visible": None}
    with pytest.raises(ZeroDivisionError):
        db.write(lambda s: s.rows("jobs.cancel_state", queued) and 1 / 0)
    assert store.jobs.totals().counts[JobState.QUEUED] == 2
    assert heard == []

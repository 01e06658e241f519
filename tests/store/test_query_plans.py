"""Statements explained: every one that only reads, by operator, and none that would change anything."""

from __future__ import annotations

import pytest

from core.db import Database
from core.db.statements import is_explainable, load_queries
from core.errors import InvalidRequest, NotFound
from core.models import Project
from core.monitoring import QueryRecorder
from core.store import Store
from core.store.query_plans import QueryPlans
from tests.factories import add, finish, spheroid

pytestmark = pytest.mark.slow

QUERIES = {name: text for name, text in load_queries().items() if not name.startswith("metrics.")}
READING = sorted(name for name, text in QUERIES.items() if is_explainable(text))
OTHERS = sorted(set(QUERIES) - set(READING))


@pytest.fixture
def filled(store: Store, project: Project, db: Database) -> QueryPlans:
    add(store, project.id, "a", "b")
    finish(store, "a", spheroid(1), spheroid(2))
    return QueryPlans(db)


def test_every_statement_that_reads_is_explained(filled: QueryPlans) -> None:
    for name in READING:
        plan = filled.explain(name)
        assert plan.text == QUERIES[name]
        assert plan.operators, name
        assert plan.operators[0].depth == 0
        assert all(step.ms >= 0 and step.rows >= 0 for step in plan.operators)
        steps = zip(plan.operators, plan.operators[1:], strict=False)
        assert all(below.depth <= above.depth + 1 for above, below in steps), name


def test_a_plan_is_made_on_the_largest_project(filled: QueryPlans) -> None:
    plan = filled.explain("results.with_objects")
    (scan,) = [step for step in plan.operators if "SCAN" in step.name and "contour" in step.detail]
    assert scan.rows == 2


def test_changed_rows_are_looked_up_by_their_key(filled: QueryPlans) -> None:
    plan = filled.explain("images.table_of")
    (look_up,) = [step for step in plan.operators if "main.image" in step.detail]
    assert "Index Scan" in look_up.detail


def test_a_statement_that_writes_is_not_explained(filled: QueryPlans, db: Database) -> None:
    before = db.generation
    for name in OTHERS:
        with pytest.raises(InvalidRequest, match="not run again"):
            filled.explain(name)
    assert db.generation == before


@pytest.mark.parametrize("name", ["", "no.such", "metrics.window", "images.page; DROP TABLE image"])
def test_only_the_programs_own_statements_are_known(filled: QueryPlans, name: str) -> None:
    with pytest.raises(NotFound):
        filled.explain(name)


def test_an_empty_database_is_explained_too(db: Database) -> None:
    assert QueryPlans(db).explain("projects.list").operators


def test_explaining_is_not_recorded_as_a_call(filled: QueryPlans, recorder: QueryRecorder) -> None:
    seen = len(recorder.latest())
    filled.explain("projects.list")
    assert [record.name for record in recorder.latest()[seen:]] == ["plans.typical"]


def test_texts_are_known_by_name(filled: QueryPlans) -> None:
    assert filled.text("projects.list") == QUERIES["projects.list"]
    assert filled.text("gone.since") is None

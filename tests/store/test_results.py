"""Results: what was measured is what is read, saved with its job's end or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.db import Database
from core.errors import NotFound
from core.models import MEASUREMENTS, Contour, JobState, Project, Spheroid
from core.models.jobs import seconds_of
from core.store import Recipe, Store
from tests.factories import RECIPE, SQUARE, add, claim, finish, result, spheroid

HOLE = ((2.0, 2.0), (2.0, 4.0), (4.0, 4.0))
WHOLE = ("area", "bbox_x", "bbox_y", "bbox_width", "bbox_height", "n_holes")

numbers = st.floats(allow_nan=False, allow_infinity=False)
points = st.tuples(numbers, numbers)
rings = st.lists(points, min_size=3, max_size=8).map(tuple)
reasons = st.dictionaries(
    st.sampled_from([column.name for column in MEASUREMENTS]), st.text(max_size=20), max_size=3
)


@st.composite
def spheroids(draw: st.DrawFn) -> tuple[Spheroid, ...]:
    made = []
    for number in range(1, draw(st.integers(0, 3)) + 1):
        values: dict[str, float | int | bool | None] = {}
        for column in MEASUREMENTS:
            kind = numbers
            if column.name in WHOLE:
                kind = st.integers(0, 2**31 - 1)
            if column.name == "touches_border":
                kind = st.booleans()
            values[column.name] = draw(st.none() | kind)
        outline = Contour(draw(rings), tuple(draw(st.lists(rings, max_size=2))))
        made.append(Spheroid(number, outline, values, draw(reasons)))
    return tuple(made)


@pytest.mark.slow
@given(made=spheroids())
@hypothesis_settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_spheroids_come_back_as_they_were(store: Store, made: tuple[Spheroid, ...]) -> None:
    project = store.projects.create("Measured", "fake")
    add(store, project.id, f"image of {project.id}")
    image = finish(store, f"image of {project.id}", *made)
    stored = store.results.get(image)
    assert stored is not None
    assert stored[1] == made
    assert stored[0] == store.results.segmentation(image)
    for item, back in zip(made, stored[1], strict=True):
        kinds = {name: type(value) for name, value in item.measurements.items()}
        assert {name: type(value) for name, value in back.measurements.items()} == kinds
    store.projects.delete(project.id)


def test_holes_reasons_and_missing_values_are_kept(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    odd = Spheroid(
        7,
        Contour(SQUARE, (HOLE, SQUARE)),
        spheroid().measurements | {"solidity": None, "touches_border": True},
        {"solidity": "flat: µ “quoted”\n"},
    )
    image = finish(store, "a", odd, spheroid(8, area=5, volume_sphere=1e12))
    stored = store.results.get(image)
    assert stored is not None
    assert stored[1] == (odd, spheroid(8, area=5, volume_sphere=1e12))
    assert stored[1][0].contour.holes == (HOLE, SQUARE)


def test_a_column_that_is_empty_throughout_can_be_saved(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    empty = Spheroid(1, Contour(SQUARE), dict.fromkeys((column.name for column in MEASUREMENTS), None))
    image = finish(store, "a", empty)
    assert store.results.get(image)[1] == (empty,)  # type: ignore[index]
    assert (image.n_objects, image.largest_area_px, image.largest_diameter_px) == (1, None, None)


def test_numbers_of_any_kind_may_share_a_column(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    image = finish(
        store, "a", spheroid(1, perimeter=3), spheroid(2, perimeter=0.1), spheroid(3, perimeter=None)
    )
    stored = store.results.get(image)
    assert stored is not None
    assert [item.measurements["perimeter"] for item in stored[1]] == [3, 0.1, None]


def test_the_image_shows_its_largest_spheroid(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    image = finish(
        store, "a", spheroid(1, area=5), spheroid(2, area=50, circularity=0.9), spheroid(3, area=None)
    )
    assert (image.n_objects, image.largest_area_px, image.largest_circularity) == (3, 50, 0.9)
    none = finish(store, "b")
    assert (none.n_objects, none.largest_area_px, none.largest_diameter_px) == (0, None, None)
    assert store.results.get(none)[1] == ()  # type: ignore[index]


def test_an_image_without_a_result_has_none(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    assert store.results.get(store.images.get("a")) is None
    assert store.results.segmentation(store.images.get("a")) is None


def test_a_result_that_is_gone_says_so(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    gone = replace(finish(store, "a"), version_id="gone")
    with pytest.raises(NotFound, match="Segment it again"):
        store.results.get(gone)


def test_running_again_adds_a_version_and_replaces_none(store: Store, project: Project, db: Database) -> None:
    add(store, project.id, "a")
    other = Recipe("fake", "2", {})
    first = finish(store, "a", spheroid(1), spheroid(2), recipe=other).version_id
    second = finish(store, "a", spheroid(3)).version_id
    image = finish(store, "a", spheroid(4))
    assert [item.number for item in store.results.get(image)[1]] == [4]  # type: ignore[index]
    with db.read() as session:
        rows = session._cursor.execute("SELECT version_id, number FROM object").fetchall()
    assert sorted(rows) == sorted([(first, 1), (first, 2), (second, 3), (image.version_id, 4)])
    newest_first = store.results.versions("a")
    assert [version.id for version in newest_first] == [image.version_id, second, first]
    assert [version.superseded_at is None for version in newest_first] == [True, False, False]


def test_a_result_nobody_waits_for_leaves_no_trace(store: Store, project: Project, db: Database) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    job = claim(store)
    stale = [replace(job, attempt=2), replace(job, attempt=0), replace(job, sequence=job.sequence + 1)]
    for other in [*stale, replace(job, id="unknown")]:
        assert not store.results.finish(other, result(spheroid()))
    store.jobs.cancel([job.id])
    assert not store.results.finish(job, result(spheroid()))
    with db.read() as session:
        for table in ("version", "object"):
            assert session._cursor.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    assert store.images.get("a").version_id is None


def test_a_result_that_cannot_be_saved_leaves_its_job_running(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    job = claim(store)
    broken = replace(spheroid(), measurements={"area": 1})
    with pytest.raises(KeyError):
        store.results.finish(job, result(broken))
    assert store.jobs.page(JobState.RUNNING).total == 1
    assert store.results.finish(job, result(spheroid()))


def test_a_job_has_its_timings(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    finish(store, "a")
    (job,) = store.jobs.page(JobState.DONE).items
    assert job.timings_ms == {"predict": 1500.0}
    stored = store.results.segmentation(store.images.get("a"))
    assert stored is not None
    assert (stored.job_id, stored.kind, stored.params) == (job.id, "automatic", {"sensitivity": 0.5})


def test_rows_for_export_are_those_of_results_in_force(store: Store, project: Project) -> None:
    add(store, project.id, "b", "a", "c", "d")
    finish(store, "b", spheroid(1), spheroid(2), recipe=Recipe("old", "1", {}))
    finish(store, "b", spheroid(2), spheroid(1))
    finish(store, "a", spheroid(1))
    finish(store, "d", spheroid(1))
    store.images.delete(project.id, ["d"])
    rows = list(store.results.objects(project.id, 100))
    assert [(row["image_id"], row["number"], row["engine"]) for row in rows] == [
        ("a", 1, "fake"),
        ("b", 1, "fake"),
        ("b", 2, "fake"),
    ]
    assert [row["number"] for row in store.results.objects(project.id, 100, ("b",))] == [1, 2]
    images = list(store.results.images(project.id, 100))
    assert [(row["id"], row["engine"]) for row in images] == [("a", "fake"), ("b", "fake"), ("c", None)]
    assert len(list(store.results.objects(project.id, 2))) == 2
    size = store.results.size(project.id)
    assert (size.images, size.objects) == (3, 3)


def test_leaving_an_export_early_gives_its_cursor_back(store: Store, project: Project, db: Database) -> None:
    add(store, project.id, "a")
    finish(store, "a", *(spheroid(number) for number in range(1, 20)))
    rows = store.results.objects(project.id, 100)
    assert next(rows)["number"] == 1
    rows.close()
    store.images.delete(project.id, ["a"])
    with db.read() as session:  # which an open stream would refuse, as something has been written since
        session._cursor.execute("CHECKPOINT")


def test_the_time_of_an_image_leaves_its_waiting_out() -> None:
    assert seconds_of({"queued": 60_000, "read": 1, "wait": 2_000, "decode": 9, "predict": 90}) == 0.1

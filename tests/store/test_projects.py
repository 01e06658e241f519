"""Projects: named, counted in one statement, put away and brought back."""

from __future__ import annotations

import math
import re
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.cache import MemoryCache
from core.clock import utc_now
from core.db import Database
from core.db.statements import load_queries
from core.errors import InvalidRequest, NotFound, SpheroscopeError
from core.models import ImageStatus, JobState, PixelSizeSource, Project
from core.monitoring import QueryRecorder
from core.store import Store
from core.store.project_generations import READING
from core.store.projects import MAX_NAME
from core.store.retention import Purged
from tests.factories import ENGINE, RECIPE, add, claim, finish, new_image, result, spheroid


def statements(recorder: QueryRecorder, since: int) -> list[str]:
    return [record.name for record in recorder.latest()[since:]]


def test_a_new_project_is_empty_and_calibrated_as_asked(store: Store) -> None:
    made = store.projects.create("  Plate   1 ", ENGINE, 1.36)
    assert made == store.projects.get(made.id)
    assert (made.name, made.um_per_px, made.engine, made.params) == ("Plate 1", 1.36, ENGINE, {})
    assert made.counts == dict.fromkeys(ImageStatus, 0)
    assert (made.n_images, made.thumbnails) == (0, ())
    assert made.last_activity == made.created_at


@pytest.mark.parametrize("name", ["", "   ", "\n\t", "x" * (MAX_NAME + 1), "\u202e\u200b\0"])
def test_a_name_that_cannot_be_is_refused(store: Store, project: Project, name: str) -> None:
    with pytest.raises(InvalidRequest):
        store.projects.create(name, ENGINE)
    with pytest.raises(InvalidRequest):
        store.projects.rename(project.id, name)
    assert [item.name for item in store.projects.list()] == ["Plate 1"]


@pytest.mark.slow
@given(name=st.text(max_size=MAX_NAME))
@hypothesis_settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_any_other_name_is_kept_as_one_printable_line(store: Store, name: str) -> None:
    try:
        made = store.projects.create(name, ENGINE)
    except InvalidRequest:
        return
    assert made.name.isprintable()
    assert "  " not in made.name
    assert store.projects.get(made.id).name == made.name
    store.projects.delete(made.id)


@pytest.mark.parametrize("same", ["Plate 1", "plate 1", "PLATE  1", " Plate 1"])
def test_two_projects_never_have_the_same_name(store: Store, project: Project, same: str) -> None:
    other = store.projects.create("Other", ENGINE)
    with pytest.raises(InvalidRequest, match="already a project"):
        store.projects.create(same, ENGINE)
    with pytest.raises(InvalidRequest, match="already a project"):
        store.projects.rename(other.id, same)
    store.projects.rename(project.id, same)  # its own name, written otherwise
    assert store.projects.get(project.id).name == " ".join(same.split())


@pytest.mark.parametrize("size", [0, -1, 0.0009, 1000.1, math.nan, math.inf])
def test_a_pixel_size_that_cannot_be_is_refused(store: Store, project: Project, size: float) -> None:
    with pytest.raises(InvalidRequest):
        store.projects.create("Sized", ENGINE, size)
    with pytest.raises(InvalidRequest):
        store.projects.set_pixel_size(project.id, size)
    with pytest.raises(InvalidRequest):
        store.images.set_pixel_size(["a"], size)


def test_all_images_are_counted_in_one_statement_whatever_the_number_of_projects(
    store: Store, recorder: QueryRecorder
) -> None:
    for number in range(12):
        made = store.projects.create(f"Plate {number}", ENGINE)
        add(store, made.id, *(f"{number}-{n}" for n in range(number)))
        seen = len(recorder.latest())
        assert len(store.projects.list()) == number + 1
        assert statements(recorder, seen) == ["projects.list", "projects.totals"]
        assert [record.rows for record in recorder.latest()[seen:]] == [number + 1, number]


def test_what_is_kept_is_not_counted_again(db: Database, recorder: QueryRecorder) -> None:
    store = Store(db, cache=MemoryCache(2**20))
    ids = [store.projects.create(f"Plate {number}", ENGINE).id for number in range(5)]
    for number, project_id in enumerate(ids):
        add(store, project_id, f"{number}")
    store.projects.list()
    seen = len(recorder.latest())
    store.projects.list()
    assert statements(recorder, seen) == []
    store.projects.get(ids[0])
    assert statements(recorder, seen) == ["projects.list"]
    add(store, ids[3], "another")
    seen = len(recorder.latest())
    assert {item.id: item.n_images for item in store.projects.list()} == dict.fromkeys(ids, 1) | {ids[3]: 2}
    assert [record.rows for record in recorder.latest()[seen:]] == [1]
    store.projects.rename(ids[1], "Renamed")
    store.projects.delete(ids[2])
    store.projects.create("New", ENGINE)
    names = {item.name for item in store.projects.list()}
    assert names == {"Plate 0", "Renamed", "Plate 3", "Plate 4", "New"}


def test_whatever_writes_a_project_is_known_to_change_the_list() -> None:
    reading = {
        name
        for name, text in load_queries().items()
        if name.startswith("projects.") and not re.search(r"\b(INSERT|UPDATE|DELETE)\b", text)
    }
    assert reading == READING


def test_a_card_shows_counts_newest_images_and_last_activity(store: Store, project: Project) -> None:
    add(store, project.id, *"abcdef")
    finish(store, "a", spheroid())
    store.jobs.enqueue(project.id, ["b", "c"], RECIPE)
    store.jobs.fail(claim(store), SpheroscopeError("no"))
    claim(store)
    store.jobs.enqueue(project.id, ["d"], RECIPE)
    (card,) = store.projects.list()
    assert {status.value: n for status, n in card.counts.items()} == {
        "new": 2,
        "queued": 1,
        "running": 1,
        "done": 1,
        "failed": 1,
    }
    assert card.n_images == 6
    assert card.thumbnails == ("f", "e", "d", "c")
    assert card.last_activity == store.images.get("f").created_at
    store.images.delete(project.id, ["f"])
    (card,) = store.projects.list()
    assert card.thumbnails == ("e", "d", "c", "b")
    assert card.counts[ImageStatus.NEW] == 1


def test_the_project_with_the_latest_activity_comes_first(store: Store) -> None:
    first, second = store.projects.create("First", ENGINE), store.projects.create("Second", ENGINE)
    assert [item.id for item in store.projects.list()] == [second.id, first.id]
    add(store, first.id, "a")
    assert [item.id for item in store.projects.list()] == [first.id, second.id]


def test_a_project_that_is_not_there_says_so_everywhere(store: Store, project: Project) -> None:
    store.projects.delete(project.id)
    for key in (project.id, "never"):
        for act in (
            lambda key=key: store.projects.get(key),
            lambda key=key: store.projects.require(key),
            lambda key=key: store.projects.rename(key, "New"),
            lambda key=key: store.projects.set_pixel_size(key, 1.0),
            lambda key=key: store.projects.delete(key),
            lambda key=key: add(store, key, "a"),
            lambda key=key: store.jobs.enqueue(key, ["a"], RECIPE),
        ):
            with pytest.raises(NotFound, match="project"):
                act()


def test_deleting_takes_images_and_jobs_out_of_sight_and_restoring_brings_them_back(
    store: Store, project: Project
) -> None:
    add(store, project.id, "a", "b", "c")
    finish(store, "a", spheroid())
    store.jobs.enqueue(project.id, ["b", "c"], RECIPE)
    job = claim(store)
    store.projects.delete(project.id)
    assert store.projects.list() == ()
    with pytest.raises(NotFound):
        store.images.get("a")
    assert store.jobs.totals().left == 0
    assert store.jobs.claim("boot", "w") is None
    assert not store.results.finish(job, result())
    store.projects.restore(project.id)
    assert store.projects.get(project.id).counts[ImageStatus.NEW] == 2
    assert store.images.get("a").status is ImageStatus.DONE
    assert store.images.get("a").n_objects == 1
    assert store.jobs.page(JobState.CANCELLED).total == 2


def test_restoring_twice_or_what_was_never_deleted_is_refused(store: Store, project: Project) -> None:
    with pytest.raises(NotFound):
        store.projects.restore(project.id)
    store.projects.delete(project.id)
    store.projects.restore(project.id)
    with pytest.raises(NotFound):
        store.projects.restore(project.id)


def test_a_restored_project_gives_way_to_who_has_its_name_now(store: Store) -> None:
    long = "x" * MAX_NAME
    for name in ("Plate", long):
        made = []
        for _ in range(4):
            made.append(store.projects.create(name, ENGINE))
            store.projects.delete(made[-1].id)
        for item in made:
            store.projects.restore(item.id)
        names = [store.projects.get(item.id).name for item in made]
        assert names[0] == name
        assert names[1].endswith(" (restored)")
        assert len({item.lower() for item in names}) == 4
        assert max(map(len, names)) <= MAX_NAME


def test_a_pixel_size_reaches_only_images_that_have_none_better(store: Store, project: Project) -> None:
    store.add_images(
        project.id, (new_image("none"), new_image("file", um_per_px=2.0), new_image("user")), None
    )
    store.images.set_pixel_size(["user"], 3.0)
    for size in (0.5, 0.7, None):
        store.projects.set_pixel_size(project.id, size)
        sizes = {key: store.images.get(key) for key in ("none", "file", "user")}
        source = PixelSizeSource.PROJECT if size else None
        assert (sizes["none"].um_per_px, sizes["none"].um_per_px_source) == (size, source)
        assert (sizes["file"].um_per_px, sizes["file"].um_per_px_source) == (2.0, PixelSizeSource.FILE)
        assert (sizes["user"].um_per_px, sizes["user"].um_per_px_source) == (3.0, PixelSizeSource.USER)


def test_purging_removes_for_good_what_was_deleted_long_ago_and_nothing_else(
    store: Store, db: Database
) -> None:
    old, recent, current = (store.projects.create(name, ENGINE) for name in ("old", "recent", "kept"))
    for item in (old, recent, current):
        add(store, item.id, f"{item.name} a", f"{item.name} b")
        finish(store, f"{item.name} a", spheroid(1), spheroid(2))
    store.images.delete(current.id, ["kept b"])
    store.projects.delete(old.id)
    long_ago = utc_now() - timedelta(days=8)
    db.write(lambda s: s._cursor.execute("UPDATE project SET deleted_at = ? WHERE name = 'old'", [long_ago]))
    store.projects.delete(recent.id)
    assert store.retention.purge_deleted(7) == Purged(images=2, versions=1)
    needed = [item.sha256 for item in map(new_image, ("kept a", "recent a", "kept b"))]
    needed += [store.images.get("kept a").thumbnail_sha256, result().labels_sha256]
    assert store.retention.unneeded([*needed, new_image("old a").sha256]) == {new_image("old a").sha256}
    with db.read() as session:
        for table, count in {"project": 2, "image": 4, "job": 2, "version": 2, "object": 4}.items():
            assert session._cursor.execute(f"SELECT count(*) FROM {table}").fetchone() == (count,), table
    store.projects.restore(recent.id)
    with pytest.raises(NotFound):
        store.projects.restore(old.id)
    assert store.retention.purge_deleted(7) == Purged()


def test_without_batching_the_list_is_the_same_by_a_statement_a_project(
    store: Store, db: Database, recorder: QueryRecorder
) -> None:
    for name in ("b", "a", "empty"):
        project = store.projects.create(name, ENGINE)
        if name != "empty":
            add(store, project.id, f"{name} 1", f"{name} 2")
    one_by_one = Store(db, batching=False)
    seen = len(recorder.latest())
    assert one_by_one.projects.list() == store.projects.list()
    assert statements(recorder, seen) == [
        "projects.list",
        *["projects.totals"] * 3,
        "projects.list",
        "projects.totals",
    ]


def test_days_beyond_the_calendar_never_purge(store: Store, project: Project) -> None:
    store.projects.delete(project.id)
    assert store.retention.purge_deleted(10**9) == Purged()
    store.projects.restore(project.id)

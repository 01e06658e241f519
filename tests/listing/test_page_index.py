"""The page index: row for row what SQL answers, whatever is written, whoever writes, whatever is evicted."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from core.db import Database
from core.errors import CrashedRepeatedly, InvalidRequest, NotFound, StorageError
from core.listing import page_index, project_table
from core.listing.image_table import RANGES, SORTS
from core.listing.page_index import PageIndex
from core.listing.project_table import ProjectTable
from core.models import Image, ImageFilter, ImageStatus, Project, Range
from core.monitoring import QueryRecorder
from core.store import PAGE_INDEX_BYTES, Store
from tests.factories import ENGINE, RECIPE, add, finish, new_image, result, spheroid

pytestmark = pytest.mark.slow

ALL_SORTS = [sign + name for name in SORTS for sign in ("", "-")]
NAMES = st.text("abAB1_.%'éİΣσς", min_size=1, max_size=5)
NUMBERS = st.sampled_from([None, 0.0, 1.0, 2.0, 20.0, 40.5])
TIMES = st.sampled_from([None, datetime(2020, 1, 1), datetime(2100, 1, 1)])
ranges = st.one_of(
    st.builds(Range, st.just("created"), TIMES, TIMES),
    *(st.builds(Range, st.just(name), NUMBERS, NUMBERS) for name in RANGES if name != "created"),
)
filters = st.builds(
    ImageFilter,
    status=st.lists(st.sampled_from(list(ImageStatus)), max_size=2).map(tuple),
    name=st.none() | NAMES | st.just(""),
    ranges=st.lists(ranges, max_size=2).map(tuple),
)


def index_of(store: Store) -> PageIndex:
    assert store.page_index is not None
    return store.page_index


def by_sql(db: Database) -> Store:
    """A store on the same database that reads every table by SQL."""
    return Store(db, page_index_bytes=0)


def same_neighbours(ours: Store, truth: Store, image: Image, sort: str, image_filter: ImageFilter) -> None:
    try:
        expected = truth.images.neighbours(image, sort, image_filter)
    except NotFound:
        with pytest.raises(NotFound):
            ours.images.neighbours(image, sort, image_filter)
    else:
        assert ours.images.neighbours(image, sort, image_filter) == expected


def same_everywhere(ours: Store, truth: Store, project_id: str) -> None:
    for sort in ALL_SORTS:
        expected = truth.images.page(project_id, sort=sort, limit=10_000)
        assert ours.images.page(project_id, sort=sort, limit=10_000) == expected, sort
    assert ours.images.ids(project_id) == truth.images.ids(project_id)
    assert ours.projects.get(project_id) == truth.projects.get(project_id)


class Tables(RuleBasedStateMachine):
    """Two stores on one database, the one with a page index, the other without."""

    projects: Bundle[str] = Bundle("projects")
    images: Bundle[str] = Bundle("images")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(project_table, "TAIL_ROWS", 4)
        self._patch.setattr(page_index, "MAX_PATCHED", 3)
        self.db = Database.open(Path(self._folder.name) / "db.duckdb", QueryRecorder())
        self.ours, self.truth = Store(self.db), by_sql(self.db)
        self.number = 0
        self.lost: set[str] = set()
        self.walks: dict[str, tuple[str, ImageFilter, tuple[Any, ...]]] = {}

    @initialize(target=projects)
    def first_project(self) -> str:
        return self.new_project(None)

    @rule(target=projects, um_per_px=st.sampled_from([None, 0.5, 2.0]))
    def new_project(self, um_per_px: float | None) -> str:
        self.number += 1
        return self.ours.projects.create(f"Project {self.number}", ENGINE, um_per_px).id

    @rule(
        target=images,
        project=projects,
        name=NAMES,
        size=st.sampled_from([None, 0.5]),
        times=st.integers(1, 5),
    )
    def add_images(self, project: str, name: str, size: float | None, times: int) -> str:
        if project in self.lost:
            return "none"
        keys = []
        for _ in range(times):
            self.number += 1
            keys.append(f"{self.number * 7919 % 1000:03}-{self.number}")
        self.ours.add_images(project, tuple(new_image(key, name, size) for key in keys), None)
        return keys[0]

    @rule(image=images, diameter=st.sampled_from([20.0, 40.5]), count=st.integers(0, 2))
    def segment(self, image: str, diameter: float, count: int) -> None:
        job = self.claimed(image)
        if job is not None:
            spheroids = [spheroid(number + 1, equivalent_diameter=diameter) for number in range(count)]
            self.ours.results.finish(job, result(*spheroids))

    @rule(image=images)
    def fail(self, image: str) -> None:
        job = self.claimed(image)
        if job is not None:
            self.ours.jobs.fail(job, CrashedRepeatedly("It ended the program."))

    @rule(image=images)
    def queue(self, image: str) -> None:
        self.enqueued(image)

    @rule()
    def cancel(self) -> None:
        self.ours.jobs.cancel()

    @rule(image=images, size=st.sampled_from([None, 0.25]))
    def calibrate(self, image: str, size: float | None) -> None:
        self.ours.images.set_pixel_size([image], size)

    @rule(project=projects, size=st.sampled_from([None, 4.0]))
    def calibrate_project(self, project: str, size: float | None) -> None:
        if project not in self.lost:
            self.ours.projects.set_pixel_size(project, size)

    @rule(project=projects, name=NAMES)
    def rename(self, project: str, name: str) -> None:
        if project not in self.lost:
            self.number += 1
            self.ours.projects.rename(project, f"{name} {self.number}")

    @rule(image=images, project=projects)
    def delete(self, image: str, project: str) -> None:
        self.ours.images.delete(project, [image])

    @rule(image=images, project=projects)
    def restore(self, image: str, project: str) -> None:
        self.ours.images.restore(project, [image])

    @rule(project=consumes(projects), come_back=st.booleans())
    def delete_project(self, project: str, come_back: bool) -> None:
        if project in self.lost:
            return
        self.ours.projects.delete(project)
        if come_back:
            self.ours.projects.restore(project)
        else:
            self.lost.add(project)

    @rule()
    def purge(self) -> None:
        self.ours.retention.purge_deleted(days=-1)

    @rule(n_bytes=st.sampled_from([1, 3000, PAGE_INDEX_BYTES]))
    def change_the_bound(self, n_bytes: int) -> None:
        index = index_of(self.ours)
        index._max_bytes = n_bytes
        index.clear()

    @rule(
        project=projects,
        image_filter=filters,
        sort=st.sampled_from(ALL_SORTS),
        limit=st.integers(1, 6),
        offset=st.integers(0, 8),
    )
    def compare(self, project: str, image_filter: ImageFilter, sort: str, limit: int, offset: int) -> None:
        expected = self.truth.images.page(project, image_filter, sort, limit, offset)
        assert self.ours.images.page(project, image_filter, sort, limit, offset) == expected
        if expected.last:
            self.walks[sort] = (project, image_filter, expected.last)
        assert self.ours.images.ids(project, image_filter) == self.truth.images.ids(project, image_filter)
        for row in expected.items[:2]:
            same_neighbours(self.ours, self.truth, self.truth.images.get(row.id), sort, image_filter)

    @rule(sort=st.sampled_from(ALL_SORTS), limit=st.integers(1, 6))
    def go_on_with_a_walk(self, sort: str, limit: int) -> None:
        if sort not in self.walks:
            return
        project, image_filter, after = self.walks[sort]
        expected = self.truth.images.page(project, image_filter, sort, limit, after=after)
        assert self.ours.images.page(project, image_filter, sort, limit, after=after) == expected
        if expected.last:
            self.walks[sort] = (project, image_filter, expected.last)

    @rule()
    def compare_the_projects(self) -> None:
        assert self.ours.projects.list() == self.truth.projects.list()
        for project in self.truth.projects.list():
            assert self.ours.results.size(project.id) == self.truth.results.size(project.id)

    @invariant()
    def the_bound_is_kept(self) -> None:
        snapshot = index_of(self.ours).snapshot()
        assert snapshot["bytes"] <= snapshot["max_bytes"]

    def teardown(self) -> None:
        index_of(self.ours)._max_bytes = PAGE_INDEX_BYTES
        for project in self.truth.projects.list():
            same_everywhere(self.ours, self.truth, project.id)
        self.db.close()
        self._patch.undo()
        self._folder.cleanup()

    def enqueued(self, image: str) -> bool:
        try:
            row = self.truth.images.get(image)
        except NotFound:
            return False
        return bool(self.ours.jobs.enqueue(row.project_id, [image], RECIPE))

    def claimed(self, image: str) -> Any:
        return self.ours.jobs.claim("boot", "worker") if self.enqueued(image) else None


Tables.TestCase.settings = hypothesis_settings(max_examples=20, stateful_step_count=30, deadline=None)
test_any_sequence_leaves_both_paths_equal = pytest.mark.slow(Tables.TestCase)


# With four writers


def work_on(store: Store, project: Project, keys: list[str], seed: int) -> None:
    """Change images of one writer's own, and see each change in the page index before anything else."""
    chance = random.Random(seed)
    for turn in range(30):
        key = chance.choice(keys)
        name = f"{key}.tif"
        acts: list[Callable[[], ImageStatus | None]] = [
            lambda key=key: store.jobs.enqueue(project.id, [key], RECIPE) and None,
            lambda key=key: store.images.delete(project.id, [key]) and None,
            lambda key=key: store.images.restore(project.id, [key]) and None,
            lambda key=key, turn=turn: store.images.set_pixel_size([key], 0.1 * (turn + 1)),
        ]
        act = chance.choice(acts)
        act()
        page = store.images.page(project.id, ImageFilter(name=name), chance.choice(ALL_SORTS)).items
        try:
            there = store.images.get(key)
        except NotFound:
            assert page == ()
            continue
        assert [(row.id, row.um_per_px) for row in page] == [(key, there.um_per_px)]


@pytest.mark.slow
@pytest.mark.parametrize("n_bytes", [PAGE_INDEX_BYTES, 7_000], ids=["roomy", "evicting"])
def test_four_writers_see_their_own_writes_at_once_and_both_paths_end_equal(
    db: Database, n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_table, "TAIL_ROWS", 16)
    ours = Store(db, page_index_bytes=n_bytes)
    projects = [ours.projects.create(f"Project {number}", ENGINE, 0.5) for number in range(3)]
    keys = [[f"w{writer}-{number:02}" for number in range(20)] for writer in range(4)]
    for writer, own in enumerate(keys):
        add(ours, projects[writer % 3].id, *own)
    stop = threading.Event()

    def read(seed: int) -> int:
        chance, pages = random.Random(seed), 0
        while not stop.is_set():
            sort = chance.choice(ALL_SORTS)
            page = ours.images.page(chance.choice(projects).id, sort=sort, limit=50)
            assert len({row.id for row in page.items}) == len(page.items)
            pages += 1
        return pages

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read, seed) for seed in range(2)]
        writers = [
            pool.submit(work_on, ours, projects[writer % 3], own, writer) for writer, own in enumerate(keys)
        ]
        try:
            for writer in writers:
                writer.result()
        finally:
            stop.set()
        assert all(reader.result() for reader in readers)
    for project in projects:
        same_everywhere(ours, by_sql(db), project.id)
    counts = index_of(ours).snapshot()
    assert (counts["evictions"] > 0) == (n_bytes == 7_000)
    assert counts["patches"] > 0


# What it counts, keeps and forgets


def test_a_project_is_read_once_and_patched_after_each_commit(
    store: Store, project: Project, recorder: QueryRecorder
) -> None:
    add(store, project.id, "a", "b", "c")
    seen = len(recorder.latest())
    for sort in ALL_SORTS:
        store.images.page(project.id, sort=sort)
    assert [record.name for record in recorder.latest()[seen:]] == ["images.table"]
    finish(store, "a", spheroid())
    (row,) = store.images.page(project.id, ImageFilter((ImageStatus.DONE,))).items
    assert (row.id, row.n_objects) == ("a", 1)
    counts = index_of(store).snapshot()
    assert (counts["loads"], counts["projects"], counts["rows"], counts["evictions"]) == (1, 1, 3, 0)
    assert counts["patches"] == 1  # queued, running, done: nobody looked meanwhile
    assert 0 < counts["bytes"] < 10_000


def test_many_rows_at_once_are_read_anew(store: Store, project: Project) -> None:
    add(store, project.id, *(f"{number:03}" for number in range(100)))
    assert store.images.page(project.id).total == 100
    store.images.delete(project.id, [f"{number:03}" for number in range(90)])
    assert store.images.page(project.id).total == 10
    counts = index_of(store).snapshot()
    assert (counts["loads"], counts["patches"], counts["dropped"]) == (2, 0, 1)


def test_a_project_that_does_not_fit_is_read_by_sql(db: Database, recorder: QueryRecorder) -> None:
    store = Store(db, page_index_bytes=10)
    project = store.projects.create("Large", ENGINE)
    add(store, project.id, "a", "b")
    store.images.page(project.id)
    seen = len(recorder.latest())
    assert [row.id for row in store.images.page(project.id, sort="name").items] == ["a", "b"]
    assert store.images.ids(project.id) == ("a", "b")
    assert store.images.neighbours(store.images.get("a"), "name").next == "b"
    names = [record.name for record in recorder.latest()[seen:]]
    assert names == ["images.page", "images.count", "images.ids", "images.get", "images.neighbours"]
    counts = index_of(store).snapshot()
    assert (counts["projects"], counts["bytes"], counts["too_large"]) == (0, 0, 1)


def test_the_project_used_longest_ago_goes_first(store: Store) -> None:
    index = index_of(store)
    projects = [store.projects.create(f"Project {number}", ENGINE) for number in range(3)]
    for number, project in enumerate(projects):
        add(store, project.id, *(f"{number}-{key:02}" for key in range(20)))
        store.images.page(project.id)
    store.images.page(projects[0].id)
    index._max_bytes = index.snapshot()["bytes"] - 1
    store.images.page(projects[2].id)
    assert list(index._entries) == [projects[0].id, projects[2].id]


def test_a_commit_during_loading_is_not_lost(
    db: Database, store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, project.id, "a")
    loaded, go_on = threading.Event(), threading.Event()
    original = ProjectTable.of

    def slowly(frame: pl.DataFrame) -> ProjectTable:
        loaded.set()
        assert go_on.wait(10)
        return original(frame)

    monkeypatch.setattr(ProjectTable, "of", slowly)
    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(store.images.page, project.id)
        assert loaded.wait(10)
        add(store, project.id, "b")  # writers wait for nobody
        go_on.set()
        assert reading.result().total == 1
    assert store.images.page(project.id).total == 2
    counts = index_of(store).snapshot()
    assert (counts["loads"], counts["patches"]) == (1, 1)


def test_a_commit_that_was_read_from_the_database_is_in_the_index(
    db: Database, store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, project.id, "a")
    store.images.page(project.id)
    committed, go_on = threading.Event(), threading.Event()
    original, notes = PageIndex._note, []

    def slowly(self: PageIndex, changed: Any) -> None:
        notes.append(changed)
        if len(notes) == 2:  # the one after COMMIT
            committed.set()
            assert go_on.wait(10)
        original(self, changed)

    monkeypatch.setattr(PageIndex, "_note", slowly)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(add, store, project.id, "b")
        assert committed.wait(10)
        assert by_sql(db).images.page(project.id).total == 2
        assert store.images.page(project.id).total == 2
        go_on.set()
        writing.result()
    assert store.images.page(project.id).total == 2


def test_a_commit_that_fails_is_not_shown(
    db: Database, store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, project.id, "a")
    store.images.page(project.id)
    with monkeypatch.context() as patched:

        @contextmanager
        def refuse(*_: object) -> Iterator[None]:
            raise OSError("no space left")
            yield

        patched.setattr(db._writer, "hooks", (*db._writer.hooks, refuse))
        with pytest.raises(OSError, match="no space"):
            add(store, project.id, "b")
    assert store.images.page(project.id).total == 1
    add(store, project.id, "c")
    assert store.images.ids(project.id) == ("a", "c")


def test_a_load_that_fails_is_told_and_tried_again(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, project.id, "a")
    with monkeypatch.context() as patched:

        def fail(*_: object, **__: object) -> None:
            raise StorageError("The disk is on fire.")

        patched.setattr("core.db.session.Session.frame", fail)
        with pytest.raises(StorageError):
            store.images.page(project.id)
    assert store.images.page(project.id).total == 1


def test_a_table_that_cannot_be_patched_is_loaded_anew(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add(store, project.id, "a")
    store.images.page(project.id)
    with monkeypatch.context() as patched:
        patched.setattr("core.listing.project_table.ProjectTable.with_rows_replaced", lambda *_: 1 / 0)
        add(store, project.id, "b")
        assert store.images.page(project.id).total == 2
    assert "event=page_index.patch_failed" in caplog.text


@pytest.mark.slow
def test_folding_again_and_again_takes_no_more_memory(
    store: Store, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_table, "TAIL_ROWS", 8)
    add(store, project.id, *(f"{number:03}" for number in range(300)))
    sizes = []
    for turn in range(120):
        store.images.set_pixel_size([f"{turn:03}", f"{turn + 1:03}"], 0.5 + turn)
        store.images.page(project.id, sort="pixel_size")
        sizes.append(index_of(store).snapshot()["bytes"])
    assert index_of(store).snapshot()["loads"] == 1
    assert max(sizes[60:]) < 1.2 * max(sizes[:20])


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Range("mood", 1.0), "no range of “mood”"),
        (Range("id", 1.0), "no range of “id”"),
        (Range("created", 1.0), "must be a time"),
        (Range("created", datetime(2026, 1, 1, tzinfo=UTC)), "must be a time"),
        (Range("objects", datetime(2026, 1, 1)), "must be a number"),
        (Range("seconds", None, float("nan")), "must be a number"),
        (Range("area_px", float("inf")), "must be a number"),
    ],
    ids=str,
)
def test_a_range_that_cannot_be_is_refused(store: Store, project: Project, item: Range, message: str) -> None:
    for repository in (store, by_sql(store._db)):
        with pytest.raises(InvalidRequest, match=message):
            repository.images.page(project.id, ImageFilter(ranges=(item,)))
        with pytest.raises(InvalidRequest, match=message):
            repository.images.ids(project.id, ImageFilter(ranges=(item,)))


def test_ranges_take_in_their_bounds_and_leave_out_what_is_unknown(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b", "c", "d")
    for key, diameter in (("a", 10.0), ("b", 20.0), ("c", 30.0)):
        finish(store, key, spheroid(equivalent_diameter=diameter))
    store.images.set_pixel_size(["b"], 2.0)

    def passing(*items: Range) -> list[str]:
        image_filter = ImageFilter(ranges=items)
        page = store.images.page(project.id, image_filter, "created")
        assert page == by_sql(store._db).images.page(project.id, image_filter, "created")
        return [row.id for row in page.items]

    assert passing(Range("diameter_px", 10, 20)) == ["a", "b"]
    assert passing(Range("diameter_px", maximum=20), Range("diameter_px", minimum=20.0)) == ["b"]
    assert passing(Range("diameter_um", 0)) == ["b"]
    assert passing(Range("diameter_um")) == ["a", "b", "c", "d"]
    added = store.images.get("b").created_at
    assert passing(Range("created", added, added)) == ["b"]
    assert passing(Range("created", added + timedelta(microseconds=1))) == ["c", "d"]

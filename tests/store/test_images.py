"""Images: every page equals what Python makes of the same rows; deleted, restored, calibrated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.db import Database
from core.errors import CrashedRepeatedly, InvalidRequest, NotFound, QueueFull
from core.listing.image_query import DEFAULT_SORT
from core.listing.image_table import SORTS
from core.models import (
    Finding,
    Image,
    ImageFilter,
    ImageRow,
    ImageStatus,
    JobState,
    PixelSizeSource,
    Project,
    ReviewState,
)
from core.monitoring import QueryRecorder
from core.store import PAGE_INDEX_BYTES, Store
from tests.factories import ENGINE, RECIPE, add, claim, finish, new_image, result, spheroid

pytestmark = pytest.mark.slow


@pytest.fixture(params=["page index", "SQL"])
def store(request: pytest.FixtureRequest, db: Database) -> Store:
    """Whatever is asked of images is answered the same from memory and by SQL."""
    return Store(db, page_index_bytes=PAGE_INDEX_BYTES if request.param == "page index" else 0)


ALL_SORTS = [sign + name for name in SORTS for sign in ("", "-")]
STATUSES = list(ImageStatus)
REVIEWS = list(ReviewState)


def last(value: Any, descending: bool) -> tuple[bool, Any]:
    """A key that puts None after everything, whichever way the sort goes."""
    return (value is None) != descending, 0 if value is None else value


def micrometres(image: Image) -> float | None:
    if image.um_per_px is None or image.largest_diameter_px is None:
        return None
    return image.largest_diameter_px * image.um_per_px


def square_micrometres(image: Image) -> float | None:
    if image.um_per_px is None or image.largest_area_px is None:
        return None
    return image.largest_area_px * image.um_per_px * image.um_per_px


def as_row(image: Image) -> ImageRow:
    return ImageRow(**{field.name: getattr(image, field.name) for field in fields(ImageRow)})


KEYS: dict[str, Callable[[Image, bool], Any]] = {
    "created": lambda image, _: image.created_at,
    "name": lambda image, _: image.name.lower(),
    "status": lambda image, _: STATUSES.index(image.status),
    "objects": lambda image, down: last(image.n_objects, down),
    "diameter": lambda image, down: (last(micrometres(image), down), last(image.largest_diameter_px, down)),
    "area": lambda image, down: (last(square_micrometres(image), down), last(image.largest_area_px, down)),
    "circularity": lambda image, down: last(image.largest_circularity, down),
    "confidence": lambda image, down: last(image.confidence, down),
    "pixel_size": lambda image, down: last(image.um_per_px, down),
    "seconds": lambda image, down: last(image.seconds, down),
    "review": lambda image, _: REVIEWS.index(image.review),
    "reviewed": lambda image, down: last(image.reviewed_at, down),
    "edge_blur": lambda image, down: last(image.edge_blur, down),
    "specks": lambda image, down: last(image.specks, down),
}


def expected(images: list[Image], image_filter: ImageFilter, sort: str) -> list[Image]:
    """What a page of everything must be, worked out without a database."""
    matching = [
        image
        for image in images
        if (not image_filter.status or image.status in image_filter.status)
        and (not image_filter.name or image_filter.name.lower() in image.name.lower())
    ]
    down = sort.startswith("-")
    key = KEYS[sort.removeprefix("-")]
    return sorted(matching, key=lambda image: (key(image, down), image.id), reverse=down)


def state(db: Database, image_id: str, **values: object) -> None:
    """Put values into an image's row as they are."""
    columns = ", ".join(f"{name} = ${name}" for name in values)
    statement = f"UPDATE image SET {columns} WHERE id = $id"
    db.write(lambda session: session._cursor.execute(statement, {"id": image_id, **values}) and None)


def fill(store: Store, db: Database, project: Project, rows: list[dict[str, Any]]) -> list[Image]:
    keys = [f"{project.id} {number:02}" for number in range(len(rows))]
    store.add_images(
        project.id, tuple(new_image(key, row.pop("name")) for key, row in zip(keys, rows, strict=True)), None
    )
    for key, row in zip(keys, rows, strict=True):
        state(db, key, **row)
    return [store.images.get(key) for key in keys]


few = st.sampled_from([None, 0.5, 1.0, 2.0])
rows_of_images = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text("abAB1_.#%'é", min_size=1, max_size=6),
            "status": st.sampled_from([status.value for status in ImageStatus]),
            "n_objects": st.sampled_from([None, 0, 1, 7]),
            "largest_diameter_px": few,
            "largest_area_px": few,
            "largest_circularity": few,
            "confidence": few,
            "seconds": few,
            "um_per_px": few,
        }
    ),
    max_size=12,
)
filters = st.builds(
    ImageFilter,
    status=st.lists(st.sampled_from(STATUSES), max_size=3).map(tuple),
    name=st.none() | st.text("abAB1_.#%'é", max_size=2),
)


def check_pages(
    store: Store, images: list[Image], project: Project, image_filter: ImageFilter, limit: int
) -> None:
    for sort in ALL_SORTS:
        want = expected(images, image_filter, sort)
        got: list[ImageRow] = []
        for offset in range(0, len(want) + limit, limit):
            page = store.images.page(project.id, image_filter, sort, limit, offset)
            assert (page.total, page.offset, page.limit) == (len(want), offset, limit)
            got += page.items
        assert [image.id for image in got] == [image.id for image in want], sort
        assert got == [as_row(image) for image in want]
    assert sorted(store.images.ids(project.id, image_filter)) == sorted(image.id for image in want)


def check_neighbours(store: Store, project: Project) -> None:
    for sort in ALL_SORTS:
        page = store.images.page(project.id, sort=sort, limit=100)
        items = [store.images.get(row.id) for row in page.items]
        ids = [None, *(image.id for image in items), None]
        for position, image in enumerate(items, start=1):
            place = store.images.neighbours(image, sort)
            assert (place.previous, place.next) == (ids[position - 1], ids[position + 1])
            assert (place.position, place.total) == (position, len(items))


@pytest.mark.slow
@given(rows=rows_of_images, image_filter=filters, limit=st.integers(1, 5))
@hypothesis_settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_every_page_of_every_sort_is_what_python_makes_of_it(
    store: Store, db: Database, rows: list[dict[str, Any]], image_filter: ImageFilter, limit: int
) -> None:
    project = store.projects.create("Compared", ENGINE)
    images = fill(store, db, project, rows)
    check_pages(store, images, project, image_filter, limit)
    check_neighbours(store, project)
    store.projects.delete(project.id)


@pytest.mark.slow
def test_pages_and_neighbours_of_a_small_project(store: Store, db: Database, project: Project) -> None:
    sizes, statuses = [None, 1.0, 2.0], [status.value for status in ImageStatus]
    rows = [
        {
            "name": ["b.tif", "A10.tif", "a2.tif", "É1"][number % 4],
            "status": statuses[number % 5],
            "n_objects": [None, 0, 3][number % 3],
            "largest_diameter_px": sizes[number // 3 % 3],
            "largest_area_px": sizes[number // 3 % 3],
            "largest_circularity": sizes[number // 2 % 3],
            "seconds": sizes[number % 2],
            "um_per_px": sizes[number % 3],
        }
        for number in range(9)
    ]
    images = fill(store, db, project, rows)
    for image_filter in (
        ImageFilter(),
        ImageFilter(name="A"),
        ImageFilter((ImageStatus.DONE, ImageStatus.NEW)),
        ImageFilter((ImageStatus.FAILED,), "1"),
        ImageFilter(name="nothing has this"),
    ):
        check_pages(store, images, project, image_filter, limit=4)
    check_neighbours(store, project)


def test_what_is_not_a_sort_is_refused(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    for sort in ("size", "", "-", "--name", "name desc", "id; DROP TABLE image", "NAME"):
        with pytest.raises(InvalidRequest, match="cannot be sorted"):
            store.images.page(project.id, sort=sort)
        with pytest.raises(InvalidRequest, match="cannot be sorted"):
            store.images.neighbours(store.images.get("a"), sort)


@pytest.mark.parametrize("name", ["%", "_", "\\", "'", "';--", "{order}", "$name", "\0"])
def test_a_filter_is_text_and_nothing_else(store: Store, project: Project, name: str) -> None:
    store.add_images(project.id, (new_image("a", f"x{name}y.tif"), new_image("b", "plain.tif")), None)
    page = store.images.page(project.id, ImageFilter(name=name))
    assert [image.id for image in page.items] == ["a"]


def test_a_page_is_two_statements_or_none_and_reads_only_its_own_rows(
    store: Store, project: Project, recorder: QueryRecorder
) -> None:
    add(store, project.id, *(f"{number}" for number in range(200)))
    first: list[str] = ["images.table"]  # which later pages do without
    for offset in (0, 50, 190, 500):
        seen = len(recorder.latest())
        store.images.page(project.id, limit=50, offset=offset)
        records = recorder.latest()[seen:]
        if store.page_index:
            assert [record.name for record in records] == first
            first = []
            continue
        assert [record.name for record in records] == ["images.page", "images.count"]
        assert records[0].rows == max(0, min(50, 200 - offset))


def test_pages_of_one_file_keep_their_order(store: Store, project: Project) -> None:
    keys = [f"{number * 7919 % 1000:03}" for number in range(60)]
    add(store, project.id, *keys)
    assert [image.id for image in store.images.page(project.id, sort="created", limit=100).items] == keys
    assert list(store.images.ids(project.id)) == keys
    assert [image.id for image in store.images.page(project.id, sort=DEFAULT_SORT, limit=100).items] == keys[
        ::-1
    ]


def test_other_projects_images_never_show(store: Store, project: Project) -> None:
    other = store.projects.create("Other", ENGINE)
    add(store, project.id, "a", "b")
    add(store, other.id, "c")
    for sort in ALL_SORTS:
        assert {image.id for image in store.images.page(project.id, sort=sort).items} == {"a", "b"}
    assert store.images.neighbours(store.images.get("c")).total == 1
    assert store.images.page("nowhere").total == 0


def test_an_image_is_read_as_it_was_added(store: Store, project: Project) -> None:
    new = new_image("a", "well A1 µ.tif", um_per_px=0.65)
    assert store.add_images(project.id, (new,), None) == ("a",)
    image = store.images.get("a")
    for name in ("page", "width", "height", "channels", "dtype", "bit_depth", "um_per_px", "um_per_px_from"):
        assert getattr(image, name) == getattr(new.facts, name), name
    assert (image.project_id, image.name, image.sha256) == (project.id, new.name, new.sha256)
    assert (image.n_bytes, image.thumbnail_sha256) == (new.n_bytes, new.thumbnail_sha256)
    assert (image.um_per_px_file, image.um_per_px_source) == (0.65, PixelSizeSource.FILE)
    assert image.status is ImageStatus.NEW
    assert image.version_id is None


def test_adding_twice_adds_once_and_queues_once(store: Store, project: Project) -> None:
    assert add(store, project.id, "a", "b", recipe=RECIPE) == ("a", "b")
    assert add(store, project.id, "b", "c", recipe=RECIPE) == ("c",)
    assert store.images.page(project.id).total == 3
    assert store.jobs.totals().counts[JobState.QUEUED] == 3
    assert store.images.known(["a", "c", "never"]) == {"a": False, "c": False}
    assert store.images.known([]) == {}


def test_a_full_queue_takes_neither_image_nor_job(db: Database) -> None:
    store = Store(db, max_queued=3)
    project = store.projects.create("Small", ENGINE)
    add(store, project.id, "a", "b", recipe=RECIPE)
    with pytest.raises(QueueFull, match="2 images are waiting and 3 may"):
        add(store, project.id, "c", "d", recipe=RECIPE)
    assert set(store.images.ids(project.id)) == {"a", "b"}
    add(store, project.id, "c", recipe=RECIPE)
    add(store, project.id, "d")  # without a job it fits


# Deleted, restored


def test_deleting_hides_an_image_and_restoring_brings_back_all_of_it(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    before = finish(store, "a", spheroid(1), spheroid(2))
    assert store.images.delete(project.id, ["a", "never"]) == ("a",)
    assert store.images.delete(project.id, ["a"]) == ()
    with pytest.raises(NotFound):
        store.images.get("a")
    with pytest.raises(NotFound):
        store.images.neighbours(before)
    assert store.images.page(project.id).total == 1
    assert store.images.ids(project.id) == ("b",)
    assert store.images.known(["a"]) == {"a": True}
    assert store.images.restore(project.id, ["a", "b"]) == 1
    assert store.images.get("a") == before
    assert store.images.restore(project.id, ["a"]) == 0


def test_only_images_of_the_project_are_deleted_or_restored(store: Store, project: Project) -> None:
    other = store.projects.create("Other", ENGINE)
    add(store, project.id, "a")
    assert store.images.delete(other.id, ["a"]) == ()
    store.images.delete(project.id, ["a"])
    assert store.images.restore(other.id, ["a"]) == 0


def test_deleting_cancels_the_jobs_and_a_restored_image_is_not_stuck_in_the_queue(
    store: Store, project: Project
) -> None:
    add(store, project.id, "queued", "running", "redone", recipe=RECIPE)
    store.jobs.cancel()
    finish(store, "redone", spheroid())
    store.jobs.enqueue(project.id, ["running", "queued", "redone"], RECIPE)
    job = claim(store)
    assert job.image_id == "running"
    store.images.delete(project.id, ["queued", "running", "redone"])
    assert store.jobs.totals().left == 0
    assert not store.results.finish(job, result(spheroid()))
    store.images.restore(project.id, ["queued", "running", "redone"])
    assert store.images.get("queued").status is ImageStatus.NEW
    assert store.images.get("running").status is ImageStatus.NEW
    assert store.images.get("redone").status is ImageStatus.DONE


def test_a_failed_image_comes_back_with_its_reason(store: Store, project: Project) -> None:
    add(store, project.id, "a", recipe=RECIPE)
    store.jobs.fail(claim(store), CrashedRepeatedly("It ended the program."))
    store.images.delete(project.id, ["a"])
    store.images.restore(project.id, ["a"])
    image = store.images.get("a")
    assert (image.status, image.error_code) == (ImageStatus.FAILED, "crashed_repeatedly")
    assert image.error == "It ended the program."


# Pixel sizes


@pytest.mark.parametrize("project_size", [None, 4.0])
@pytest.mark.parametrize("file_size", [None, 2.0])
@pytest.mark.parametrize("user_size", [None, 3.0])
def test_the_user_wins_over_the_file_and_the_file_over_the_project(
    store: Store, project_size: float | None, file_size: float | None, user_size: float | None
) -> None:
    project = store.projects.create("Sized", ENGINE, project_size)
    store.add_images(project.id, (new_image("a", um_per_px=file_size),), None)

    def check(user: float | None) -> None:
        image = store.images.get("a")
        ranked = {
            PixelSizeSource.USER: user,
            PixelSizeSource.FILE: file_size,
            PixelSizeSource.PROJECT: project_size,
        }
        source = next((source for source, size in ranked.items() if size), None)
        assert (image.um_per_px_source, image.um_per_px) == (source, ranked[source] if source else None)
        assert image.um_per_px_file == file_size

    check(None)
    store.images.set_pixel_size(["a"], user_size)
    check(user_size)
    store.images.set_pixel_size(["a"], None)
    check(None)


def test_a_pixel_size_changes_how_images_are_sorted_at_once(
    store: Store, project: Project, db: Database
) -> None:
    add(store, project.id, "large in px", "large in um")
    state(db, "large in px", largest_diameter_px=500.0)
    state(db, "large in um", largest_diameter_px=100.0)

    def order() -> list[str]:
        return [image.id for image in store.images.page(project.id, sort="-diameter").items]

    assert order() == ["large in px", "large in um"]
    store.images.set_pixel_size(["large in um"], 10.0)
    assert order() == ["large in um", "large in px"]
    store.images.set_pixel_size(["large in px"], 5.0)
    assert order() == ["large in px", "large in um"]


def test_setting_a_size_touches_only_the_images_named(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    store.images.set_pixel_size(["a"], 1.0)
    store.images.set_pixel_size([], 9.0)
    assert store.images.get("a").um_per_px == 1.0
    assert store.images.get("b").um_per_px is None


def test_facts_do_not_change_with_results(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    before = store.images.get("a")
    after = finish(store, "a", spheroid(1), spheroid(3))
    results = {
        "status": ImageStatus.DONE,
        "version_id": after.version_id,
        "n_objects": 2,
        "largest_area_px": 300.0,
        "largest_diameter_px": after.largest_diameter_px,
        "largest_circularity": after.largest_circularity,
        "seconds": 1.5,
    }
    assert after == replace(before, **results)
    assert after.largest_diameter_px == spheroid(3).measurements["equivalent_diameter"]


def test_images_are_narrowed_and_counted_by_what_was_found(store: Store) -> None:
    project = store.projects.create("Plate", ENGINE)
    add(store, project.id, "none", "one", "two", "unsure", "new")
    for key, found in (("none", 0), ("one", 1), ("two", 2)):
        finish(store, key, *[spheroid(number + 1) for number in range(found)])
    store.jobs.enqueue(project.id, ["unsure"], RECIPE)
    assert store.results.finish(claim(store), replace(result(spheroid()), confidence=0.79))
    expected = {
        Finding.LOOK_AT_THIS: {"unsure"},
        Finding.NOTHING_FOUND: {"none"},
        Finding.SEVERAL_FOUND: {"two"},
    }
    for finding, names in expected.items():
        page = store.images.page(project.id, ImageFilter(findings=(finding,)))
        assert {image.id for image in page.items} == names
        assert page.total == store.projects.get(project.id).findings[finding]
    both = ImageFilter(findings=(Finding.NOTHING_FOUND, Finding.SEVERAL_FOUND))
    assert set(store.images.ids(project.id, both)) == {"none", "two"}

from __future__ import annotations

import pytest

from core.errors import InvalidRequest
from core.listing.object_table import RANGES, SORTS
from core.models import Project, Range
from core.store import Store
from core.store.objects import ObjectFilter
from tests.factories import add, finish, spheroid

pytestmark = pytest.mark.slow

ALL = ObjectFilter()


@pytest.fixture
def filled(store: Store, project: Project) -> Store:
    """Three images: a with two spheroids, b with one and calibrated, c with none."""
    add(store, project.id, "a", "b", "c")
    finish(store, "a", spheroid(1, area=10.0), spheroid(2, area=30.0, circularity=None))
    finish(store, "b", spheroid(1, area=20.0))
    store.images.set_pixel_size(["b"], 2.0)
    finish(store, "c")
    return store


def rows(store: Store, project: Project, object_filter: ObjectFilter = ALL, sort: str = "name") -> list[str]:
    return [item.id for item in store.objects.page(project.id, object_filter, sort).items]


@pytest.mark.slow
def test_every_sort_is_total_and_has_what_is_unknown_last(filled: Store, project: Project) -> None:
    for sort in [way + name for name in SORTS for way in ("", "-")]:
        names = rows(filled, project, sort=sort)
        assert sorted(names) == ["a-1", "a-2", "b-1"]
        pages = [filled.objects.page(project.id, ALL, sort, 1, index).items[0].id for index in range(3)]
        assert pages == names
        if sort.removeprefix("-").endswith(("_um", "_um2", "_um3")):
            assert names[0] == "b-1", "alone has a pixel size"
        if sort.removeprefix("-") == "circularity":
            assert names[-1] == "a-2"


@pytest.mark.slow
def test_a_walk_goes_on_behind_its_keys_by_every_sort_whatever_comes_and_goes(
    store: Store, project: Project
) -> None:
    keys = [f"{number:02}" for number in range(9)]
    add(store, project.id, *keys)
    for number, key in enumerate(keys):
        shape = {"circularity": None if number % 3 == 0 else number / 10, "touches_border": number % 2 == 0}
        finish(store, key, spheroid(1, area=float(number % 4), **shape))
    store.images.set_pixel_size(keys[:4], 2.0)
    for index, sort in enumerate(way + name for name in SORTS for way in ("", "-")):
        expected = rows(store, project, sort=sort)
        first = store.objects.page(project.id, ALL, sort, 4)
        gone = keys[index % 9]
        store.images.delete(project.id, [gone])
        seen = [item.id for item in first.items]
        last = first.last
        while last:
            page = store.objects.page(project.id, ALL, sort, 2, after=last)
            assert page.offset == len([item for item in seen if not item.startswith(gone)])
            assert page.total == 8
            seen += [item.id for item in page.items]
            last = page.last
        store.images.restore(project.id, [gone])
        left = [item for item in expected if item in seen]
        assert seen == left, sort
        assert {*expected} - {*seen} <= {f"{gone}-1"}


def test_ranges_are_closed_and_leave_out_what_is_unknown(filled: Store, project: Project) -> None:
    assert rows(filled, project, ObjectFilter(ranges=(Range("area", 10.0, 20.0),))) == ["a-1", "b-1"]
    assert rows(filled, project, ObjectFilter(ranges=(Range("area_um2", 80.0, None),))) == ["b-1"]
    assert rows(filled, project, ObjectFilter(ranges=(Range("circularity", -1e9),))) == ["a-1", "b-1"]


def test_they_are_counted_with_their_images(filled: Store, project: Project) -> None:
    count = filled.objects.count(project.id, ALL)
    assert (count.objects, count.images) == (3, 2)
    narrowed = filled.objects.count(project.id, ObjectFilter(name="A"))
    assert (narrowed.objects, narrowed.images) == (2, 1)


def test_what_has_no_pixel_size_is_counted_and_can_be_told(filled: Store, project: Project) -> None:
    objects = filled.objects
    assert objects.count(project.id, ObjectFilter(calibrated=False)).objects == 2
    assert objects.count(project.id, ObjectFilter(calibrated=True)).objects == 1
    assert (objects.calibrated(project.id), objects.partly_calibrated(project.id)) == (True, True)
    filled.images.set_pixel_size(["a"], 2.0)
    assert (objects.calibrated(project.id), objects.partly_calibrated(project.id)) == (True, False)
    filled.images.set_pixel_size(["a", "b"], None)
    assert (objects.calibrated(project.id), objects.partly_calibrated(project.id)) == (False, False)


def test_values_are_counted_into_equal_parts_with_both_ends(filled: Store, project: Project) -> None:
    counts = filled.objects.histogram(project.id, ALL, "area", 4)
    assert counts is not None
    assert counts.edges == (10.0, 15.0, 20.0, 25.0, 30.0)
    assert counts.counts == (1, 0, 1, 1)
    alone = filled.objects.histogram(project.id, ObjectFilter(name="b"), "area", 3)
    assert alone is not None
    assert alone.counts == (1, 0, 0)
    assert filled.objects.histogram(project.id, ObjectFilter(name="none"), "area", 3) is None


def test_points_are_the_same_ones_each_time(filled: Store, project: Project) -> None:
    columns = ("area", "circularity")
    points = filled.objects.points(project.id, ALL, columns, 10)
    assert {(item.image_id, item.number, item.x) for item in points} == {("a", 1, 10.0), ("b", 1, 20.0)}
    assert filled.objects.points(project.id, ALL, columns, 1) == points[:1]


def test_the_stream_has_the_rows_of_the_table_in_its_order(filled: Store, project: Project) -> None:
    streamed = list(filled.objects.stream(project.id, ALL, "-area", 10))
    assert [(row["image_name"], row["number"]) for row in streamed] == [
        ("a.tif", 2),
        ("b.tif", 1),
        ("a.tif", 1),
    ]
    assert {"um_per_px", "um_per_px_source", "engine", "engine_version", "reasons"} <= streamed[0].keys()


def test_what_has_been_deleted_is_not_there(filled: Store, project: Project) -> None:
    filled.images.delete(project.id, ["a"])
    assert rows(filled, project) == ["b-1"]


def test_columns_that_are_not_allowed_are_refused(store: Store, project: Project) -> None:
    for name in ("contour", "area; DROP TABLE object", "", "touches_border", "object.area"):
        assert name not in RANGES
        with pytest.raises(InvalidRequest):
            store.objects.page(project.id, ObjectFilter(ranges=(Range(name, 1.0),)))
        with pytest.raises(InvalidRequest):
            store.objects.histogram(project.id, ALL, name, 4)
        with pytest.raises(InvalidRequest):
            store.objects.points(project.id, ALL, ("area", name), 4)

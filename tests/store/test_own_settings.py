"""What was accepted for one image holds until somebody changes it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from core.errors import InvalidRequest, NotFound, QueueFull, VersionConflict
from core.models import Finding, ImageFilter, JobState, Project
from core.store import Recipe, Store
from core.store.own_settings import ImageRecipes, OwnSettings
from tests.factories import RECIPE, add, claim, finish, result, spheroid

pytestmark = pytest.mark.slow

OWN = Recipe("classical", "3", {"sensitivity": 0.25})


def to_recipe(engine: str, params: Mapping[str, object]) -> Recipe:
    if engine == "gone":
        raise InvalidRequest("There is no engine 'gone'.")
    return Recipe(engine, "3", params)


USUAL = ImageRecipes(RECIPE, to_recipe)


def queued(store: Store) -> dict[str, tuple[str, dict[str, object]]]:
    return {job.image_id: (job.engine, job.params) for job in store.jobs.page(JobState.QUEUED).items}


def test_an_image_is_segmented_by_what_was_accepted_for_it(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    assert store.own_settings.accept(project.id, ["a"], OWN) == 1
    store.results.finish(claim(store), result(spheroid(1)))
    assert store.own_settings.segment(project.id, ["a", "b", "a"], USUAL) == 2
    assert queued(store) == {"a": (OWN.engine, OWN.params), "b": (RECIPE.engine, RECIPE.params)}
    assert store.own_settings.of_project(project.id) == (OwnSettings("a", OWN.engine, dict(OWN.params)),)
    image = store.images.get("a")
    assert (image.own_engine, image.own_params) == (OWN.engine, OWN.params)
    assert store.images.get("b").own_engine is None


def test_images_with_settings_of_their_own_are_counted_and_listed(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b", "c")
    assert store.images.page(project.id).total == 3  # the table is in memory from now on
    store.own_settings.accept(project.id, ["b"], OWN)
    found = store.images.page(project.id, ImageFilter(findings=(Finding.OWN_SETTINGS,)))
    assert [row.id for row in found.items] == ["b"]
    assert [row.own_settings for row in store.images.page(project.id, sort="name").items] == [
        False,
        True,
        False,
    ]
    assert store.projects.get(project.id).findings[Finding.OWN_SETTINGS] == 1
    by_sql = Store(store._db, page_index_bytes=0)
    assert by_sql.images.page(project.id, ImageFilter(findings=(Finding.OWN_SETTINGS,))).items == found.items


def test_own_settings_are_taken_back_only_where_that_is_requested(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b", "c")
    store.own_settings.accept(project.id, ["a", "c"], OWN)
    store.jobs.cancel()
    recipes = ImageRecipes(RECIPE, to_recipe, frozenset(["a", "b"]))
    assert store.own_settings.segment(project.id, ["a", "b"], recipes) == 2
    assert {engine for engine, _ in queued(store).values()} == {RECIPE.engine}
    assert [item.image_id for item in store.own_settings.of_project(project.id)] == ["c"]


def test_a_queue_that_is_full_changes_no_settings(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b")
    small = Store(store._db, max_queued=1)
    with pytest.raises(QueueFull):
        small.own_settings.accept(project.id, ["a", "b"], OWN)
    assert store.own_settings.of_project(project.id) == ()
    store.own_settings.accept(project.id, ["a"], OWN)
    store.jobs.cancel()
    with pytest.raises(QueueFull):
        small.own_settings.segment(project.id, ["a", "b"], USUAL)
    recipes = ImageRecipes(RECIPE, to_recipe, frozenset(["a", "b"]))
    with pytest.raises(QueueFull):
        small.own_settings.segment(project.id, ["a", "b"], recipes)
    assert queued(store) == {}
    assert [item.image_id for item in store.own_settings.of_project(project.id)] == ["a"]


def test_settings_of_an_engine_that_is_gone_are_an_error_and_nothing_is_queued(
    store: Store, project: Project
) -> None:
    add(store, project.id, "a", "b")
    store.own_settings.accept(project.id, ["a"], Recipe("gone", "1", {}))
    store.jobs.cancel()
    with pytest.raises(InvalidRequest, match="gone"):
        store.own_settings.segment(project.id, ["a", "b"], USUAL)
    assert queued(store) == {}


def test_images_of_other_projects_and_deleted_ones_get_no_settings(store: Store, project: Project) -> None:
    other = store.projects.create("Other", "fake")
    add(store, project.id, "a", "gone")
    add(store, other.id, "theirs")
    store.images.delete(project.id, ["gone"])
    assert store.own_settings.accept(project.id, ["a", "gone", "theirs"], OWN) == 1
    assert [item.image_id for item in store.own_settings.of_project(project.id)] == ["a"]
    assert store.own_settings.of_project(other.id) == ()
    with pytest.raises(NotFound):
        store.own_settings.accept("no project", ["a"], OWN)


def test_going_back_to_a_version_takes_its_settings_along(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    first = finish(store, "a", spheroid(1)).version_id
    store.own_settings.accept(project.id, ["a"], OWN)
    store.results.finish(claim(store), result(spheroid(1), spheroid(2)))
    second = store.images.get("a").version_id
    assert first is not None
    assert second is not None
    store.own_settings.restore_version(project.id, "a", (first, second), None)
    image = store.images.get("a")
    assert (image.version_id, image.n_objects, image.own_engine) == (first, 1, None)
    with pytest.raises(VersionConflict):
        store.own_settings.restore_version(project.id, "a", (second, second), (OWN.engine, OWN.params))
    assert store.images.get("a").own_engine is None, "neither the version nor the settings change"
    store.own_settings.restore_version(project.id, "a", (second, first), (OWN.engine, OWN.params))
    image = store.images.get("a")
    assert (image.version_id, image.n_objects, image.own_params) == (second, 2, OWN.params)
    with pytest.raises(NotFound):
        store.own_settings.restore_version(project.id, "a", ("never", second), None)

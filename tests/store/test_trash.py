"""What was deleted: listed with who and when, restored one by one or together."""

from __future__ import annotations

from core.clock import utc_now
from core.models import Project
from core.store import Store
from core.store.trash import DeletedKind, restore
from tests.factories import add


def names(store: Store, name: str = "") -> list[tuple[str, str | None]]:
    return [(item.name, item.deleted_by) for item in store.trash.items(10, name).items]


def test_deleted_images_and_projects_are_listed_with_who_deleted_them(store: Store, project: Project) -> None:
    other = store.projects.create("Old plate", "fake")
    add(store, project.id, "a", "b", "kept")
    add(store, other.id, "c", "d")
    before = utc_now()
    store.images.delete(project.id, ["a"], "Ada")
    store.images.delete(project.id, ["b"])
    store.images.delete(other.id, ["d"], "Bo")
    store.projects.delete(other.id, "Bo")
    trash = store.trash.items(10)
    assert trash.total == 3, "what was in a deleted project comes back with it"
    plate, b, a = trash.items
    assert (plate.kind, plate.name, plate.n_images, plate.deleted_by) == (
        DeletedKind.PROJECT,
        "Old plate",
        1,
        "Bo",
    )
    assert (a.kind, a.name, a.project_name, a.deleted_by) == (DeletedKind.IMAGE, "a.tif", "Plate 1", "Ada")
    assert b.deleted_by is None
    assert before <= a.deleted_at <= b.deleted_at <= plate.deleted_at


def test_the_trash_is_found_by_name_and_only_so_much_is_listed(store: Store, project: Project) -> None:
    add(store, project.id, "a", "b", "c")
    store.images.delete(project.id, ["a", "b", "c"])
    assert names(store, "B.TIF") == [("b.tif", None)]
    assert len(names(store, "plate 1")) == 3
    assert names(store, "100%") == []
    trash = store.trash.items(2)
    assert (len(trash.items), trash.total) == (2, 3)
    assert store.trash.items(10, visible=[project.id]).total == 3
    assert store.trash.items(10, visible=[]).total == 0, "nothing of projects that somebody may not look at"


def test_many_are_restored_together(store: Store, project: Project) -> None:
    other = store.projects.create("Other", "fake")
    add(store, project.id, "a", "b")
    add(store, other.id, "c")
    store.images.delete(project.id, ["a", "b"], "Ada")
    store.projects.delete(other.id, "Ada")
    items = store.trash.items(10).items
    assert restore(store.projects, store.images, items) == 3
    assert store.trash.items(10).items == ()
    assert {store.images.get(key).id for key in "abc"} == {"a", "b", "c"}
    assert restore(store.projects, store.images, items) == 0, "somebody else was quicker"
    store.images.delete(project.id, ["a"])
    assert names(store) == [("a.tif", None)], "who deleted it before has gone with the restoring"


def test_what_is_gone_for_good_is_not_in_the_trash(store: Store, project: Project) -> None:
    add(store, project.id, "a")
    store.images.delete(project.id, ["a"])
    (item,) = store.trash.items(10).items
    store.retention.purge_deleted(-1)
    assert store.trash.items(10).total == 0
    assert restore(store.projects, store.images, [item]) == 0

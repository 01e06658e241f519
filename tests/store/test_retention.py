"""Retention of rows: superseded automatic versions go; those stay that a person has had to do with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.clock import utc_now
from core.db import Database
from core.models import Project, ReviewState
from core.store import Recipe, Store
from core.store.corrections import NewOperation
from core.store.results import Correction
from core.store.retention import Purged
from core.store.reviews import Judgement
from tests.factories import add, digest, finish, new_image, result, spheroid

pytestmark = pytest.mark.slow

DAYS = 30
CORRECTION = Correction("Ada", "The rim was missed.", None)


def recipe(number: int) -> Recipe:
    return Recipe(f"engine {number}", "1", {})


def age(db: Database, days: int) -> None:
    """Make every version as if it had been superseded ``days`` days earlier."""
    statement = f"UPDATE version SET superseded_at = superseded_at - INTERVAL {days} DAY"
    db.write(lambda session: session._cursor.execute(statement) and None)


def versions(store: Store, image_id: str = "a") -> list[str]:
    return [version.id for version in store.results.versions(image_id)]


def count(db: Database, table: str) -> int:
    with db.read() as session:
        return int(session._cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


@pytest.fixture
def superseded(store: Store, project: Project) -> list[str]:
    """The versions of the image "a", oldest first: two superseded and the one in force."""
    add(store, project.id, "a")
    return [
        str(finish(store, "a", spheroid(number), recipe=recipe(number)).version_id) for number in (1, 2, 3)
    ]


def test_superseded_versions_go_with_their_objects_when_their_time_is_over(
    store: Store, db: Database, superseded: list[str]
) -> None:
    age(db, DAYS - 1)
    assert store.retention.purge_superseded(DAYS) == Purged()
    age(db, 2)
    image = store.images.get("a")
    assert store.retention.purge_superseded(DAYS) == Purged(versions=2)
    assert versions(store) == superseded[-1:]
    assert count(db, "object") == 1
    assert store.images.get("a") == image
    assert store.results.get(image) is not None
    assert store.retention.purge_superseded(DAYS) == Purged()


def test_the_time_runs_from_when_a_version_was_replaced_not_made(
    store: Store, db: Database, superseded: list[str]
) -> None:
    earlier = "UPDATE version SET created_at = created_at - INTERVAL 400 DAY"
    db.write(lambda session: session._cursor.execute(earlier) and None)
    assert store.retention.purge_superseded(DAYS) == Purged()
    assert len(versions(store)) == len(superseded)


def test_pinned_versions_stay_until_the_last_pin_is_withdrawn(
    store: Store, db: Database, superseded: list[str]
) -> None:
    store.results.pin(superseded[:1], "report 1")
    store.results.pin(superseded[:2], "weights 7")
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged()
    store.results.unpin("weights 7")
    assert store.retention.purge_superseded(DAYS) == Purged(versions=1)
    assert versions(store) == [superseded[2], superseded[0]]
    store.results.unpin("report 1")
    assert store.retention.purge_superseded(DAYS) == Purged(versions=1)
    assert count(db, "pinned_version") == 0


def test_corrections_and_what_they_were_made_from_stay(
    store: Store, db: Database, superseded: list[str]
) -> None:
    in_force = superseded[-1]
    first = store.results.add_version("a", result(), replace(CORRECTION, parent_id=in_force), in_force).id
    second = store.results.add_version("a", result(), replace(CORRECTION, parent_id=first), first).id
    late = finish(store, "a", spheroid(1), recipe=recipe(4))
    assert late.version_id == second
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged(versions=3)
    assert versions(store) == [second, first, in_force]


def test_a_version_that_is_in_force_again_stays(store: Store, db: Database, superseded: list[str]) -> None:
    store.results.set_in_force("a", superseded[0], superseded[2])
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged(versions=1)
    assert versions(store) == [superseded[2], superseded[0]], "and the one that it replaced"
    assert store.images.get("a").n_objects == 1


def test_what_somebody_chose_once_stays(store: Store, db: Database, superseded: list[str]) -> None:
    store.results.set_in_force("a", superseded[0], superseded[2], "Ada")
    finish(store, "a", spheroid(1), recipe=recipe(4))
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged(versions=1)
    assert superseded[0] in versions(store)


@pytest.mark.parametrize("state", [ReviewState.RIGHT, ReviewState.EXCLUDED, ReviewState.UNSURE])
def test_what_somebody_has_judged_stays(
    store: Store, db: Database, superseded: list[str], state: ReviewState
) -> None:
    judgement = Judgement(state, None, "Ada", utc_now(), at_random=False)
    store.reviews.add("a", superseded[-1], judgement)
    finish(store, "a", spheroid(1), recipe=recipe(4))
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged(versions=2)
    assert superseded[-1] in versions(store)


def test_what_a_second_opinion_was_compared_with_stays(
    store: Store, db: Database, superseded: list[str]
) -> None:
    row = (
        "id, image_id, version_id, judged_by, drawn_by, drawn_at, same_person, at_random, outlines, sha256, "
    )
    row += "n_drawn, n_either, ious, diameter_changes, engine_version_id"
    values = f"'o', 'a', '{superseded[0]}', 'Ada', 'Ben', now()::TIMESTAMP, false, true, '[]', '', "
    values += f"0, 0, [], [], '{superseded[1]}'"
    insert = f"INSERT INTO second_opinion ({row}) VALUES ({values})"
    db.write(lambda session: session._cursor.execute(insert) and None)
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged()
    assert len(versions(store)) == len(superseded)


def test_what_a_discarded_correction_began_from_stays(
    store: Store, db: Database, superseded: list[str]
) -> None:
    operation = NewOperation(1, "o", "Ada", "delete", 10, "", utc_now(), "[]", {})
    draft = store.corrections.add_operation("a", None, superseded[-1], operation)
    store.corrections.discard("a", draft, "Ada")
    finish(store, "a", spheroid(1), recipe=recipe(4))
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged(versions=2)
    assert superseded[-1] in versions(store)


def test_the_version_in_force_of_a_deleted_image_stays_while_it_can_be_restored(
    store: Store, db: Database, project: Project, superseded: list[str]
) -> None:
    store.images.delete(project.id, ["a"])
    age(db, DAYS + 1)
    assert store.retention.purge_superseded(DAYS) == Purged(versions=2)
    assert store.images.restore(project.id, ["a"]) == 1
    assert store.results.get(store.images.get("a")) is not None


def test_what_is_purged_with_its_image_takes_its_versions_and_pins_along(
    store: Store, db: Database, project: Project, superseded: list[str]
) -> None:
    store.results.pin(superseded, "report 1")
    store.images.delete(project.id, ["a"])
    assert store.retention.purge_deleted(-1) == Purged(images=1, versions=3)
    for table in ("image", "job", "version", "object", "pinned_version"):
        assert count(db, table) == 0, table


def test_files_are_needed_as_long_as_any_row_names_them(
    store: Store, db: Database, superseded: list[str]
) -> None:
    own = {"labels_sha256": digest("own"), "maps_sha256": digest("maps"), "thumbnail_sha256": digest("small")}
    add(store, store.projects.list()[0].id, "b")
    finish(store, "b")
    values = ", ".join(f"{name} = '{sha256}'" for name, sha256 in own.items())
    statement = f"UPDATE version SET {values} WHERE id = '{superseded[0]}'"
    db.write(lambda session: session._cursor.execute(statement) and None)
    image = new_image("a")
    shared = [image.sha256, image.thumbnail_sha256, result().labels_sha256]
    unknown = digest("of nobody")
    assert store.retention.unneeded([*own.values(), *shared, unknown]) == {unknown}
    age(db, DAYS + 1)
    store.retention.purge_superseded(DAYS)
    assert store.retention.unneeded([*own.values(), *shared, unknown]) == {unknown, *own.values()}
    assert store.retention.unneeded([]) == set()

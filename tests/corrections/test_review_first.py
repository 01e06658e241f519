"""The first images of the queue are found by the database, in the order that the program gives to all."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import duckdb
import pytest

from core.corrections.holds import Reviewer
from core.corrections.review import Reviews
from core.corrections.review_order import ORDER, ordered
from core.db import Database
from core.models import ReviewSettings, SpheroidsExpected
from core.monitoring import QueryRecorder
from core.store import NewImage, Store
from core.store.reviews import FirstOf
from tests.factories import ENGINE, new_image

pytestmark = pytest.mark.slow

N_IMAGES = 400
FILE = "spheroscope.duckdb"
RANDOM_RESULTS = """
UPDATE image SET
    version_id = CASE WHEN hash(id, 1) % 20 > 0 THEN 'version' END,
    n_objects = ([0, 1, 1, 1, 2, 5])[(1 + hash(id, 2) % 6)::INT],
    confidence = ([NULL, 0.2, 0.9, 0.95, 0.97, hash(id, 3) % 1000 / 1000.0])[(1 + hash(id, 4) % 6)::INT],
    edge_blur = ([NULL, 1.0, 2.9, 3.1])[(1 + hash(id, 5) % 4)::INT],
    specks = ([NULL, 5, 29, 31, 200])[(1 + hash(id, 6) % 5)::INT],
    review = (['unseen', 'unseen', 'unseen', 'unsure', 'right'])[(1 + hash(id, 7) % 5)::INT],
    reviewed_by = ([NULL, 'ada', 'ben'])[(1 + hash(id, 8) % 3)::INT]
"""


def filled(folder: Path, seed: int) -> str:
    """A project of images with results of every kind; returns its id."""
    dice = random.Random(seed)
    db = Database.open(folder / FILE, QueryRecorder())
    store = Store(db)
    project = store.projects.create("Plate 1", ENGINE)
    expected = dice.choice([None, *SpheroidsExpected])
    store.projects.set_review(project.id, ReviewSettings(expected))
    facts = new_image("0").facts
    ids = [f"{seed} {number}" for number in range(N_IMAGES)]
    store.add_images(project.id, tuple(NewImage(key, key, "a" * 64, 9, facts, "b" * 64) for key in ids), None)
    db.close()
    with duckdb.connect(str(folder / FILE)) as connection:
        connection.execute(RANDOM_RESULTS)
    return project.id


@pytest.mark.parametrize("seed", range(6))
def test_the_first_of_the_database_are_the_first_of_all(data_folder: Path, seed: int) -> None:
    project_id = filled(data_folder, seed)
    db = Database.open(data_folder / FILE, QueryRecorder())
    reviews = Store(db).reviews
    waiting = reviews.waiting(project_id)
    for n_seen in range(12):
        rows, total = reviews.first_waiting(project_id, ORDER, FirstOf(10))
        assert len(rows) == 20
        assert total == len(waiting)
        found = [row["id"] for row in islice(ordered(rows, n_seen), 10)]
        assert found == [row["id"] for row in islice(ordered(waiting, n_seen), 10)]
    by_id = {row["id"]: row for row in waiting}
    assert all({name: row[name] for name in by_id[row["id"]]} == by_id[row["id"]] for row in rows)
    last = list(ordered(waiting))[-1]["id"]
    rows, _ = reviews.first_waiting(project_id, ORDER, FirstOf(1, [last, "nothing"]))
    assert last in {row["id"] for row in rows}
    db.close()


def test_what_somebody_was_unsure_of_does_not_count_for_them_unless_they_name_it(data_folder: Path) -> None:
    project_id = filled(data_folder, 7)
    db = Database.open(data_folder / FILE, QueryRecorder())
    store = Store(db)
    waiting = store.reviews.waiting(project_id)
    own = [row["id"] for row in waiting if row["review"] == "unsure" and row["reviewed_by"] == "ada"]
    assert own
    reviews = Reviews(store)
    assert reviews.turn(project_id, Reviewer("ada")).left == len(waiting) - len(own)
    assert reviews.turn(project_id, Reviewer("ada"), again=True).left == len(waiting)
    named = reviews.turn(project_id, Reviewer("ada"), own[0])
    assert named.image is not None
    assert named.image.image_id == own[0]
    other = reviews.turn(project_id, Reviewer("ben"))
    assert other.elsewhere == 1
    db.close()

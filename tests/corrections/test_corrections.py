"""Gestures are stored at once, measured, and end as versions; nothing is lost or replaced in silence."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.corrections import NewRegion, Region, Tool, gestures, labels_of, measuring, source
from core.corrections.corrections import Corrections
from core.corrections.gestures import Click, Gesture
from core.corrections.regions import iou
from core.corrections.source import CorrectionSource
from core.db import Database
from core.errors import InvalidRequest, NotFound, ObjectConflict, VersionConflict
from core.files.blobs import Blobs
from core.images import label_png
from core.listing import export_rows
from core.models import Image, Project, Raster, VersionKind
from core.monitoring import QueryRecorder
from core.queue.admission import Admission
from core.segmentation import describe
from core.store import Store, versions
from core.store.objects import ObjectFilter
from tests import corpus
from tests.corrections import strokes
from tests.corrections.conftest import SIDE, labels, new_desk, pixels
from tests.corrections.scenes import region, square
from tests.http.lab import Lab

pytestmark = pytest.mark.slow

SHAPE = (SIDE, SIDE)


def gesture(image: Image, op_id: str, *regions: NewRegion, base: int = 0, tool: Tool = Tool.BRUSH) -> Gesture:
    return Gesture(op_id, image.version_id, base, tool, 300, regions)


def test_a_gesture_gives_back_what_measuring_everything_anew_would(desk: Corrections, image: Image) -> None:
    painted = strokes.brush(desk.draft(image.id).objects, 1, [(30, 40), (30, 10)], 5.0, SHAPE)
    done = desk.apply(image.id, gesture(image, "a", *painted), "ada")
    expected = describe(labels_of(done.draft.objects, SHAPE), pixels())
    assert [item.number for item in done.spheroids] == [1]
    assert done.spheroids[0].measurements == expected[0].measurements
    assert done.spheroids[0].contour == expected[0].contour


def test_a_large_image_is_decoded_once_and_kept_in_a_file(
    desk: Corrections, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_PIXEL_BYTES", SIDE * SIDE - 1)
    decoded = 0
    decode = CorrectionSource.raster

    def counted(self: CorrectionSource, of: Image) -> Raster:
        nonlocal decoded
        decoded += 1
        return decode(self, of)

    monkeypatch.setattr(CorrectionSource, "raster", counted)
    first = desk.apply(image.id, gesture(image, "a", NewRegion(1, square(15, 30, 20))), "ada")
    desk.apply(image.id, gesture(image, "b", NewRegion(2, square(60, 50, 20)), base=1), "ada")
    assert decoded == 1
    expected = describe(labels_of({1: square(15, 30, 20)}, SHAPE), pixels())
    assert first.spheroids[0].measurements == expected[0].measurements


def test_a_large_image_is_corrected_where_the_disk_is_full(
    desk: Corrections, image: Image, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Blobs) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(source, "MAX_PIXEL_BYTES", SIDE * SIDE - 1)
    monkeypatch.setattr(Blobs, "unnamed_file", full)
    done = desk.apply(image.id, gesture(image, "a", NewRegion(1, square(15, 30, 20))), "ada")
    assert done.spheroids[0].measurements["area"] == 400


def test_lines_across_the_image_are_not_measured_by_the_hundred(
    desk: Corrections, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gestures, "ALWAYS_TAKEN_PX", 0)  # as if the image were large
    lines = [region(np.eye(SIDE, k=2 * number, dtype=np.bool_)) for number in range(-8, 8)]
    gone = [NewRegion(1, None), NewRegion(2, None)]
    many = gesture(image, "a", *gone, *(NewRegion(None, line) for line in lines))
    with pytest.raises(InvalidRequest, match="too much to measure at once"):
        desk.apply(image.id, many, "ada")
    few = gesture(image, "b", *gone, *(NewRegion(None, line) for line in lines[:3]))
    assert len(desk.apply(image.id, few, "ada").spheroids) == 3


def test_large_outlines_are_measured_one_by_one_within_the_memory_for_images(
    desk: Corrections, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions = [NewRegion(1, square(15, 30, 20)), NewRegion(2, square(60, 50, 20))]
    together = desk.apply(image.id, gesture(image, "a", *regions), "ada")
    held: list[str] = []
    monkeypatch.setattr(source, "TOGETHER_PX", 399)
    monkeypatch.setattr(measuring, "TOGETHER_PX", 399)
    monkeypatch.setattr(Admission, "hold", _noting(Admission.hold, held))
    again = desk.apply(image.id, gesture(image, "a", *regions), "ada")
    assert held == [image.name]
    assert again.spheroids == together.spheroids


def _noting(hold: Callable[..., object], names: list[str]) -> Callable[..., object]:
    def noted(self: Admission, n_bytes: int, name: str) -> object:
        names.append(name)
        return hold(self, n_bytes, name)

    return noted


def test_the_same_key_again_changes_nothing_more(desk: Corrections, image: Image) -> None:
    first = desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    again = desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    assert (again.draft.revision, again.changes) == (first.draft.revision, first.changes)
    with pytest.raises(InvalidRequest):
        desk.apply(image.id, gesture(image, "a", NewRegion(1, None)), "ada")
    with pytest.raises(InvalidRequest):
        desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ben")


def test_a_draft_is_there_after_a_restart_with_what_can_be_undone(
    desk: Corrections, image: Image, store: Store, blobs: Blobs
) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    before = desk.apply(image.id, gesture(image, "b", NewRegion(None, square(0, 0, 9)), base=1), "ada").draft
    restarted = new_desk(store, blobs)
    assert restarted.draft(image.id) == before
    for key in ("u1", "u2"):
        undone = restarted.undo(image.id, replace(gesture(image, key), tool=Tool.UNDO), "ada")
    assert np.array_equal(labels_of(undone.draft.objects, SHAPE), labels())
    again = new_desk(store, blobs)
    for key in ("r1", "r2"):
        redone = again.undo(image.id, replace(gesture(image, key), tool=Tool.REDO), "ada")
    assert redone.draft.objects == before.objects


def test_two_people_at_different_spheroids_do_not_meet(desk: Corrections, image: Image) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    both = desk.apply(image.id, gesture(image, "b", NewRegion(1, square(15, 30, 20))), "ben").draft
    assert both.objects == {1: square(15, 30, 20)}


def test_two_people_at_the_same_spheroid_are_told(desk: Corrections, image: Image) -> None:
    after = desk.apply(image.id, gesture(image, "a", NewRegion(1, square(15, 30, 20))), "ada").draft
    with pytest.raises(ObjectConflict) as raised:
        desk.apply(image.id, gesture(image, "b", NewRegion(1, square(16, 30, 20))), "ben")
    assert raised.value.numbers == {1}
    assert desk.draft(image.id).objects == after.objects
    decided = gesture(image, "c", NewRegion(1, square(16, 30, 20)), base=1)
    assert desk.apply(image.id, decided, "ben").draft.objects[1] == square(16, 30, 20)


def test_undo_does_not_take_away_what_somebody_else_has_made_of_it(desk: Corrections, image: Image) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(1, square(15, 30, 20))), "ada")
    desk.apply(image.id, gesture(image, "b", NewRegion(1, square(16, 30, 20)), base=1), "ben")
    with pytest.raises(ObjectConflict):
        desk.undo(image.id, gesture(image, "u", base=2, tool=Tool.UNDO), "ada")


def test_covering_a_neighbour_needs_both(desk: Corrections, image: Image) -> None:
    with pytest.raises(InvalidRequest, match="cover spheroid 2"):
        desk.apply(image.id, gesture(image, "a", NewRegion(1, square(60, 50, 20))), "ada")
    with pytest.raises(InvalidRequest, match="revision 7"):
        desk.apply(image.id, gesture(image, "a", NewRegion(1, None), base=7), "ada")


def test_done_makes_a_corrected_version_with_all_that_is_known_of_it(
    desk: Corrections, image: Image, store: Store, blobs: Blobs
) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    version = desk.finish(image.id, 1, image.version_id, "ada", "debris")
    now = store.images.get(image.id)
    assert now.version_id == version.id
    assert (version.kind, version.parent_id) == (VersionKind.CORRECTED, image.version_id)
    assert (version.author, version.reason, version.engine) == ("ada", "debris", "classical")
    assert version.parent_iou == 0.5
    assert version.seconds_worked == pytest.approx(0.3)
    assert np.array_equal(label_png.decode(blobs.get(version.labels_sha256)), np.where(labels() == 1, 1, 0))
    kept = store.results.get(now)
    assert kept is not None
    assert kept[1] == describe(labels(), pixels())[:1]
    assert desk.draft(image.id).id is None
    with pytest.raises(ObjectConflict):
        desk.finish(image.id, 1, version.id, "ada", "")


def test_going_back_is_one_step_and_destroys_nothing(desk: Corrections, image: Image, store: Store) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    version = desk.finish(image.id, 1, image.version_id, "ada", "")
    assert image.version_id is not None
    store.results.set_in_force(image.id, image.version_id, version.id, "ben")
    assert store.images.get(image.id).n_objects == 2
    assert {item.id for item in store.results.versions(image.id)} == {version.id, image.version_id}


def test_a_job_that_ends_in_the_middle_of_an_edit_replaces_nothing(
    desk: Corrections, image: Image, store: Store, segment: Callable[[Image], Image]
) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    after = segment(image)
    assert after.version_id == image.version_id
    assert len(store.results.versions(image.id)) == 2, "but it is there"
    desk.apply(image.id, gesture(image, "b", NewRegion(1, square(15, 30, 20)), base=1), "ada")
    version = desk.finish(image.id, 2, image.version_id, "ada", "")
    assert store.images.get(image.id).version_id == version.id


def test_a_draft_that_was_left_behind_holds_results_back_for_a_day_and_can_still_be_finished(
    desk: Corrections, image: Image, segment: Callable[[Image], Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(hours=1) < versions.DRAFT_HOLD_TIME <= timedelta(days=1)
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    assert segment(image).version_id == image.version_id
    monkeypatch.setattr(versions, "DRAFT_HOLD_TIME", timedelta(seconds=-1))  # as if it were long ago
    after = segment(image)
    assert after.version_id != image.version_id
    assert desk.draft(image.id).revision == 1
    with pytest.raises(VersionConflict):
        desk.finish(image.id, 1, image.version_id, "ada", "")
    assert desk.finish(image.id, 1, after.version_id, "ada", "").parent_id == image.version_id


def test_what_a_draft_is_made_from_is_not_swept(
    desk: Corrections,
    image: Image,
    store: Store,
    segment: Callable[[Image], Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(versions, "DRAFT_HOLD_TIME", timedelta(seconds=-1))
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    segment(image)
    store.retention.purge_superseded(-1)
    assert {item.id for item in store.results.versions(image.id)} >= {image.version_id}


def test_who_has_begun_and_not_ended_is_known_without_reading_pixels(desk: Corrections, image: Image) -> None:
    assert desk.unfinished(image.id) is None
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    desk.apply(image.id, gesture(image, "b", NewRegion(1, square(15, 30, 20)), base=1), "ben")
    unfinished = desk.unfinished(image.id)
    assert unfinished is not None
    assert (unfinished.authors, unfinished.n_changes) == (("ada", "ben"), 2)
    desk.finish(image.id, 2, image.version_id, "ada", "")
    assert desk.unfinished(image.id) is None


def test_another_version_that_somebody_chose_is_a_conflict(
    desk: Corrections, image: Image, store: Store, segment: Callable[[Image], Image]
) -> None:
    newer = segment(image)
    with pytest.raises(VersionConflict):
        desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    desk.apply(newer.id, gesture(newer, "a", NewRegion(2, None)), "ada")
    assert image.version_id is not None
    store.results.set_in_force(image.id, image.version_id, newer.version_id)
    with pytest.raises(VersionConflict) as raised:
        desk.finish(image.id, 1, newer.version_id, "ada", "")
    assert raised.value.current is not None
    assert desk.draft(image.id).revision == 1, "the draft is not lost"
    assert desk.finish(image.id, 1, image.version_id, "ada", "").parent_id == newer.version_id


def test_a_discarded_draft_leaves_what_is_in_force(desk: Corrections, image: Image, store: Store) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    desk.discard(image.id, 1, "ada")
    assert store.images.get(image.id).version_id == image.version_id
    assert desk.draft(image.id).revision == 0
    with pytest.raises(ObjectConflict, match="discarded by ada"):
        desk.discard(image.id, 1, "ada")
    with pytest.raises(InvalidRequest, match="no revision 2"):
        desk.discard(image.id, 2, "ada")


def test_strokes_that_one_has_not_seen_are_not_discarded(desk: Corrections, image: Image) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ben")
    desk.apply(image.id, gesture(image, "b", NewRegion(1, square(15, 30, 20)), base=1), "ada")
    with pytest.raises(ObjectConflict, match="changed meanwhile, by ada"):
        desk.discard(image.id, 1, "ben")
    with pytest.raises(ObjectConflict, match="by ada"):
        desk.finish(image.id, 1, image.version_id, "ben", "")
    assert desk.draft(image.id).revision == 2


def test_a_discarded_draft_is_taken_up_again_with_what_can_be_undone(
    desk: Corrections, image: Image, store: Store, blobs: Blobs
) -> None:
    before = desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada").draft
    desk.discard(image.id, 1, "ben")
    (discarded,) = desk.discarded(image.id)
    assert (discarded.authors, discarded.n_changes, discarded.discarded_by) == (("ada",), 1, "ben")
    newer = desk.apply(image.id, gesture(image, "b", NewRegion(1, None)), "cyd").draft
    assert newer.revision == 2, "revisions go on from one draft to the next"
    with pytest.raises(ObjectConflict, match="Another correction of this image is open"):
        desk.reopen(image.id, discarded.id, "ada")
    desk.discard(image.id, 2, "cyd")
    desk.reopen(image.id, discarded.id, "ada")
    assert desk.draft(image.id).objects == before.objects
    assert new_desk(store, blobs).draft(image.id) == desk.draft(image.id)
    with pytest.raises(ObjectConflict, match="discarded by cyd"):
        desk.apply(image.id, gesture(image, "c", NewRegion(1, None), base=2), "cyd")
    undone = desk.undo(image.id, gesture(image, "u", base=1, tool=Tool.UNDO), "ada").draft
    assert (undone.revision, undone.objects) == (3, undone.start)
    actions = [row.action for row in store.correction_audit.of_image(image.id)]
    assert actions == ["changed", "discarded", "changed", "discarded", "reopened", "changed"]


def test_only_a_discarded_draft_of_the_image_is_taken_up_again(
    desk: Corrections, image: Image, db: Database
) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    desk.discard(image.id, 1, "ada")
    (discarded,) = desk.discarded(image.id)
    with pytest.raises(NotFound):
        desk.reopen(image.id, "another", "ada")
    gone = f"DELETE FROM version WHERE id = '{image.version_id}'"  # as the retention of before did
    db.write(lambda session: session._cursor.execute(gone) and None)
    assert desk.discarded(image.id) == ()
    with pytest.raises(InvalidRequest, match="has been deleted"):
        desk.reopen(image.id, discarded.id, "ada")


def test_a_finished_draft_is_not_gone_on_with(desk: Corrections, image: Image) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    version = desk.finish(image.id, 1, image.version_id, "ben", "")
    with pytest.raises(ObjectConflict, match="finished by ben"):
        desk.apply(image.id, gesture(image, "b", NewRegion(1, None), base=1), "ada")
    with pytest.raises(ObjectConflict, match="finished by ben"):
        desk.finish(image.id, 1, version.id, "ada", "")


def test_what_equals_the_result_makes_no_version(desk: Corrections, image: Image, store: Store) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    desk.undo(image.id, gesture(image, "u", base=1, tool=Tool.UNDO), "ada")
    with pytest.raises(InvalidRequest, match="Nothing differs"):
        desk.finish(image.id, 2, image.version_id, "ada", "")
    assert len(store.results.versions(image.id)) == 1
    assert store.images.get(image.id).review == image.review
    assert desk.draft(image.id).revision == 2, "what was undone can still be done again"


def test_an_image_without_a_result_is_clicked(
    desk: Corrections, store: Store, blobs: Blobs, project: Project
) -> None:
    added = Lab(store, blobs).image(project, "b.png", corpus.png(pixels()))
    done = desk.click(added.id, Gesture("a", None, 0, Tool.CLICK), Click((30.0, 40.0)), "ada")
    assert iou(done.draft.objects[1], region(labels() == 1)) > 0.85
    assert [item.number for item in done.spheroids] == [1]


def test_a_click_outlines_what_is_there(desk: Corrections, image: Image) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    clicked = replace(gesture(image, "b", base=1), tool=Tool.CLICK)
    done = desk.click(image.id, clicked, Click((72.0, 60.0)), "ada")
    assert done.changes[0].number == 3
    assert done.spheroids[0].measurements["area"] == pytest.approx(np.pi * 144, rel=0.15)
    with pytest.raises(InvalidRequest):
        desk.click(image.id, replace(clicked, op_id="c"), Click((72.0, 60.0), number=9), "ada")


def test_every_change_is_in_a_chain_that_shows_what_was_altered(
    desk: Corrections, image: Image, store: Store, db: Database
) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    version = desk.finish(image.id, 1, image.version_id, "ada", "debris")
    rows = store.correction_audit.of_image(image.id)
    assert [(row.who, row.action) for row in rows] == [("ada", "changed"), ("ada", "corrected")]
    facts = json.loads(rows[0].facts)
    assert facts["tool"] == "brush"
    assert facts["objects"][0]["after"] is None
    assert (facts["version"], facts["base_revision"]) == (image.version_id, 0)
    assert (facts["engine"], facts["engine_version"]) == (version.engine, version.engine_version)
    finished = json.loads(rows[1].facts)
    assert (finished["version"], finished["draft"]) == (version.id, facts["draft"])
    assert (finished["before"], finished["after"]) == (facts["labels"], version.labels_sha256)
    assert finished["diameter_before_px"] == pytest.approx(40, abs=0.5), "the larger disc has stayed"
    assert finished["diameter_after_px"] == finished["diameter_before_px"]
    whole = store.correction_audit.verify()
    assert (whole.rows, whole.wrong) == (2, None)
    assert whole.head == rows[-1].hash


def test_each_spheroid_says_whose_its_outline_is_and_of_which_version(
    desk: Corrections, image: Image, store: Store
) -> None:
    def origins() -> dict[int, tuple[str, str | None]]:
        stored = store.results.get(store.images.get(image.id))
        assert stored is not None
        return {item.number: (item.outline.value, item.outline_version_id) for item in stored[1]}

    first = image.version_id
    assert origins() == {1: ("automatic", first), 2: ("automatic", first)}
    desk.apply(image.id, gesture(image, "a", NewRegion(1, square(15, 30, 20))), "ada")
    second = desk.finish(image.id, 1, first, "ada", "").id
    assert origins() == {1: ("corrected", second), 2: ("automatic", first)}
    again = store.images.get(image.id)
    desk.apply(image.id, gesture(again, "b", NewRegion(None, square(60, 5, 9))), "ben")
    third = desk.finish(image.id, 2, second, "ben", "").id
    assert origins() == {1: ("corrected", second), 2: ("automatic", first), 3: ("corrected", third)}
    rows = {row["number"]: row for row in store.results.objects(image.project_id, 10)}
    cells = [export_rows.object_row(rows[number]) for number in (1, 2, 3)]
    assert [row["outline"] for row in cells] == ["corrected", "automatic", "corrected"]
    assert [row["outline_version_id"] for row in cells] == [second, first, third]
    assert {row["version_kind"] for row in cells} == {"corrected"}
    listed = store.objects.page(image.project_id, ObjectFilter()).items
    assert [(item.outline, item.outline_version_id) for item in listed] == list(origins().values())


def test_an_outline_that_was_not_changed_is_stored_as_it_was(
    desk: Corrections, image: Image, store: Store, db: Database
) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    desk.finish(image.id, 1, image.version_id, "ada", "")
    with db.read() as session:
        query = "SELECT DISTINCT contour FROM object WHERE number = 1"
        assert len(session._cursor.execute(query).fetchall()) == 1, "by which the migration finds it"


def test_a_gesture_is_recorded_with_its_overlap_and_its_change_of_diameter(
    desk: Corrections, image: Image, store: Store
) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(1, square(15, 30, 20))), "ada")
    (changed,) = json.loads(store.correction_audit.of_image(image.id)[0].facts)["objects"]
    assert changed["diameter_before_px"] == pytest.approx(40, abs=0.5)
    assert changed["diameter_after_px"] == pytest.approx(np.sqrt(4 * 400 / np.pi))
    assert 0.2 < changed["iou"] < 0.4


def test_changes_of_an_image_come_a_page_at_a_time_the_last_first(
    desk: Corrections, image: Image, store: Store
) -> None:
    for number in range(3):
        desk.apply(
            image.id,
            gesture(image, f"{number}", NewRegion(1, square(15, 30, 20 + number)), base=number),
            "ada",
        )
    newest, total = store.correction_audit.page_of_image(image.id, 2)
    assert ([row.sequence for row in newest], total) == ([3, 2], 3)
    (oldest,), _ = store.correction_audit.page_of_image(image.id, 2, 2)
    assert oldest.sequence == 1
    assert store.correction_audit.page_of_image("another", 2) == ((), 0)


KILLED = """
import os, sys
from pathlib import Path
from core.corrections import NewRegion, Tool
from core.corrections.gestures import Gesture
from core.db import Database
from core.files.blobs import Blobs
from core.monitoring import QueryRecorder
from core.store import Store
from tests.corrections.conftest import new_desk
from tests.corrections.scenes import square
folder, image_id, version_id = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
store = Store(Database.open(folder / "spheroscope.duckdb", QueryRecorder()))
desk = new_desk(store, Blobs(folder))
for n in range(10_000):
    new = NewRegion(1, square(15 + n % 2, 30, 20))
    key, base = f"{os.getpid()}-{n}", desk.draft(image_id).revision
    desk.apply(image_id, Gesture(key, version_id, base, Tool.BRUSH, 5, (new,)), "ada")
    print(desk.draft(image_id).revision, flush=True)
"""


@pytest.mark.slow
def test_a_kill_in_the_middle_loses_only_the_open_gesture(
    image: Image, store: Store, db: Database, blobs: Blobs, tmp_path: Path
) -> None:
    db.close()
    folder, known = tmp_path / "data", 0
    rng = np.random.default_rng(3)
    for _ in range(5):
        command = [sys.executable, "-c", KILLED, str(folder), image.id, str(image.version_id)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(int(rng.integers(2, 12))):
                known = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            known = max([known, *(int(line) for line in child.stdout if line.endswith("\n"))])
        opened = Database.open(folder / "spheroscope.duckdb", QueryRecorder())
        again = Store(opened)
        draft = new_desk(again, blobs).draft(image.id)
        assert known <= draft.revision <= known + 1
        assert again.correction_audit.verify().wrong is None
        assert draft.objects[1] in (square(15, 30, 20), square(16, 30, 20))
        opened.close()


def test_an_altered_row_of_the_audit_is_named(desk: Corrections, image: Image, store: Store) -> None:
    desk.apply(image.id, gesture(image, "a", NewRegion(2, None)), "ada")
    desk.apply(image.id, gesture(image, "b", NewRegion(1, None), base=1), "ada")
    first, second = store.correction_audit.of_image(image.id)
    assert replace(first, who="eve").expected_hash != first.hash
    assert second.previous_hash == first.hash
    assert isinstance(first.expected_hash, str)


def test_a_region_is_stored_as_it_was(desk: Corrections, image: Image, store: Store, blobs: Blobs) -> None:
    hole = np.ones((9, 9), np.bool_)
    hole[3:5, 3:6] = False
    region = Region.of(hole, 2, 70)
    desk.apply(image.id, gesture(image, "a", NewRegion(None, region)), "ada")
    assert new_desk(store, blobs).draft(image.id).objects[3] == region

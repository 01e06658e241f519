"""Operations are applied, undone and rebased without loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from core.corrections import Change, Draft, NewRegion, Region, Tool, labels_of
from core.corrections.corrections import Corrections
from core.corrections.gestures import Gesture
from core.corrections.operations import Objects, applied, inverted, planned
from core.corrections.regions import overlap
from core.errors import InvalidRequest, ObjectConflict
from core.files.blobs import Blobs
from core.models import Image
from core.store import Store
from tests.corrections import strokes
from tests.corrections.conftest import SIDE, labels, new_desk
from tests.corrections.scenes import (
    SHAPE,
    begin,
    random_gesture,
    random_labels,
    square,
    with_changes,
    with_gesture,
)

pytestmark = pytest.mark.slow


def test_random_gestures_are_of_every_tool() -> None:
    rng = np.random.default_rng(5)
    drawn = [random_gesture(rng, begin(random_labels(rng))) for _ in range(300)]
    changing = {tool for tool, regions in drawn if regions}
    assert changing == set(Tool) - {Tool.UNDO, Tool.REDO}


def test_two_hundred_operations_all_undone_and_after_a_restart_all_redone_are_identical(
    store: Store, blobs: Blobs, image: Image
) -> None:
    rng = np.random.default_rng(2)
    desk = new_desk(store, blobs)
    states = [desk.draft(image.id).objects]
    while len(states) <= 200:
        draft = desk.draft(image.id)
        tool, regions = random_gesture(rng, draft)
        gesture = Gesture(f"op {len(states)}", image.version_id, draft.revision, tool, 1, tuple(regions))
        if planned(draft.objects, regions, draft.next_number):
            states.append(desk.apply(image.id, gesture, "ada").draft.objects)
    for state in reversed(states[:-1]):
        assert _stepped(desk, image, Tool.UNDO) == state
    assert np.array_equal(labels_of(desk.draft(image.id).objects, (SIDE, SIDE)), labels())
    with pytest.raises(InvalidRequest):
        _stepped(desk, image, Tool.UNDO)
    desk = new_desk(store, blobs)
    for state in states[1:]:
        assert _stepped(desk, image, Tool.REDO) == state
    with pytest.raises(InvalidRequest):
        _stepped(desk, image, Tool.REDO)


def _stepped(desk: Corrections, image: Image, tool: Tool) -> Objects:
    """The objects after one step of undo or redo."""
    revision = desk.draft(image.id).revision
    step = Gesture(f"{tool} {revision}", image.version_id, revision, tool)
    return desk.undo(image.id, step, "ada").draft.objects


def test_a_new_gesture_ends_what_can_be_redone() -> None:
    draft = begin(np.zeros(SHAPE, np.int32))
    draft = with_gesture(draft, "ada", Tool.DRAW, [NewRegion(None, square(0, 0, 4))])
    draft = with_changes(draft, "ada", Tool.UNDO, draft.undoing("ada"))
    draft = with_gesture(draft, "ada", Tool.DRAW, [NewRegion(None, square(8, 8, 4))])
    assert draft.steps("ada") == (1, 0)
    assert list(draft.objects) == [2], "a number is not used twice"


def test_numbers_of_other_objects_are_kept_and_parents_named() -> None:
    objects = {1: square(0, 0, 6), 2: square(10, 0, 6), 5: square(20, 0, 6)}
    parted = strokes.cut(objects, [5], [(19, 3), (27, 3)], SHAPE)
    changes = planned(objects, parted, 6)
    state = applied(objects, changes)
    assert sorted(state) == [1, 2, 5, 6]
    assert changes[-1].parents == (5,)
    assert state[5].area + state[6].area == 36


def test_a_cut_makes_as_many_parts_as_the_line_makes() -> None:
    objects = {1: square(4, 4, 20)}
    zigzag = [(0.0, 8.0), (28.0, 8.0), (28.0, 14.0), (0.0, 14.0), (0.0, 20.0), (28.0, 20.0)]
    state = applied(objects, planned(objects, strokes.cut(objects, [1], zigzag, SHAPE), 2))
    assert len(state) == 4
    assert sum(region.area for region in state.values()) == 400


def test_an_object_that_an_eraser_parts_becomes_two() -> None:
    objects = {1: square(4, 4, 20)}
    erased = strokes.erase(objects, [1], [(10.0, 0.0), (10.0, 39.0)], 1.0, SHAPE)
    changes = planned(objects, erased, 2)
    assert [change.number for change in changes] == [1, 2]
    assert changes[1].parents == (1,)


def test_merging_bridges_a_gap_and_names_both() -> None:
    objects = {1: square(0, 0, 8), 2: square(12, 0, 8), 3: square(40, 30, 3)}
    changes = planned(objects, strokes.merge(objects, [1, 2], SHAPE), 4)
    state = applied(objects, changes)
    assert sorted(state) == [1, 3]
    assert state[1].area > 128
    assert changes[0].parents == (1, 2)
    with pytest.raises(InvalidRequest):
        strokes.merge(objects, [1, 3], SHAPE)
    with pytest.raises(InvalidRequest):
        strokes.merge(objects, [1], SHAPE)


def test_holes_are_filled_but_not_over_what_lies_in_them() -> None:
    mask = np.ones((12, 12), np.bool_)
    mask[3:9, 3:9] = False
    objects = {1: _region(mask), 2: square(5, 5, 2)}
    (filled,) = strokes.fill(objects, [1])
    assert filled.region is not None
    assert filled.region.area == 144 - 4


def test_different_objects_are_rebased_and_the_same_one_is_a_conflict() -> None:
    objects = {1: square(0, 0, 6), 2: square(10, 0, 6)}
    mine = planned(objects, [NewRegion(1, square(0, 0, 7))], 3)
    theirs = planned(objects, [NewRegion(2, None)], 3)
    both = applied(applied(objects, theirs), mine)
    assert both == {1: square(0, 0, 7)}
    with pytest.raises(ObjectConflict) as raised:
        applied(applied(objects, planned(objects, [NewRegion(1, square(0, 0, 5))], 3)), mine)
    assert raised.value.numbers == {1}


def test_a_new_outline_over_one_that_was_drawn_meanwhile_is_a_conflict() -> None:
    theirs = applied({}, planned({}, [NewRegion(None, square(0, 0, 6))], 1))
    mine = planned({}, [NewRegion(None, square(3, 3, 6))], 2)
    with pytest.raises(ObjectConflict) as raised:
        applied(theirs, mine)
    assert raised.value.numbers == {1}


@pytest.mark.parametrize(
    "regions",
    [
        [NewRegion(9, None)],
        [NewRegion(1, None), NewRegion(1, None)],
        [NewRegion(None, None)],
    ],
)
def test_what_names_no_object_or_one_twice_is_refused(regions: list[NewRegion]) -> None:
    with pytest.raises(InvalidRequest):
        planned({1: square(0, 0, 6)}, regions, 2)


def test_more_numbers_than_a_label_image_has_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        planned({}, [NewRegion(None, square(0, 0, 1))], 65536)


def test_two_outlines_of_one_change_may_not_overlap() -> None:
    new = [NewRegion(None, square(0, 0, 6)), NewRegion(None, square(5, 5, 6))]
    with pytest.raises(InvalidRequest):
        applied({}, planned({}, new, 1))


class TwoEditors(RuleBasedStateMachine):
    """Two people whose browsers are behind: what is accepted is there as it was sent, until named again."""

    @initialize(seed=st.integers(0, 2**32))
    def open(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.draft = begin(random_labels(self.rng))
        self.seen = {"ada": self.draft, "ben": self.draft}
        self.expected = dict(self.draft.objects)

    @rule(author=st.sampled_from(["ada", "ben"]))
    def refresh(self, author: str) -> None:
        self.seen[author] = self.draft

    @rule(author=st.sampled_from(["ada", "ben"]))
    def gesture(self, author: str) -> None:
        seen = self.seen[author]
        tool, regions = random_gesture(self.rng, seen)
        changes = planned(seen.objects, regions, self.draft.next_number)
        if changes:
            self.submit(author, tool, changes)

    @rule(author=st.sampled_from(["ada", "ben"]))
    def undo(self, author: str) -> None:
        if self.draft.steps(author)[0]:
            self.submit(author, Tool.UNDO, self.draft.undoing(author))

    def submit(self, author: str, tool: Tool, changes: tuple[Change, ...]) -> None:
        state = self.expected
        different = [change for change in changes if state.get(change.number) != change.before]
        rest = [region for number, region in state.items() if number not in {item.number for item in changes}]
        covered = [
            item for item in changes if item.after and any(overlap(item.after, there) for there in rest)
        ]
        if different or covered:
            with pytest.raises(ObjectConflict):
                with_changes(self.draft, author, tool, changes)
            return
        self.draft = self.seen[author] = with_changes(self.draft, author, tool, changes)
        for change in changes:
            state.pop(change.number, None)
            if change.after is not None:
                state[change.number] = change.after

    @invariant()
    def no_silent_loss(self) -> None:
        if hasattr(self, "draft"):
            assert self.draft.objects == self.expected
            assert _replayed(self.draft).objects == self.expected


TestTwoEditors = TwoEditors.TestCase
TestTwoEditors.settings = settings(max_examples=2 * settings.default.max_examples)  # 200 in full


def _replayed(draft: Draft) -> Draft:
    fresh = Draft.begin(draft.image_id, draft.parent_id, draft.shape, draft.start)
    for entry in draft.entries:
        fresh = fresh.with_entry(entry)
    return fresh


def _region(mask: NDArray[np.bool_]) -> Region:

    region = Region.of(mask)
    assert region is not None
    return region


def test_undoing_twice_over_is_the_change_itself() -> None:
    changes = (Change(1, square(0, 0, 2), None), Change(2, None, square(4, 4, 2)))
    assert inverted(inverted(changes)) == changes
    assert tuple(Change.from_json(change.to_json()) for change in changes) == changes

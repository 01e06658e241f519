"""The desk of corrections: takes gestures, stores each at once, measures it, and ends drafts as versions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from core.clock import utc_now
from core.corrections import clicks
from core.corrections.drafts import Draft, Entry
from core.corrections.gestures import Applied, Click, Gesture, changes_of, digest_of, with_entry
from core.corrections.measuring import described
from core.corrections.open_drafts import OpenDrafts
from core.corrections.operations import Changes, NewRegion, Tool
from core.corrections.records import stored
from core.corrections.regions import mean_iou
from core.corrections.review_order import drawn_at_random
from core.corrections.source import CorrectionSource
from core.corrections.splitting import split
from core.errors import InvalidRequest, ObjectConflict, SpheroscopeError, VersionConflict
from core.files.blobs import Blobs
from core.models import Image, Limits, Spheroid, Version
from core.queue.admission import Admission
from core.segmentation.engines.click_network import ClickNetwork
from core.store import Store
from core.store.corrections import DiscardedDraft, Unfinished
from core.store.results import Correction, Result

LOCKS = 64


class Corrections:
    """Takes corrections of all images. Safe from any thread; gestures at one image wait for each other."""

    def __init__(self, store: Store, source: CorrectionSource, network: ClickNetwork) -> None:
        self._store = store
        self._source = source
        self._network = network
        self._locks = [threading.RLock() for _ in range(LOCKS)]
        self._drafts = OpenDrafts(store, source)

    @classmethod
    def open(cls, store: Store, blobs: Blobs, limits: Limits, admission: Admission) -> Corrections:
        """Return the corrections of the images of a store."""
        return cls(store, CorrectionSource(store, blobs, limits, admission), ClickNetwork())

    def draft(self, image_id: str) -> Draft:
        """The draft of an image; one without an id where nothing has been changed.

        Raises:
            NotFound: there is no such image.
            StorageError: its label image cannot be read.
        """
        with self._lock(image_id):
            return self._drafts.of(self._store.images.get(image_id))

    def state(self, image_id: str) -> Applied:
        """The draft of an image with measurements of what differs from the version in force; as ``draft``.

        What is as in the version in force is measured there.
        """
        with self._lock(image_id):
            image = self._store.images.get(image_id)
            draft = self._drafts.of(image)
        numbers = draft.changed if draft.parent_id == image.version_id else frozenset(draft.objects)
        spheroids = self._measured(image, draft, set(numbers)) if numbers else ()
        return Applied(draft, (), spheroids, image)

    def unfinished(self, image_id: str) -> Unfinished | None:
        """Who has begun to correct an image and not ended it; None where nobody has. Reads no pixels."""
        return self._store.corrections.unfinished(image_id)

    def prepare(self, image_id: str) -> None:
        """Read the pixels and the click network now, not at the first gesture, which shows their errors."""
        with suppress(SpheroscopeError):
            image = self._store.images.get(image_id)
            self._source.pixels(image, image.version_id)
            self._network.prepare()

    def apply(self, image_id: str, gesture: Gesture, author: str) -> Applied:
        """Apply a gesture, store it, and measure what it has changed.

        Raises:
            ObjectConflict: somebody else has changed the same objects since ``base_revision``.
            VersionConflict: not ``version_id`` is being corrected.
            InvalidRequest: the change cannot be.
            NotFound, StorageError, AppBusy: see ``draft``.
        """
        return self._apply(image_id, gesture, author, lambda _image, draft: changes_of(draft, gesture))

    def undo(self, image_id: str, gesture: Gesture, author: str) -> Applied:
        """Undo the author's last gesture, or with Tool.REDO do it again; as ``apply``."""
        redo = gesture.tool is Tool.REDO
        return self._apply(
            image_id,
            gesture,
            author,
            lambda _image, draft: draft.redoing(author) if redo else draft.undoing(author),
        )

    def click(self, image_id: str, gesture: Gesture, click: Click, author: str) -> Applied:
        """Apply what the click network makes of a click; as ``apply``.

        Raises:
            SegmentationError: the network's weights are missing.
        """

        def changes(image: Image, draft: Draft) -> Changes:
            regions = tuple(self._clicked(image, draft, click))
            return changes_of(draft, replace(gesture, regions=regions))

        return self._apply(image_id, gesture, author, changes, click)

    def finish(self, image_id: str, revision: int, in_force: str | None, author: str, reason: str) -> Version:
        """Make the draft a version of the image and put it in force.

        ``in_force`` is the version that the author saw in force.

        Raises:
            ObjectConflict: there are later operations than ``revision``, or the draft that had it has ended.
            VersionConflict: another version is in force by now.
            InvalidRequest: nothing differs, or the project needs a reason and none is given.
        """
        with self._lock(image_id):
            image = self._store.images.get(image_id)
            draft = self._drafts.of(image)
            self._require_latest(draft, revision, "finish")
            if draft.objects == draft.start:
                raise InvalidRequest("Nothing differs from the result. Discard ends the correction.")
            if not reason.strip() and self._store.projects.get(image.project_id).review.reason_needed:
                raise InvalidRequest("Say why it was corrected: this project asks for a reason.")
            with self._source.admitted(image):
                result = self._result(image, draft)
            correction = Correction(
                author=author,
                reason=reason,
                parent_id=draft.parent_id,
                draft_id=draft.id,
                parent_iou=mean_iou(draft.start, draft.objects),
                seconds_worked=draft.seconds_worked,
                at_random=drawn_at_random(image_id),
            )
            version = self._store.results.add_version(image_id, result, correction, in_force)
            self._drafts.forget(image_id)
            self._source.forget(image_id)
            return version

    def discard(self, image_id: str, revision: int, author: str) -> None:
        """Give the draft of an image up; what is in force stays so, and ``reopen`` takes it up again.

        Raises:
            InvalidRequest: there is no draft.
            ObjectConflict: as ``finish``.
        """
        with self._lock(image_id):
            draft = self._drafts.of(self._store.images.get(image_id))
            self._require_latest(draft, revision, "discard")
            assert draft.id is not None, "a draft with operations is stored"
            self._store.corrections.discard(image_id, draft.id, author)
            self._drafts.forget(image_id)
            self._source.forget(image_id)

    def discarded(self, image_id: str) -> tuple[DiscardedDraft, ...]:
        """The discarded drafts of an image that can be taken up again, the latest first."""
        return self._store.corrections.discarded(image_id)

    def reopen(self, image_id: str, draft_id: str, author: str) -> None:
        """Take a discarded draft up again, with all of its operations.

        Raises:
            ObjectConflict: another draft of the image is open.
            NotFound: it is no discarded draft of this image.
            InvalidRequest: the version that it corrects has been deleted.
        """
        with self._lock(image_id):
            self._store.corrections.reopen(image_id, draft_id, author)
            self._drafts.forget(image_id)

    def _apply(
        self,
        image_id: str,
        gesture: Gesture,
        author: str,
        plan: Callable[[Image, Draft], Changes],
        click: Click | None = None,
    ) -> Applied:
        digest = digest_of(gesture, click)
        with self._lock(image_id):
            image = self._store.images.get(image_id)
            draft = self._drafts.of(image)
            if (known := draft.entry(gesture.op_id)) is not None:
                if (known.digest, known.author) != (digest, author):
                    raise InvalidRequest("This Idempotency-Key has been used for another change already.")
                return self._applied(image, draft, known.changes)
            self._require(draft, gesture)
            changes = plan(image, draft)
            if not changes:
                return self._applied(image, draft, ())
            entry = Entry(
                draft.next_revision,
                gesture.op_id,
                author,
                gesture.tool,
                changes,
                utc_now(),
                gesture.ms,
                digest,
            )
            after = with_entry(draft, entry, gesture.base_revision)
            draft_id = self._store.corrections.add_operation(
                image_id, draft.id, draft.parent_id, stored(entry, gesture.base_revision)
            )
            after = replace(after, id=draft_id)
            self._drafts.keep(after)
            return self._applied(image, after, changes)

    def _require(self, draft: Draft, gesture: Gesture) -> None:
        self._require_known(draft, gesture.base_revision)
        if gesture.version_id != draft.parent_id:
            current = self._source.version(draft.parent_id)
            raise VersionConflict("Another result of this image is being corrected. Load it again.", current)

    def _require_latest(self, draft: Draft, revision: int, act: str) -> None:
        """Refuse to end a draft at another revision than its last one; ``act`` is a verb."""
        self._require_known(draft, revision)
        if not draft.entries:
            raise InvalidRequest(f"Nothing has been changed, so there is nothing to {act}.")
        if draft.revision != revision:
            later = dict.fromkeys(entry.author for entry in draft.entries if entry.revision > revision)
            raise ObjectConflict(
                f"This image has been changed meanwhile, by {' and '.join(later)}. Look at it, then {act}."
            )

    def _require_known(self, draft: Draft, revision: int) -> None:
        """Refuse a revision that is not of this draft: what it stood for is not there."""
        if revision == 0 or any(entry.revision == revision for entry in draft.entries):
            return
        if revision >= draft.next_revision:
            raise InvalidRequest(f"There is no revision {revision} yet.")
        raise self._store.corrections.ended(draft.image_id, revision)

    def _applied(self, image: Image, draft: Draft, changes: Changes) -> Applied:
        numbers = {change.number for change in changes} & draft.objects.keys()
        measured = self._measured(image, draft, numbers) if numbers else ()
        return Applied(draft, changes, measured, image)

    def _measured(self, image: Image, draft: Draft, numbers: set[int]) -> tuple[Spheroid, ...]:
        pixels = self._source.pixels(image, draft.parent_id)
        with self._source.room_to_measure(image, (draft.objects[number] for number in numbers)):
            return described(draft.objects, numbers, pixels)

    def _result(self, image: Image, draft: Draft) -> Result:
        """The draft as a result: what has not been changed is as it was measured before."""
        parent = self._source.version(draft.parent_id)
        before = self._source.spheroids(image, parent)
        changed = set(draft.changed) | (draft.objects.keys() - before.keys())
        kept = [before[number] for number in draft.objects.keys() - changed]
        pixels = self._source.pixels(image, draft.parent_id)
        spheroids = (*kept, *described(draft.objects, changed, pixels))
        return self._source.result(image, parent, draft.objects, spheroids)

    def _clicked(self, image: Image, draft: Draft, click: Click) -> list[NewRegion]:
        if click.split_at is not None:
            return split(draft.objects, click.point, click.split_at, draft.shape)
        if click.number is not None and click.number not in draft.objects:
            raise InvalidRequest(f"Spheroid {click.number} is not there.")
        picture = self._source.picture(image, draft.parent_id)
        with self._source.admitted(image):
            if click.away:
                return clicks.take_away(self._network, picture, draft.objects, click.point)
            return clicks.grow(self._network, picture, draft.objects, click.point, click.number)

    def _lock(self, image_id: str) -> threading.RLock:
        return self._locks[hash(image_id) % LOCKS]

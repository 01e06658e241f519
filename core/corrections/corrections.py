"""The desk of corrections: takes gestures, stores each at once, measures it, and ends drafts as versions."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from core.clock import utc_now
from core.corrections import clicks
from core.corrections.drafts import Draft, Entry
from core.corrections.gestures import Applied, Click, Gesture, Unfinished
from core.corrections.measuring import described
from core.corrections.operations import Changes, NewRegion, Tool, planned
from core.corrections.records import entry_of, stored
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
from core.store.results import Correction, Result

LOCKS = 64
MAX_DRAFTS = 32  # in memory; others are replayed when they are needed


class Corrections:
    """Takes corrections of all images. Safe from any thread; gestures at one image wait for each other."""

    def __init__(self, store: Store, source: CorrectionSource, network: ClickNetwork) -> None:
        self._store = store
        self._source = source
        self._network = network
        self._locks = [threading.RLock() for _ in range(LOCKS)]
        self._drafts: OrderedDict[str, Draft] = OrderedDict()
        self._cached = threading.Lock()  # of the drafts; held for moments only

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
            return self._draft(self._store.images.get(image_id))

    def state(self, image_id: str) -> Applied:
        """The draft of an image with measurements of what differs from the version in force; as ``draft``.

        What is as in the version in force is measured there.
        """
        with self._lock(image_id):
            image = self._store.images.get(image_id)
            draft = self._draft(image)
        numbers = draft.changed if draft.parent_id == image.version_id else frozenset(draft.objects)
        spheroids = self._measured(image, draft, set(numbers)) if numbers else ()
        return Applied(draft, (), spheroids, image)

    def unfinished(self, image_id: str) -> Unfinished | None:
        """Who has begun to correct an image and not ended it; None where nobody has. Reads no pixels."""
        draft = self._store.corrections.open_draft(image_id)
        if draft is None or not draft[1]:
            return None
        authors = tuple(dict.fromkeys(row["author"] for row in draft[1]))
        times = [row["created_at"] for row in draft[1]]
        return Unfinished(authors, times[0], times[-1], len(times))

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
        return self._apply(image_id, gesture, author, lambda _image, draft: _planned(draft, gesture))

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
            return _planned(draft, replace(gesture, regions=regions))

        return self._apply(image_id, gesture, author, changes, click)

    def finish(self, image_id: str, revision: int, in_force: str | None, author: str, reason: str) -> Version:
        """Make the draft a version of the image and put it in force.

        ``in_force`` is the version that the author saw in force.

        Raises:
            ObjectConflict: there are later operations than ``revision``.
            VersionConflict: another version is in force by now.
            InvalidRequest: nothing has been changed, or the project needs a reason and none is given.
        """
        with self._lock(image_id):
            image = self._store.images.get(image_id)
            draft = self._draft(image)
            if draft.id is None:
                raise InvalidRequest("Nothing has been changed, so there is nothing to finish.")
            if not reason.strip() and self._store.projects.get(image.project_id).review.reason_needed:
                raise InvalidRequest("Say why it was corrected: this project asks for a reason.")
            if draft.revision != revision:
                raise ObjectConflict("Somebody has changed this image meanwhile. Look at it, then finish.")
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
            self._forget(image_id)
            return version

    def discard(self, image_id: str, author: str) -> None:
        """Give the draft of an image up; what is in force stays so.

        Raises:
            InvalidRequest: there is no draft.
        """
        with self._lock(image_id):
            draft = self._draft(self._store.images.get(image_id))
            if draft.id is None:
                raise InvalidRequest("Nothing has been changed, so there is nothing to discard.")
            self._store.corrections.discard(image_id, draft.id, author)
            self._forget(image_id)

    def _apply(
        self,
        image_id: str,
        gesture: Gesture,
        author: str,
        plan: Callable[[Image, Draft], Changes],
        click: Click | None = None,
    ) -> Applied:
        digest = _digest(gesture, click)
        with self._lock(image_id):
            image = self._store.images.get(image_id)
            draft = self._draft(image)
            if (known := draft.entry(gesture.op_id)) is not None:
                if (known.digest, known.author) != (digest, author):
                    raise InvalidRequest("This Idempotency-Key has been used for another change already.")
                return self._applied(image, draft, known.changes)
            self._require(draft, gesture)
            changes = plan(image, draft)
            if not changes:
                return self._applied(image, draft, ())
            entry = Entry(
                draft.revision + 1,
                gesture.op_id,
                author,
                gesture.tool,
                changes,
                utc_now(),
                gesture.ms,
                digest,
            )
            after = _with_entry(draft, entry, gesture.base_revision)
            draft_id = self._store.corrections.add_operation(
                image_id, draft.id, draft.parent_id, stored(entry, gesture.base_revision)
            )
            after = replace(after, id=draft_id)
            self._keep(after)
            return self._applied(image, after, changes)

    def _require(self, draft: Draft, gesture: Gesture) -> None:
        if gesture.version_id != draft.parent_id:
            current = self._source.version(draft.parent_id)
            raise VersionConflict("Another result of this image is being corrected. Load it again.", current)
        if gesture.base_revision > draft.revision:
            raise InvalidRequest(f"There is no revision {gesture.base_revision} yet.")

    def _applied(self, image: Image, draft: Draft, changes: Changes) -> Applied:
        numbers = {change.number for change in changes} & draft.objects.keys()
        measured = self._measured(image, draft, numbers) if numbers else ()
        return Applied(draft, changes, measured, image)

    def _measured(self, image: Image, draft: Draft, numbers: set[int]) -> tuple[Spheroid, ...]:
        return described(draft.objects, numbers, self._source.pixels(image, draft.parent_id))

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

    def _draft(self, image: Image) -> Draft:
        with self._cached:
            if (draft := self._drafts.get(image.id)) is not None:
                self._drafts.move_to_end(image.id)
                return draft
        stored = self._store.corrections.open_draft(image.id)
        parent_id = image.version_id if stored is None else stored[0]["parent_id"]
        draft = Draft.begin(
            image.id, parent_id, (image.height, image.width), self._source.regions(image, parent_id)
        )
        if stored is None:
            return draft
        for row in stored[1]:
            draft = draft.with_entry(entry_of(row))
        draft = replace(draft, id=stored[0]["id"])
        self._keep(draft)
        return draft

    def _keep(self, draft: Draft) -> None:
        with self._cached:
            self._drafts[draft.image_id] = draft
            self._drafts.move_to_end(draft.image_id)
            while len(self._drafts) > MAX_DRAFTS:
                self._drafts.popitem(last=False)

    def _forget(self, image_id: str) -> None:
        with self._cached:
            self._drafts.pop(image_id, None)
        self._source.forget(image_id)

    def _lock(self, image_id: str) -> threading.RLock:
        return self._locks[hash(image_id) % LOCKS]


def _planned(draft: Draft, gesture: Gesture) -> Changes:
    named = frozenset(item.number for item in gesture.regions if item.number is not None)
    if late := draft.later(named, gesture.base_revision):
        raise ObjectConflict.between(late)
    return planned(draft.objects, gesture.regions, draft.next_number)


def _with_entry(draft: Draft, entry: Entry, base_revision: int) -> Draft:
    try:
        return draft.with_entry(entry)
    except ObjectConflict as error:
        if entry.tool in (Tool.UNDO, Tool.REDO) or draft.later(error.numbers, base_revision):
            raise
        names = ", ".join(map(str, sorted(error.numbers)))
        raise InvalidRequest(
            f"This would cover spheroid {names}. A pixel belongs to one: send both as they are to be."
        ) from error


def _digest(gesture: Gesture, click: Click | None) -> str:
    sent = repr((gesture.tool, gesture.regions, click))
    return hashlib.sha256(sent.encode()).hexdigest()

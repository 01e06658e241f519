"""Drafts that have not ended: those of late in memory, others replayed from their stored operations."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace

from core.corrections.drafts import Draft
from core.corrections.records import entry_of
from core.corrections.source import CorrectionSource
from core.models import Image
from core.store import Store

MAX_DRAFTS = 32  # in memory


class OpenDrafts:
    """The draft of each image. Safe from any thread; its caller holds the lock of the image."""

    def __init__(self, store: Store, source: CorrectionSource) -> None:
        self._store = store
        self._source = source
        self._drafts: OrderedDict[str, Draft] = OrderedDict()
        self._lock = threading.Lock()  # of the drafts in memory; held for moments only

    def of(self, image: Image) -> Draft:
        """The draft of an image; one without an id where nothing has been changed.

        Raises:
            StorageError: its label image cannot be read.
        """
        with self._lock:
            if (draft := self._drafts.get(image.id)) is not None:
                self._drafts.move_to_end(image.id)
                return draft
        stored = self._store.corrections.open_draft(image.id)
        parent_id = image.version_id if stored is None else stored[0]["parent_id"]
        draft_id = None if stored is None else stored[0]["id"]
        draft = Draft.begin(
            image.id,
            parent_id,
            (image.height, image.width),
            self._source.regions(image, parent_id),
            self._store.corrections.last_revision(image.id, but=draft_id),
        )
        if stored is None:
            return draft
        for row in stored[1]:
            draft = draft.with_entry(entry_of(row))
        draft = replace(draft, id=draft_id)
        self.keep(draft)
        return draft

    def keep(self, draft: Draft) -> None:
        """Keep a draft in memory, as it is stored."""
        with self._lock:
            self._drafts[draft.image_id] = draft
            self._drafts.move_to_end(draft.image_id)
            while len(self._drafts) > MAX_DRAFTS:
                self._drafts.popitem(last=False)

    def forget(self, image_id: str) -> None:
        """Read the draft of an image from the store the next time."""
        with self._lock:
            self._drafts.pop(image_id, None)

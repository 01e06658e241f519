"""Lists of images as they were entered: whoever walks through one and mends it stays in the same list."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from core.errors import NotFound
from core.models import Image, ImageFilter
from core.store.images import ImageStore, Neighbours

MAX_ROWS = 100_000  # of a list: 3 MB; a longer one is not frozen
MAX_BYTES = 16 * 2**20  # of all lists; then the least recently used is forgotten

Key = tuple[str, str, str, ImageFilter]
Ids = NDArray[np.bytes_]


class FrozenLists:
    """Ids and order of the images of lists, from when each was entered until it is forgotten.

    They live in memory only: after a restart of the app a list is entered anew. Any thread may call.
    """

    def __init__(self, images: ImageStore) -> None:
        self._images = images
        self._lists: OrderedDict[Key, Ids] = OrderedDict()  # least recently used first
        self._lock = threading.Lock()

    def neighbours(
        self,
        entry: str,
        image: Image,
        sort: str,
        image_filter: ImageFilter = ImageFilter(),  # noqa: B008 - frozen
    ) -> Neighbours:
        """Return the place of ``image`` in the list as it was when ``entry`` was first named.

        ``entry`` is a text of the caller's choice that stands for one visit to the list. Images that were
        deleted since are stepped over, and are still counted.

        Raises:
            InvalidRequest: no such sort, or a range that cannot be.
            NotFound: the image is not in the list.
        """
        ids = self._ids((entry, image.project_id, sort, image_filter))
        if ids is None:
            return self._images.neighbours(image, sort, image_filter)
        positions = np.flatnonzero(ids == image.id.encode())
        if not len(positions):
            raise NotFound("This image is not in the list that it was opened from.")
        position = int(positions[0])
        return Neighbours(
            self._first_that_exists(ids[:position][::-1]),
            self._first_that_exists(ids[position + 1 :]),
            position + 1,
            len(ids),
        )

    def _ids(self, key: Key) -> Ids | None:
        """Return the ids of a list, read at the first call; None where it is too long to keep."""
        with self._lock:
            if key in self._lists:
                self._lists.move_to_end(key)
                return self._lists[key]
        _, project_id, sort, image_filter = key
        if self._images.page(project_id, image_filter, sort, limit=1).total > MAX_ROWS:
            return None
        ids = np.array(
            [item.encode() for item in self._images.ids(project_id, image_filter, sort)], dtype="S"
        )
        with self._lock:
            cached_ids = self._lists.setdefault(key, ids)  # another thread may have entered it meanwhile
            while len(self._lists) > 1 and sum(item.nbytes for item in self._lists.values()) > MAX_BYTES:
                self._lists.popitem(last=False)
        return cached_ids

    def _first_that_exists(self, ids: Ids, step: int = 16) -> str | None:
        """Return the first id whose image has not been deleted; usually that is the first of all."""
        for start in range(0, len(ids), step):
            candidates: list[str] = [item.decode() for item in ids[start : start + step].tolist()]
            deleted = self._images.known(candidates)
            for candidate in candidates:
                if deleted.get(candidate) is False:
                    return candidate
        return None

"""Taking a file in: checked, stored, registered and queued, with a verdict for the person who sent it."""

from __future__ import annotations

import hashlib
import logging
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from core import images
from core.errors import SpheroscopeError
from core.files.blobs import Blobs
from core.images import rendering
from core.models import Limits, PageFacts
from core.store import JobRequest, NewImage, Recipe, Store
from core.store.recipe import ANONYMOUS

log = logging.getLogger(__name__)

MAX_NAME = 200
_UNPRINTABLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}  # control, bidi, unassigned; line separators


class Outcome(StrEnum):
    """What became of a file."""

    STORED = "stored"
    PRESENT = "already there"
    RESTORED = "restored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one file, in words for the person who sent it."""

    name: str
    outcome: Outcome
    message: str
    code: str | None = None
    image_ids: tuple[str, ...] = ()


class Ingest:
    """The upload use case."""

    def __init__(self, store: Store, blobs: Blobs, limits: Limits) -> None:
        self._store = store
        self._blobs = blobs
        self._limits = limits

    def add(
        self, project_id: str, name: str, data: bytes, recipe: Recipe | None, request: JobRequest = ANONYMOUS
    ) -> Verdict:
        """Take one file into a project and queue its pages by ``recipe``; never raises for a bad file.

        A stored verdict means that the file survives a crash of the program from here on.
        """
        shown = clean_name(name)
        try:
            return self._add(project_id, shown, data, recipe, request)
        except SpheroscopeError as error:
            log.info("event=ingest.refused code=%s", error.code)
            return Verdict(shown, Outcome.REFUSED, error.message, error.code)
        except Exception as error:  # a fault in here must not take the rest of the dropped files with it
            log.exception("event=ingest.failed")
            said = f"This file could not be taken in ({type(error).__name__}). The log has details."
            return Verdict(shown, Outcome.REFUSED, said, SpheroscopeError.code)

    def _add(
        self, project_id: str, name: str, data: bytes, recipe: Recipe | None, request: JobRequest
    ) -> Verdict:
        self._store.projects.require(project_id)
        pages = images.inspect(data, self._limits)
        sha256 = hashlib.sha256(data).hexdigest()
        ids = tuple(image_id(project_id, sha256, facts.page) for facts in pages)
        self._blobs.put(data)  # even where the images are known: this is how a damaged file is made whole
        if len(self._store.images.known(ids)) == len(ids):
            return self._present(project_id, name, ids, recipe, request)
        rows = tuple(
            self._row(ids[index], name, sha256, data, facts, len(pages)) for index, facts in enumerate(pages)
        )
        if not self._store.add_images(project_id, rows, recipe, request):  # another thread was quicker
            return self._present(project_id, name, ids, recipe, request)
        return Verdict(name, Outcome.STORED, _described(pages), image_ids=ids)

    def _present(
        self, project_id: str, name: str, ids: tuple[str, ...], recipe: Recipe | None, request: JobRequest
    ) -> Verdict:
        restored = self._store.images.restore(project_id, ids)
        there = self._store.images.get(ids[0])
        if restored:
            message = "It had been deleted here and is back, with its results."
            if there.segmentation_id is None:
                message = "It had been deleted here and is back."
                if recipe is not None:
                    self._store.jobs.enqueue(project_id, ids, recipe, request)
            return Verdict(name, Outcome.RESTORED, message, image_ids=ids)
        message = "The same file is in this project already."
        stored = there.name.removesuffix(f"#{there.page}") if len(ids) > 1 else there.name
        if stored != name:
            message = f"The same file is in this project already, as {stored}."
        return Verdict(name, Outcome.PRESENT, message, image_ids=ids)

    def _row(self, key: str, name: str, sha256: str, data: bytes, facts: PageFacts, n_pages: int) -> NewImage:
        raster = images.decode(data, facts.page, self._limits)
        return NewImage(
            id=key,
            name=f"{name}#{facts.page}" if n_pages > 1 else name,
            sha256=sha256,
            n_bytes=len(data),
            facts=facts,
            thumbnail_sha256=self._blobs.put(rendering.thumbnail(raster)),
        )


def image_id(project_id: str, sha256: str, page: int) -> str:
    """The same page of the same file in the same project is the same image."""
    return hashlib.sha256(f"{project_id}/{sha256}/{page}".encode()).hexdigest()[:32]


def clean_name(name: str) -> str:
    """A file's name as text to show: no folders, nothing unprintable, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if unicodedata.category(char) not in _UNPRINTABLE).strip()
    if len(kept) > MAX_NAME:
        kept = f"{kept[: MAX_NAME - 10]}…{kept[-9:]}"
    return kept or "unnamed"


def _described(pages: tuple[PageFacts, ...]) -> str:
    first = pages[0]
    size = f"{first.width}×{first.height} px, {first.bit_depth} bits"
    scale = f"{first.um_per_px:.4g} µm/px" if first.um_per_px else "pixel size unknown"
    count = f"{len(pages)} pages, " if len(pages) > 1 else ""
    return f"{count}{size}, {scale}"

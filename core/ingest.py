"""Uploads: write a file to disk, check it there, store it, add its images and queue them.

A file is never held in memory as a whole, except by formats whose checks need all of it.
"""

from __future__ import annotations

import hashlib
import logging
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import BinaryIO

from core import images
from core.errors import ImageTooLarge, SpheroscopeError
from core.files.blobs import Blobs, Incoming, pieces_of
from core.images import rendering
from core.images.memory import Extent, rendering_bytes
from core.models import Limits, PageFacts
from core.queue.admission import Admission
from core.store import JobRequest, NewImage, Recipe, Store
from core.store.recipe import ANONYMOUS

log = logging.getLogger(__name__)

MAX_NAME = 200
UNLIMITED = 2**62
_UNPRINTABLE = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}  # control, bidi, unassigned; line separators


class UploadOutcome(StrEnum):
    """Outcomes of a file's upload."""

    STORED = "stored"
    PRESENT = "already there"
    RESTORED = "restored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class UploadVerdict:
    """Outcome of one file's upload, with a message for the person who sent it.

    ``may_pass``: the same file may be taken later, with nothing changed in it.
    """

    name: str
    outcome: UploadOutcome
    message: str
    code: str | None = None
    image_ids: tuple[str, ...] = ()
    may_pass: bool = False


class Ingest:
    """The upload use case."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        limits: Limits,
        admission: Admission | None = None,
        on_verdict: Callable[[UploadVerdict], None] = lambda _: None,
    ) -> None:
        """``admission`` holds the memory for each page while it is decoded; None where it is not limited.

        ``on_verdict`` is called with the verdict on every file.
        """
        self._store = store
        self._blobs = blobs
        self._limits = limits
        self._admission = Admission(UNLIMITED) if admission is None else admission
        self._on_verdict = on_verdict

    def add(
        self,
        project_id: str,
        name: str,
        file: BinaryIO | bytes,
        recipe: Recipe | None,
        request: JobRequest = ANONYMOUS,
    ) -> UploadVerdict:
        """Take one file into a project and queue its pages by ``recipe``; never raises for a bad file.

        An open ``file`` is read once, from where it stands. A stored verdict means that the file survives a
        crash of the program from here on.
        """

        def received() -> AbstractContextManager[Incoming]:
            return self._blobs.receive(self._limited(file))

        return self._add_with_verdict(project_id, clean_name(name), received, recipe, request)

    def add_file(
        self,
        project_id: str,
        path: str,
        incoming: Incoming,
        recipe: Recipe | None,
        request: JobRequest = ANONYMOUS,
    ) -> UploadVerdict:
        """As ``add``, for a file that lies on the data folder's disk already; its name keeps its folders."""
        return self._add_with_verdict(
            project_id, clean_path(path), lambda: nullcontext(incoming), recipe, request
        )

    def _add_with_verdict(
        self,
        project_id: str,
        name: str,
        open_file: Callable[[], AbstractContextManager[Incoming]],
        recipe: Recipe | None,
        request: JobRequest,
    ) -> UploadVerdict:
        verdict = self._verdict(project_id, name, open_file, recipe, request)
        self._on_verdict(verdict)
        return verdict

    def _verdict(
        self,
        project_id: str,
        name: str,
        open_file: Callable[[], AbstractContextManager[Incoming]],
        recipe: Recipe | None,
        request: JobRequest,
    ) -> UploadVerdict:
        try:
            self._store.projects.require(project_id)
            with open_file() as incoming:
                return self._add(project_id, name, incoming, recipe, request)
        except SpheroscopeError as error:
            log.info("event=ingest.refused code=%s", error.code)
            return UploadVerdict(
                name, UploadOutcome.REFUSED, error.message, error.code, may_pass=error.may_pass
            )
        except Exception as error:  # a fault in here must not take the rest of the dropped files with it
            log.exception("event=ingest.failed")
            message = f"This file could not be added ({type(error).__name__}). The log has details."
            return UploadVerdict(name, UploadOutcome.REFUSED, message, SpheroscopeError.code)

    def _limited(self, file: BinaryIO | bytes) -> Iterator[bytes]:
        """Yield a file piece by piece.

        Raises:
            ImageTooLarge: it has more bytes than the limits allow.
        """
        n_bytes = 0
        for piece in pieces_of(BytesIO(file) if isinstance(file, bytes) else file):
            n_bytes += len(piece)
            if n_bytes > self._limits.max_bytes:
                raise ImageTooLarge.of_bytes(self._limits.max_bytes)
            yield piece

    def _add(
        self, project_id: str, name: str, incoming: Incoming, recipe: Recipe | None, request: JobRequest
    ) -> UploadVerdict:
        with self._open(name, incoming) as reader:
            ids = tuple(image_id(project_id, incoming.sha256, plane.page) for plane in reader.planes)
            known = len(self._store.images.known(ids)) == len(ids)
            pages = [] if known else [self._page(name, reader, plane) for plane in reader.planes]
        incoming.keep()  # even where the images are known: this is how a damaged file is made whole
        if known:
            return self._present(project_id, name, ids, recipe, request)
        rows = tuple(
            NewImage(
                id=key,
                name=f"{name}#{facts.page}" if len(pages) > 1 else name,
                sha256=incoming.sha256,
                n_bytes=incoming.n_bytes,
                facts=facts,
                thumbnail_sha256=self._blobs.put(thumbnail),
            )
            for key, (facts, thumbnail) in zip(ids, pages, strict=True)
        )
        if not self._store.add_images(project_id, rows, recipe, request):  # another thread was quicker
            return self._present(project_id, name, ids, recipe, request)
        return UploadVerdict(
            name, UploadOutcome.STORED, _described([facts for facts, _ in pages]), image_ids=ids
        )

    def _open(self, name: str, incoming: Incoming) -> images.Reader:
        with self._admission.hold(incoming.n_bytes, name):  # some formats' checks need the whole file
            return images.open_image(incoming.path, self._limits)

    def _page(self, name: str, reader: images.Reader, plane: images.Plane) -> tuple[PageFacts, bytes]:
        """Return the facts and the thumbnail of a page, which is decoded for both: that proves it can be."""
        extent = Extent(plane.width, plane.height, plane.channels, plane.dtype, plane.file_bytes)
        with self._admission.hold(rendering_bytes(extent), name):
            raster = reader.read(plane)
            return raster.facts, rendering.thumbnail(raster)

    def _present(
        self, project_id: str, name: str, ids: tuple[str, ...], recipe: Recipe | None, request: JobRequest
    ) -> UploadVerdict:
        restored = self._store.images.restore(project_id, ids)
        image = self._store.images.get(ids[0])
        if restored:
            message = "It had been deleted here and is back, with its results."
            if image.version_id is None:
                message = "It had been deleted here and is back."
                if recipe is not None:
                    self._store.jobs.enqueue(project_id, ids, recipe, request)
            return UploadVerdict(name, UploadOutcome.RESTORED, message, image_ids=ids)
        message = "The same file is in this project already."
        stored = image.name.removesuffix(f"#{image.page}") if len(ids) > 1 else image.name
        if stored != name:
            message = f"The same file is in this project already, as {stored}."
        return UploadVerdict(name, UploadOutcome.PRESENT, message, image_ids=ids)


def image_id(project_id: str, sha256: str, page: int) -> str:
    """Return the id of an image: the same page of the same file in the same project is the same image."""
    return hashlib.sha256(f"{project_id}/{sha256}/{page}".encode()).hexdigest()[:32]


def clean_name(name: str) -> str:
    """Return a file's name as text to show: no folders, nothing unprintable, at most 200 characters."""
    return _shortened(_printable(name.replace("\\", "/").rsplit("/", 1)[-1]))


def clean_path(path: str) -> str:
    """Return a file's name as ``clean_name`` does, behind the folders that it lay in: “day 3/A05.tif”."""
    *folders, name = path.replace("\\", "/").split("/")
    parts = [part for part in map(_printable, folders) if part not in ("", ".", "..")]
    return _shortened("/".join([*parts, _printable(name) or "unnamed"]))


def _printable(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) not in _UNPRINTABLE).strip()


def _shortened(printable: str) -> str:
    if len(printable) > MAX_NAME:
        printable = f"{printable[: MAX_NAME - 10]}…{printable[-9:]}"
    return printable or "unnamed"


def _described(pages: list[PageFacts]) -> str:
    first = pages[0]
    size = f"{first.width}×{first.height} px, {first.bit_depth} bits"
    scale = f"{first.um_per_px:.4g} µm/px" if first.um_per_px else "pixel size unknown"
    count = f"{len(pages)} pages, " if len(pages) > 1 else ""
    return f"{count}{size}, {scale}"

"""Receives uploads: where each has got to, what is added to it, and its verdict once it is complete."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from core.clock import utc_now
from core.errors import ImageTooLarge, NotFound, SpheroscopeError, UploadConflict
from core.files.blobs import Blobs
from core.ingest import Ingest, UploadVerdict, clean_path
from core.models import Upload, UploadState
from core.settings import Settings
from core.store import JobRequest, NewUpload, Recipe, Store, UploadBatch
from core.store.uploads import WATCHED_FOLDER, upload_id
from core.uploads.complete import check_length, complete_file
from core.uploads.keyed_lock import KeyedLock
from core.uploads.part import UploadPart
from core.uploads.senders import Senders

log = logging.getLogger(__name__)

SWEEP_SECONDS = 600.0
RETENTION_DAYS = 30  # verdicts


@dataclass(frozen=True, slots=True)
class UploadRules:
    """Limits: bytes of one file, and hours until the rest of a file is no longer waited for."""

    max_bytes: int
    hours: float

    @classmethod
    def of(cls, settings: Settings) -> UploadRules:
        """The limits of an installation."""
        return cls(settings.limits.max_bytes, settings.upload_hours)


class Uploads:
    """Receives uploads. Every method may be called from any thread."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        ingest: Ingest,
        rules: UploadRules,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._ingest = ingest
        self._rules = rules
        self._clock = clock
        self._folder = blobs.uploads
        self._parts: dict[str, UploadPart] = {}
        self._upload_locks = KeyedLock()
        self._senders = Senders(clock)
        self._lock = threading.Lock()
        self._recipe_of: Callable[[str], Recipe | None] = lambda _: None
        self._queued: Callable[[], None] = lambda: None
        self._closing = threading.Event()
        self._recovery: threading.Thread | None = None
        self._sweep_at = clock() + SWEEP_SECONDS
        self._projects = store.uploads.projects()  # those with verdicts to show

    def start(self, recipe_of: Callable[[str], Recipe], queued: Callable[[], None]) -> None:
        """Delete what no upload needs, and judge in the background what had arrived before the last end.

        ``recipe_of`` returns how the images of a project, named by its id, are to be segmented; until then,
        none is. ``queued`` is called whenever images have been queued.
        """
        self._recipe_of, self._queued = recipe_of, queued
        unfinished = self._store.uploads.unfinished()
        needed = {upload.id for upload in unfinished}
        for path in self._folder.iterdir():
            if path.name not in needed:
                path.unlink(missing_ok=True)
        self._recovery = threading.Thread(
            target=self._recover, args=(unfinished,), name="uploads-recovery", daemon=True
        )
        self._recovery.start()

    def close(self) -> None:
        """Wait until the file that is being judged in the background has its verdict."""
        self._closing.set()
        if self._recovery is not None:
            self._recovery.join()

    def _recover(self, unfinished: Sequence[Upload]) -> None:
        for upload in unfinished:
            if self._closing.is_set():
                return
            complete = upload.n_bytes is not None and self._offset(upload.id) == upload.n_bytes
            if upload.state is UploadState.CHECKING or complete:
                try:
                    self.finish(upload)
                except SpheroscopeError as error:  # its sender may try again, or the next start
                    log.warning("event=upload.not_recovered code=%s", error.code)

    def declare(self, project_id: str, batch: UploadBatch, files: Sequence[NewUpload]) -> tuple[Upload, ...]:
        """Note files that are about to be sent; return where each stands. Nothing happens to known keys.

        Raises:
            NotFound: the project is not there.
        """
        named = [replace(file, path=clean_path(file.path)) for file in files]
        if batch.name != WATCHED_FOLDER:
            self._senders.note_activity(batch.name)
        self._projects.add(project_id)
        uploads = self._store.uploads.add(project_id, batch, named)
        return tuple(self._with_progress(upload) for upload in uploads)

    def begin(self, project_id: str, batch: UploadBatch, file: NewUpload) -> Upload:
        """Return where one upload stands, of which a piece is about to be sent.

        One that is being judged has its verdict when this returns.

        Raises:
            NotFound: the project is not there.
        """
        (upload,) = self.declare(project_id, batch, [file])
        return self.finish(upload) if upload.state is UploadState.CHECKING else upload

    def require_size(self, n_bytes: int) -> None:
        """Make sure that a file of ``n_bytes`` may be sent.

        Raises:
            ImageTooLarge: it may not.
        """
        if n_bytes > self._rules.max_bytes:
            raise ImageTooLarge.of_bytes(self._rules.max_bytes)

    def open_part(self, upload: Upload, offset: int) -> UploadPart:
        """Return the file that the bytes from ``offset`` on are added to; whoever else adds to it is stopped.

        Raises:
            UploadConflict: another number of bytes has arrived; ``get`` says which.
            StorageError: the disk refuses.
        """
        with self._lock:
            earlier = self._parts.pop(upload.id, None)
        if earlier is not None:
            earlier.supersede()
        part = UploadPart(self._folder / upload.id, self._rules.max_bytes)
        if part.offset != offset:
            part.close()
            raise UploadConflict(
                f"{part.offset} bytes of this file have arrived; go on from there, not from {offset}."
            )
        with self._lock:
            self._parts[upload.id] = part
        return part

    def close_part(self, upload: Upload, part: UploadPart) -> None:
        """Close the file; what has arrived stays, so that a later request can go on."""
        part.close()
        with self._lock:
            if self._parts.get(upload.id) is part:
                del self._parts[upload.id]

    def finish(self, upload: Upload) -> Upload:
        """Judge an upload whose bytes have all arrived, store it and queue its images; return its verdict.

        An upload that has one keeps it. One that cannot be taken now, but perhaps later, is WAITING again,
        with its bytes, and says why.

        Raises:
            InvalidRequest: it has another number of bytes than was said; they are deleted.
            StorageError: the database refuses.
        """
        with self._upload_locks.hold(upload.id):
            upload = self._store.uploads.get(upload.id)
            if upload.state.ended:
                (self._folder / upload.id).unlink(missing_ok=True)
                return self._with_progress(upload)
            incoming = complete_file(self._blobs, upload)
            if incoming is None:
                self._store.uploads.set_waiting(upload.id)
                return self.get(upload.id)
            check_length(upload, incoming)
            self._store.uploads.set_checking(upload.id, incoming.sha256, incoming.n_bytes)
            try:
                recipe = self._recipe_of(upload.project_id) if upload.segment else None
            except NotFound as error:  # the project has been deleted meanwhile
                return self.refuse(upload, error)
            request = JobRequest(requested_by=upload.requested_by)
            verdict = self._ingest.add_file(upload.project_id, upload.path, incoming, recipe, request)
            self._queued()
            return self._judged(upload, verdict)

    def refuse(self, upload: Upload, error: SpheroscopeError) -> Upload:
        """Give an upload the verdict that it cannot be taken, and delete what has arrived."""
        return self._end(upload.id, UploadState.REFUSED, error.message, error.code)

    def cancel(self, project_id: str, key: str) -> Upload:
        """Give an upload up, unless it has a verdict already; return it.

        Raises:
            NotFound: nothing is known of it.
        """
        upload = self.get(upload_id(project_id, key))
        if upload.state.ended:
            return upload
        return self._end(upload.id, UploadState.CANCELLED, "You cancelled this upload.")

    def get(self, upload: str) -> Upload:
        """Return an upload by its id.

        Raises:
            NotFound: nothing is known of it.
        """
        return self._with_progress(self._store.uploads.get(upload))

    def of_key(self, project_id: str, key: str) -> Upload:
        """Return an upload by the key that its sender chose.

        Raises:
            NotFound: nothing is known of it.
        """
        upload = self.get(upload_id(project_id, key))
        self._senders.note_activity(upload.batch)
        return replace(upload, active=True)

    def listed(self, project_id: str | None = None) -> tuple[Upload, ...]:
        """Return the uploads of a project, or of all, that nobody has dismissed, the latest first."""
        if project_id is not None and project_id not in self._projects:
            return ()  # without asking the database: pages ask at every run
        return tuple(self._with_progress(upload) for upload in self._store.uploads.listed(project_id))

    def dismiss(self, project_id: str) -> None:
        """Hide a project's verdicts; give up what nobody is sending any more."""
        for upload in self.listed(project_id):
            if not upload.state.ended and not upload.active:
                self._end(upload.id, UploadState.CANCELLED, "It was not complete, and you dismissed it.")
        self._store.uploads.dismiss(project_id)
        self._projects = self._store.uploads.projects()

    def sweep(self) -> None:
        """Every few minutes, give up what has not been gone on with for long, and forget old verdicts."""
        if self._clock() < self._sweep_at:
            return
        self._sweep_at = self._clock() + SWEEP_SECONDS
        before = utc_now() - timedelta(hours=self._rules.hours)
        for upload in map(self._with_progress, self._store.uploads.unfinished()):
            if upload.created_at < before and not upload.active and upload.state is UploadState.WAITING:
                self._end(
                    upload.id,
                    UploadState.NOT_STORED,
                    f"Only {upload.offset:,} bytes of it arrived, and nobody went on. Drop it again.",
                )
        self._store.uploads.purge(utc_now() - timedelta(days=RETENTION_DAYS))

    def _judged(self, upload: Upload, verdict: UploadVerdict) -> Upload:
        if verdict.may_pass:
            self._store.uploads.set_waiting(upload.id, verdict.code, verdict.message)
            return self.get(upload.id)
        state = UploadState(verdict.outcome.value)
        if state is UploadState.PRESENT and self._is_own(upload, verdict):
            state = UploadState.STORED
        return self._end(upload.id, state, verdict.message, verdict.code, verdict.image_ids)

    def _is_own(self, upload: Upload, verdict: UploadVerdict) -> bool:
        """Whether it was this upload that stored the image, before the process was ended."""
        image = self._store.images.get(verdict.image_ids[0])
        return image.created_at >= upload.created_at and image.name.startswith(upload.path)

    def _end(
        self,
        key: str,
        state: UploadState,
        message: str,
        code: str | None = None,
        image_ids: Sequence[str] = (),
    ) -> Upload:
        with self._lock:
            part = self._parts.pop(key, None)
        if part is not None:
            part.supersede()
        ended = self._store.uploads.end(key, state, message, code, image_ids)
        (self._folder / key).unlink(missing_ok=True)
        return self._with_progress(ended)

    def _with_progress(self, upload: Upload) -> Upload:
        """Return an upload with its progress: bytes that have arrived, and whether it is being sent."""
        if upload.state.ended:
            return replace(upload, offset=upload.n_bytes or 0)
        active = self._senders.active(upload.batch)
        return replace(upload, offset=self._offset(upload.id), active=active)

    def _offset(self, key: str) -> int:
        try:
            return (self._folder / key).stat().st_size
        except FileNotFoundError:
            return 0

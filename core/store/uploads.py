"""The table of uploads: files on their way into a project, and what became of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import NotFound
from core.models import Upload, UploadState
from core.models.text import NO_PROJECT

WATCHED_FOLDER = "watched folder"  # the batch of files from there: its rows say what has been taken already
MAX_LISTED = 10_000  # uploads in one list


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A file that is about to be sent; ``n_bytes`` is None where that is not known."""

    key: str
    path: str
    n_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class UploadBatch:
    """Files that are sent together: what they have in common."""

    name: str
    segment: bool = True
    requested_by: str | None = None


class UploadStore:
    """The table of uploads. Methods may be called from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, project_id: str, batch: UploadBatch, files: Sequence[NewUpload]) -> tuple[Upload, ...]:
        """Add those files whose keys are not known yet; return all of them, in their order.

        Raises:
            NotFound: the project is not there.
        """
        ids = [upload_id(project_id, file.key) for file in files]
        frame = pl.DataFrame(
            {
                "id": ids,
                "key": [file.key for file in files],
                "path": [file.path for file in files],
                "n_bytes": [file.n_bytes for file in files],
            },
            schema_overrides={"n_bytes": pl.Int64},
        ).unique("id", keep="first", maintain_order=True)
        values = {"project_id": project_id, "batch": batch.name, "segment": batch.segment}
        values |= {"requested_by": batch.requested_by, "now": utc_now()}

        def work(session: Session) -> list[Row]:
            if not session.rows("projects.pixel_size", {"id": project_id}):
                raise NotFound(NO_PROJECT)
            session.rows_from("uploads.add", frame, values)
            return session.rows("uploads.of_ids", {"ids": ids})

        rows = {row["id"]: _upload(row) for row in self._db.write(work)}
        return tuple(rows[key] for key in ids)

    def get(self, key: str) -> Upload:
        """Return one upload by its id.

        Raises:
            NotFound: there is none.
        """
        with self._db.read() as session:
            row = session.one("uploads.get", {"id": key})
        if row is None:
            raise NotFound("There is no such upload.")
        return _upload(row)

    def listed(self, project_id: str | None = None, limit: int = MAX_LISTED) -> tuple[Upload, ...]:
        """Return the uploads of a project, or of all, that nobody has dismissed, the latest first."""
        with self._db.read() as session:
            rows = session.rows("uploads.of_project", {"project_id": project_id, "limit": limit})
        return tuple(_upload(row) for row in rows)

    def latest_of_batch(self, project_id: str, batch: str, limit: int) -> tuple[Upload, ...]:
        """Return the uploads of one batch, dismissed ones as well, the latest first."""
        values = {"project_id": project_id, "batch": batch, "limit": limit}
        with self._db.read() as session:
            return tuple(_upload(row) for row in session.rows("uploads.latest_of_batch", values))

    def unfinished(self) -> tuple[Upload, ...]:
        """Return every upload without a verdict, the earliest first."""
        with self._db.read() as session:
            return tuple(_upload(row) for row in session.rows("uploads.unfinished"))

    def projects(self) -> set[str]:
        """Return the ids of projects with uploads that nobody has dismissed."""
        with self._db.read() as session:
            return {row["project_id"] for row in session.rows("uploads.projects")}

    def set_checking(self, key: str, sha256: str, n_bytes: int) -> None:
        """Record that all bytes have arrived."""
        values = {"id": key, "sha256": sha256, "n_bytes": n_bytes}
        self._db.write(lambda session: session.rows("uploads.set_checking", values))

    def set_waiting(self, key: str, code: str | None = None, message: str | None = None) -> None:
        """Record that an upload has to be tried again, and why."""
        values = {"id": key, "code": code, "message": message}
        self._db.write(lambda session: session.rows("uploads.set_waiting", values))

    def end(
        self,
        key: str,
        state: UploadState,
        message: str,
        code: str | None = None,
        image_ids: Sequence[str] = (),
    ) -> Upload:
        """Give an upload its verdict, unless it has one; return it."""
        values: dict[str, Any] = {"id": key, "state": state.value, "code": code, "message": message}
        values |= {"image_ids": json.dumps(list(image_ids)), "now": utc_now()}
        self._db.write(lambda session: session.rows("uploads.end", values))
        return self.get(key)

    def dismiss(self, project_id: str) -> None:
        """Hide a project's verdicts. Files that are still on their way stay in the list."""
        self._db.write(lambda session: session.rows("uploads.dismiss", {"project_id": project_id}))

    def purge(self, before: datetime) -> None:
        """Delete rows that ended before a time; those of watched folders stay, which say what is taken."""

        def work(session: Session) -> None:
            session.rows("uploads.purge", {"before": before, "kept_batch": WATCHED_FOLDER})
            session.rows("uploads.purge_answers", {"before": before})

        self._db.write(work)


def once(session: Session, request_id: str, change: Callable[[], str]) -> str:
    """Return the answer of ``change``, which is made only if this request has not been answered before."""
    row = session.one("uploads.answered", {"id": request_id})
    if row is not None:
        return str(row["answer"])
    answer = change()
    session.rows("uploads.add_answer", {"id": request_id, "answer": answer, "now": utc_now()})
    return answer


def upload_id(project_id: str, key: str) -> str:
    """Return the id of an upload: the same key in the same project is the same upload."""
    return hashlib.sha256(f"{project_id}/{key}".encode()).hexdigest()[:32]


def _upload(row: Row) -> Upload:
    return Upload(
        **row | {"state": UploadState(row["state"]), "image_ids": tuple(json.loads(row["image_ids"]))}
    )

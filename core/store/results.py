"""Results: segmentations and their spheroids, saved with the job's end in one transaction."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.cache import Cache, cached_json
from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import NotFound
from core.listing.page_index import PageIndex
from core.models import Image, Job, Spheroid, StoredSegmentation
from core.models.jobs import seconds_of
from core.models.summary import summary
from core.store.project_versions import ProjectVersions
from core.store.rows import OBJECT_COLUMNS, compact, object_rows, segmentation_of, spheroid_of

Rows = Generator[Row, None, None]
SIZES = "sizes"  # kind of cached values: the ResultSize of a whole project


@dataclass(frozen=True, slots=True)
class ResultSize:
    """How much there is to export."""

    images: int
    objects: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a worker hands back, its files already stored."""

    engine: str
    engine_version: str
    params: dict[str, object]
    spheroids: tuple[Spheroid, ...]
    labels_sha256: str
    thumbnail_sha256: str
    timings_ms: dict[str, float]
    maps_sha256: str | None = None
    confidence: float | None = None


class ResultStore:
    """Everything asked of the segmentation and object tables."""

    def __init__(
        self, db: Database, cache: Cache, generations: ProjectVersions, index: PageIndex | None = None
    ) -> None:
        self._db = db
        self._index = index
        self._cache = cache
        self._generations = generations

    def finish(self, job: Job, result: Result) -> bool:
        """Save a result and its job's end; as ``begin_to_finish``, of one job that is waited for."""
        return self.begin_to_finish([(job, result)]).result()[0]

    def begin_to_finish(self, ended: Sequence[tuple[Job, Result]]) -> Future[list[bool]]:
        """Save results and their jobs' ends together, all or none of them, by the time the future is done.

        False for each that was not saved, because its job has been cancelled or taken by another attempt. The
        segmentation has the job's id, so running a job again replaces its own result and no other.
        """
        now = utc_now()
        ready = [(job, result, _segmentation_row(job, result, now)) for job, result in ended]
        objects = {job.id: object_rows(job.id, job.image_id, result.spheroids) for job, result in ended}

        def work(session: Session) -> list[bool]:
            kept = [_end(session, job, now, row) for job, _, row in ready]
            saved = [one for one, keep in zip(ready, kept, strict=True) if keep]
            _add(
                session, [row for _, _, row in saved], [row for job, _, _ in saved for row in objects[job.id]]
            )
            for job, result, _ in saved:
                touched = {"id": job.image_id, "project_id": job.project_id}
                session.change("images.set_result", {"id": job.image_id, **_summary(job, result)}, touched)
            return kept

        return self._db.begin(work)

    def segmentation(self, image: Image) -> StoredSegmentation | None:
        """The segmentation in force of an image; None where there is none yet."""
        row = self._row("results.get", image)
        return None if row is None else segmentation_of(row)

    def get(self, image: Image) -> tuple[StoredSegmentation, tuple[Spheroid, ...]] | None:
        """The segmentation in force of an image with its spheroids; None where there is none yet."""
        row = self._row("results.with_objects", image)
        if row is None:
            return None
        return segmentation_of(row), tuple(spheroid_of(item) for item in row["objects"] or ())

    def _row(self, name: str, image: Image) -> Row | None:
        if image.segmentation_id is None:
            return None
        with self._db.read() as session:
            row = session.one(name, {"id": image.segmentation_id})
        if row is None:
            raise NotFound("The result of this image is gone. Segment it again.")
        return row

    def size(self, project_id: str, image_ids: Sequence[str] | None = None) -> ResultSize:
        """How many rows ``images`` and ``objects`` would give without a limit."""

        def ask() -> Row:
            at_hand = self._index.size(project_id) if self._index and image_ids is None else None
            if at_hand is not None:
                return at_hand
            values = {"project_id": project_id, "ids": None if image_ids is None else list(image_ids)}
            with self._db.read() as session:
                return session.rows("results.size", values)[0]

        if image_ids is not None:
            return ResultSize(**ask())
        key = f"{project_id}:{self._generations.of(project_id)}"
        return ResultSize(**cached_json(self._cache, SIZES, key, ask))

    def objects(self, project_id: str, limit: int, image_ids: Sequence[str] | None = None) -> Rows:
        """Rows of every spheroid in force of a project, or of some of its images, by image name and number.

        Whoever stops before the end closes the generator: it holds a cursor.
        """
        return self._stream("results.project_objects", project_id, limit, image_ids)

    def images(self, project_id: str, limit: int, image_ids: Sequence[str] | None = None) -> Rows:
        """Rows of a project's images, or of some, with their engine, by name; closed like ``objects``."""
        return self._stream("results.project_images", project_id, limit, image_ids)

    def _stream(self, name: str, project_id: str, limit: int, image_ids: Sequence[str] | None) -> Rows:
        values: Row = {"project_id": project_id, "limit": limit}
        values["ids"] = None if image_ids is None else list(image_ids)
        with self._db.read() as session:
            for chunk in session.stream(name, values):
                yield from chunk


def _end(session: Session, job: Job, now: datetime, row: Row) -> bool:
    """End a job, and make room for what it gave; False where nobody asks for this try any more."""
    values = {"id": job.id, "attempt": job.attempt, "sequence": job.sequence, "now": now}
    if not session.change("jobs.finish", values | {"timings_ms": row["timings_ms"]}, {"id": job.id}):
        return False
    if job.timings_ms:  # it has been done before
        session.rows("results.drop", {"id": job.id})
        session.rows("results.drop_objects", {"id": job.id})
    return True


def _add(session: Session, segmentations: Sequence[Row], objects: Sequence[Sequence[object]]) -> None:
    if segmentations:
        values = [tuple(row.values()) for row in segmentations]
        session.append("results.add", "segmentation", tuple(segmentations[0]), values)
    if objects:
        session.append("results.add_objects", "object", OBJECT_COLUMNS, objects)


def _segmentation_row(job: Job, result: Result, now: datetime) -> Row:
    return {
        "id": job.id,
        "image_id": job.image_id,
        "kind": "automatic",
        "engine": result.engine,
        "engine_version": result.engine_version,
        "params": compact(result.params),
        "created_at": now,
        "labels_sha256": result.labels_sha256,
        "thumbnail_sha256": result.thumbnail_sha256,
        "timings_ms": compact(result.timings_ms),
        "maps_sha256": result.maps_sha256,
    }


def _summary(job: Job, result: Result) -> dict[str, Any]:
    seconds = seconds_of(result.timings_ms)
    return {"segmentation_id": job.id, "seconds": seconds} | summary(result.spheroids, result.confidence)

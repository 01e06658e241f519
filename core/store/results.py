"""Results: versions of images, saved with their jobs' ends, put in force by compare-and-set, read."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from core.cache import Cache, cached_json
from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import NotFound
from core.listing.image_table import SUMMARY
from core.listing.page_index import PageIndex
from core.models import Image, Job, OutlineSource, ReviewState, Spheroid, Version
from core.models.text import NO_IMAGE
from core.store.correction_audit import CorrectionAction, record
from core.store.corrections import end_draft
from core.store.project_generations import ProjectGenerations
from core.store.reviews import Judgement, add_review
from core.store.rows import object_rows, spheroid_of, version_of
from core.store.versions import (
    Correction,
    Result,
    audit_facts,
    automatic_version,
    choice_facts,
    conflict,
    corrected_version,
    insert_versions,
    save_ended,
)

__all__ = ["Correction", "Result", "ResultSize", "ResultStore"]

Rows = Generator[Row, None, None]
NOBODY_BY_NAME = "page"  # who changes something where nobody is known by name
SIZES = "sizes"  # kind of cached values: the ResultSize of a whole project


@dataclass(frozen=True, slots=True)
class ResultSize:
    """Numbers of images and spheroids to export."""

    images: int
    objects: int


class ResultStore:
    """The tables of versions and of their objects."""

    def __init__(
        self, db: Database, cache: Cache, generations: ProjectGenerations, index: PageIndex | None = None
    ) -> None:
        self._db = db
        self._index = index
        self._cache = cache
        self._generations = generations

    def finish(self, job: Job, result: Result) -> bool:
        """Save the result of one job and wait for it; see ``begin_to_finish``."""
        return self.begin_to_finish([(job, result)]).result()[0]

    def begin_to_finish(self, ended: Sequence[tuple[Job, Result]]) -> Future[list[bool]]:
        """Save results as versions together with the ends of their jobs, in one transaction.

        A version takes force if its image has none in force, or an automatic one that answers an earlier
        request. The future holds False for each result that was not saved, because its job has been cancelled
        or taken by another attempt.
        """
        now = utc_now()
        versions = [automatic_version(job, result, now) for job, result in ended]
        jobs = [job for job, _ in ended]
        objects = {
            version["id"]: object_rows(version["id"], job.image_id, result.spheroids)
            for version, (job, result) in zip(versions, ended, strict=True)
        }
        return self._db.begin(lambda session: save_ended(session, jobs, versions, objects))

    def add_version(
        self, image_id: str, result: Result, correction: Correction, expected: str | None
    ) -> Version:
        """Save a person's correction as a version and put it in force, or do neither.

        ``expected`` is the id of the version that the person saw in force, None for none.

        Raises:
            VersionConflict: another version is in force by now.
            NotFound: the image, or the version that was corrected, does not exist.
        """
        row = corrected_version(image_id, result, correction, utc_now())
        source = OutlineSource.CORRECTED if correction.source is None else OutlineSource.IMPORTED
        objects = object_rows(row["id"], image_id, result.spheroids, source)

        def work(session: Session) -> None:
            of = correction.parent_id
            parent = None if of is None else require_version(session, image_id, of)
            insert_versions(session, [row], objects)
            put_in_force(session, image_id, row["id"], expected)
            if correction.draft_id is not None:
                end_draft(session, correction.draft_id, row["id"])
            judgement = Judgement(
                ReviewState.CORRECTED,
                correction.reason or None,
                correction.author,
                row["created_at"],
                correction.at_random,
            )
            add_review(session, image_id, correction.parent_id, judgement, [row["id"]])
            action = CorrectionAction.CORRECTED if correction.source is None else CorrectionAction.IMPORTED
            record(session, correction.author, image_id, action, audit_facts(row, correction, parent))

        self._db.write(work)
        return version_of(row)

    def set_in_force(
        self, image_id: str, version_id: str, expected: str | None, who: str = NOBODY_BY_NAME
    ) -> None:
        """Put an existing version of an image in force, as a person chose.

        Raises:
            VersionConflict: not ``expected`` but another version is in force by now.
            NotFound: the image or the version does not exist.
        """

        def work(session: Session) -> None:
            chosen = require_version(session, image_id, version_id)
            put_in_force(session, image_id, version_id, expected)
            facts = choice_facts(session, chosen, expected)
            record(session, who, image_id, CorrectionAction.CHOSE, facts)

        self._db.write(work)

    def version(self, version_id: str) -> Version | None:
        """Return a version of any image; None where it is gone."""
        with self._db.read() as session:
            row = session.one("results.get", {"id": version_id})
        return None if row is None else version_of(row)

    def versions(self, image_id: str) -> tuple[Version, ...]:
        """Return every version of an image, the newest first."""
        with self._db.read() as session:
            rows = session.rows("results.of_image", {"image_id": image_id})
        return tuple(version_of(row) for row in rows)

    def pin(self, version_ids: Sequence[str], pinned_by: str) -> None:
        """Keep versions from being deleted when they are superseded, on behalf of ``pinned_by``."""
        values = {"ids": list(version_ids), "pinned_by": pinned_by}
        self._db.write(lambda session: session.rows("results.pin", values))

    def unpin(self, pinned_by: str) -> None:
        """Withdraw every pin of ``pinned_by``."""
        self._db.write(lambda session: session.rows("results.unpin", {"pinned_by": pinned_by}))

    def segmentation(self, image: Image) -> Version | None:
        """Return the version in force of an image; None where there is none yet."""
        row = self._row("results.get", image)
        return None if row is None else version_of(row)

    def get(self, image: Image) -> tuple[Version, tuple[Spheroid, ...]] | None:
        """Return the version in force of an image with its spheroids; None where there is none yet."""
        row = self._row("results.with_objects", image)
        if row is None:
            return None
        return version_of(row), tuple(spheroid_of(item) for item in row["objects"] or ())

    def spheroids(self, image_id: str, version_id: str) -> tuple[Spheroid, ...]:
        """Return the spheroids of any version of an image; none where its time is over and it is deleted."""
        with self._db.read() as session:
            row = session.one("results.with_objects", {"id": version_id})
        if row is None or row["image_id"] != image_id:
            return ()
        return tuple(spheroid_of(item) for item in row["objects"] or ())

    def _row(self, name: str, image: Image) -> Row | None:
        if image.version_id is None:
            return None
        with self._db.read() as session:
            row = session.one(name, {"id": image.version_id})
        if row is None:
            raise NotFound("The result of this image is gone. Segment it again.")
        return row

    def size(self, project_id: str, image_ids: Sequence[str] | None = None) -> ResultSize:
        """Return how many rows ``images`` and ``objects`` give without a limit."""

        def read() -> Row:
            indexed = self._index.size(project_id) if self._index and image_ids is None else None
            if indexed is not None:
                return indexed
            values = {"project_id": project_id, "ids": None if image_ids is None else list(image_ids)}
            with self._db.read() as session:
                return session.rows("results.size", values)[0]

        if image_ids is not None:
            return ResultSize(**read())
        key = self._generations.cache_key(project_id)
        return ResultSize(**cached_json(self._cache, SIZES, key, read))

    def objects(self, project_id: str, limit: int, image_ids: Sequence[str] | None = None) -> Rows:
        """Yield rows of every spheroid in force of a project, or of some images, by image name and number.

        A caller that stops before the end must close the generator: it holds a cursor.
        """
        return self._stream("results.project_objects", project_id, limit, image_ids)

    def images(self, project_id: str, limit: int, image_ids: Sequence[str] | None = None) -> Rows:
        """Yield rows of a project's images, or of some, with their engine, by name; see ``objects``."""
        return self._stream("results.project_images", project_id, limit, image_ids)

    def _stream(self, name: str, project_id: str, limit: int, image_ids: Sequence[str] | None) -> Rows:
        values: Row = {"project_id": project_id, "limit": limit}
        values["ids"] = None if image_ids is None else list(image_ids)
        with self._db.read() as session:
            for chunk in session.stream(name, values):
                yield from chunk


def require_version(session: Session, image_id: str, version_id: str) -> Row:
    """Return the row of a version of an image, within a transaction of the caller's.

    Raises:
        NotFound: there is none.
    """
    row = session.one("results.get", {"id": version_id})
    if row is None or row["image_id"] != image_id:
        raise NotFound("This result does not exist any more.")
    return row


def put_in_force(session: Session, image_id: str, version_id: str, expected: str | None) -> None:
    """Put a version in force in place of ``expected``, within a transaction of the caller's.

    Raises:
        VersionConflict: another version is in force by now.
        NotFound: the image does not exist.
    """
    current = session.one("results.in_force", {"image_id": image_id})
    if current is None or current["deleted"]:
        raise NotFound(NO_IMAGE)
    in_force = current["version_id"]
    if in_force != expected:
        raise conflict(session, in_force)
    if in_force is not None:
        session.rows("results.supersede", {"ids": [in_force], "now": utc_now()})
    session.rows("results.reinstate", {"id": version_id})
    assignments = ", ".join(f"{name} = version.{name}" for name in SUMMARY)
    session.rows("images.set_chosen", {"id": image_id, "version_id": version_id}, summary=assignments)

"""Rows of new versions, and what decides whether a version takes force."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.db import Row, Session
from core.errors import NotFound, VersionConflict
from core.listing.image_table import SUMMARY
from core.models import ImageQuality, Job, Spheroid, VersionKind
from core.models.jobs import seconds_of
from core.models.summary import summary
from core.models.text import NO_IMAGE
from core.store.rows import OBJECT_ROW, canonical_json, version_of

# While somebody corrects an image, no segmentation takes force. A draft that nobody has touched for this long
# does not hold it back any more; it stays, and can still be finished.
DRAFT_HOLD_TIME = timedelta(hours=24)
ObjectRows = Sequence[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """Content of a version; its files are stored already."""

    engine: str
    engine_version: str
    params: dict[str, object]
    spheroids: tuple[Spheroid, ...]
    labels_sha256: str
    thumbnail_sha256: str
    timings_ms: dict[str, float]
    maps_sha256: str | None = None
    confidence: float | None = None
    quality: ImageQuality | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """Author, reason and parent version of a corrected version; no parent where it was drawn from nothing.

    ``draft_id`` is the draft that ends with it. ``parent_iou`` and ``seconds_worked`` are None where they are
    not known. ``source`` is the file that an imported one comes from. ``at_random``: see ``Judgement``.
    """

    author: str
    reason: str
    parent_id: str | None
    draft_id: str | None = None
    parent_iou: float | None = None
    seconds_worked: float | None = None
    source: str | None = None
    at_random: bool = False


def audit_facts(row: Row, correction: Correction, parent: Row | None) -> dict[str, object]:
    """Return what the audit says of a corrected version, ``row``, that was made from ``parent``."""
    names = ("engine", "engine_version", "reason", "parent_iou", "seconds_worked", "n_objects")
    facts: dict[str, object] = {name: row[name] for name in names}
    facts |= {"version": row["id"], "parent": correction.parent_id, "draft": correction.draft_id}
    facts |= {"before": parent and parent["labels_sha256"], "after": row["labels_sha256"]}
    facts |= {"diameter_before_px": parent and parent["largest_diameter_px"]}
    facts |= {"diameter_after_px": row["largest_diameter_px"]}
    return facts | ({} if correction.source is None else {"source": correction.source})


def choice_facts(session: Session, chosen: Row, before: str | None) -> dict[str, object]:
    """Return what the audit says of putting a version in force in place of another one."""
    replaced = None if before is None else session.one("results.get", {"id": before})
    facts: dict[str, object] = {"version": chosen["id"], "before": before}
    facts |= {"labels_after": chosen["labels_sha256"]}
    facts |= {"labels_before": replaced and replaced["labels_sha256"]}
    return facts | {name: chosen[name] for name in ("engine", "engine_version")}


def result_facts(session: Session, version_id: str | None) -> dict[str, object]:
    """Return what the audit says of the result that somebody changes or judges."""
    row = None if version_id is None else session.one("results.get", {"id": version_id})
    facts: dict[str, object] = {name: row and row[name] for name in ("engine", "engine_version")}
    return facts | {"version": version_id, "labels": row and row["labels_sha256"]}


def automatic_version(job: Job, result: Result, now: datetime) -> Row:
    """Return the row of what a job has made. Whether it takes force is decided when it is saved."""
    row = _version(job.image_id, VersionKind.AUTOMATIC, result, now)
    return row | {"job_id": job.id, "request": job.request}


def corrected_version(image_id: str, result: Result, correction: Correction, now: datetime) -> Row:
    """Return the row of a person's correction."""
    row = _version(image_id, VersionKind.CORRECTED, result, now)
    return row | {
        "parent_id": correction.parent_id,
        "author": correction.author,
        "reason": correction.reason,
        "parent_iou": correction.parent_iou,
        "seconds_worked": correction.seconds_worked,
    }


def save_ended(
    session: Session, jobs: Sequence[Job], versions: Sequence[Row], objects: Mapping[str, ObjectRows]
) -> list[bool]:
    """Save the versions of those jobs that are still theirs to end, and put in force those that may be.

    ``versions`` has one row for each job, and ``objects`` their objects by the version's id. Returns for each
    job whether it was saved.
    """
    saved = [_end(session, job, version) for job, version in zip(jobs, versions, strict=True)]
    pairs = [pair for pair, ended in zip(zip(jobs, versions, strict=True), saved, strict=True) if ended]
    if not pairs:
        return saved
    rows = [version for _, version in pairs]
    insert_versions(session, rows, [item for row in rows for item in objects[row["id"]]])
    ids = [job.image_id for job, _ in pairs]
    since = rows[0]["created_at"] - DRAFT_HOLD_TIME
    being_corrected = session.rows("corrections.at_work", {"image_ids": ids, "since": since})
    corrected = {row["image_id"] for row in being_corrected}
    superseded = [_put_in_force(session, job, version, job.image_id in corrected) for job, version in pairs]
    if superseded_ids := [version_id for version_id in superseded if version_id is not None]:
        session.rows("results.supersede", {"ids": superseded_ids, "now": rows[0]["created_at"]})
    return saved


def takes_force(kind: str, request: int | None, new_request: int) -> bool:
    """Whether an automatic version that answers ``new_request`` replaces the one in force.

    ``kind`` and ``request`` are of the version in force; a request that is not known is an earlier one.
    """
    return kind == VersionKind.AUTOMATIC and (request is None or request < new_request)


def insert_versions(session: Session, versions: Sequence[Row], objects: ObjectRows) -> None:
    """Add versions with their objects, within a transaction of the caller's."""
    session.append("results.add", "version", tuple(versions[0]), [tuple(row.values()) for row in versions])
    if objects:
        session.append("results.add_objects", "object", OBJECT_ROW, objects)


def require_in_force(session: Session, image_id: str, version_id: str | None) -> None:
    """Make sure that a version is the one in force, within a transaction of the caller's.

    Raises:
        NotFound: the image is not there.
        VersionConflict: another version is in force.
    """
    row = session.one("results.in_force", {"image_id": image_id})
    if row is None or row["deleted"]:
        raise NotFound(NO_IMAGE)
    if row["version_id"] != version_id:
        raise conflict(session, row["version_id"])


def conflict(session: Session, in_force: str | None) -> VersionConflict:
    """Return the error that another version than the expected one is in force."""
    row = None if in_force is None else session.one("results.get", {"id": in_force})
    return VersionConflict(
        "This image has another result by now. Look at it, then repeat your change if it is still needed.",
        None if row is None else version_of(row),
    )


def _end(session: Session, job: Job, version: Row) -> bool:
    """End a job, and note which request it answers: it may have been requested again since it was claimed."""
    own = {"id": job.id, "attempt": job.attempt, "sequence": job.sequence}
    values = {**own, "now": version["created_at"], "timings_ms": version["timings_ms"]}
    if session.change("jobs.finish", {**values, "request": version["request"]}, {"id": job.id}):
        return True
    if (row := session.one("jobs.running_request", own)) is None:
        return False
    version["request"] = row["request"]
    return session.change("jobs.finish", {**values, **row}, {"id": job.id})


def _put_in_force(session: Session, job: Job, version: Row, being_corrected: bool) -> str | None:
    """Put a saved version in force if it may be; return the id of the version that is superseded by that.

    That is the new version itself where the image has a correction, or a result of a later request, or
    somebody is correcting the version in force: what they see must not be exchanged under their hands.
    """
    values = {"id": job.image_id, "request": version["request"]}
    changed_row = {"id": job.image_id, "project_id": job.project_id}
    in_force: str | None = session.rows("results.in_force", {"image_id": job.image_id})[0]["version_id"]
    if in_force is not None:
        current = session.rows("results.get", {"id": in_force})[0]
        if being_corrected or not takes_force(current["kind"], current["request"], version["request"]):
            session.change("images.set_status", {**values, "status": "done"}, changed_row)
            return str(version["id"])
    values |= {"version_id": version["id"]} | {name: version[name] for name in SUMMARY}
    assignments = ", ".join(f"{name} = ${name}" for name in SUMMARY)
    session.change("images.set_in_force", values, changed_row, summary=assignments)
    return in_force


def _version(image_id: str, kind: VersionKind, result: Result, now: datetime) -> Row:
    return {
        "id": secrets.token_hex(16),
        "image_id": image_id,
        "kind": kind.value,
        "parent_id": None,
        "author": None,
        "reason": None,
        "parent_iou": None,
        "seconds_worked": None,
        "job_id": None,
        "request": None,
        "engine": result.engine,
        "engine_version": result.engine_version,
        "params": canonical_json(result.params),
        "created_at": now,
        "superseded_at": None,
        "labels_sha256": result.labels_sha256,
        "thumbnail_sha256": result.thumbnail_sha256,
        "maps_sha256": result.maps_sha256,
        "timings_ms": canonical_json(result.timings_ms),
        "seconds": seconds_of(result.timings_ms),
        **summary(result.spheroids, result.confidence, result.quality),
    }

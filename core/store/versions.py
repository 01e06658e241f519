"""Rows of new versions, and what decides whether a version takes force."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.db import Row, Session
from core.errors import VersionConflict
from core.listing.image_table import SUMMARY
from core.models import Job, Spheroid, VersionKind
from core.models.jobs import seconds_of
from core.models.summary import summary
from core.store.rows import OBJECT_ROW, compact, version_of

ObjectRows = Sequence[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """What a version consists of; its files are stored already."""

    engine: str
    engine_version: str
    params: dict[str, object]
    spheroids: tuple[Spheroid, ...]
    labels_sha256: str
    thumbnail_sha256: str
    timings_ms: dict[str, float]
    maps_sha256: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """Who made a corrected version, why, and of which version; None for one drawn from nothing."""

    author: str
    reason: str
    parent_id: str | None


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
    }


def save_ended(
    session: Session, jobs: Sequence[Job], versions: Sequence[Row], objects: Mapping[str, ObjectRows]
) -> list[bool]:
    """Save the versions of those jobs that are still theirs to end, and put in force those that may.

    ``versions`` has one row for each job, and ``objects`` their objects by the version's id. Returns for each
    job whether it was saved.
    """
    saved = [_end(session, job, row) for job, row in zip(jobs, versions, strict=True)]
    pairs = [pair for pair, kept in zip(zip(jobs, versions, strict=True), saved, strict=True) if kept]
    if not pairs:
        return saved
    found = session.rows("results.in_force", {"job_ids": [job.id for job, _ in pairs]})
    before = {row["job_id"]: row for row in found}
    in_force: dict[str, Row] = {}  # by image, of which two jobs may end together
    superseded: list[str] = []
    for job, version in pairs:
        version["request"] = before[job.id]["request"]  # it may have been requested again meanwhile
        current = in_force.get(job.image_id, before[job.id])
        if takes := takes_force(current["kind"], current["version_request"], version["request"]):
            if current["version_id"] is not None:
                superseded.append(current["version_id"])
            in_force[job.image_id] = {
                "version_id": version["id"],
                "kind": version["kind"],
                "version_request": version["request"],
            }
        version["superseded_at"] = None if takes else version["created_at"]
        _update_image(session, job, version, takes)
    rows = [version for _, version in pairs]
    insert_versions(session, rows, [item for row in rows for item in objects[row["id"]]])
    if superseded:
        session.rows("results.supersede", {"ids": superseded, "now": rows[0]["created_at"]})
    return saved


def takes_force(kind: str | None, request: int | None, new_request: int) -> bool:
    """Whether an automatic version that answers ``new_request`` replaces the one in force.

    ``kind`` and ``request`` are of the version in force: no kind if there is none, no request if it is not
    known, which is so only of versions older than every request that is.
    """
    if kind is None:
        return True
    return kind == VersionKind.AUTOMATIC and (request is None or request < new_request)


def insert_versions(session: Session, versions: Sequence[Row], objects: ObjectRows) -> None:
    """Add versions with their objects, within a transaction of the caller's."""
    session.append("results.add", "version", tuple(versions[0]), [tuple(row.values()) for row in versions])
    if objects:
        session.append("results.add_objects", "object", OBJECT_ROW, objects)


def conflict(session: Session, in_force: str | None) -> VersionConflict:
    """Return the error that another version than the expected one is in force."""
    row = None if in_force is None else session.one("results.get", {"id": in_force})
    return VersionConflict(
        "This image has another result by now. Look at it, then repeat your change if it is still needed.",
        None if row is None else version_of(row),
    )


def _end(session: Session, job: Job, version: Row) -> bool:
    values = {"id": job.id, "attempt": job.attempt, "sequence": job.sequence, "now": version["created_at"]}
    return session.change("jobs.finish", values | {"timings_ms": version["timings_ms"]}, {"id": job.id})


def _update_image(session: Session, job: Job, version: Row, takes: bool) -> None:
    values = {"id": job.image_id, "request": version["request"]}
    touched = {"id": job.image_id, "project_id": job.project_id}
    if not takes:
        session.change("images.set_status", values | {"status": "done"}, touched)
        return
    values |= {"version_id": version["id"]} | {name: version[name] for name in SUMMARY}
    assignments = ", ".join(f"{name} = ${name}" for name in SUMMARY)
    session.change("images.set_in_force", values, touched, summary=assignments)


def _version(image_id: str, kind: VersionKind, result: Result, now: datetime) -> Row:
    return {
        "id": secrets.token_hex(16),
        "image_id": image_id,
        "kind": kind.value,
        "parent_id": None,
        "author": None,
        "reason": None,
        "job_id": None,
        "request": None,
        "engine": result.engine,
        "engine_version": result.engine_version,
        "params": compact(result.params),
        "created_at": now,
        "superseded_at": None,
        "labels_sha256": result.labels_sha256,
        "thumbnail_sha256": result.thumbnail_sha256,
        "maps_sha256": result.maps_sha256,
        "timings_ms": compact(result.timings_ms),
        "seconds": seconds_of(result.timings_ms),
        **summary(result.spheroids, result.confidence),
    }

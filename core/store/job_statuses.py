"""The statuses of images, as their jobs set them: only the job that was requested last decides one."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from core.db import Row, Session
from core.errors import SpheroscopeError


def set_requested(session: Session, jobs: Sequence[Row]) -> None:
    """Let these jobs, just requested, decide the statuses of their images."""
    if jobs:
        session.rows_from("images.set_requested", _incoming(jobs, [job["status"] for job in jobs]))


def set_statuses(session: Session, jobs: Sequence[Row], status: str) -> None:
    """Set the statuses of these jobs' images, where nothing has been requested since."""
    if jobs:
        session.rows_from("images.set_statuses", _incoming(jobs, [status] * len(jobs)))


def set_status(session: Session, job: Row, status: str) -> None:
    """Set the status of a job's image, where nothing has been requested since."""
    values = {"id": job["image_id"], "request": job["request"], "status": status}
    session.change("images.set_status", values, {"id": job["image_id"], "project_id": job["project_id"]})


def set_failed(session: Session, job: Row, error: SpheroscopeError) -> None:
    """Record on a job's image that it failed, where nothing has been requested since."""
    values = {"id": job["image_id"], "request": job["request"]}
    values |= {"error_code": error.code, "error": error.message}
    session.change("images.set_failed", values, {"id": job["image_id"], "project_id": job["project_id"]})


def _incoming(jobs: Sequence[Row], statuses: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [job["image_id"] for job in jobs],
            "request": [job["request"] for job in jobs],
            "status": statuses,
        }
    )

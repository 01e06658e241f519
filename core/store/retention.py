"""What is deleted for good: images and projects deleted long ago, versions superseded long ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from core.clock import utc_now
from core.db import Database, Session

MAX_DAYS = 36_500  # a date further back may not exist


@dataclass(frozen=True, slots=True)
class Purged:
    """Numbers of deleted rows."""

    images: int = 0
    versions: int = 0


class RetentionStore:
    """Deletes rows whose time is over. Their files are deleted by ``core.operations.retention``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def purge_deleted(self, days: int) -> Purged:
        """Delete images and projects that a user deleted more than ``days`` days ago, and their results."""
        before = utc_now() - timedelta(days=min(days, MAX_DAYS))

        def work(session: Session) -> Purged:
            projects = [row["id"] for row in session.rows("projects.purge", {"before": before})]
            session.rows("saved_views.purge", {"project_ids": projects})
            session.rows("watched_folders.purge", {"project_ids": projects})
            values = {"before": before, "project_ids": projects}
            images = [row["id"] for row in session.rows("images.purge", values)]
            if not images:
                return Purged()
            session.rows("retention.jobs_of_images", {"image_ids": images})
            session.rows("second_opinions.purge", {"image_ids": images})
            versions = session.rows("retention.versions_of_images", {"image_ids": images})
            _delete_parts(session, [row["id"] for row in versions])
            return Purged(len(images), len(versions))

        return self._db.write(work)

    def purge_superseded(self, days: int) -> Purged:
        """Delete automatic versions that were superseded more than ``days`` days ago, with their objects.

        Those stay that a person has judged, chosen or corrected, and those that are pinned.
        """
        before = utc_now() - timedelta(days=min(days, MAX_DAYS))

        def work(session: Session) -> Purged:
            versions = [row["id"] for row in session.rows("retention.versions", {"before": before})]
            _delete_parts(session, versions)
            return Purged(versions=len(versions))

        return self._db.write(work)

    def unneeded(self, files: Sequence[str]) -> set[str]:
        """Return those of ``files``, named by their SHA-256, that no image and no version names."""
        if not files:
            return set()
        with self._db.read() as session:
            rows = session.rows_from("retention.unneeded", pl.DataFrame({"sha256": list(files)}))
        return {row["sha256"] for row in rows}


def _delete_parts(session: Session, version_ids: Sequence[str]) -> None:
    if version_ids:
        session.rows("retention.objects", {"version_ids": list(version_ids)})
        session.rows("retention.pins", {"version_ids": list(version_ids)})

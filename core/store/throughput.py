"""Throughput: images and spheroids by time and project, waiting times, failures by reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.cache import Cache, cached_json
from core.db import Database, Row
from core.models import JobState
from core.models.quality import LOOK_BELOW
from core.store.reviews import ReviewEffort, ReviewStore
from core.store.second_opinions import SecondOpinionStore

WEEK = timedelta(days=7)
FAILURES, OVERVIEW = "failures", "overview"  # kinds of cached values


@dataclass(frozen=True, slots=True)
class ImagesDone:
    """Results of one project made in the slot that begins at ``slot``."""

    slot: datetime
    project_id: str
    project: str
    images: int
    spheroids: int


@dataclass(frozen=True, slots=True)
class Waits:
    """Waiting times, in seconds, of the images that were begun in one slot."""

    slot: datetime
    images: int
    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Failures:
    """Number of images that failed for one reason; ``code`` is the error's."""

    code: str
    images: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Numbers of images that need attention, and of those done in the last seven days and the seven before.

    ``doubtful``: images whose confidence is low; ``without_result``: images that failed. ``images`` were
    segmented, ``failed`` counts jobs.
    """

    doubtful: int
    without_result: int
    images: int
    images_before: int
    failed: int
    failed_before: int

    @property
    def to_review(self) -> int:
        """Images that somebody should look at."""
        return self.doubtful + self.without_result


class ThroughputStore:
    """Reads throughput from the tables of versions and jobs, which go back further than what is recorded."""

    def __init__(self, db: Database, cache: Cache) -> None:
        self._db = db
        self._cache = cache
        self._reviews = ReviewStore(db)
        self._second_opinions = SecondOpinionStore(db)

    def images_done(
        self, since: datetime, slot_s: float, project_id: str | None = None
    ) -> tuple[ImagesDone, ...]:
        """Images and spheroids by slot and project, oldest first."""
        return tuple(
            ImagesDone(**row) for row in self._rows("throughput.made", since, project_id, slot=slot_s)
        )

    def waits(self, since: datetime, slot_s: float, project_id: str | None = None) -> tuple[Waits, ...]:
        """Waiting times by slot, oldest first."""
        return tuple(Waits(**row) for row in self._rows("throughput.waits", since, project_id, slot=slot_s))

    def failures(self, since: datetime, project_id: str | None = None) -> tuple[Failures, ...]:
        """Images that failed and have not been requested again, the most frequent reason first.

        As of ``since`` to the minute.
        """
        key = f"{project_id}:{self._db.generation}:{since:%Y%m%d%H%M}"
        rows = cached_json(
            self._cache, FAILURES, key, lambda: self._rows("throughput.failures", since, project_id)
        )
        return tuple(Failures(**row) for row in rows)

    def refusals(self, since: datetime, project_id: str) -> dict[str, int]:
        """Number of files that a project did not take in, by the code of the reason.

        Verdicts are kept for 30 days.
        """
        rows = self._rows("throughput.refusals", since, project_id)
        return {row["code"]: row["files"] for row in rows}

    def overview(self, now: datetime, project_id: str | None = None) -> Overview:
        """Return what needs attention, and what changed since last week, of one project or all."""
        since = now - WEEK

        def read() -> dict[str, int]:
            values: dict[str, float | datetime] = {"before": since - WEEK, "look_below": LOOK_BELOW}
            return self._rows("throughput.overview", since, project_id, **values)[0]

        key = f"{project_id}:{self._db.generation}:{now:%Y%m%d%H}"
        return Overview(**cached_json(self._cache, OVERVIEW, key, read))

    def jobs(self, project_id: str) -> dict[JobState, int]:
        """Number of a project's jobs by state."""
        with self._db.read() as session:
            rows = session.rows("throughput.jobs", {"project_id": project_id})
        return dict.fromkeys(JobState, 0) | {JobState(row["state"]): row["total"] for row in rows}

    def judged(self, project_id: str | None = None) -> list[Row]:
        """As ``ReviewStore.judged``."""
        return self._reviews.judged(project_id)

    def second_opinions(self, project_id: str | None = None) -> list[Row]:
        """As ``SecondOpinionStore.figures``."""
        return self._second_opinions.figures(project_id)

    def review_effort(self, since: datetime, project_id: str | None = None) -> ReviewEffort:
        """As ``ReviewStore.effort``."""
        return self._reviews.effort(project_id, since)

    def _rows(
        self, name: str, since: datetime, project_id: str | None, **values: float | datetime
    ) -> list[dict[str, Any]]:
        with self._db.read() as session:
            return session.rows(name, {"since": since, "project_id": project_id, **values})

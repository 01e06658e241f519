"""Throughput: images and spheroids by time and project, waiting times, failures by reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.db import Database


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
    """How long images begun in one slot had waited, in seconds."""

    slot: datetime
    images: int
    median_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Failures:
    """How many images failed for one reason; ``code`` is that of an error."""

    code: str
    images: int


class ThroughputStore:
    """Reads throughput from the tables of versions and jobs, which go back further than what is recorded."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def made(self, since: datetime, slot_s: float, project_id: str | None = None) -> tuple[ImagesDone, ...]:
        """Images and spheroids by slot and project, oldest first."""
        return tuple(
            ImagesDone(**row) for row in self._rows("throughput.made", since, project_id, slot=slot_s)
        )

    def waits(self, since: datetime, slot_s: float, project_id: str | None = None) -> tuple[Waits, ...]:
        """Waiting times by slot, oldest first."""
        return tuple(Waits(**row) for row in self._rows("throughput.waits", since, project_id, slot=slot_s))

    def failures(self, since: datetime, project_id: str | None = None) -> tuple[Failures, ...]:
        """Images that failed and have not been requested again, the most frequent reason first."""
        return tuple(Failures(**row) for row in self._rows("throughput.failures", since, project_id))

    def _rows(
        self, name: str, since: datetime, project_id: str | None, **values: float
    ) -> list[dict[str, Any]]:
        with self._db.read() as session:
            return session.rows(name, {"since": since, "project_id": project_id, **values})

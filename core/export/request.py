"""What is asked of an export, and what is told of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """What an archive may hold."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    MASKS = "masks"
    ROIS = "rois"
    COCO = "coco"
    OVERLAYS = "overlays"
    ORIGINALS = "originals"


class ExportState(StrEnum):
    """Where an export stands."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """A project's images and the parts that are wanted of them.

    ``image_ids`` None is the whole project; ``chosen_by`` says in words how others were chosen.
    """

    project_id: str
    parts: frozenset[Part]
    image_ids: tuple[str, ...] | None = None
    chosen_by: str = "all images of the project"

    @property
    def key(self) -> str:
        """Equal for requests of the same images and parts, in whatever order."""
        ids = None if self.image_ids is None else sorted(self.image_ids)
        text = json.dumps([self.project_id, sorted(self.parts), ids])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Export:
    """One archive: being made, ready to be taken, or why there is none.

    ``done`` of ``total`` images are in it. ``problems`` counts what had to be left out; problems.csv in the
    archive says what and why. Times are UTC without a zone.
    """

    id: str
    project_id: str
    name: str
    parts: tuple[Part, ...]
    state: ExportState
    created_at: datetime
    done: int = 0
    total: int = 0
    problems: int = 0
    n_bytes: int = 0
    seconds_left: float | None = None
    expires_at: datetime | None = None
    error: str | None = None

    @property
    def open(self) -> bool:
        """Whether it is still being made."""
        return self.state in (ExportState.WAITING, ExportState.RUNNING)

"""Export requests, and the state of each export."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """Part of an archive."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    MASKS = "masks"
    ROIS = "rois"
    COCO = "coco"
    OVERLAYS = "overlays"
    ORIGINALS = "originals"


class ExportState(StrEnum):
    """State of an export."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """The images of a project to export, and the parts to write of them.

    ``image_ids`` None is the whole project; ``chosen_by`` describes the choice in words. ``digits`` are the
    significant digits of measured numbers, None for all that they have.
    """

    project_id: str
    parts: frozenset[Part]
    image_ids: tuple[str, ...] | None = None
    chosen_by: str = "all images of the project"
    digits: int | None = None

    @property
    def key(self) -> str:
        """Digest that is equal for requests of the same images, parts and digits."""
        ids = None if self.image_ids is None else sorted(self.image_ids)
        text = json.dumps([self.project_id, sorted(self.parts), ids, self.digits])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Export:
    """One export and its progress.

    ``done`` of ``total`` images are written. ``problems`` counts what was left out, as listed in
    problems.csv. Times are UTC without a zone.
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
        """Whether it is waiting or running."""
        return self.state in (ExportState.WAITING, ExportState.RUNNING)

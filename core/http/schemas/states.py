"""How things stand: the app, its queue, an export."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.export import ExportState, Part
from core.http.schemas.base import Answer, ErrorDetail, Time
from core.queue.status import QueueHealth


class Health(Answer):
    """The database answers and the disk takes a file; ``migration`` is the number of the last migration."""

    status: Literal["ok"]
    version: str
    migration: int = Field(serialization_alias="schema")  # pydantic has a method of that name
    free_bytes: int


class Unavailable(Answer):
    """The database or the disk does not answer."""

    status: Literal["unavailable"]
    version: str
    error: ErrorDetail


class Version(Answer):
    """``version`` is another text after every change; ``active`` jobs wait or run."""

    version: str
    active: int


class Totals(Answer):
    """How many jobs are in each state, over all projects, and how long the rest will take."""

    counts: dict[str, int]
    left: int
    per_second: float | None
    seconds_left: float | None


class QueueState(Totals):
    """How far the queue is (``progress`` from 0 to 1), how it is, and what its workers do."""

    progress: float
    light: QueueHealth
    message: str
    workers: int
    running: int
    lost: int
    memory_taken_bytes: int
    memory_total_bytes: int


class ExportAnswer(Answer):
    """One export: being made, ready at ``download``, or why there is none."""

    id: str
    project_id: str
    name: str
    parts: tuple[Part, ...]
    state: ExportState
    created_at: Time
    done: int
    total: int
    problems: int
    n_bytes: int
    seconds_left: float | None
    expires_at: Time | None
    error: str | None
    download: str | None = None

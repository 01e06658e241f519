"""Uploads: what is known of a file that somebody is sending, or has sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UploadState(StrEnum):
    """States of an upload; the values are the words that users see."""

    WAITING = "waiting"  # not all of its bytes have arrived
    CHECKING = "checking"  # they have, and are being checked
    STORED = "stored"
    PRESENT = "already there"
    RESTORED = "restored"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    NOT_STORED = "not stored"  # given up: the rest never came

    @property
    def ended(self) -> bool:
        """Whether this is the file's verdict."""
        return self not in (UploadState.WAITING, UploadState.CHECKING)

    @property
    def in_project(self) -> bool:
        """Whether the file is in the project with this verdict."""
        return self in (UploadState.STORED, UploadState.PRESENT, UploadState.RESTORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file on its way into a project.

    ``key`` was chosen by whoever sends it, who repeats it to go on. Files dropped together share a ``batch``.
    ``path`` is the name to show, with the folders that the file lay in. ``n_bytes`` is None while unknown.
    ``offset`` counts the bytes that have arrived. ``code`` and ``message`` say why it is not in the project,
    or what has been stored. ``active`` says whether its sender has been heard of in the last minute.
    """

    id: str
    project_id: str
    key: str
    batch: str
    path: str
    n_bytes: int | None
    segment: bool
    requested_by: str | None
    state: UploadState
    sha256: str | None = None
    code: str | None = None
    message: str | None = None
    image_ids: tuple[str, ...] = ()
    created_at: datetime
    ended_at: datetime | None = None
    offset: int = 0
    active: bool = False

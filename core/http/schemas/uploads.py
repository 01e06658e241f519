"""Uploads and requests to segment: what is sent, and what is answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.http.schemas.base import Answer, ErrorDetail, Query, Time
from core.http.schemas.parameters import Switch
from core.models import UploadState

MAX_FILES = 10_000  # in one request
MAX_PATH = 1000  # characters
MAX_KEY = 200
PROGRAM = "program"  # the batch of files whose sender names none
_PATH = "Name of the file, with the folders it lies in where they matter: `day 3/A05.tif`."

MAX_BYTES = 2**53  # that a file may say it has: JSON's numbers are exact up to here


class Body(BaseModel):
    """What is sent as JSON; any field that is not described is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class UploadQuery(Query):
    """What is said of a file that is sent as the body of its request."""

    path: str = Field(min_length=1, max_length=MAX_PATH, description=_PATH)
    segment: Switch = Field(default=True, description="0 to store the images without segmenting them.")
    batch: str = Field(
        default=PROGRAM, min_length=1, max_length=MAX_KEY, description="Same for files sent together."
    )


class UploadsQuery(Query):
    """Which uploads."""

    unfinished: Switch = Field(default=False, description="1 for only those that are not in the project.")


class FileToSend(Body):
    """One file that is about to be sent."""

    key: str = Field(min_length=1, max_length=MAX_KEY, description="Chosen by the client, once for a file.")
    path: str = Field(min_length=1, max_length=MAX_PATH, description=_PATH)
    n_bytes: Annotated[int, Field(ge=0, le=MAX_BYTES)]


class FilesToSend(Body):
    """Files that are about to be sent, so that those that never come are named."""

    batch: str = Field(min_length=1, max_length=MAX_KEY)
    segment: bool = True
    requested_by: str | None = Field(default=None, max_length=MAX_KEY)
    files: list[FileToSend] = Field(min_length=1, max_length=MAX_FILES)


class SegmentRequest(Body):
    """Which images are to be segmented; all of the project where none is named."""

    images: list[str] | None = Field(default=None, max_length=100_000)
    again: bool = Field(default=False, description="Also those that have a result.")
    override: bool = Field(
        default=False,
        description="Take back settings that were accepted for single images: all go by the project's.",
    )


class SegmentAnswer(Answer):
    """How many images this request has queued; those that waited already are not counted."""

    queued: int
    own_settings: int = Field(description="How many of the images go by settings of their own.")


class UploadAnswer(Answer):
    """Where an upload stands. ``offset`` counts the bytes that have arrived; ``active``: it is being sent."""

    key: str
    project_id: str
    batch: str
    path: str
    n_bytes: int | None
    offset: int
    state: UploadState
    code: str | None
    message: str | None
    image_ids: tuple[str, ...]
    created_at: Time
    active: bool


class UploadProblem(Answer):
    """Why a file has not been taken, or not yet, and where its upload stands."""

    error: ErrorDetail
    upload: UploadAnswer


class UploadsAnswer(Answer):
    """Uploads that nobody has dismissed, the latest first."""

    uploads: list[UploadAnswer]

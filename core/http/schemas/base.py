"""What the schemas share: their configuration, times, answers that are lists, and errors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from core.http.answers import utc_text

CHOICES = frozenset({"sort", "state", "touches_border", "contrast"})
Time = Annotated[
    datetime,
    PlainSerializer(utc_text),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class Answer(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(from_attributes=True)


class CamelAnswer(Answer):
    """An answer whose fields are in camelCase in JSON: ``p95_response_time`` is ``p95ResponseTime``."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Query(BaseModel):
    """The parameters of an address; any other one is refused."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty_choices(cls, values: dict[str, object]) -> dict[str, object]:
        """A choice without a value, as in ``?sort=``, counts as not given."""
        return {name: value for name, value in values.items() if value != "" or name not in CHOICES}


class ErrorDetail(Answer):
    """What went wrong."""

    code: str
    message: str


class Problem(Answer):
    """Any answer from 400: ``code`` is stable and for programs, ``message`` for people."""

    error: ErrorDetail


class Pagination(CamelAnswer):
    """Where a part of a list is; ``page`` counts from 1."""

    limit: int
    offset: int
    page: int
    total_pages: int
    has_more: bool


class ListAnswer(Answer):
    """A part of a list; ``next`` is the cursor of the part that follows, null after the last row."""

    total: int
    pagination: Pagination
    next: str | None

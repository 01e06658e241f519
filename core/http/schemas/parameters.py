"""Types of query parameters: what a text in an address may be, and what becomes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

MAX_NAME = 200  # characters
MAX_WHOLE = 999_999_999
SWITCH_VALUES = ("0", "1")
# int() and float() would also take "1_0", " 5" and other scripts' digits.
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME = re.compile(
    _DATE.pattern + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII
)


@dataclass(frozen=True)
class OneOf:
    """Marks a text that has to be one of ``values``."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.values))


def sorts(names: Sequence[str]) -> OneOf:
    """Marks a ``sort``: one of ``names``, with ``-`` before it for descending."""
    return OneOf(tuple(sign + name for name in names for sign in ("", "-")))


def _whole(value: object) -> object:
    if not _WHOLE.fullmatch(str(value)):
        raise ValueError("no whole number")
    return int(str(value))


def _switch(value: object) -> object:
    if value not in SWITCH_VALUES:
        raise ValueError("neither 0 nor 1")
    return value == "1"


def _number(value: object) -> object:
    text = str(value)
    if not _DECIMAL.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError("no number")
    return float(text)


def _split(value: object) -> object:
    """“a,b” as its parts; FastAPI hands over a list of every text that was given."""
    parts = value if isinstance(value, list | tuple) else [value]
    return tuple(dict.fromkeys(part for text in parts for part in str(text).split(",") if part))


def _time(end: time) -> Callable[[object], object]:
    def read(value: object) -> object:
        """A date or time as stored, in UTC without a zone; a date alone is that day's ``end``."""
        text = str(value)
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), end)
        if not _TIME.fullmatch(text):
            raise ValueError("no time")
        try:
            time = datetime.fromisoformat(text)
            return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
        except OverflowError as error:
            raise ValueError("no time") from error

    return read


WHOLE = BeforeValidator(_whole)  # marks a whole number, behind its bounds
COMMAS = BeforeValidator(_split)  # marks a tuple whose members have commas between
Decimal = Annotated[float, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Switch = Annotated[bool, BeforeValidator(_switch), WithJsonSchema({"enum": list(SWITCH_VALUES)})]
_DATE_TIME = WithJsonSchema({"type": "string", "format": "date-time"})
TimeFrom = Annotated[datetime, BeforeValidator(_time(time.min)), _DATE_TIME]
TimeTo = Annotated[datetime, BeforeValidator(_time(time.max)), _DATE_TIME]

"""The parameters of lists and tables: which part, in which order, narrowed how, with which fields."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, cast

from pydantic import Field, create_model

from core.errors import InvalidRequest
from core.http.ordered import PROJECT_KEYS, SPHEROID_KEYS
from core.http.schemas import rows
from core.http.schemas.base import Query
from core.http.schemas.parameters import (
    COMMAS,
    MAX_NAME,
    MAX_WHOLE,
    WHOLE,
    Decimal,
    OneOf,
    Switch,
    TimeFrom,
    TimeTo,
    sorts,
)
from core.listing import image_table, object_table
from core.listing.image_query import DEFAULT_SORT
from core.models import Finding, ImageFilter, ImageStatus, JobState, Range, ReviewState
from core.store import objects
from core.store.job_order import SORTS as JOB_SORTS

SORT = (
    "Column to sort by; `-` before it sorts descending. Rows without a value come last, equal ones "
    "in the order of their ids."
)
FIELDS = "Only these fields of each row, with commas between; `id` always comes."
MAX_DIGITS = 17  # tell any two numbers apart
NAME = Field(default="", max_length=MAX_NAME, description="Part of the name, in any case.")


class ListQuery(Query):
    """Which part of a list: ``limit`` with ``offset``, ``page`` or ``cursor``."""

    limit: Annotated[int, Field(ge=1), WHOLE] | None = Field(
        default=None, description="How many rows; at most MAX_PAGE_SIZE."
    )
    offset: Annotated[int, Field(ge=0, le=MAX_WHOLE), WHOLE] = Field(
        default=0, description="How many rows come before."
    )
    page: Annotated[int, Field(ge=1, le=MAX_WHOLE), WHOLE] = Field(
        default=1, description="In place of offset, counted from 1."
    )
    cursor: str = Field(default="", description="`next` of the part before, to go on behind it.")
    sort: str = ""
    fields: tuple[str, ...] = ()


class Bounds(Query):
    """Bounds of numbers, ``…_min`` and ``…_max``, and of times, ``…_from`` and ``…_to``."""

    numbers: ClassVar[tuple[str, ...]] = ()
    times: ClassVar[tuple[str, ...]] = ()

    def ranges(self) -> tuple[Range, ...]:
        """The bounds that are given.

        Raises:
            InvalidRequest: a least value is above its greatest.
        """
        times = [self._range(column, "from", "to", "is later than") for column in self.times]
        numbers = [self._range(column, "min", "max", "is greater than") for column in self.numbers]
        return tuple(item for item in (*times, *numbers) if item)

    def _range(self, column: str, lower_suffix: str, upper_suffix: str, problem: str) -> Range | None:
        first, last = getattr(self, f"{column}_{lower_suffix}"), getattr(self, f"{column}_{upper_suffix}")
        if first is not None and last is not None and first > last:
            raise InvalidRequest(f"{column}_{lower_suffix} {problem} {column}_{upper_suffix}.")
        return None if first is None and last is None else Range(column, first, last)


_ENDS = (  # of a column's bounds, with their type and what they mean
    ("min", Decimal | None, "{} must be at least this; rows without a value are left out."),
    ("max", Decimal | None, "{} must be at most this; rows without a value are left out."),
)
_TIME_ENDS = (
    ("from", TimeFrom | None, "{} at this time (UTC where it names no zone) or date, or later."),
    ("to", TimeTo | None, "{} at this time or before it; a date counts to its end."),
)


def with_bounds(name: str, columns: Iterable[str], times: Collection[str] = ()) -> type[Bounds]:
    """Return a model with the bounds of ``columns``, of which some may be ``times``."""
    fields: dict[str, Any] = {
        f"{column}_{end}": (kind, Field(default=None, description=text.format(column)))
        for column in columns
        for end, kind, text in (_TIME_ENDS if column in times else _ENDS)
    }
    model = cast("type[Bounds]", create_model(name, __base__=Bounds, **fields))
    model.numbers = tuple(column for column in columns if column not in times)
    model.times = tuple(column for column in columns if column in times)
    return model


if TYPE_CHECKING:  # their fields are made from the columns, when the module is loaded

    class _ImageBounds(Bounds): ...

    class _ObjectBounds(Bounds): ...
else:
    _ImageBounds = with_bounds("ImageBounds", image_table.RANGES, image_table.TIMES)
    _ObjectBounds = with_bounds("ObjectBounds", object_table.RANGES)


class ImagesFilter(_ImageBounds):
    """Which images of a project."""

    status: Annotated[tuple[ImageStatus, ...], COMMAS] = Field(
        default=(), description="One or more, with commas between."
    )
    name: str = NAME
    findings: Annotated[tuple[Finding, ...], COMMAS] = Field(
        default=(),
        description="One or more, with commas between: outlines to be looked at, no spheroid, more than one.",
    )

    review: Annotated[tuple[ReviewState, ...], COMMAS] = Field(
        default=(), description="One or more, with commas between."
    )

    def image_filter(self) -> ImageFilter:
        """The same for the store.

        Raises:
            InvalidRequest: a least value is above its greatest.
        """
        return ImageFilter(self.status, self.name or None, self.ranges(), self.findings, self.review)


class TableQuery(Query):
    """How the numbers of a table to download are written."""

    digits: Annotated[int, Field(ge=1, le=MAX_DIGITS), WHOLE] | None = Field(
        default=None,
        description="Round measured numbers to so many significant digits; without it they have all.",
    )


class ImagesTableQuery(ImagesFilter, TableQuery):
    """A table of the images of a project that pass a filter, or of their spheroids."""


class ImagesQuery(ImagesFilter, ListQuery):
    """A part of a project's images."""

    sort: Annotated[str, sorts(tuple(image_table.SORTS))] = Field(default=DEFAULT_SORT, description=SORT)
    fields: Annotated[tuple[Annotated[str, OneOf(rows.IMAGE_FIELDS)], ...], COMMAS] = Field(
        default=(), description=FIELDS
    )


class ObjectsFilter(_ObjectBounds):
    """Which spheroids of a project, in which order."""

    name: str = Field(default="", max_length=MAX_NAME, description="Part of the image's name, in any case.")
    touches_border: Switch | None = Field(
        default=None,
        description="1 for only those that touch the image's edge, 0 for only those that do not.",
    )
    sort: Annotated[str, sorts(tuple(object_table.SORTS))] = Field(
        default=objects.DEFAULT_SORT, description=SORT
    )

    def object_filter(self) -> objects.ObjectFilter:
        """The same for the store, without the order.

        Raises:
            InvalidRequest: a least value is above its greatest.
        """
        return objects.ObjectFilter(self.name or None, self.touches_border, self.ranges())


class ObjectsQuery(ObjectsFilter, ListQuery):
    """A part of a project's spheroids."""

    sort: Annotated[str, sorts(tuple(object_table.SORTS))] = Field(
        default=objects.DEFAULT_SORT, description=SORT
    )
    fields: Annotated[tuple[Annotated[str, OneOf(rows.OBJECT_FIELDS)], ...], COMMAS] = Field(
        default=(), description=FIELDS
    )


class MeasurementsQuery(ObjectsFilter, TableQuery):
    """The table of a project's spheroids as the Measurements page shows it."""

    fields: Annotated[tuple[Annotated[str, OneOf(tuple(rows.EXPORTED_AS))], ...], COMMAS] = Field(
        default=(), description="Only these columns, with commas between, by their names in the API's lists."
    )


class SpheroidsQuery(ListQuery):
    """A part of the spheroids of one image."""

    sort: Annotated[str, sorts(tuple(SPHEROID_KEYS))] = Field(default="object", description=SORT)
    fields: Annotated[tuple[Annotated[str, OneOf((*rows.SPHEROID_FIELDS, "contour"))], ...], COMMAS] = Field(
        default=(), description=FIELDS
    )
    contours: Switch = Field(default=False, description="1 to have the outlines, too.")


class ProjectsQuery(ListQuery):
    """A part of the projects."""

    name: str = NAME
    sort: Annotated[str, sorts(tuple(PROJECT_KEYS))] = Field(default="-activity", description=SORT)
    fields: Annotated[tuple[Annotated[str, OneOf(rows.PROJECT_FIELDS)], ...], COMMAS] = Field(
        default=(), description=FIELDS
    )


class JobsQuery(ListQuery):
    """A part of the jobs."""

    state: JobState | None = Field(default=None, description="Only jobs in this state.")
    project: str = Field(default="", description="Id of a project: only its jobs.")
    sort: Annotated[str, sorts(tuple(JOB_SORTS))] = Field(
        default="", description=f"{SORT} Each state has an order of its own where none is given."
    )
    fields: Annotated[tuple[Annotated[str, OneOf(rows.JOB_FIELDS)], ...], COMMAS] = Field(
        default=(), description=FIELDS
    )

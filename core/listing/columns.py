"""``Column``: everything that the program has to know of one column of a table.

``image_columns`` and ``object_columns`` describe each column of the two tables once, in the order of the
exported files. From these descriptions come the SQL select lists, what lists may be sorted and narrowed by,
the fields of the API, the grids, the filters, the exported tables and ``docs/columns.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from enum import StrEnum
from operator import itemgetter
from typing import Any

from core.models import Dimension

UNIT_WORDS = frozenset({"", "ratio", "count", "true or false", "raw units"})  # not shown behind a title


class Shown(StrEnum):
    """Whether a grid has a column."""

    DEFAULT = "by default"
    ON_DEMAND = "on demand"  # ticked in the grid's list of columns
    NEVER = "never"


class Format(StrEnum):
    """Formats in which a grid shows the values of a column."""

    NUMBER = "three significant digits"
    COUNT = "a whole number in full"
    YES_NO = "yes or no"
    SECONDS = "seconds"
    TIME = "date and time"
    STATUS = "mark, colour and word"
    CONFIDENCE = "number, marked where it is low"
    SIZE = "micrometres where the pixel size is known, else pixels"
    NAME = "link to what the row is about"
    NUMBERED = "number of the row, as such a link"
    PICTURE = "small picture"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    ``name`` is its key in rows and its field in the API; ``type`` the Python type of its values, None apart,
    which only a ``required`` column never holds. ``sort``, ``filter`` and ``export`` are its names in the
    API's ``sort``, in ``…_min`` and ``…_max``, and in exported tables; None where it is not there. A
    ``listed`` column is read from the database for every list: ``sql`` says how, the column ``name`` of the
    table where that is empty. Where ``inputs`` are given, they are the keys in rows that the value is read
    from, and ``compute`` makes it from theirs, in their order.
    """

    name: str
    title: str
    description: str
    _: KW_ONLY
    type: Any = float
    required: bool = False
    unit: str = ""
    dimension: Dimension = Dimension.PURE
    formula: str = ""  # for formulas.csv; columns without one are not in it

    listed: bool = True
    summary: bool = False  # a column of the version in force, which the image repeats
    sql: str = ""
    compute: Callable[..., Any] | None = None
    inputs: tuple[str, ...] = ()

    api: bool = True
    exact: bool = False  # given with all its digits wherever measured numbers are rounded
    sort: str | None = None
    filter: str | None = None
    export: str | None = None

    shown: Shown = Shown.NEVER
    format: Format = Format.NUMBER
    header: str = ""  # of the grid, where the title is too long for it
    tooltip: str = ""  # name of the column whose value explains a cell
    width: int = 108
    position: int = 50  # order in grids and filters; those of one position stand in the table's order
    twin_of: str = ""  # name of the column in pixels, where this is the same in micrometres

    @property
    def label(self) -> str:
        """Title and unit: “Area, µm²”."""
        return self.title if self.unit in UNIT_WORDS else f"{self.title}, {self.unit}"

    @property
    def annotation(self) -> Any:
        """Type of the API's field."""
        return self.type if self.required else self.type | None

    @property
    def in_um(self) -> Column | None:
        """The same quantity in µm, µm² or µm³; None where a pixel size does not scale it."""
        power = self.dimension.power
        if not power:
            return None
        suffix, unit = self.dimension.um_suffix, "µm" + exponent(power)
        return Column(
            name=self.name.removesuffix("_px") + suffix,
            title=self.title,
            description=f"{self.title} in {unit}; null where the pixel size is not known",
            unit=unit,
            formula=self.formula and f"{self.export} × um_per_px{exponent(power)}",
            sql=f"({' * '.join([self.sql or self.name, *['um_per_px'] * power])})",
            compute=_SCALE[power],
            inputs=(self.name, "um_per_px"),
            api=self.api,
            sort=self.sort and self.sort.removesuffix("_px") + suffix,
            filter=self.filter and self.filter.removesuffix("_px") + suffix,
            export=self.export and self.export.removesuffix(self.dimension.px_suffix) + suffix,
            shown=Shown.NEVER if self.format is Format.SIZE else self.shown,
            header=self.header,
            width=self.width,
            position=self.position,
            twin_of=self.name,
        )


def exported_only(name: str, title: str, description: str, **options: Any) -> Column:
    """A column of text that exported tables alone have."""
    column = Column(name, title, description, type=str, listed=False, api=False, export=name)
    return replace(column, **options)


def scaled(value: float | None, dimension: Dimension, um_per_px: float | None) -> float | None:
    """A length, area or volume in pixels as µm, µm² or µm³."""
    return _SCALE[dimension.power](value, um_per_px)


def significant(value: Any, digits: int) -> Any:
    """A number with a fraction, rounded to significant digits; anything else as it is."""
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def exponent(power: int) -> str:
    """Return how a unit's power is written: nothing, ² or ³."""
    return {1: "", 2: "²", 3: "³"}[power]


def with_twins(columns: Iterable[Column]) -> Iterator[Column]:
    """Each column, followed by its twin in micrometres where it has one."""
    for column in columns:
        yield column
        if (twin := column.in_um) is not None:
            yield twin


def in_units(columns: Iterable[Column], calibrated: bool) -> Iterator[Column]:
    """Each column, or where pixel sizes are known its twin in micrometres if it has one."""
    for column in columns:
        yield (column.in_um or column) if calibrated else column


def on_screen(columns: Iterable[Column]) -> list[Column]:
    """Columns in the order of grids and filters."""
    return sorted(columns, key=lambda column: column.position)


class CellReader:
    """Reads some columns of a row; what it has to look up is looked up once, not for every row.

    ``columns`` are given by the key that each has in the result. ``getter`` makes a function that reads
    several values of a row: ``itemgetter`` of mappings, ``attrgetter`` of objects.
    """

    def __init__(
        self, columns: Mapping[str, Column], getter: Callable[..., Callable[[Any], Any]] = itemgetter
    ) -> None:
        self.keys = tuple(columns)
        self.names = tuple(dict.fromkeys(name for column in columns.values() for name in _inputs(column)))
        # One call reads a value for each key, and after those what is computed from.
        names = [(_inputs(column) or self.names)[0] for column in columns.values()] + list(self.names)
        self._read = getter(*names)
        self._computed = [
            (index, column.compute, tuple(len(columns) + self.names.index(name) for name in column.inputs))
            for index, column in enumerate(columns.values())
            if column.compute is not None
        ]

    def values(self, row: Any) -> list[Any]:
        """The values, in the order of ``keys``."""
        raw = self._read(row)
        values = list(raw[: len(self.keys)])
        for place, compute, inputs in self._computed:
            values[place] = compute(*[raw[other] for other in inputs])
        return values

    def __call__(self, row: Any) -> dict[str, Any]:
        """The values by key."""
        return dict(zip(self.keys, self.values(row), strict=True))


def _inputs(column: Column) -> tuple[str, ...]:
    """Keys of a row that a column's value is read from."""
    return column.inputs if column.inputs or column.compute else (column.name,)


def _length(value: float | None, um_per_px: float | None) -> float | None:
    return None if value is None or um_per_px is None else float(value) * um_per_px


def _area(value: float | None, um_per_px: float | None) -> float | None:
    return None if value is None or um_per_px is None else float(value) * um_per_px**2


def _volume(value: float | None, um_per_px: float | None) -> float | None:
    return None if value is None or um_per_px is None else float(value) * um_per_px**3


_SCALE: dict[int, Callable[[float | None, float | None], float | None]] = {1: _length, 2: _area, 3: _volume}

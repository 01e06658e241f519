"""Query plans: runs a named statement with typical values, and returns DuckDB's profile by operator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.clock import utc_now
from core.db import Database, Session
from core.db.statements import is_explainable, load_queries
from core.errors import InvalidRequest, NotFound
from core.listing.image_table import ENUM_CODES, SELECT_LIST

_PARAMETER = re.compile(r"\$(\w+)")
_BRACES = re.compile(r"\{(\w+)\}")
# values of the parts that the program fills in
_PARTS = {"order": "1", "where": "", "rows_after": "true", "columns": SELECT_LIST, "codes": ENUM_CODES} | {
    "value": "object.area",
    "x": "object.area",
    "y": "object.circularity",
}
_PROFILER = ("RESULT_COLLECTOR", "EXPLAIN_ANALYZE")  # operators of the profile itself


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of a plan. ``depth`` is its level in the tree; 0 is the root, which runs last."""

    depth: int
    name: str
    ms: float
    rows: int
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement and its operators from the root, each before its inputs."""

    name: str
    text: str
    operators: tuple[Operator, ...]


class QueryPlans:
    """Profiles the named statements."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._queries = load_queries()

    def text(self, name: str) -> str | None:
        """Return the statement's text; None if the program has none of that name (any more)."""
        return self._queries.get(name)

    def explain(self, name: str) -> Plan:
        """Run the statement ``name`` and return its plan.

        The values of earlier calls are not recorded, so it runs on the project with the most images and
        without filters.

        Raises:
            NotFound: there is no such statement.
            InvalidRequest: it changes the database or needs rows as input, and is not run for this.
            SearchTooSlow: it ran into the query timeout.
        """
        text = self._queries.get(name)
        if text is None or name.startswith("metrics."):
            raise NotFound(f"There is no statement called “{name[:80]}”.")
        if not is_explainable(text):
            raise InvalidRequest(f"{name} changes the database or takes rows along, so it is not run again.")
        parts = {part: _PARTS[part] for part in _BRACES.findall(text)}
        with self._db.read() as session:
            typical = _typical(session, name.split(".", maxsplit=1)[0])
            values = {key: typical.get(key) for key in set(_PARAMETER.findall(text))}
            profile = json.loads(session.explain(name, values, **parts))
        return Plan(name, text, tuple(_operators(profile["operator"], 0)))


def _typical(session: Session, file: str) -> dict[str, Any]:
    """Values by the names of the parameters."""
    row = session.one("plans.typical") or {"project_id": "", "image_id": "", "version_id": ""}
    own = {"projects": "project_id", "images": "image_id", "results": "version_id"}.get(file)
    return {
        **row,
        "id": row[own] if own else None,
        "ids": [row["image_id"]],
        "image_ids": [row["image_id"]],
        "since": utc_now() - timedelta(minutes=2),
        "limit": 50,
        "offset": 0,
    }


def _operators(nodes: list[Mapping[str, Any]], depth: int) -> Iterator[Operator]:
    for node in nodes:
        shown = node["type"] not in _PROFILER
        if shown:
            detail = "; ".join(f"{key}: {_plain(value)}" for key, value in node["extra_info"].items())
            yield Operator(depth, node["type"], node["timing"] * 1000, node["intermediate_rows"], detail)
        yield from _operators(node.get("children", []), depth + shown)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

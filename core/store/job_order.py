"""The orders that jobs are listed in: a state's own, or by one column."""

from __future__ import annotations

from datetime import datetime

from core.errors import InvalidRequest
from core.listing.keyset import SortKey
from core.models import JobState, Priority

SORTS: dict[str, type] = {
    "sequence": int,
    "state": JobState,
    "priority": Priority,
    "attempt": int,
    "engine": str,
    "worker": str,
    "asked_by": str,
    "created_at": datetime,
    "started_at": datetime,
    "finished_at": datetime,
    "error": str,
}
_COLUMNS = {"asked_by": "requested_by"}  # of sorts that are not called like their column


def keys_of_jobs(state: JobState | None, sort: str = "") -> tuple[SortKey, ...]:
    """Return what decides the order of jobs; their id decides last.

    Without ``sort``, waiting ones come in the order in which they are taken, running ones in that in which
    they were begun, ended ones latest first, and all of them together the one asked for last first.

    Raises:
        InvalidRequest: there is no such sort.
    """
    if not sort:
        return (*_own_order(state), _key("id", str, descending=False))
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        raise InvalidRequest(f"Jobs cannot be sorted by “{sort[:40]}”. Known: {', '.join(SORTS)}.")
    return _key(_COLUMNS.get(name, name), SORTS[name], descending), _key("id", str, descending)


def _own_order(state: JobState | None) -> tuple[SortKey, ...]:
    if state is None:
        return (_key("sequence", int, descending=True),)
    if state is JobState.QUEUED:
        # Orphans of a crash first, then the urgent ones, then people in turns, each one's in the order of
        # asking; never by the clock.
        urgent = _key("suspect", bool, descending=True), _key("priority", Priority, descending=True)
        return (*urgent, _key("turn", int, descending=False), _key("sequence", int, descending=False))
    if state is JobState.RUNNING:
        return _key("started_at", datetime, descending=False), _key("sequence", int, descending=False)
    return _key("finished_at", datetime, descending=True), _key("sequence", int, descending=True)


def _key(name: str, kind: type, descending: bool) -> SortKey:
    return SortKey(name, kind, descending, f"job.{name}")

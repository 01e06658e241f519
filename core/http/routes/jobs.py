"""/api/jobs, /api/queue and /api/version: what is segmented, how far it is, whether anything changed."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from core.http.answers import conditional_json
from core.http.dependencies import ServicesDependency
from core.http.lists import ListRequest, Row
from core.http.routing import ReadRouter
from core.http.schemas import rows
from core.http.schemas.queries import JobsQuery
from core.http.schemas.states import QueueState, Totals, Version
from core.services import Services

RATE_SECONDS = 5  # for which the rate of an answer may be kept

router = ReadRouter(prefix="/api", tags=["Jobs"])


@router.get("/jobs", response_model=rows.JobsAnswer)
def jobs(request: Request, query: Annotated[JobsQuery, Query()], services: ServicesDependency) -> Response:
    """A part of the jobs, and the totals of the queue."""
    # The rate is that of the last minutes, so it changes although nothing else does.
    version = f"{services.db.generation}-{int(time.monotonic() / RATE_SECONDS)}"
    return conditional_json(request, version, lambda: _jobs(request, query, services))


def _jobs(request: Request, query: JobsQuery, services: Services) -> Row:
    part = ListRequest.of(request, query, services.settings.max_page_size)
    page = services.store.jobs.page(
        query.state, query.project or None, part.limit, part.offset, part.sort, part.after
    )
    totals = Totals.model_validate(services.queue_monitor.snapshot().totals)
    return part.answer("jobs", page, rows.job_row) | {"totals": totals.model_dump()}


@router.get("/queue")
def queue(services: ServicesDependency) -> QueueState:
    """How far the queue is and how it is, as of at most half a second ago."""
    snapshot = services.queue_monitor.snapshot()
    state = snapshot.state
    return QueueState(
        **Totals.model_validate(snapshot.totals).model_dump(),
        progress=snapshot.progress,
        light=snapshot.light,
        message=snapshot.message,
        workers=state.slots,
        running=state.running,
        lost=state.lost,
        memory_taken_bytes=state.memory_taken_bytes,
        memory_total_bytes=state.memory_total_bytes,
    )


@router.get("/version")
def version(services: ServicesDependency) -> Version:
    """A text that is another one after every change, and how many jobs wait or run."""
    snapshot = services.queue_monitor.snapshot()
    return Version(version=str(snapshot.version), active=snapshot.totals.left)

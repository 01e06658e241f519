"""/api/metrics: how the app is doing, as JSON: requests, statements, caches and the system."""

from __future__ import annotations

import os
import platform
import time
from typing import Annotated

import psutil
from fastapi import Query, Request, Response

from core.clock import utc_now
from core.http.dependencies import ServicesDependency
from core.http.routes import metric_parts as parts
from core.http.routing import ReadRouter
from core.http.schemas import metrics as schemas
from core.http.schemas.metrics import STATUS, MetricsQuery, SlowQueriesQuery
from core.monitoring import Histogram, Kind
from core.monitoring.summary import SummaryRow, cache_lookups, hit_percent, rows, slow_queries, whole
from core.operations.health import State, worst
from core.operations.history import MetricsWindow
from core.services import Services

router = ReadRouter(prefix="/api/metrics", tags=["How the app is doing"])


@router.get("/performance")
def performance(query: Annotated[MetricsQuery, Query()], services: ServicesDependency) -> schemas.Performance:
    """Everything of the last minutes: requests, statements, caches and the system."""
    window = services.history.window(query.minutes)
    return schemas.Performance(
        status="success" if services.recorder.enabled else "disabled",
        timestamp=utc_now(),
        metrics=schemas.PerformanceMetrics(
            timestamp=_epoch_ms(),
            minutes=window.minutes,
            api=parts.requests(window),
            database=parts.queries(window, services.settings.slow_query_ms),
            system=parts.system(services, window),
            cache=parts.cache(window),
            database_pool=parts.pool(services),
            uptime=_uptime(services),
        ),
    )


@router.get("/health", responses={503: {"model": schemas.AppHealth}})
def health(services: ServicesDependency, response: Response) -> schemas.AppHealth:
    """Whether the app works, part by part; 503 if it cannot save what it is given."""
    checks = services.checks.run()
    state = worst(checks)
    if state is State.BAD:
        response.status_code = 503
    memory = psutil.virtual_memory()
    return schemas.AppHealth(
        status=STATUS[state],
        timestamp=utc_now(),
        reason=" ".join(c.sentence for c in checks if c.state is state is not State.GOOD) or None,
        services={
            check.name: schemas.PartHealth(
                status=STATUS[check.state], latency_ms=check.ms, message=check.sentence
            )
            for check in checks
        },
        system=schemas.Machine(
            uptime=_uptime(services),
            python_version=platform.python_version(),
            platform=platform.system().lower(),
            cpu_count=os.cpu_count(),
            total_memory=memory.total,
            free_memory=memory.available,
            load_average=list(psutil.getloadavg()),
        ),
    )


@router.get("/summary")
def summary(query: Annotated[MetricsQuery, Query()], services: ServicesDependency) -> schemas.Summary:
    """The last minutes in a dozen numbers; rates are a real minute's."""
    window = services.history.window(query.minutes)
    calls, queries = whole(window.timings, Kind.REQUEST), whole(window.timings, Kind.QUERY)
    hits, misses = cache_lookups(window.timings)
    sample, lag = services.history.sample(), whole(window.timings, Kind.LOOP).histogram
    return schemas.Summary(
        timestamp=_epoch_ms(),
        minutes=window.minutes,
        uptime=_uptime(services),
        api=schemas.RequestSummary(
            requests_per_minute=_rate(calls.calls, window),
            avg_response_time=calls.histogram.mean_ms,
            error_rate=calls.error_percent,
        ),
        database=schemas.QuerySummary(
            queries_per_minute=_rate(queries.calls, window),
            avg_query_time=queries.histogram.mean_ms,
            slow_queries=queries.histogram.slower_than(services.settings.slow_query_ms),
        ),
        system=schemas.SystemSummary(
            cpu_usage=sample.cpu_percent,
            memory_usage=100 * sample.rss_bytes / services.checks.memory_limit_bytes,
            event_loop_lag=lag.mean_ms,
        ),
        cache=schemas.CacheSummary(
            hit_rate=hit_percent(window.timings), total_hits=hits, total_misses=misses
        ),
    )


@router.get("/slow-queries", response_model_exclude_unset=True)
def statements(
    query: Annotated[SlowQueriesQuery, Query()], services: ServicesDependency
) -> schemas.SlowQueries:
    """Statements with calls slower than ``threshold_ms``, and the plan of one that is to be explained."""
    window = services.history.window(query.minutes)
    threshold = query.threshold_ms
    if threshold is None:
        threshold = round(services.settings.slow_query_ms)
    answer = schemas.SlowQueries(
        timestamp=utc_now(),
        minutes=window.minutes,
        threshold_ms=threshold,
        slow_queries=[
            parts.slow_query(row, services.plans.text(row.name), threshold)
            for row in slow_queries(window.timings, threshold)
        ],
    )
    if query.explain:
        answer.plan = parts.plan(services.plans.explain(query.explain))
    return answer


@router.get("/endpoints")
def endpoints(
    request: Request, query: Annotated[MetricsQuery, Query()], services: ServicesDependency
) -> schemas.Endpoints:
    """Every route by method and template, called or not."""
    window = services.history.window(query.minutes)
    called = {row.name: row for row in rows(window.timings, Kind.REQUEST)}
    names = dict.fromkeys([*called, *(f"GET {path}" for path in request.app.openapi()["paths"])])
    everything = whole(window.timings, Kind.REQUEST)
    return schemas.Endpoints(
        timestamp=utc_now(),
        minutes=window.minutes,
        total_requests=everything.calls,
        avg_response_time=everything.histogram.mean_ms,
        error_rate=everything.error_percent,
        percentiles=schemas.Percentiles(**parts.percentiles(everything.histogram)),
        endpoints=[parts.endpoint(called.get(name) or SummaryRow(name, Histogram())) for name in names],
    )


def _rate(calls: int, window: MetricsWindow) -> float | None:
    """Calls a real minute."""
    return calls / window.minutes if window.minutes > 0 else None


def _uptime(services: Services) -> float:
    return time.time() - services.recorder.started


def _epoch_ms() -> int:
    return round(time.time() * 1000)

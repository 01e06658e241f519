"""Parts of what /api/metrics answers, made from recorded histograms and samples."""

from __future__ import annotations

from collections.abc import Sequence

from core.http.schemas import metrics as schemas
from core.monitoring import Histogram, Kind, Sample
from core.monitoring.summary import SummaryRow, cache_lookups, hit_percent, rows, whole
from core.monitoring.summary import slow_queries as slow_rows
from core.operations.history import MetricsWindow
from core.services import Services
from core.store import query_plans

SLOWEST = 5  # routes or statements that are listed


def requests(window: MetricsWindow) -> schemas.Requests:
    """All requests together, and the slowest routes."""
    everything = whole(window.timings, Kind.REQUEST)
    slowest = sorted(rows(window.timings, Kind.REQUEST), key=lambda row: -(row.histogram.mean_ms or 0))
    return schemas.Requests(
        total_requests=everything.calls,
        successful_requests=everything.calls - everything.failed - everything.refused,
        refused_requests=everything.refused,
        error_requests=everything.failed,
        error_rate=everything.error_percent,
        slow_endpoints=[endpoint(row) for row in slowest[:SLOWEST]],
        **_response_times(everything.histogram),
    )


def queries(window: MetricsWindow, slow_ms: float) -> schemas.Queries:
    """All statements together, and the slowest."""
    everything = whole(window.timings, Kind.QUERY).histogram
    return schemas.Queries(
        total_queries=everything.calls,
        avg_duration=everything.mean_ms,
        slow_queries=[
            schemas.SlowCall(query=row.name, duration=row.histogram.worst_ms, row_count=_rows_a_call(row))
            for row in slow_rows(window.timings, slow_ms)[:SLOWEST]
        ],
        **{f"{name}_duration": value for name, value in percentiles(everything).items()},
    )


def system(services: Services, window: MetricsWindow) -> schemas.System:
    """The process now, and in the samples of the window."""
    limit = services.checks.memory_limit_bytes
    now = services.history.sample()
    samples = (*services.history.samples(window.minutes, 1.0), now)
    lag = whole(window.timings, Kind.LOOP).histogram
    cpu = [sample.cpu_percent for sample in samples]
    memory = [_memory_percent(sample, limit) for sample in samples]
    return schemas.System(
        current=schemas.SystemNow(
            cpu=now.cpu_percent,
            memory=schemas.Memory(total=limit, used=now.rss_bytes, percentage=_memory_percent(now, limit)),
            event_loop_lag=lag.percentile(0.5),
            threads=now.threads,
            disk_free=now.disk_free_bytes,
            queued=now.queued,
            running=now.running,
        ),
        averages=schemas.SystemFigures(cpu=_mean(cpu), memory=_mean(memory), event_loop_lag=lag.mean_ms),
        peaks=schemas.SystemFigures(cpu=max(cpu), memory=max(memory), event_loop_lag=lag.worst_ms),
    )


def cache(window: MetricsWindow) -> schemas.CacheUse:
    """Look-ups in the caches, together and by what is cached."""
    hits, misses = cache_lookups(window.timings)
    kinds = sorted(row.name for row in rows(window.timings, Kind.CACHE))
    return schemas.CacheUse(
        hits=hits,
        misses=misses,
        hit_rate=hit_percent(window.timings),
        kinds={name: schemas.HitRate(hit_rate=hit_percent(window.timings, name)) for name in kinds},
    )


def pool(services: Services) -> schemas.DatabasePool:
    """The one writer, and the writes that wait for it."""
    waiting = services.db.writes_waiting
    return schemas.DatabasePool(total_count=1, idle_count=int(not waiting), waiting_count=waiting)


def slow_query(row: SummaryRow, text: str | None, threshold_ms: float) -> schemas.SlowQuery:
    """One slow statement."""
    return schemas.SlowQuery(
        query=row.name,
        text=text,
        calls=row.calls,
        slow_calls=max(1, row.histogram.slower_than(threshold_ms)),
        duration=row.histogram.worst_ms,
        row_count=_rows_a_call(row),
        **percentiles(row.histogram),
    )


def endpoint(row: SummaryRow) -> schemas.Endpoint:
    """One route."""
    return schemas.Endpoint(
        endpoint=row.name,
        count=row.calls,
        error_rate=row.error_percent,
        refused=row.refused,
        worst=row.histogram.worst_ms,
        bytes=row.histogram.amount,
        **_response_times(row.histogram),
    )


def plan(profile: query_plans.Plan) -> schemas.Plan:
    """How a statement ran."""
    steps = [schemas.PlanOperator.model_validate(step, from_attributes=True) for step in profile.operators]
    return schemas.Plan(query=profile.name, text=profile.text, operators=steps)


def percentiles(histogram: Histogram) -> dict[str, float | None]:
    """Durations in ms that half, and most, calls did not exceed."""
    return {f"p{percent}": histogram.percentile(percent / 100) for percent in (50, 95, 99)}


def _response_times(histogram: Histogram) -> dict[str, float | None]:
    times = {f"{name}_response_time": value for name, value in percentiles(histogram).items()}
    return {"avg_response_time": histogram.mean_ms, **times}


def _rows_a_call(row: SummaryRow) -> float | None:
    return row.histogram.amount / row.calls if row.calls else None


def _memory_percent(sample: Sample, limit_bytes: int) -> float:
    return 100 * sample.rss_bytes / limit_bytes


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

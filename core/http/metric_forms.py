"""The parts of what /api/metrics answers, as JSON. None is "no calls" or "not known", never 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from core.monitoring import Histogram, Kind, Sample
from core.monitoring.summary import SummaryRow, cache_looks, hit_percent, rows, slow_queries, whole
from core.operations.history import MetricsWindow
from core.store.query_plans import Plan

if TYPE_CHECKING:
    from core.services import Services

SHOWN = 5  # of the slowest


class System:
    """The process now, and in the samples of the window."""

    def __init__(self, services: Services, minutes: float) -> None:
        self._limit = services.checks.memory_limit_bytes
        self._now = services.history.sample()
        self._samples = (*services.history.samples(minutes, 1.0), self._now)

    def described(self, window: MetricsWindow) -> dict[str, object]:
        """Shares in percent, memory in bytes, times in ms."""
        lag = whole(window.timings, Kind.LOOP).histogram
        cpu = [sample.cpu_percent for sample in self._samples]
        memory = [100 * sample.rss_bytes / self._limit for sample in self._samples]
        return {
            "current": {
                "cpu": self._now.cpu_percent,
                "memory": self._memory(self._now),
                "heap": None,  # Python's has no size of its own
                "eventLoopLag": lag.percentile(0.5),
                "threads": self._now.threads,
                "diskFree": self._now.disk_free_bytes,
                "queued": self._now.queued,
                "running": self._now.running,
            },
            "averages": {
                "cpu": sum(cpu) / len(cpu),
                "memory": sum(memory) / len(memory),
                "heap": None,
                "eventLoopLag": lag.mean_ms,
            },
            "peaks": {"cpu": max(cpu), "memory": max(memory), "heap": None, "eventLoopLag": lag.worst_ms},
        }

    def _memory(self, sample: Sample) -> dict[str, float]:
        used = sample.rss_bytes
        return {"total": self._limit, "used": used, "percentage": 100 * used / self._limit}


def api(window: MetricsWindow) -> dict[str, object]:
    """All requests together, and the slowest routes."""
    everything = whole(window.timings, Kind.REQUEST)
    return {
        "totalRequests": everything.calls,
        "successfulRequests": everything.calls - everything.failed - everything.refused,
        "refusedRequests": everything.refused,
        "errorRequests": everything.failed,
        "errorRate": everything.error_percent,
        **_response_times(everything.histogram),
        "slowEndpoints": [endpoint(row) for row in _slowest(rows(window.timings, Kind.REQUEST))],
    }


def database(window: MetricsWindow, slow_ms: float) -> dict[str, object]:
    """All statements together, and the slowest."""
    everything = whole(window.timings, Kind.QUERY).histogram
    return {
        "totalQueries": everything.calls,
        "avgDuration": everything.mean_ms,
        **{f"{key}Duration": value for key, value in percentiles(everything).items()},
        "slowQueries": [
            {"query": row.name, "duration": row.histogram.worst_ms, "rowCount": _a_call(row)}
            for row in slow_queries(window.timings, slow_ms)[:SHOWN]
        ],
    }


def cache(window: MetricsWindow) -> dict[str, object]:
    """Looks into the caches, together and by what is cached."""
    hits, misses = cache_looks(window.timings)
    kinds = [row.name for row in rows(window.timings, Kind.CACHE)]
    return {
        "available": True,
        "hits": hits,
        "misses": misses,
        "hitRate": hit_percent(window.timings),
        "kinds": {name: {"hitRate": hit_percent(window.timings, name)} for name in sorted(kinds)},
    }


def pool(services: Services) -> dict[str, int]:
    """The one writer; readers take a cursor each and never wait for one."""
    waiting = services.db.writes_waiting
    return {"totalCount": 1, "idleCount": int(not waiting), "waitingCount": waiting}


def slow(row: SummaryRow, text: str | None, threshold: float) -> dict[str, object]:
    """One slow statement."""
    return {
        "query": row.name,
        "text": text,
        "calls": row.calls,
        "slowCalls": max(1, row.histogram.slower_than(threshold)),
        **percentiles(row.histogram),
        "duration": row.histogram.worst_ms,
        "rowCount": _a_call(row),
    }


def endpoint(row: SummaryRow) -> dict[str, object]:
    """One route."""
    return {
        "endpoint": row.name,
        "count": row.calls,
        "errorRate": row.error_percent,
        "refused": row.refused,
        **_response_times(row.histogram),
        "worst": row.histogram.worst_ms,
        "bytes": row.histogram.amount,
    }


def _response_times(histogram: Histogram) -> Mapping[str, float | None]:
    times = {f"{key}ResponseTime": value for key, value in percentiles(histogram).items()}
    return {"avgResponseTime": histogram.mean_ms, **times}


def percentiles(histogram: Histogram) -> dict[str, float | None]:
    """Durations in ms that half, and most, calls did not exceed."""
    return {f"p{percent}": histogram.percentile(percent / 100) for percent in (50, 95, 99)}


def _slowest(found: Sequence[SummaryRow]) -> list[SummaryRow]:
    return sorted(found, key=lambda row: -(row.histogram.mean_ms or 0))[:SHOWN]


def _a_call(row: SummaryRow) -> float | None:
    return row.histogram.amount / row.calls if row.calls else None


def rate(calls: int, window: MetricsWindow) -> float | None:
    """Calls a real minute."""
    return calls / window.minutes if window.minutes > 0 else None


def plan(told: Plan) -> dict[str, object]:
    """How a statement ran: its operators from the top of the tree, ``depth`` telling their places in it."""
    operators = [
        {
            "depth": step.depth,
            "operator": step.name,
            "ms": step.ms,
            "rows": step.rows,
            "detail": step.detail,
        }
        for step in told.operators
    ]
    return {"query": told.name, "text": told.text, "operators": operators}

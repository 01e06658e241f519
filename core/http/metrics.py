"""How the app is doing, as JSON: requests, statements, caches and the system."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil
from starlette.requests import Request
from starlette.responses import Response

from core.http import metric_forms as forms
from core.http import parameters
from core.http.answers import json_answer
from core.monitoring import Histogram, Kind
from core.monitoring.summary import SummaryRow, cache_looks, hit_percent, rows, slow_queries, whole
from core.operations.health import State, worst
from core.operations.history import MetricsWindow

if TYPE_CHECKING:
    from core.services import Services

MINUTES = 5  # that are looked at where nothing else is asked for
MOST_MINUTES = 30 * 24 * 60
MOST_MS = 3_600_000
STATUS = {State.GOOD: "healthy", State.WATCH: "degraded", State.BAD: "unhealthy"}


class Metrics:
    """Handlers of /api/metrics. ``templates``: the routes that exist, called or not."""

    def __init__(self, services: Callable[[], Services], templates: Sequence[str]) -> None:
        self._services = services
        self._templates = templates

    def performance(self, request: Request) -> Response:
        """Everything of the last minutes."""
        services = self._services()
        window = _window(services, request)
        system = forms.System(services, window.minutes)
        metrics = {
            "timestamp": _epoch_ms(),
            "minutes": window.minutes,
            "api": forms.api(window),
            "database": forms.database(window, services.settings.slow_query_ms),
            "system": system.described(window),
            "cache": forms.cache(window),
            "databasePool": forms.pool(services),
            "uptime": _uptime(services),
        }
        return json_answer({"status": _status(services), "timestamp": _now(), "metrics": metrics})

    def health(self, _request: Request) -> Response:
        """Whether the app works, part by part; 503 if it cannot save what it is given."""
        services = self._services()
        checks = services.checks.run()
        state = worst(checks)
        memory = psutil.virtual_memory()
        body = {
            "status": STATUS[state],
            "timestamp": _now(),
            "reason": " ".join(c.sentence for c in checks if c.state is state is not State.GOOD) or None,
            "services": {
                check.name: {"status": STATUS[check.state], "latencyMs": check.ms, "message": check.sentence}
                for check in checks
            },
            "system": {
                "uptime": _uptime(services),
                "pythonVersion": platform.python_version(),
                "platform": platform.system().lower(),
                "cpuCount": os.cpu_count(),
                "totalMemory": memory.total,
                "freeMemory": memory.available,
                "loadAverage": list(psutil.getloadavg()),
            },
        }
        return json_answer(body, 503 if state is State.BAD else 200)

    def summary(self, request: Request) -> Response:
        """The same in a dozen numbers; rates are a real minute's."""
        services = self._services()
        window = _window(services, request)
        calls, queries = whole(window.timings, Kind.REQUEST), whole(window.timings, Kind.QUERY)
        hits, misses = cache_looks(window.timings)
        sample, lag = services.history.sample(), whole(window.timings, Kind.LOOP).histogram
        body = {
            "timestamp": _epoch_ms(),
            "minutes": window.minutes,
            "uptime": _uptime(services),
            "api": {
                "requestsPerMinute": forms.rate(calls.calls, window),
                "avgResponseTime": calls.histogram.mean_ms,
                "errorRate": calls.error_percent,
            },
            "database": {
                "queriesPerMinute": forms.rate(queries.calls, window),
                "avgQueryTime": queries.histogram.mean_ms,
                "slowQueries": queries.histogram.slower_than(services.settings.slow_query_ms),
            },
            "system": {
                "cpuUsage": sample.cpu_percent,
                "memoryUsage": 100 * sample.rss_bytes / services.checks.memory_limit_bytes,
                "eventLoopLag": lag.mean_ms,
            },
            "cache": {"hitRate": hit_percent(window.timings), "totalHits": hits, "totalMisses": misses},
        }
        return json_answer(body)

    def slow_queries(self, request: Request) -> Response:
        """Statements with calls slower than ``threshold_ms``; ``explain`` runs one again and tells how."""
        services = self._services()
        window = _window(services, request)
        slow_ms = services.settings.slow_query_ms
        threshold = parameters.whole(request, "threshold_ms", round(slow_ms), 0, MOST_MS)
        body: dict[str, object] = {
            "timestamp": _now(),
            "minutes": window.minutes,
            "threshold_ms": threshold,
            "slowQueries": [
                forms.slow(row, services.plans.text(row.name), threshold)
                for row in slow_queries(window.timings, threshold)
            ],
        }
        asked = request.query_params.get("explain")
        if asked:
            body["plan"] = forms.plan(services.plans.explain(asked))
        return json_answer(body)

    def endpoints(self, request: Request) -> Response:
        """Every route's template, called or not."""
        services = self._services()
        window = _window(services, request)
        called = {row.name: row for row in rows(window.timings, Kind.REQUEST)}
        names = dict.fromkeys([*called, *(f"GET {template}" for template in self._templates)])
        everything = whole(window.timings, Kind.REQUEST)
        body = {
            "timestamp": _now(),
            "minutes": window.minutes,
            "totalRequests": everything.calls,
            "avgResponseTime": everything.histogram.mean_ms,
            "errorRate": everything.error_percent,
            "percentiles": forms.percentiles(everything.histogram),
            "endpoints": [
                forms.endpoint(called.get(name) or SummaryRow(name, Histogram())) for name in names
            ],
        }
        return json_answer(body)


def _window(services: Services, request: Request) -> MetricsWindow:
    return services.history.window(parameters.whole(request, "minutes", MINUTES, 1, MOST_MINUTES))


def _status(services: Services) -> str:
    return "success" if services.recorder.enabled else "disabled"


def _uptime(services: Services) -> float:
    return time.time() - services.recorder.started


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _epoch_ms() -> int:
    return round(time.time() * 1000)

"""/metrics: what was counted since the start, as text for Prometheus, written by its official client."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fastapi import Request
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.responses import PlainTextResponse, Response

from core.cache import RedisCache
from core.http.answers import NOT_KEPT
from core.http.dependencies import ServicesDependency
from core.http.routing import ReadRouter
from core.monitoring import BOUNDS_MS, Histogram, Kind, Timings
from core.monitoring.histogram import PER_DECADE
from core.services import Services

MIN_MS = 0.1
# Of the recorder's own edges, which alone can be counted up to exactly: about 1, 2.5 and 5 of every decade.
EDGES_MS = tuple(
    edge for index, edge in enumerate(BOUNDS_MS) if edge >= MIN_MS and index % PER_DECADE in (0, 4, 7)
)
HISTOGRAMS = (
    (Kind.REQUEST, "http_request", "route", "Time to answer a request, to its last byte."),
    (Kind.PAGE, "page_run", "page", "Time of one run of a page."),
    (Kind.QUERY, "query", "query", "Time of a statement, fetching included."),
    (Kind.STAGE, "segmentation_stage", "stage", "Time of a stage of segmenting one image."),
    (Kind.LOOP, "event_loop_lag", "loop", "How late the server's event loop was."),
)
COUNTERS = {
    "http_response_bytes": "Bytes of answers, as sent.",
    "cache_looks": "Looks into the caches.",
}


router = ReadRouter(tags=["How the app is doing"])


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request, services: ServicesDependency) -> Response:
    """What was counted since the start, as text for Prometheus."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    registry.register(_Collector(services))
    return Response(encode(registry), headers={"Cache-Control": NOT_KEPT}, media_type=content_type)


class _Collector(Collector):
    """Metrics of this moment, made at every request."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterator[Metric]:
        return iter(())  # which lets the registry know that names are not known before they are asked for

    def collect(self) -> Iterator[Metric]:
        services = self._services
        timings = services.recorder.totals()
        for kind, name, label, text in HISTOGRAMS:
            yield _histograms(timings, kind, f"spheroscope_{name}_seconds", label, text)
        yield _counters(timings, Kind.REQUEST, "http_response_bytes", "route", lambda sent: sent.amount)
        yield _counters(timings, Kind.CACHE, "cache_looks", "cache", lambda histogram: histogram.calls)
        sample = services.history.sample()
        gauges = {
            "disk_free_bytes": ("Bytes free where the data lies.", sample.disk_free_bytes),
            "jobs_queued": ("Images waiting to be segmented.", sample.queued),
            "jobs_running": ("Images being segmented.", sample.running),
            "redis_up": ("1 while Redis is used, 0 while it is left alone.", _redis_up(services)),
        }
        for name, (text, value) in gauges.items():
            if value is not None:
                yield GaugeMetricFamily(f"spheroscope_{name}", text, value=value)


def _redis_up(services: Services) -> int | None:
    return int(not services.cache.away) if isinstance(services.cache, RedisCache) else None


def _histograms(timings: Timings, kind: Kind, name: str, label: str, text: str) -> Metric:
    family = HistogramMetricFamily(name, text, labels=(label, "outcome"))
    for series, histogram in timings.items():
        if series.kind is kind:
            family.add_metric(
                (series.name, series.outcome), _buckets(histogram), sum_value=histogram.total_ms / 1000
            )
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    buckets = [(f"{edge / 1000:.6g}", float(histogram.up_to(edge))) for edge in EDGES_MS]
    return [*buckets, ("+Inf", float(histogram.calls))]


def _counters(
    timings: Timings, kind: Kind, name: str, label: str, value: Callable[[Histogram], int]
) -> Metric:
    family = CounterMetricFamily(f"spheroscope_{name}", COUNTERS[name], labels=(label, "outcome"))
    for series, histogram in timings.items():
        if series.kind is kind:
            family.add_metric((series.name, series.outcome), value(histogram))
    return family

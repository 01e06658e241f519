"""What /api/metrics answers. Durations are in ms, sizes in bytes, shares in percent.

None is "no calls" or "not known", never 0.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.http.schemas.base import CamelAnswer, Query, Time
from core.http.schemas.parameters import WHOLE
from core.operations.health import State

Number = float | None
MINUTES = 5  # of the past that are looked at by default
MAX_MINUTES = 30 * 24 * 60
MAX_MS = 3_600_000
STATUS = {State.GOOD: "healthy", State.WATCH: "degraded", State.BAD: "unhealthy"}


class MetricsQuery(Query):
    """How far back to look."""

    minutes: Annotated[int, Field(ge=1, le=MAX_MINUTES), WHOLE] = Field(
        default=MINUTES, description="How many of the last minutes to look at."
    )


class SlowQueriesQuery(MetricsQuery):
    """Which statements count as slow, and which one to explain."""

    threshold_ms: Annotated[int, Field(ge=0, le=MAX_MS), WHOLE] | None = Field(
        default=None, description="Calls longer than this are slow; SLOW_QUERY_MS where it is not given."
    )
    explain: str = Field(
        default="", description="Name of a statement that only reads: it is run once more, with its plan."
    )


class Percentiles(CamelAnswer):
    """Durations that half, and most, calls did not exceed."""

    p50: Number
    p95: Number
    p99: Number


class ResponseTimes(CamelAnswer):
    """How long requests took."""

    avg_response_time: Number
    p50_response_time: Number
    p95_response_time: Number
    p99_response_time: Number


class Endpoint(ResponseTimes):
    """One route by method and template; ``bytes`` were sent in all."""

    endpoint: str
    count: int
    error_rate: Number
    refused: int
    worst: Number
    bytes: int


class Requests(ResponseTimes):
    """All requests together, and the slowest routes."""

    total_requests: int
    successful_requests: int
    refused_requests: int
    error_requests: int
    error_rate: Number
    slow_endpoints: list[Endpoint]


class SlowCall(CamelAnswer):
    """The slowest call of a statement; ``row_count`` is an average of all its calls."""

    query: str
    duration: Number
    row_count: Number


class Queries(CamelAnswer):
    """All statements together, and those with the slowest calls."""

    total_queries: int
    avg_duration: Number
    p50_duration: Number
    p95_duration: Number
    p99_duration: Number
    slow_queries: list[SlowCall]


class Memory(CamelAnswer):
    """Memory of the process; ``total`` is what it may use at most."""

    total: int
    used: int
    percentage: float


class SystemNow(CamelAnswer):
    """The process at this moment. ``heap`` is None, because Python's has no size of its own."""

    cpu: float
    memory: Memory
    heap: None = None
    event_loop_lag: Number
    threads: int
    disk_free: int | None
    queued: int | None
    running: int | None


class SystemFigures(CamelAnswer):
    """Averages or peaks of the process; ``memory`` is a share of its limit."""

    cpu: float
    memory: float
    heap: None = None
    event_loop_lag: Number


class System(CamelAnswer):
    """The process now, and in the samples of the time looked at."""

    current: SystemNow
    averages: SystemFigures
    peaks: SystemFigures


class HitRate(CamelAnswer):
    """Share of look-ups that found something."""

    hit_rate: Number


class CacheUse(HitRate):
    """Look-ups of all caches, and the rate of each."""

    available: bool = True
    hits: int
    misses: int
    kinds: dict[str, HitRate]


class DatabasePool(CamelAnswer):
    """The one writer, and the writes that wait for it; readers wait for none."""

    total_count: int
    idle_count: int
    waiting_count: int


class PerformanceMetrics(CamelAnswer):
    """Everything of the last minutes."""

    timestamp: int
    minutes: float
    api: Requests
    database: Queries
    system: System
    cache: CacheUse
    database_pool: DatabasePool
    uptime: float


class Performance(CamelAnswer):
    """``status`` is ``disabled`` where nothing is counted."""

    status: str
    timestamp: Time
    metrics: PerformanceMetrics


class PartHealth(CamelAnswer):
    """How one part of the app is."""

    status: str
    latency_ms: Number
    message: str


class Machine(CamelAnswer):
    """What the app runs on."""

    uptime: float
    python_version: str
    platform: str
    cpu_count: int | None
    total_memory: int
    free_memory: int
    load_average: list[float]


class AppHealth(CamelAnswer):
    """``healthy``, ``degraded`` where somebody should look, or ``unhealthy``, and why."""

    status: str
    timestamp: Time
    reason: str | None
    services: dict[str, PartHealth]
    system: Machine


class RequestSummary(CamelAnswer):
    """Requests in three numbers."""

    requests_per_minute: Number
    avg_response_time: Number
    error_rate: Number


class QuerySummary(CamelAnswer):
    """Statements in three numbers."""

    queries_per_minute: Number
    avg_query_time: Number
    slow_queries: int


class SystemSummary(CamelAnswer):
    """The process in three numbers."""

    cpu_usage: float
    memory_usage: float
    event_loop_lag: Number


class CacheSummary(HitRate):
    """The caches in three numbers."""

    total_hits: int
    total_misses: int


class Summary(CamelAnswer):
    """The last minutes in a dozen numbers; rates are a real minute's."""

    timestamp: int
    minutes: float
    uptime: float
    api: RequestSummary
    database: QuerySummary
    system: SystemSummary
    cache: CacheSummary


class SlowQuery(SlowCall, Percentiles):
    """A statement with slow calls, and its text."""

    text: str | None
    calls: int
    slow_calls: int


class PlanOperator(CamelAnswer):
    """One step of a plan; ``depth`` is its place in the tree."""

    depth: int
    operator: Annotated[str, Field(validation_alias="name")]
    ms: float
    rows: int
    detail: str


class Plan(CamelAnswer):
    """How a statement ran: its operators from the top of the tree."""

    query: str
    text: str
    operators: list[PlanOperator]


class SlowQueries(CamelAnswer):
    """Statements with slow calls, the slowest first; ``plan`` only where one is to be explained."""

    timestamp: Time
    minutes: float
    threshold_ms: Annotated[int, Field(serialization_alias="threshold_ms")]
    slow_queries: list[SlowQuery]
    plan: Plan | None = None


class Endpoints(CamelAnswer):
    """Every route, called or not."""

    timestamp: Time
    minutes: float
    total_requests: int
    avg_response_time: Number
    error_rate: Number
    percentiles: Percentiles
    endpoints: list[Endpoint]

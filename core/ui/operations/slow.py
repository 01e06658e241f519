"""Slow SQL statements and their query plans."""

from __future__ import annotations

import streamlit as st

from core.monitoring.summary import SummaryRow, slow_queries
from core.operations.history import MetricsWindow
from core.services import Services
from core.store.query_plans import Operator, Plan
from core.ui.feedback import explained
from core.ui.operations.controls import TimeRange, nothing, rounded, section

_PLAN = "explained statement"


def slow_statements(services: Services, window: MetricsWindow, chosen: TimeRange) -> None:
    """The statements with a slow call, slowest first; one of them can be explained."""
    threshold = services.settings.slow_query_ms
    statements = slow_queries(window.timings, threshold)
    lines = [_line(row, threshold) for row in statements]
    section("Slow SQL statements", lines, "copy-slow")
    if not statements:
        nothing(
            f"No SQL statement took longer than {threshold:g} ms in {chosen.words}. That is how it should be."
        )
        return
    answer = st.dataframe(lines, hide_index=True, on_select="rerun", selection_mode="single-row", key="slow")
    st.caption(
        f"Good: an empty table. Here is every SQL statement that took longer than {threshold:g} ms "
        "(SLOW_QUERY_MS) at least once. Choose one to see its text and to have it explained."
    )
    chosen_rows = answer.selection.rows
    if chosen_rows and chosen_rows[0] < len(statements):
        _explained(services, statements[chosen_rows[0]].name)


def _explained(services: Services, name: str) -> None:
    st.code(services.plans.text(name) or "This version has no such SQL statement any more.", language="sql")
    if st.button("Explain again", icon=":material/account_tree:", key="explain"):
        with explained():
            st.session_state[_PLAN] = services.plans.explain(name)
    plan = st.session_state.get(_PLAN)
    if plan and plan.name == name:
        _plan(plan)


def _plan(plan: Plan) -> None:
    total = sum(step.ms for step in plan.operators) or 1.0
    st.dataframe(
        [_step(step, total) for step in plan.operators],
        hide_index=True,
        key="plan",
        column_config={
            "share of time": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "operator": st.column_config.TextColumn(width="medium"),
            "what": st.column_config.TextColumn(width="large"),
        },
    )
    st.caption(
        "Each operator stands above those that feed it. It was run just now, on the project with the most "
        "images and without filters: what people typed is not kept. Good: time where the rows are."
    )


def _step(step: Operator, total: float) -> dict[str, object]:
    indent = "\u2003" * step.depth + ("└ " if step.depth else "")
    return {
        "operator": indent + step.name.replace("_", " ").lower(),
        "ms": round(step.ms, 3),
        "share of time": step.ms / total,
        "rows": step.rows,
        "what": step.detail,
    }


def _line(row: SummaryRow, threshold: float) -> dict[str, object]:
    histogram = row.histogram
    percentiles = {f"p{p} ms": rounded(histogram.percentile(p / 100)) for p in (50, 95, 99)}
    return {
        "statement": row.name,
        "calls": row.calls,
        "slow calls": max(1, histogram.slower_than(threshold)),
        **percentiles,
        "worst ms": rounded(histogram.worst_ms),
        "rows a call": round(histogram.amount / row.calls, 1),
    }

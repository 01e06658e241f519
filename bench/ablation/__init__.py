"""Ten claims of faster, smaller and leaner: each the same work without and with it, in one run.

Writes docs/results.md, unless it is only a quick look.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable

from bench.ablation import caching, queueing, scrolling, tables, watching, wire
from bench.ablation.outcome import SEED, Outcome
from bench.ablation.results import write
from bench.report import Report
from core.settings import ROOT

CLAIMS: tuple[Callable[[bool], list[Outcome]], ...] = (
    queueing.concurrency,
    tables.composite_index,
    tables.page_index,
    wire.compression,
    tables.pagination,
    scrolling.virtual_list,
    tables.batching,
    wire.streaming,
    caching.caching,
    queueing.memory,
    watching.monitoring,
)


def run(quick: bool) -> Report:
    """Measure every claim; some take a minute."""
    logging.disable(logging.WARNING)  # what streamlit says where it is imported without a server
    report, outcomes, start = Report("ablation"), [], time.monotonic()
    for claim in CLAIMS:
        for outcome in claim(quick):
            print(f"{outcome.number}. {outcome.claim}: {outcome.verdict}. {outcome.sentences}", flush=True)
            outcomes.append(outcome)
            report.rows.append(outcome.row())
    logging.disable(logging.NOTSET)
    assert {outcome.number for outcome in outcomes} == set(SEED), "every claim of the ten is measured"
    if not quick:
        write(ROOT / "docs" / "results.md", outcomes, time.monotonic() - start, os.getloadavg()[0])
    return report

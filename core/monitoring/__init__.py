"""Metrics in memory: calls, durations and amounts by name, and samples of the system.

Names are the program's own; nothing that a user typed is recorded. ``operations`` writes the metrics to disk.
"""

from __future__ import annotations

from core.monitoring.histogram import BOUNDS_MS, Histogram
from core.monitoring.recorder import (
    COLD,
    FAILED,
    HIT,
    MISS,
    OK,
    REFUSED,
    Kind,
    QueryRecorder,
    Record,
    Recorder,
    Series,
    Timings,
    merge,
)
from core.monitoring.system import Sample, SystemSampler

__all__ = [
    "BOUNDS_MS",
    "COLD",
    "FAILED",
    "HIT",
    "MISS",
    "OK",
    "REFUSED",
    "Histogram",
    "Kind",
    "QueryRecorder",
    "Record",
    "Recorder",
    "Sample",
    "Series",
    "SystemSampler",
    "Timings",
    "merge",
]

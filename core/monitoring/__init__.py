"""What the parts report of themselves, in memory: how often, how long, how much. Names only, no values."""

from __future__ import annotations

from core.monitoring.histogram import BOUNDS_MS, Histogram
from core.monitoring.recorder import (
    FAILED,
    HIT,
    MISS,
    OK,
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
    "FAILED",
    "HIT",
    "MISS",
    "OK",
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

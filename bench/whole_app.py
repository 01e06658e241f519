"""The benchmarks that run the whole app and look at it from outside."""

from __future__ import annotations

from collections.abc import Callable

from bench import busy, downloads, load
from bench.report import Report

WHOLE_APP: dict[str, Callable[[bool], Report]] = {
    "busy": busy.run,
    "downloads": downloads.run,
    "load": load.run,
}

"""Estimates in words: a value with its 95 % interval, or that there is too little to judge."""

from __future__ import annotations

from collections.abc import Callable

from core.corrections.accuracy import Estimate
from core.ui.format import UNKNOWN


def share(estimate: Estimate) -> str:
    """“92 % (80 to 97)”."""
    return _words(estimate, lambda value: f"{100 * value:.0f}", " %")


def number(estimate: Estimate) -> str:
    """“0.931 (0.900 to 0.950)”."""
    return _words(estimate, lambda value: f"{value:.3f}", "")


def change(estimate: Estimate) -> str:
    """“+1.2 % (-0.4 to +3.0)”."""
    return _words(estimate, lambda value: f"{100 * value:+.1f}", " %")


def _words(estimate: Estimate, written: Callable[[float], str], unit: str) -> str:
    if estimate.value is None:
        return UNKNOWN
    if estimate.low is None or estimate.high is None:
        return "too few to judge"
    return f"{written(estimate.value)}{unit} ({written(estimate.low)} to {written(estimate.high)})"

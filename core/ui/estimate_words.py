"""Estimates in words: a value with its 95 % interval, or that there is too little to judge."""

from __future__ import annotations

from collections.abc import Callable

from core.corrections.accuracy import Estimate
from core.ui.format import UNKNOWN


def share(found: Estimate) -> str:
    """“92 % (80 to 97)”."""
    return _words(found, lambda value: f"{100 * value:.0f}", " %")


def number(found: Estimate) -> str:
    """“0.931 (0.900 to 0.950)”."""
    return _words(found, lambda value: f"{value:.3f}", "")


def change(found: Estimate) -> str:
    """“+1.2 % (-0.4 to +3.0)”."""
    return _words(found, lambda value: f"{100 * value:+.1f}", " %")


def _words(found: Estimate, written: Callable[[float], str], unit: str) -> str:
    if found.value is None:
        return UNKNOWN
    if found.low is None or found.high is None:
        return "too few to judge"
    return f"{written(found.value)}{unit} ({written(found.low)} to {written(found.high)})"

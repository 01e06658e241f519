"""Lines of charts can be told from the page and from each other in both themes."""

from __future__ import annotations

import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from core.ui import measurements_panel
from core.ui.operations import charts

CONFIG = Path(__file__).parents[3] / ".streamlit" / "config.toml"
PAGES = [
    tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][theme]["backgroundColor"]
    for theme in ("light", "dark")
]
MIN_CONTRAST = 3.0  # WCAG 2.2, 1.4.11, for parts of graphics
MIN_DISTANCE = 14.0  # CIEDE2000; 2 can just be seen side by side


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])


def luminance(colour: str) -> float:
    values = rgb(colour)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_line_stands_out_from_the_page_of_either_theme() -> None:
    lines = [charts.MEDIAN, charts.P95, charts.P99, charts.DONE, charts.RUNNING, charts.QUEUED, charts.FAILED]
    for colour in [
        *lines,
        *charts.PALETTE,
        *charts.STAGES.values(),
        charts.UNNAMED,
        measurements_panel.ACCENT,
    ]:
        assert min(contrast(colour, page) for page in PAGES) >= MIN_CONTRAST, colour


def test_lines_of_one_chart_can_be_told_apart() -> None:
    for colours in ((charts.MEDIAN, charts.P95, charts.P99), charts.PALETTE, (*charts.STAGES.values(),)):
        for one, other in combinations(colours, 2):
            assert deltaE_ciede2000(rgb2lab(rgb(one)), rgb2lab(rgb(other))) >= MIN_DISTANCE, (one, other)

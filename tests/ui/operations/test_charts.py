"""Figures of the operations pages: units on the axes, gaps where nothing is known, fixed colours."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.ui.operations import charts

START = datetime(2026, 11, 2)


def test_slots_are_without_a_gap_and_include_both_ends() -> None:
    hours = charts.slots(START, START + timedelta(hours=3), 3600)
    assert hours == [START + timedelta(hours=number) for number in range(4)]
    assert charts.slots(START, START, 60) == [START]


def test_lines_name_their_unit_and_leave_gaps() -> None:
    figure = charts.lines([START, START], [("p95", charts.P95, [1.0, None])], "ms")
    (line,) = figure.data
    assert (line.name, line.y, line.connectgaps) == ("p95", (1.0, None), False)
    assert figure.layout.yaxis.title.text == "ms"
    assert figure.layout.xaxis.title.text == "UTC"
    assert charts.latencies([START], [], "ms").layout.yaxis.type == "log"


def test_bars_are_stacked_and_ranked() -> None:
    figure = charts.stacked([START], [("a", "#000000", [1.0]), ("b", "#ffffff", [2.0])], "images")
    assert (figure.layout.barmode, len(figure.data)) == ("stack", 2)
    ranked = charts.ranked({"cut short": 3, "too large": 1}, charts.FAILED, "images")
    assert ranked.data[0].x == (3, 1)
    assert ranked.layout.yaxis.autorange == "reversed"
    assert ranked.layout.xaxis.dtick == 1  # no half images


def test_a_name_has_the_same_colour_wherever_it_stands() -> None:
    assert charts.palette(["b", "a"]) == charts.palette(["a", "b"])
    many = charts.palette([f"n{number:02}" for number in range(20)])
    assert set(many.values()) == set(charts.PALETTE)


def test_every_stage_has_a_colour_of_its_own() -> None:
    others = {
        charts.DONE,
        charts.RUNNING,
        charts.QUEUED,
        charts.FAILED,
        charts.MEDIAN,
        charts.P95,
        charts.P99,
    }
    colours = [*charts.STAGES.values(), charts.UNNAMED]
    assert len(set(colours)) == len(colours)
    assert not others & set(colours)

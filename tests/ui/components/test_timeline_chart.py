"""The timeline: a bar a job in its worker's row, as long as it took, with what is told of it."""

from __future__ import annotations

from datetime import datetime

from core.models import JobState
from core.queue.timeline import Span, Timeline
from core.ui.components.timeline_chart import timeline


def span(worker: str, seconds: float, state: JobState = JobState.DONE, name: str = "a.tif") -> Span:
    began = datetime(2026, 1, 1, 12, 0, int(seconds))
    stages = {"queued": 1500.0, "decode": 12.345, "predict": 40.0, "save": 5.0}
    return Span("j", "i", name, "p", "e", worker, 1, began, seconds, state, stages)


def test_every_job_is_a_bar_in_its_workers_row() -> None:
    spans = [span("worker 1", 1.5), span("worker 2", 2.0), span("worker 1", 3.0, JobState.FAILED)]
    done, failed = timeline(spans, 2).data
    assert (done.name, failed.name) == ("done", "failed")
    assert list(done.y) == ["worker 1", "worker 2"]
    assert list(done.x) == [1500, 2000]
    assert list(failed.base) == [spans[2].began]


def test_every_worker_has_a_row_whether_it_worked_or_not() -> None:
    figure = timeline([span("worker 1", 1)], 4)
    assert list(figure.layout.yaxis.categoryarray) == ["worker 4", "worker 3", "worker 2", "worker 1"]


def test_a_bar_tells_its_stages_and_a_name_is_never_markup() -> None:
    (bars,) = timeline([span("worker 1", 1, name="<b onload=x>&.tif")], 1).data
    (text,) = bars.text
    assert "&lt;b onload=x>&amp;.tif" in text
    assert "decode 12.3 ms" in text
    assert "waited 1.50 s" in text


def test_only_the_last_spans_are_kept() -> None:
    spans = Timeline(max_spans=3)
    for number in range(10):
        spans.add(span("worker 1", number))
    assert [item.seconds for item in spans.latest()] == [7, 8, 9]
    assert [item.seconds for item in spans.latest(2)] == [8, 9]
    assert spans.total == 10

"""The timeline of the workers: a bar a job, a row a worker."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.models import JobState
from core.queue.timeline import Span
from core.ui import times
from core.ui.format import three_digits

ROW_PX, FRAME_PX = 34, 70
# The status colours of the tables and cards; a shape beside each colour stands in the legend's words.
_LOOKS = {
    JobState.DONE: ("done", "#3a9a63"),
    JobState.FAILED: ("failed", "#d0493b"),
    JobState.CANCELLED: ("cancelled", "#7d8b91"),
    JobState.QUEUED: ("to be tried again", "#b26a00"),
}
_STAGES = ("read", "wait", "decode", "predict", "postprocess", "measure", "contours", "encode", "save")


def timeline(spans: Sequence[Span], workers: int) -> go.Figure:
    """Draw the last jobs of ``workers`` workers; a job's bar ends when its worker was free again."""
    figure = go.Figure()
    for state, (word, colour) in _LOOKS.items():
        mine = [span for span in spans if span.state is state]
        if mine:
            figure.add_bar(
                name=word,
                orientation="h",
                base=times.on_axis([span.began for span in mine]),
                x=[max(1.0, span.seconds * 1000) for span in mine],
                y=[span.worker for span in mine],
                marker={"color": colour, "line": {"width": 0}},
                text=[_tooltip(span) for span in mine],
                textposition="none",
                hovertemplate="%{text}<extra></extra>",
            )
    rows = [f"worker {number}" for number in range(workers, 0, -1)]
    figure.update_layout(
        barmode="overlay",
        bargap=0.35,
        height=FRAME_PX + ROW_PX * workers,
        margin={"l": 0, "r": 0, "t": 4, "b": 0},
        legend={"orientation": "h", "y": -0.25},
        xaxis={"type": "date", "title": times.zone_name(), "hoverformat": "%H:%M:%S"},
        yaxis={"categoryorder": "array", "categoryarray": rows, "title": None, "fixedrange": True},
        showlegend=True,
    )
    return figure


def _tooltip(span: Span) -> str:
    """Return the tooltip of a bar. Names are a user's text: what Plotly would take for markup is escaped."""
    name = span.image_name.replace("&", "&amp;").replace("<", "&lt;")
    stages = [
        f"{stage} {three_digits(span.stages_ms[stage])} ms" for stage in _STAGES if stage in span.stages_ms
    ]
    waited = span.stages_ms.get("queued", 0.0) / 1000
    lines = [f"<b>{name}</b>", f"{three_digits(span.seconds)} s, waited {three_digits(waited)} s", *stages]
    return "<br>".join(lines)

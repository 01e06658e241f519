"""Performance: latencies, slow statements, caches and stages of segmentation over time."""

import streamlit as st

from core.services import get_services
from core.ui.operations import controls, performance, slow, summary

services = get_services()
chosen, refresh = controls.header("Performance", controls.RANGES)
if not services.recorder.enabled:
    controls.switched_off()
    st.stop()


def body() -> None:
    """Everything below the header, drawn anew at each refresh."""
    window = services.history.window(chosen.minutes)
    courses = services.history.over_time_by_kind(chosen.minutes, chosen.slot_s)
    performance.headline(window, chosen)
    summary.answers(services, change=performance.change(services))
    performance.tiles(window, courses)
    performance.latencies(window, courses, chosen)
    slow.slow_statements(services, window, chosen)
    performance.caches(window, courses, chosen)
    performance.stages(courses, chosen)


controls.live(refresh, body)

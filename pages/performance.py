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
    slots_by_kind = services.history.over_time_by_kind(chosen.minutes, chosen.slot_s)
    performance.headline(window, chosen)
    summary.answers(services, change=performance.change(services))
    performance.tiles(window, slots_by_kind)
    performance.latencies(window, slots_by_kind, chosen)
    slow.slow_statements(services, window, chosen)
    performance.caches(window, slots_by_kind, chosen)
    performance.stages(slots_by_kind, chosen)


controls.live(refresh, body)

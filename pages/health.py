"""Health: checks, use of the system, versions and switches."""

import streamlit as st

from core.services import get_services
from core.ui.operations import controls, health

services = get_services()
chosen, refresh = controls.header("Health", controls.RANGES)


def body() -> None:
    """Everything below the header, drawn anew at each refresh."""
    health.checks(services)
    health.system(services, chosen)


controls.live(refresh, body)
left, right = st.columns([1, 2])
with left:
    health.versions(services)
with right:
    health.switches(services)

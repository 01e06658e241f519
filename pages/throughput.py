"""Throughput: images and spheroids segmented, waiting times, failures."""

import streamlit as st

from core.services import get_services
from core.ui.operations import controls, throughput

services = get_services()
chosen, refresh = controls.header("Throughput", controls.DAYS)
project_id = throughput.choose_project()


def body() -> None:
    """Everything below the header, drawn anew at each refresh."""
    failed = throughput.failed_in(services, chosen, project_id)
    throughput.work_done(services, chosen, project_id, failed)
    left, right = st.columns(2)
    with left:
        throughput.waiting(services, chosen, project_id)
    with right:
        throughput.failures(failed, chosen)


controls.live(refresh, body)

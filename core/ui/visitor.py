"""The visitor's name, as far as it is known: saved with the jobs that they request, nowhere else."""

from __future__ import annotations

import streamlit as st

from core.services import Services
from core.store import JobRequest
from core.store.recipe import requester_name

PAGE = "page"  # where nobody is known by name


def job_request(services: Services) -> JobRequest:
    """Return a job request in the visitor's name."""
    return JobRequest(requested_by=name(services))


def name(services: Services) -> str:
    """Return the visitor's name, as far as it is known."""
    return _signed_in() or _named_by_proxy(services.settings.user_header) or PAGE


def _signed_in() -> str:
    """Return the name of Streamlit's login, where the app is set up for it."""
    user = st.user.to_dict()
    return requester_name(str(user.get("email") or user.get("name") or ""))


def _named_by_proxy(header: str) -> str:
    return requester_name(st.context.headers.get(header) or "") if header else ""

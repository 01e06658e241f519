"""The visitor's name, as far as it is known: saved with the jobs that they request, nowhere else."""

from __future__ import annotations

import unicodedata

import streamlit as st

from core.services import Services
from core.store import JobRequest

PAGE = "page"  # where nobody is known by name
MOST = 80  # characters of a name


def job_request(services: Services) -> JobRequest:
    """Return a job request in the visitor's name."""
    return JobRequest(requested_by=_signed_in() or _named_by_proxy(services.settings.user_header) or PAGE)


def _signed_in() -> str:
    """Return the name of Streamlit's login, where the app is set up for it."""
    user = st.user.to_dict()
    return _clean(str(user.get("email") or user.get("name") or ""))


def _named_by_proxy(header: str) -> str:
    return _clean(st.context.headers.get(header) or "") if header else ""


def _clean(text: str) -> str:
    printable = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    return " ".join(printable.split())[:MOST]

"""Who looks at a page: their name goes with the jobs that they request, their role decides what is shown."""

from __future__ import annotations

import streamlit as st

from core.accounts import Level
from core.accounts.policy import ABOUT_ACCESS, PAGES
from core.models import Project
from core.services import Services
from core.store import JobRequest
from core.store.recipe import PAGE, requester_name

_CALLER = "caller"  # in the session: whom its widgets and notes belong to


def job_request(services: Services) -> JobRequest:
    """Return a job request in the visitor's name."""
    return JobRequest(requested_by=name(services))


def name(services: Services) -> str:
    """Return the visitor's name, as far as it is known."""
    return known_name(services) or PAGE


def known_name(services: Services) -> str | None:
    """Return the visitor's name; None where it is not known."""
    if services.access.rules.enabled:
        return services.principal.name
    return _signed_in() or _named_by_proxy(services.settings.user_header) or None


def may_open(services: Services, page: str) -> bool:
    """Whether the visitor may open a page, named by its file; one without a rule is for nobody."""
    if not services.access.rules.enabled:
        return page not in ABOUT_ACCESS
    rule = PAGES.get(page)
    return rule is not None and rule.admits(services.principal)


def may_edit(services: Services, project: Project) -> bool:
    """Whether the visitor may upload, segment, change and delete images of a project."""
    return services.principal.reaches(project.id, Level.EDIT)


def may_edit_some(services: Services, project_id: str | None = None) -> bool:
    """Whether the visitor may do so in one project, or without one in any at all."""
    if project_id is not None:
        return services.principal.reaches(project_id, Level.EDIT)
    return services.principal.projects_at(Level.EDIT) != ()


def begin(services: Services) -> None:
    """Forget what the session holds of somebody else: tabs stay open when people change places."""
    key = services.principal.key
    if st.session_state.setdefault(_CALLER, key) != key:
        st.session_state.clear()
        st.session_state[_CALLER] = key


def draw(services: Services) -> None:
    """Draw the visitor's name and the way out; nothing where there are no accounts."""
    if services.access.rules.enabled:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.text(f"{services.principal.name}, {services.principal.role}", width="content")
            # A link of Streamlit's own opens another tab; the words are ours, so no user's text stands in it.
            st.html(
                '<a href="/access/sign-out" target="_self" style="color: inherit">Sign out</a>',
                width="content",
            )


def _signed_in() -> str:
    """Return the name of Streamlit's login, where the app is set up for it."""
    user = st.user.to_dict()
    return requester_name(str(user.get("email") or user.get("name") or ""))


def _named_by_proxy(header: str) -> str:
    return requester_name(st.context.headers.get(header) or "") if header else ""

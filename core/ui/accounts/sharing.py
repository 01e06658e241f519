"""Sharing of a project: its members with their levels, and links by which anybody may look at it."""

from __future__ import annotations

import streamlit as st

from core.accounts import Level
from core.accounts.access_management import Sharing
from core.accounts.members import Member
from core.models import Project
from core.services import Services
from core.ui import times
from core.ui.accounts.people import base_address
from core.ui.feedback import explained, plural
from core.ui.shell import plain

LEVELS = {Level.VIEW: "can look", Level.EDIT: "can edit", Level.OWN: "owner"}
DAYS = (1, 7, 30, 90)
_LINK = "project link"


def management(services: Services) -> Sharing:
    """Return what the visitor may do about the sharing of projects."""
    return Sharing(services.access, services.principal)


def button(services: Services, project: Project) -> None:
    """Draw the button for owners; nothing for others, and where there are no accounts."""
    if not services.access.rules.enabled or not management(services).may_share(project.id):
        return
    if st.button("Share", icon=":material/group_add:", key=f"share-{project.id}", type="tertiary"):
        dialog(services, project)


@st.dialog("Share project", width="medium")
def dialog(services: Services, project: Project) -> None:
    """Show and change who may look at, edit and own a project."""
    st.markdown(f"**{plain(project.name)}** is seen by these people and by admins.")
    with explained():
        for member in management(services).members(project.id):
            _member(services, project, member)
        _add(services, project)
        st.divider()
        _links(services, project)


def _member(services: Services, project: Project, member: Member) -> None:
    key = f"level-{member.account_id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(member.name + (" (disabled)" if member.disabled else ""), width=220)
        level = st.selectbox(
            f"Level of {plain(member.name)}",
            list(LEVELS),
            index=list(LEVELS).index(member.level),
            format_func=lambda item: LEVELS[item],
            label_visibility="collapsed",
            width=140,
            key=key,
        )
        remove = st.button("Remove", key=f"remove-{member.account_id}", type="tertiary")
    if remove or level != member.level:
        with explained():
            management(services).set_level(project.id, member.account_id, None if remove else level)
            st.rerun(scope="fragment")


def _add(services: Services, project: Project) -> None:
    with st.form("add member", clear_on_submit=True):
        columns = st.columns([3, 2], vertical_alignment="bottom")
        name = columns[0].text_input("Name of somebody here", max_chars=80)
        level = columns[1].selectbox("They", list(LEVELS), format_func=lambda item: LEVELS[item])
        if st.form_submit_button("Share", type="primary"):
            with explained():
                management(services).share(project.id, name, level)
                st.rerun(scope="fragment")


def _links(services: Services, project: Project) -> None:
    st.markdown("**Links** let anybody who has one look at this project, and change nothing.")
    if _LINK in st.session_state:
        st.caption("Copy it now; it is not shown again.")
        st.code(f"{base_address(services)}/access/shared/{st.session_state.pop(_LINK)}", language=None)
    for link in management(services).links(project.id):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"made by {link.created_by}, until {times.moment(link.expires_at)}")
            if st.button("End", key=f"end-link-{link.id}", type="tertiary"):
                management(services).end_link(project.id, link.id)
                st.rerun(scope="fragment")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.selectbox(
            "A link for", DAYS, index=1, format_func=lambda count: plural(count, "day"), width=140
        )
        if st.button("Make a link", icon=":material/link:"):
            st.session_state[_LINK] = management(services).add_link(project.id, days)
            st.rerun(scope="fragment")

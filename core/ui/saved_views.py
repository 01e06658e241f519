"""Saved views of the table of images: open, save, delete. Each is a link, so its address can be sent on."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl

import streamlit as st

from core.models import Project
from core.services import Services
from core.store.recipe import PAGE
from core.store.saved_views import SavedView
from core.ui import visitor
from core.ui.components.asset_files import asset
from core.ui.feedback import explained
from core.ui.shell import plain

# What stands in the address beside the filter, and belongs to one visit.
_NOT_SAVED = frozenset({"project", "image", "page", "among", "list", "spheroid"})


def menu(services: Services, project: Project) -> None:
    """Draw the button that lists the project's views and saves what is shown as one."""
    with st.popover("Views", icon=":material/bookmark:", help="Filters and orders saved under a name"):
        views = services.store.saved_views.of_project(project.id)
        may_change = visitor.may_edit(services, project)
        if not views and may_change:
            st.caption("Set a filter or an order, give it a name here, and everybody can open it again.")
        elif not views:
            st.caption("Nobody has saved a view of this project yet.")
        for view in views:
            _row(services, project, view, may_change)
        if may_change:
            _save(services, project)


def _row(services: Services, project: Project, view: SavedView, may_delete: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        # A link that loads the page anew: table and filter both begin with what its address says.
        address = escape(f"images?project={project.id}&{view.query}", quote=True)
        st.html(f'<a href="{address}" title="Saved by {escape(view.created_by)}">{escape(view.name)}</a>')
        if may_delete:
            st.button(
                "Delete",  # in words: an icon alone has no name for a screen reader
                icon=":material/delete:",
                type="tertiary",
                key=f"view-delete-{view.id}",
                help=f"Delete view {plain(view.name)}",
                on_click=_delete,
                args=(services, project.id, view.id),
            )


def _delete(services: Services, project_id: str, view_id: str) -> None:
    with explained():
        services.store.saved_views.delete(project_id, view_id)


def _save(services: Services, project: Project) -> None:
    view = _COMPONENT(key="save-view", on_save_change=lambda: None).save
    if not view:
        return
    address = parse_qsl(str(view["address"]).removeprefix("?"))
    query = [(name, value) for name, value in address if name not in _NOT_SAVED]
    with explained():
        by = visitor.job_request(services).requested_by or PAGE
        services.store.saved_views.save(project.id, str(view["name"]), query, by)
        st.rerun()


_COMPONENT = st.components.v2.component(
    "save_view", html=asset("save_view.html"), css=asset("save_view.css"), js=asset("save_view.js")
)

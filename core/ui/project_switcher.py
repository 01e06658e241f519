"""The project of the page: its id stands in the address, its name is chosen in the sidebar."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import streamlit as st

from core.accounts import Level
from core.errors import NotFound
from core.models import Project
from core.models.text import NO_PROJECT
from core.services import Services
from core.ui.feedback import empty
from core.ui.format import plain

MAX_OFFERED = 6  # projects that are offered where none is chosen
READ_ONLY = "You can look at this project and take data away, not change it. Its owner can let you."
COOKIE = "spheroscope_project"  # what the browser's tables keep of the address; see assets/grid_place.js
_ADDRESS, _NAMES = "project", "project switcher"
_NEXT, _LAST, _LISTED = "project next", "project used last", "projects"


def draw(services: Services) -> None:
    """Draw the switcher.

    A hidden text field is bound to the address: the switcher itself would write names there in place of ids.
    """
    if _NEXT in st.session_state:
        st.session_state[_ADDRESS] = st.session_state.pop(_NEXT) or ""
    projects = {project.id: project for project in services.store.projects.list()}
    st.session_state[_LISTED] = projects
    if (
        _ADDRESS not in st.session_state
        and _ADDRESS not in st.query_params
        and (default := _default(projects))
    ):
        # Both: from now on the field writes the address, but not in the first run of a visit.
        st.session_state[_ADDRESS] = st.query_params[_ADDRESS] = default
    with st.container(key="unseen"):
        address = st.text_input("Project", key=_ADDRESS, bind="query-params")
    st.session_state[_NAMES] = project_id = _project_id(projects, address)
    if project_id:
        st.session_state[_LAST] = project_id
    if projects:
        st.selectbox(
            "Project",
            list(projects),
            index=None,
            format_func=lambda key: projects[key].name if key in projects else "",
            placeholder="Choose a project",
            key=_NAMES,
            on_change=_switched,
        )
    if project_id and not services.principal.reaches(project_id, Level.EDIT):
        st.caption(f":material/visibility: {READ_ONLY}")


def project_of_page(services: Services) -> Project:
    """Return the project of this page, as the sidebar has read it.

    Where none is chosen it is the one used last, or the only one; else a few are offered and the page stops.
    """
    projects: Mapping[str, Project] = st.session_state[_LISTED]
    project_id = chosen()
    if project_id is None:
        address: str = st.session_state[_ADDRESS]
        if not address and (default := _default(projects)):
            choose_next(default)
            st.rerun()
        _offer(projects, address)
        st.stop()
    return projects[project_id]


def listed() -> tuple[Project, ...]:
    """Return all projects as the sidebar has read them in this run, the latest activity first."""
    return tuple(st.session_state[_LISTED].values())


def one_or_all() -> str | None:
    """Draw the choice of a project on a page about all of them; return its id, None for all."""
    names = {project.id: project.name for project in listed()}
    return st.selectbox(
        "Show",
        list(names),
        index=None,
        format_func=lambda key: names.get(key, ""),
        placeholder="All projects",
        key="of",
        bind="query-params",
        width=320,
    )


def project_read(project_id: str) -> Project:
    """Return the project with this id, of ``listed``.

    Raises:
        NotFound: it does not exist, or has been deleted.
    """
    for project in listed():
        if project.id == project_id:
            return project
    raise NotFound(NO_PROJECT)


def chosen() -> str | None:
    """Return the id of the project that the address names by its id or its name; None without one."""
    project_id: str | None = st.session_state[_NAMES]
    return project_id


def choose(project_id: str) -> None:
    """Choose a project for every page, in callbacks, which run before the sidebar is drawn."""
    st.session_state[_ADDRESS] = project_id


def choose_next(project_id: str | None) -> None:
    """Choose a project in pages and dialogs, which run after the sidebar: it takes effect at the next run."""
    st.session_state[_NEXT] = project_id


def _project_id(projects: Mapping[str, Project], address: str) -> str | None:
    if address in projects:
        return address
    named = [key for key, project in projects.items() if project.name.lower() == address.lower()]
    return named[0] if len(named) == 1 else None


def _default(projects: Mapping[str, Project]) -> str | None:
    """Return the project used last in this visit or by this browser, or the only one; None once cleared."""
    last_used = st.session_state.get(_LAST)
    if last_used == "":
        return None
    if last_used is None:
        last_used = unquote(st.context.cookies.get(COOKIE, ""))
    return _project_id(projects, last_used) or (next(iter(projects)) if len(projects) == 1 else None)


def _offer(projects: Mapping[str, Project], address: str) -> None:
    if address:
        sentence = f"“{address[:60]}” in the address is none of the projects here: it may have been deleted."
        empty("There is no such project", sentence, alone=True)
    elif projects:
        sentence = "This page is about one project: choose one here, or in the sidebar."
        empty("Which project?", sentence, alone=True)
    else:
        sentence = "They appear here once you have made one, or somebody has shared one with you."
        empty("There is no project yet", sentence, alone=True)
    for project in list(projects.values())[:MAX_OFFERED]:
        st.button(
            plain(project.name),
            key=f"choose-{project.id}",
            icon=":material/folder_open:",
            on_click=choose,
            args=(project.id,),
        )
    has_more = len(projects) > MAX_OFFERED or not projects
    if has_more and st.button("All projects" if projects else "Go to projects", type="primary"):
        st.switch_page("projects.py", query_params={})


def _switched() -> None:
    st.session_state[_LAST] = chosen() or ""
    choose(chosen() or "")

"""Which project the pages are about: its id stands in the address, its name is chosen in the sidebar."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

import streamlit as st

from core.errors import NotFound
from core.models import Project
from core.services import Services
from core.ui.feedback import empty

FEW = 6  # projects that are offered where none is chosen
COOKIE = "spheroscope_project"  # what the browser's tables keep of the address; see assets/grid_place.js
_ADDRESS, _NAMES = "project", "project switcher"
_NEXT, _LAST, _LISTED = "project next", "project used last", "projects"


def draw(services: Services) -> None:
    """Draw the switcher. What the address says is a text field that nobody sees: the switcher's own value
    would stand there as a name."""
    if _NEXT in st.session_state:
        st.session_state[_ADDRESS] = st.session_state.pop(_NEXT) or ""
    projects = {project.id: project for project in services.store.projects.list()}
    st.session_state[_LISTED] = projects
    if _ADDRESS not in st.session_state and _ADDRESS not in st.query_params and (usual := _usual(projects)):
        # Both: from now on the field writes the address, but not in the first run of a visit.
        st.session_state[_ADDRESS] = st.query_params[_ADDRESS] = usual
    with st.container(key="unseen"):
        said = st.text_input("Project", key=_ADDRESS, bind="query-params")
    st.session_state[_NAMES] = found = _found(projects, said)
    if found:
        st.session_state[_LAST] = found
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


def project_of_page(services: Services) -> Project:
    """The project that this page is about, as the sidebar has read it.

    Where none is chosen, the one used last, or the only one; else a few are offered and the page stops.
    """
    projects: Mapping[str, Project] = st.session_state[_LISTED]
    found = chosen()
    if found is None:
        said: str = st.session_state[_ADDRESS]
        if not said and (usual := _usual(projects)):
            choose_next(usual)
            st.rerun()
        _offer(projects, said)
        st.stop()
    return projects[found]


def listed() -> tuple[Project, ...]:
    """All projects as the sidebar has read them in this run, the one with the latest activity first."""
    return tuple(st.session_state[_LISTED].values())


def project_read(project_id: str) -> Project:
    """The project with this id, of ``listed``.

    Raises:
        NotFound: it does not exist, or has been deleted.
    """
    for project in listed():
        if project.id == project_id:
            return project
    raise NotFound("This project does not exist, or has been deleted.")


def chosen() -> str | None:
    """The id of the project that the address names, by its id or its name; None where there is none."""
    found: str | None = st.session_state[_NAMES]
    return found


def choose(project_id: str) -> None:
    """Make this project the one of every page; for callbacks, which run before the sidebar is drawn."""
    st.session_state[_ADDRESS] = project_id


def choose_next(project_id: str | None) -> None:
    """The same for pages and dialogs, which run after the sidebar: it takes effect at the next run."""
    st.session_state[_NEXT] = project_id


def _found(projects: Mapping[str, Project], said: str) -> str | None:
    if said in projects:
        return said
    named = [key for key, project in projects.items() if project.name.lower() == said.lower()]
    return named[0] if len(named) == 1 else None


def _usual(projects: Mapping[str, Project]) -> str | None:
    """The project used last, in this visit or by this browser, or the only one; None once it was cleared."""
    last = st.session_state.get(_LAST)
    if last == "":
        return None
    if last is None:
        last = unquote(st.context.cookies.get(COOKIE, ""))
    return _found(projects, last) or (next(iter(projects)) if len(projects) == 1 else None)


def _offer(projects: Mapping[str, Project], said: str) -> None:
    if said:
        sentence = f"“{said[:60]}” in the address is none of the projects here: it may have been deleted."
        empty("There is no such project", sentence)
    elif projects:
        empty("Which project?", "This page is about one project: choose one here, or in the sidebar.")
    else:
        empty("There is no project yet", "Make one and drop images into it, or load the demo plate.")
    for project in list(projects.values())[:FEW]:
        st.button(
            project.name,
            key=f"choose-{project.id}",
            icon=":material/folder_open:",
            on_click=choose,
            args=(project.id,),
        )
    more = len(projects) > FEW or not projects
    if more and st.button("All projects" if projects else "Go to projects", type="primary"):
        st.switch_page("projects.py", query_params={})


def _switched() -> None:
    st.session_state[_LAST] = chosen() or ""
    choose(chosen() or "")

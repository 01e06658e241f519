"""Project cards: name, newest pictures, counts as words and as a bar."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.accounts import Level
from core.models import ImageStatus, Project
from core.services import Services
from core.ui import dialogs, times
from core.ui.accounts import sharing
from core.ui.feedback import plural
from core.ui.project_switcher import choose
from core.ui.shell import go, plain

PER_PAGE = 12
_COLOURS = {
    ImageStatus.DONE: "#3a9a63",
    ImageStatus.RUNNING: "#2f80c4",
    ImageStatus.QUEUED: "#9aa7ad",
    ImageStatus.FAILED: "#d0493b",
    ImageStatus.NEW: "#d4dfe2",
}
_WORDS = {ImageStatus.NEW: "not segmented"}


def pages(services: Services, projects: Sequence[Project], name_part: str) -> None:
    """Draw projects as cards, a few to a page, or a sentence where no name contains ``name_part``."""
    if not projects:
        st.text(f"No project's name contains “{name_part}”.")
    count = max(1, -(-len(projects) // PER_PAGE))
    page = st.pagination(count, key="cards", bind="query-params") if count > 1 else 1
    columns = st.columns(3)
    for number, project in enumerate(projects[(page - 1) * PER_PAGE : page * PER_PAGE]):
        with columns[number % 3]:
            card(services, project)


def card(services: Services, project: Project) -> None:
    """Draw one project."""
    with st.container(border=True, key=f"card-{project.id}"):
        with st.container(
            horizontal=True,
            vertical_alignment="center",
            horizontal_alignment="distribute",
            key=f"card-head-{project.id}",
        ):
            st.markdown(f"**{plain(project.name)}**")
            if services.principal.reaches(project.id, Level.OWN):
                sharing.button(services, project)
                _menu(services, project)
        st.html(_pictures(project) + _bar(project))
        st.caption(_sentence(project))
        opened = st.button(
            "Open",
            key=f"open-{project.id}",
            type="primary",
            width="stretch",
            on_click=choose,
            args=(project.id,),
        )
        if opened:
            go("images.py")


def count_words(project: Project) -> str:
    """Return the counts in words: “380 done · 3 failed”."""
    return " · ".join(
        f"{count} {_WORDS.get(status, status.value)}"
        for status in (*_COLOURS,)
        if (count := project.counts.get(status, 0))
    )


def _menu(services: Services, project: Project) -> None:
    with st.popover("", icon=":material/more_horiz:", type="tertiary", help="Rename or delete"):
        if st.button("Rename", icon=":material/edit:", key=f"rename-{project.id}", type="tertiary"):
            dialogs.rename_project(services, project)
        if st.button("Delete", icon=":material/delete:", key=f"delete-{project.id}", type="tertiary"):
            dialogs.delete_project(services, project)


def _sentence(project: Project) -> str:
    if not project.n_images:
        return f"No images yet  \nMade {times.moment(project.created_at)}"
    when = times.moment(project.last_activity) if project.last_activity else ""
    return f"{plural(project.n_images, 'image')}: {count_words(project)}  \nLast added {when}"


def _pictures(project: Project) -> str:
    # Ids are our own hexadecimal digests, so nothing typed by a user stands in this markup.
    tiles = "".join(
        f'<img src="/thumbs/{image_id}" alt="" '
        'style="width:23%;aspect-ratio:1;object-fit:cover;border-radius:6px;background:#8884"/>'
        for image_id in project.thumbnails
    )
    empty = '<span style="width:23%;aspect-ratio:1;border-radius:6px;background:#8882"></span>'
    tiles += empty * (4 - len(project.thumbnails))
    return f'<div style="display:flex;gap:2.6%">{tiles}</div>'


def _bar(project: Project) -> str:
    parts = "".join(
        f'<span title="{count} {status.value}" style="flex:{count};background:{colour}"></span>'
        for status, colour in _COLOURS.items()
        if (count := project.counts.get(status, 0))
    )
    return (
        '<div style="display:flex;height:6px;border-radius:3px;overflow:hidden;margin-top:10px;'
        f'background:#8882">{parts}</div>'
    )

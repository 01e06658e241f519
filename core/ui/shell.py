"""The frame of every page: title, margins, sidebar, and the timing of its run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

import streamlit as st

from core.images import formats
from core.models import ImageStatus, Project
from core.monitoring import COLD, FAILED, OK, Kind
from core.monitoring.garbage import freeze_loaded
from core.services import Services
from core.ui import project_switcher, times, visitor
from core.ui.components import queue_progress, uploads
from core.ui.components.asset_files import ASSETS
from core.ui.components.changes import redrawn_on_change
from core.ui.components.page_keys import page_keys
from core.ui.feedback import plural
from core.ui.format import plain as plain  # noqa: PLC0414 - pages find it here

REFRESH_SECONDS = 2.0
SIDEBAR_PX = 230
_WAITED = "seconds waited"
# Streamlit's own margins leave a table a third of a laptop's screen.
_TIGHT = """<style>
.stMainBlockContainer {padding: 2.2rem 1.25rem 2rem}
.stMainBlockContainer h1 {font-size: 1.9rem; padding: 0 0 0.4rem}
.stMainBlockContainer h2 {font-size: 1.35rem; padding: 0.4rem 0}
.st-key-preview-line button {min-height: 2rem; padding: 0 0.6rem}
.st-key-image-header, .st-key-image-status, .st-key-image-page {margin-bottom: -0.5rem}
.st-key-image-header h1 {font-size: 1.25rem; padding: 0; overflow-wrap: anywhere}
.st-key-image-page h1 {font-size: 1.35rem; padding: 0; overflow-wrap: anywhere}
.st-key-image-side {max-height: calc(100dvh - 9.5rem); overflow-y: auto; overflow-x: hidden}
.st-key-image-side .stColumn {min-width: 8rem}
@media (max-width: 60rem) {
  .st-key-image-page .stHorizontalBlock:has(.st-key-image-side) {flex-direction: column}
  .st-key-image-page .stHorizontalBlock:has(.st-key-image-side) > .stColumn {width: 100%; flex: 1 1 auto}
  .st-key-image-side {max-height: none}
}
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {color: inherit; opacity: 1}
[data-testid="stCaptionContainer"] p {color: color-mix(in srgb, currentColor 78%, transparent)}
[data-variant="segmented_control"][data-selected] p, [role="tab"][data-selected] p {
  font-weight: 600; color: light-dark(#0f6e84, #6cc9de)}
[class*="st-key-card-head-"] {flex-wrap: nowrap}
[class*="st-key-card-head-"] > :first-child {min-width: 0; overflow-wrap: anywhere}
.stSidebar [data-testid="stSidebarHeader"] {margin-bottom: 0.25rem}
.stSidebar [data-testid="stSidebarNavLink"] {margin: 0; min-height: 1.7rem; height: 1.7rem}
.stSidebar [data-testid="stNavSectionHeader"] {margin: 0.2rem 0 0.1rem}
.stSidebar [data-testid="stVerticalBlock"] {gap: 0.6rem}
.stSidebar [data-testid="stText"], .stSidebar .stHtml {font-size: 0.875rem}
#spheroscope-drop {position: fixed; inset: 0; z-index: 999991; pointer-events: none; padding: 2rem;
  display: grid; place-items: center; font-size: 1.4rem; font-weight: 600; text-align: center;
  color: light-dark(#0f6e84, #6cc9de); background: light-dark(rgb(255 255 255 / 82%), rgb(17 25 29 / 82%));
  border: 4px dashed currentColor}
#spheroscope-drop[hidden] {display: none}
#spheroscope-drop.refused {color: light-dark(#8f3d00, #f0b155)}
g[class*="highlighted_points_marks"] {display: none} /* a picture without a name, for no more than a hover */
.stMain:focus, .stMain:focus-visible {outline: none; box-shadow: none}
.stMain:focus-visible h1 {outline: 2px solid currentColor; outline-offset: 4px; border-radius: 4px}
:has(> .st-key-unseen), :has(> [class*="st-key-hidden-"]) {display: none}
</style>"""


def configure() -> None:
    """Title, icon and margins; the first call of every run."""
    icon = str(ASSETS / "icon.svg")
    st.set_page_config("Spheroscope", icon, layout="wide", initial_sidebar_state=SIDEBAR_PX)
    st.html(_TIGHT)
    st.logo(str(ASSETS / "logo.svg"), icon_image=icon, size="large")


def name_page(*parts: str) -> None:
    """Name the page in the browser's title, first what it shows: “A05_day3 · Melanoma · Spheroscope”."""
    names = [formats.without_suffix(part) for part in parts]
    st.set_page_config(page_title=" · ".join([*names, "Spheroscope"]))


def sidebar(services: Services, page: str) -> None:
    """Draw the sidebar of a page, by its title."""
    with st.sidebar:
        project_switcher.draw(services)
        queue_progress.progress(services)
        times.choose()
        page_keys(page)
        visitor.draw(services)
        uploads.tray(services)


@contextmanager
def recorded(services: Services, page: str) -> Iterator[None]:
    """Record the run of a page by its title; going on to another page, or stopping early, is no failure.

    The first run of a page since the start is cold: it loads what later runs find.
    """
    freeze_loaded()
    first = services.recorder.is_first(Kind.PAGE, page)
    waits: list[float] = []
    st.session_state[_WAITED] = waits  # not to be asked for again: in a run that is stopped, that raises
    start, outcome = time.perf_counter(), COLD if first else OK
    try:
        yield
    except Exception:
        outcome = FAILED
        raise
    finally:
        seconds = time.perf_counter() - start - sum(waits)
        services.recorder.record(Kind.PAGE, page, seconds * 1000, outcome)


@contextmanager
def awaited() -> Iterator[None]:
    """Wait for work that the visitor asked for and watches: no time of the page's run."""
    waits, start = st.session_state[_WAITED], time.perf_counter()
    try:
        yield
    finally:
        waits.append(time.perf_counter() - start)


def go(page: str, **params: str) -> NoReturn:
    """Open another page; parameters bound to widgets follow by themselves and must not be named."""
    # An empty mapping passes where None would be refused, as it would clear what is bound to a widget.
    st.switch_page(page, query_params=params)


def number_in_url(name: str) -> int | None:
    """Return a whole number of the query string; None without one."""
    text = st.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def live_counts(services: Services, project: Project, words: Callable[[Project], str]) -> None:
    """Draw one line with the project's counts; it changes with the table, whoever changes that."""
    busy = _busy(project)
    # Drawn first of what the page has read already; later, of what is read then.
    line = partial(_counts_line, services, [project], project.id, words, busy)
    redrawn_on_change(line, "counts", REFRESH_SECONDS if busy else None)


def _counts_line(
    services: Services, read: list[Project], project_id: str, words: Callable[[Project], str], was_busy: bool
) -> None:
    project = read.pop() if read else services.store.projects.get(project_id)
    size = f"{project.um_per_px:.4g} µm/px by default" if project.um_per_px else ""
    if not project.n_images:
        may_add = visitor.may_edit(services, project)
        drop = " Drop them below: every spheroid is outlined in the background." if may_add else ""
        st.text(f"No images yet.{drop}")
        return
    parts = [f"**{plural(project.n_images, 'image')}**", words(project), size]
    st.caption(" · ".join(part for part in parts if part))
    if was_busy and not _busy(project):
        st.rerun()


def _busy(project: Project) -> bool:
    return bool(project.counts[ImageStatus.QUEUED] or project.counts[ImageStatus.RUNNING])

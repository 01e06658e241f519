"""Uploads in the browser: the drop zone, and the tray with what becomes of each file, which is on every page.

The browser sends files to ``POST /api/projects/{id}/images`` by itself, so it goes on while one visits other
pages; no script runs for it but once when files have been stored (assets/uploads_*.js).
"""

from __future__ import annotations

import json

import streamlit as st

from core.images import formats
from core.models import Project
from core.services import Services
from core.ui import project_switcher, visitor
from core.ui.components.asset_files import asset

SCRIPTS = ("uploads_keeper.js", "uploads_queue.js", "uploads_drops.js", "uploads_tray.js")

SEGMENT = "segment-on-upload"  # key of the switch: whether files are segmented as they arrive


def tray(services: Services) -> None:
    """Put the tray on the page, in sight only while there are uploads or problems with one."""
    with st.container(key="hidden-uploads"):
        _TRAY(
            key="uploads",
            data={"mostBytes": services.settings.limits.max_bytes, **_dropped(services)},
            on_settled_change=lambda: None,
        )


def drop_zone(services: Services, project: Project, *, segment: bool, key: str) -> None:
    """Draw the zone that takes files and folders into a project."""
    _ZONE(
        key=key,
        data={
            "formats": f"{formats.NAMES}, up to {services.settings.max_upload_mb} MB each; "
            "every page of a multi-page TIFF becomes an image",
            "suffixes": sorted(formats.SUFFIXES),
            "target": _target(services, project, segment),
        },
    )


def _dropped(services: Services) -> dict[str, object]:
    """Return where files go that are dropped beside the zone: to the page's project, if there is one."""
    dropped: dict[str, object] = {"target": None, "refusal": "", "suffixes": sorted(formats.SUFFIXES)}
    project = next((item for item in project_switcher.listed() if item.id == project_switcher.chosen()), None)
    if project is None:
        return dropped | {
            "refusal": "Choose a project in the sidebar, or make one, then drop the files again."
        }
    if not visitor.may_edit(services, project):
        return dropped | {"refusal": f"You may look at {project.name}, but not add images to it."}
    segment = st.session_state.get(SEGMENT, True)
    return dropped | {"target": _target(services, project, segment)}


def _target(services: Services, project: Project, segment: bool) -> dict[str, object]:
    """Return what the browser needs to send files to a project."""
    return {
        "project": project.id,
        "projectName": project.name,
        "segment": segment,
        "by": visitor.name(services),
    }


_TRAY = st.components.v2.component(
    "spheroscope_uploads",
    html="",
    css="",
    js="\n".join([f"const STYLE = {json.dumps(asset('uploads.css'))};", *(asset(name) for name in SCRIPTS)]),
)
_ZONE = st.components.v2.component(
    "spheroscope_drop_zone",
    html=asset("drop_zone.html"),
    css=asset("button.css") + asset("drop_zone.css"),
    js=asset("drop_zone.js"),
)

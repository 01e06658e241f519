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
from core.ui import visitor
from core.ui.components.viewer import asset

SCRIPTS = ("uploads_keeper.js", "uploads_queue.js", "uploads_tray.js")


def tray(services: Services) -> None:
    """Put the tray on the page, in sight only while there are uploads or problems with one."""
    with st.container(key="hidden-uploads"):
        _TRAY(
            key="uploads",
            data={"mostBytes": services.settings.limits.max_bytes},
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
            "target": {
                "project": project.id,
                "projectName": project.name,
                "segment": segment,
                "by": visitor.name(services),
            },
        },
    )


_TRAY = st.components.v2.component(
    "spheroscope_uploads",
    html="",
    css="",
    js="\n".join([f"const STYLE = {json.dumps(asset('uploads.css'))};", *(asset(name) for name in SCRIPTS)]),
)
_ZONE = st.components.v2.component(
    "spheroscope_drop_zone",
    html=asset("drop_zone.html"),
    css=asset("drop_zone.css"),
    js=asset("drop_zone.js"),
)

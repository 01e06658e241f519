"""Keyboard focus on the first field of a dialog, which Streamlit has no option for."""

from __future__ import annotations

import streamlit as st

from core.ui.components.asset_files import asset


def focus_first_field() -> None:
    """Focus the first field of the dialog that is being drawn; draws nothing itself."""
    with st.container(key="hidden-focus"):
        _COMPONENT(key="focus")


_COMPONENT = st.components.v2.component("spheroscope_focus", html="", css="", js=asset("focus.js"))

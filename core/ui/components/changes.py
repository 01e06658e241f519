"""Draws a part of a page anew when somebody changes something in another window."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.ui.components.asset_files import asset


def redrawn_on_change(draw: Callable[[], None], key: str, seconds: float | None = None) -> None:
    """Draw a part of a page now, whenever the page's table notices a change, and every ``seconds``.

    Only this part runs then, so dialogs stay open and selections stay as they are.
    """

    def part() -> None:
        draw()
        with st.container(key=f"hidden-{key}"):
            _COMPONENT(key=f"changes-{key}", data={"key": key}, on_changed_change=lambda: None)

    st.fragment(run_every=seconds)(part)()


_COMPONENT = st.components.v2.component("spheroscope_changes", html="", css="", js=asset("changes.js"))

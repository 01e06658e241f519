"""Messages of the pages: errors in words, empty states with one next step, deletions that can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import SpheroscopeError

_UNDO = "undo offer"


@contextmanager
def explained(*, stop: bool = False) -> Iterator[None]:
    """Show one of the app's errors as a sentence, not a traceback; with ``stop``, the page ends there."""
    try:
        yield
    except SpheroscopeError as error:
        st.error(error.message, icon=":material/error:")
        if stop:
            st.stop()


def empty(title: str, sentence: str, *, alone: bool = False) -> None:
    """Draw an empty state: a heading and a sentence; the caller draws the one button below.

    ``alone`` where the page has no title besides it.
    """
    (st.title if alone else st.header)(title, anchor=False)
    st.text(sentence)


def offer_undo(text: str, undo: Callable[[], object]) -> None:
    """Keep how to undo what was just done, for ``show_undo`` to offer."""
    st.session_state[_UNDO] = (text, undo)


def show_undo() -> None:
    """Draw the offer to undo the last deletion, until it is dismissed."""
    if _UNDO not in st.session_state:
        return
    text, undo = st.session_state[_UNDO]
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.text(text)
        if st.button("Undo", icon=":material/undo:", type="primary", key="undo"):
            del st.session_state[_UNDO]
            with explained():
                undo()
                st.rerun()
        if st.button("Trash", icon=":material/delete:", type="tertiary", key="undo-trash"):
            st.switch_page("trash.py", query_params={})
        if st.button("Dismiss", type="tertiary", key="undo-dismiss"):
            del st.session_state[_UNDO]
            st.rerun()


def plural(count: int, noun: str) -> str:
    """Return a number with its noun: “1 image”, “24 images”."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

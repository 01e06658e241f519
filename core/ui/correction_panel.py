"""Correcting outlines on the image page: who may, how the editor opens, corrections that nobody has ended."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.clock import utc_now
from core.models import Image, Project
from core.services import Services
from core.store.corrections import DiscardedDraft, Unfinished
from core.ui import times, visitor
from core.ui.components.editor import EditorOptions
from core.ui.feedback import explained, plural
from core.ui.shell import plain

EDIT = "edit"  # in the address of the image page: it opens with the editor
SHOWN = 5  # discarded corrections; the API lists all
AT_WORK = timedelta(minutes=5)  # whoever made a change this recently is still at it


def editor_options(services: Services, project: Project, image: Image) -> EditorOptions | None:
    """Return what opens the editor; None for those who may only look."""
    if not visitor.may_edit(services, project):
        return None
    optional = not project.review.needs_reason(services.settings.correction_reason)
    return EditorOptions(image.id, image.version_id, EDIT in st.query_params, optional)


def remember_editing(editing: bool) -> None:
    """Keep in the address whether the outlines are being corrected, so that a reload goes on with it."""
    if editing:
        st.query_params[EDIT] = "1"
    else:
        st.query_params.pop(EDIT, None)


def unfinished_line(services: Services, project: Project, image: Image) -> None:
    """Draw whose correction nobody has ended, with what can be done; nothing while the editor is open."""
    if EDIT in st.query_params:
        return
    unfinished = services.corrections.unfinished(image.id)
    if unfinished is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="unfinished"):
        st.markdown(f":material/edit_note: {words(unfinished)}", width="stretch")
        if not visitor.may_edit(services, project):
            return
        if st.button("Continue", type="primary", key="continue-correction"):
            remember_editing(True)
            st.rerun()
        if st.button("Discard", key="discard-correction"):
            _discard(services, image, unfinished)


def words(unfinished: Unfinished) -> str:
    """Return whose correction it is, since when, and how much of it there is."""
    people = plain(" and ".join(unfinished.authors))
    changes = plural(unfinished.n_changes, "change")
    if utc_now() - unfinished.changed_at < AT_WORK:
        return f"**Being corrected now** by {people}: {changes} since {times.moment(unfinished.began_at)}."
    return (
        f"**Unfinished correction** by {people}, from {times.moment(unfinished.changed_at)}: {changes}. "
        "The result does not have them until somebody presses Done."
    )


@st.dialog("Discard this correction?")
def _discard(services: Services, image: Image, unfinished: Unfinished) -> None:
    name = visitor.name(services)
    if others := [author for author in unfinished.authors if author != name]:
        st.warning(f"It has changes by {plain(' and '.join(others))}.", icon=":material/group:")
    st.markdown(
        f"{words(unfinished)} They will not come into the result. *History* keeps them, "
        "and can take the correction up again."
    )
    if st.button("Discard", type="primary", key="really-discard"):
        with explained():
            services.corrections.discard(image.id, unfinished.revision, name)
            st.rerun()


def discarded_corrections(services: Services, project: Project, image: Image) -> None:
    """Draw the corrections that were given up, each with what takes it up again; nothing without any."""
    drafts = services.corrections.discarded(image.id)
    for draft in drafts[:SHOWN]:
        with st.container(border=True, key=f"discarded-{draft.id}"):
            st.markdown(f"Discarded correction · {times.moment(draft.discarded_at)}")
            st.caption(discarded_words(draft))
            if not visitor.may_edit(services, project) or EDIT in st.query_params:
                continue
            if st.button("Take up again", icon=":material/edit_note:", key=f"reopen-{draft.id}"):
                with explained():
                    services.corrections.reopen(image.id, draft.id, visitor.name(services))
                    remember_editing(True)
                    st.rerun()
    if len(drafts) > SHOWN:
        st.caption(f"and {len(drafts) - SHOWN} older discarded corrections")


def discarded_words(draft: DiscardedDraft) -> str:
    """Return who gave a correction up, and what it had."""
    people = plain(" and ".join(draft.authors))
    changes = plural(draft.n_changes, "change")
    return (
        f"{changes} by {people}, begun {times.moment(draft.began_at)}; "
        f"discarded by {plain(draft.discarded_by)}. Taken up again, it goes on where it was left."
    )

"""One's own account: password, sessions, API tokens."""

from __future__ import annotations

import streamlit as st

from core.accounts import AccessMode, Scope
from core.accounts.access_management import OwnAccount
from core.accounts.passwords import MIN_CHARACTERS
from core.errors import InvalidRequest
from core.services import Services
from core.ui import project_switcher, times
from core.ui.feedback import explained
from core.ui.shell import plain

_TOKEN = "new token"  # in the session: shown until it is dismissed
DAYS = (30, 90, 365)
SCOPES = {Scope.READ: "Read", Scope.WRITE: "Read and change"}


def management(services: Services) -> OwnAccount:
    """Return what the visitor may do about their account."""
    return OwnAccount(services.access, services.principal)


def password(services: Services) -> None:
    """Draw the form that changes one's password; nothing where people sign in elsewhere."""
    if services.access.rules.mode is not AccessMode.LOCAL:
        return
    st.header("Password", anchor=False)
    with st.form("password", clear_on_submit=True, width=420):
        old = st.text_input("Current password", type="password", max_chars=200)
        new = st.text_input(
            "New password",
            type="password",
            max_chars=200,
            help=f"At least {MIN_CHARACTERS} characters: a few words that do not belong together",
        )
        repeated = st.text_input("Repeat the password", type="password", max_chars=200)
        if st.form_submit_button("Change password", type="primary"):
            with explained():
                if new != repeated:
                    raise InvalidRequest("The two new passwords are not the same.")
                management(services).change_password(old, new)
                st.success("Your password is changed. Other browsers have been signed out.")


def sessions(services: Services) -> None:
    """List one's sessions, each but this one with a button that ends it."""
    sessions = management(services).sessions()
    if not sessions:
        return
    st.header("Signed in", anchor=False)
    for session in sessions:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            is_current = services.principal.key == f"session:{session.id}"
            st.text(browser_name(session.browser) + (", this browser" if is_current else ""), width=280)
            st.caption(f"from {session.address} · last used {times.moment(session.seen_at)}")
            st.space("stretch")
            if not is_current and st.button("End", key=f"end-{session.id}"):
                with explained():
                    management(services).end_session(session.id)
                    st.rerun()


def tokens(services: Services) -> None:
    """Draw one's API tokens and the form that makes one."""
    st.header("API tokens", anchor=False)
    st.caption(
        "For scripts: they act in your name, with at most your rights. Send one as Authorization: Bearer …"
    )
    if _TOKEN in st.session_state:
        with st.container(border=True):
            st.markdown("**Copy the token now.** It is not shown again; only a digest of it is stored.")
            st.code(st.session_state[_TOKEN], language=None)
            if st.button("Done", key="token-done"):
                del st.session_state[_TOKEN]
                st.rerun()
    names = {project.id: project.name for project in project_switcher.listed()}
    for token in management(services).tokens():
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.text(token.name, width=200)
            scope_words = (
                "all your projects"
                if token.project_id is None
                else names.get(token.project_id, "one project")
            )
            until = f"until {token.expires_at:%d %b %Y}"
            st.caption(f"{SCOPES[token.scope]} · {plain(scope_words)} · {until}")
            st.space("stretch")
            if st.button("Revoke", key=f"revoke-{token.id}"):
                with explained():
                    management(services).revoke_token(token.id)
                    st.rerun()
    with st.popover("New token", icon=":material/key:"):
        _token_form(services, names)


def _token_form(services: Services, names: dict[str, str]) -> None:
    with st.form("token", border=False, clear_on_submit=True):
        name = st.text_input("Name, such as the script's", max_chars=60)
        scope = st.selectbox("May", list(SCOPES), format_func=lambda item: SCOPES[item])
        places: list[str | None] = [None, *names]
        project_id = st.selectbox(
            "In", places, format_func=lambda key: "all my projects" if key is None else names[key]
        )
        days = st.selectbox("For", DAYS, format_func=lambda count: f"{count} days")
        if st.form_submit_button("Make the token", type="primary"):
            with explained():
                st.session_state[_TOKEN] = management(services).add_token(name, scope, days, project_id)
                st.rerun()


def browser_name(agent: str) -> str:
    """Return the browser and the system that a User-Agent names: “Firefox on Windows”."""
    browsers = ("Edg", "Firefox", "Chrome", "Safari")  # Chrome says Safari as well, and Edge both
    systems = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux")
    browser = next((name for name in browsers if name in agent), "")
    system = next((name for name in systems if name in agent), "")
    words = {"Edg": "Edge", "Mac OS": "macOS"}
    parts = [words.get(name, name) for name in (browser, system) if name]
    return " on ".join(parts) or "A browser"

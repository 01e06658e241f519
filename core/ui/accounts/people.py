"""People: who has an account, what their role is, and links by which they choose their passwords."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.accounts import AccessMode, Role
from core.accounts.access_management import People
from core.accounts.accounts import Account
from core.services import Services
from core.ui.feedback import explained
from core.ui.shell import plain

ROLES = {
    Role.VIEWER: "Viewer: looks at what is shared with them",
    Role.MEMBER: "Member: makes projects of their own",
    Role.ADMIN: "Admin: reaches everything",
}
_LINK = "password link"  # in the session: a name and the link, shown until it is dismissed


def management(services: Services) -> People:
    """Return what the visitor may do about people."""
    return People(services.access, services.principal)


def add_button(services: Services) -> None:
    """Draw the button that adds somebody."""
    with st.popover("Add somebody", icon=":material/person_add:", type="primary"):
        _form(services)


def _form(services: Services) -> None:
    local = services.access.rules.mode is AccessMode.LOCAL
    with st.form("add somebody", border=False, clear_on_submit=True):
        name = st.text_input("Name, with which they sign in", max_chars=80)
        role = st.selectbox("Role", list(ROLES), index=1, format_func=lambda item: ROLES[item])
        if st.form_submit_button("Add", type="primary"):
            with explained():
                account, link = management(services).add(name, role)
                if local:
                    st.session_state[_LINK] = (account.name, link)
                st.rerun()


def show_link(services: Services) -> None:
    """Show a link that was just made, once: only its digest is stored."""
    if _LINK not in st.session_state:
        return
    name, link = st.session_state[_LINK]
    with st.container(border=True):
        st.markdown(
            f"**Give this link to {plain(name)}**, by a way that only they read. It lets them choose their "
            "password, once, within 48 hours. It is not shown again."
        )
        st.code(f"{base_address(services)}/access/password/{link}", language=None)
        if st.button("Done", key="link-done"):
            del st.session_state[_LINK]
            st.rerun()


def base_address(services: Services) -> str:
    """Return the address by which people reach the app."""
    if services.access.rules.public_url:
        return services.access.rules.public_url
    return f"http://{st.context.headers.get('host', 'localhost')}"


def table(services: Services) -> None:
    """List everybody, each with what an admin can do for them."""
    for account in management(services).list():
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"of-{account.id}"):
            st.text(account.name, width=260)  # an address would become a link in Markdown
            _role(services, account)
            st.caption(_state(account, services.access.rules.mode), width=190)
            st.space("stretch")
            _buttons(services, account)


def _state(account: Account, mode: AccessMode) -> str:
    if account.disabled:
        return ":red[disabled]"
    if mode is AccessMode.LOCAL and not account.has_password:
        return ":orange[has not chosen a password yet]"
    return f"since {account.created_at:%d %b %Y}"


def _role(services: Services, account: Account) -> None:
    key = f"role-{account.id}"

    def changed() -> None:
        with explained():
            management(services).set_role(account.id, st.session_state[key])

    st.selectbox(
        f"Role of {plain(account.name)}",
        list(Role),
        index=list(Role).index(account.role),
        format_func=str.capitalize,
        key=key,
        on_change=changed,
        label_visibility="collapsed",
        width=140,
        disabled=account.disabled,
    )


def _buttons(services: Services, account: Account) -> None:
    if account.disabled:
        _button("Enable", f"enable-{account.id}", lambda: management(services).enable(account.id))
        return
    if services.access.rules.mode is AccessMode.LOCAL:
        label = "New password link" if account.has_password else "New link"

        def reset() -> None:
            st.session_state[_LINK] = (account.name, management(services).reset(account.id))

        _button(label, f"reset-{account.id}", reset)
    own = account.id == services.principal.account_id
    if not own:
        _button("Disable", f"disable-{account.id}", lambda: management(services).disable(account.id))


def _button(label: str, key: str, change: Callable[[], None]) -> None:
    if st.button(label, key=key):
        with explained():
            change()
            st.rerun()

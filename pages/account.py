"""One's own account: password, sessions, API tokens."""

import streamlit as st

from core.services import get_services
from core.ui.accounts import own

services = get_services()
st.title("Your account", anchor=False)
if services.principal.account_id is None:
    st.text("You look at one project by a link, and have no account here.")
    st.stop()
own.password(services)
own.sessions(services)
own.tokens(services)

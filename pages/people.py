"""People: accounts, roles, and links by which passwords are chosen."""

import streamlit as st

from core.services import get_services
from core.ui.accounts import people

services = get_services()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("People", anchor=False)
    people.add_button(services)
people.show_link(services)
people.table(services)

"""The audit: who signed in, uploaded, segmented, exported, deleted, and changed access."""

import streamlit as st

from core.services import get_services
from core.ui.accounts import audit

services = get_services()
st.title("Audit", anchor=False)
audit.draw(services)

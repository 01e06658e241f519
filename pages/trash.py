"""Trash: deleted images and projects, and restoring them."""

import streamlit as st

from core.services import get_services
from core.ui import trash_panel
from core.ui.feedback import plural

services = get_services()
st.title("Trash", anchor=False)
st.caption(
    f"Deleted images and projects stay here for {plural(services.settings.undo_days, 'day')} with all their "
    "results, then they are deleted for good."
)
trash_panel.trash_panel(services)

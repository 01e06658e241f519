"""Help: the tutorial and all other documentation, readable without the internet."""

import streamlit as st

from core.ui import handbook

st.title("Help", anchor=False)
handbook.draw()

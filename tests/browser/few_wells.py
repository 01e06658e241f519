"""Streamlit's command line, with a demo plate of four wells where all 96 would prove no more."""

from __future__ import annotations

from streamlit.web.cli import main

from core.demo import plate

WELLS = {"ROWS": "A", "COLUMNS": range(2, 6)}  # vehicle and three doses
N_IMAGES = 4 * len(plate.DAYS)

if __name__ == "__main__":
    vars(plate).update(WELLS)
    main(prog_name="streamlit")

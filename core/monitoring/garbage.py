"""Garbage collection kept short: what is loaded for good is left out of it."""

from __future__ import annotations

import gc
import sys

NEW_MODULES = 50
_frozen = {"modules": -NEW_MODULES}  # how many were loaded when it was last done


def freeze_loaded() -> None:
    """Exclude what has been loaded for good from garbage collection.

    Streamlit collects all garbage after every run of a script, which costs 50 to 90 ms a run with torch
    loaded, and 3 to 5 ms once it is set aside. It is loaded with the first image, so pages call this at every
    run.
    """
    loaded = len(sys.modules)
    if loaded >= _frozen["modules"] + NEW_MODULES:
        gc.collect()
        gc.freeze()
        _frozen["modules"] = loaded

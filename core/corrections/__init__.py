"""Outlines that people correct: operations, drafts that survive, finished corrections as versions.

The label image at native resolution is the truth; an operation changes whole objects of it and is stored at
once. ``regions``, ``operations``, ``drafts``, ``splitting`` and ``clicks`` are pure functions of values.
"""

from __future__ import annotations

from core.corrections.drafts import Draft, Entry
from core.corrections.operations import Change, NewRegion, Tool
from core.corrections.regions import Region, labels_of, regions_of

__all__ = ["Change", "Draft", "Entry", "NewRegion", "Region", "Tool", "labels_of", "regions_of"]

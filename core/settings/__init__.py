"""Settings of an installation: every limit and switch, and how the memory is divided among the parts.

They are read once, from the environment, and passed in everywhere; nothing here is global.
"""

from __future__ import annotations

from core.settings.memory_budget import MemoryBudget
from core.settings.settings import ROOT, Settings

__all__ = ["ROOT", "MemoryBudget", "Settings"]

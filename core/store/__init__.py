"""The repository: one class a table, and the few operations that touch several of them.

Names of SQL statements go in, models come out. The rest of the program reaches the database through here.
"""

from __future__ import annotations

from core.store.images import NewImage
from core.store.recipe import JobRequest, Recipe
from core.store.store import PAGE_INDEX_BYTES, Store

__all__ = ["PAGE_INDEX_BYTES", "JobRequest", "NewImage", "Recipe", "Store"]

"""The repository of the database: one class for each table, and the operations that touch several of them.

Statements of ``core/db/sql`` are run here and models are returned; no other room runs them.
"""

from __future__ import annotations

from core.store.images import NewImage
from core.store.recipe import JobRequest, Recipe
from core.store.store import PAGE_INDEX_BYTES, Store
from core.store.uploads import NewUpload, UploadBatch

__all__ = ["PAGE_INDEX_BYTES", "JobRequest", "NewImage", "NewUpload", "Recipe", "Store", "UploadBatch"]

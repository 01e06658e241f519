"""Counts of changes by project: part of the keys of cached values."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from core.db import Database
from core.db.session import ExecutedStatement, Session
from core.listing.page_index import changed_images

PROJECTS = "projects"  # stands in place of a project's id for the rows of all projects, not their images
READING = frozenset({"projects.list", "projects.totals", "projects.pixel_size", "projects.same_name"})


class ProjectGenerations:
    """Counts the commits that changed each project, before their callers return."""

    def __init__(self, db: Database) -> None:
        self._start = f"{time.time_ns():x}"  # never the same again after a restart
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        db.add_commit_hook(self._on_commit)

    def of(self, project_id: str) -> str:
        """Return a text that differs after every change of the project, its images or their results.

        Get it before reading what is cached under it: then it can be too old, never too new.
        """
        return f"{self._start}.{self._counts[project_id]}"

    def cache_key(self, project_id: str) -> str:
        """Return a cache's key for what is read of this project now; get it before reading."""
        return f"{project_id}:{self.of(project_id)}"

    @contextmanager
    def _on_commit(self, _session: Session, executed: Sequence[ExecutedStatement]) -> Iterator[None]:
        changed = set(changed_images(executed))
        changed |= {
            row["id"]
            for name, rows in executed
            if name.startswith("projects.")
            for row in rows
            if "id" in row
        }
        if any(name.startswith("projects.") and name not in READING for name, _ in executed):
            changed.add(PROJECTS)
        try:
            yield
        finally:  # of a commit that failed, too: whatever became of it, nothing older is called current
            with self._lock:
                self._counts.update(changed)

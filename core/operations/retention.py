"""Retention, while the app runs: deletes rows whose time is over, then files that no row names any more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.files.blobs import FOLDERS, Blobs
from core.store.retention import RetentionStore

log = logging.getLogger(__name__)

PURGE_SECONDS = 3600.0
SWEEP_SECONDS = 60.0  # one of 256 folders, so that files go within five hours
SAFE_AGE_SECONDS = 6 * 3600.0  # longer than any upload or result takes from its file to its row


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """Days for which deleted images and projects, and superseded versions, can be restored."""

    undo_days: int
    keep_versions_days: int


class Retention:
    """Purges rows every hour and sweeps one folder of files a minute. Only for one thread."""

    def __init__(
        self,
        store: RetentionStore,
        blobs: Blobs,
        rules: RetentionRules,
        clock: Callable[[], float] = time.monotonic,
        safe_age_seconds: float = SAFE_AGE_SECONDS,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._rules = rules
        self._clock = clock
        self._safe_age_seconds = safe_age_seconds
        self._purge_at = self._sweep_at = clock()
        self._folder = 0

    def run_due(self) -> None:
        """Do what is due by the clock."""
        now = self._clock()
        if now >= self._purge_at:
            self._purge_at = now + PURGE_SECONDS
            self.purge()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_SECONDS
            self.sweep(FOLDERS[self._folder])
            self._folder = (self._folder + 1) % len(FOLDERS)

    def purge(self) -> None:
        """Delete the rows whose time is over."""
        deleted = self._store.purge_deleted(self._rules.undo_days)
        superseded = self._store.purge_superseded(self._rules.keep_versions_days)
        versions = deleted.versions + superseded.versions
        if deleted.images or versions:
            log.info("event=retention.purged images=%d versions=%d", deleted.images, versions)

    def sweep(self, folder: str) -> None:
        """Delete the files of one folder that nothing names."""
        if files := self._blobs.sweep(folder, self._store.unneeded, self._safe_age_seconds):
            log.info("event=retention.swept folder=%s files=%d", folder, files)

"""Folder of finished archives: a zip and a JSON description of each, deleted after a time.

An archive exists once its description does. Other files found at the start are remains of a killed process.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.errors import StorageError
from core.export.request import Export, ExportState, Part


@dataclass(frozen=True, slots=True)
class StoredArchive:
    """A finished archive, its request's ``key`` and the database's ``generation`` when it was begun."""

    export: Export
    key: str
    generation: int


class ArchiveStore:
    """Finished archives in one folder."""

    def __init__(self, folder: Path, keep: timedelta) -> None:
        self._folder = folder
        self._keep = keep
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The folder {folder} cannot be made: {error.strerror}.") from error

    def work(self, export_id: str) -> Path:
        """Create a folder to make an archive in."""
        path = self._folder / f"{export_id}.work"
        path.mkdir()
        return path

    def discard(self, work: Path) -> None:
        """Delete a folder of ``work``."""
        shutil.rmtree(work, ignore_errors=True)

    def put(self, work: Path, stored: StoredArchive) -> StoredArchive:
        """Store ``work``/archive.zip; return it with its size and expiry."""
        archive, target = work / "archive.zip", self.path(stored.export.id)
        with archive.open("rb") as file:
            os.fsync(file.fileno())
        archive.replace(target)
        description = work / "about.json"
        description.write_text(json.dumps(asdict(stored), default=str), encoding="utf-8")
        description.replace(target.with_suffix(".json"))
        return self._measured(stored)

    def path(self, export_id: str) -> Path:
        """Return the path of an archive."""
        return self._folder / f"{export_id}.zip"

    def touch(self, stored: StoredArchive) -> StoredArchive:
        """Restart the time until an archive expires; return it.

        Raises:
            FileNotFoundError: it has been deleted.
        """
        os.utime(self.path(stored.export.id))
        return self._measured(stored)

    def remove(self, export_id: str) -> None:
        """Delete an archive; open downloads of it continue."""
        for suffix in (".json", ".zip"):
            self.path(export_id).with_suffix(suffix).unlink(missing_ok=True)

    def load(self) -> list[StoredArchive]:
        """Return the archives that earlier processes finished; delete all other files."""
        stored = list(self._described())
        files = {f"{item.export.id}{suffix}" for item in stored for suffix in (".json", ".zip")}
        for path in self._folder.iterdir():
            if path.is_dir():
                self.discard(path)
            elif path.name not in files:
                path.unlink(missing_ok=True)
        return stored

    def to_delete(
        self, archives: Iterable[StoredArchive], now: datetime, max_bytes: int
    ) -> list[StoredArchive]:
        """Return expired archives, and the oldest of the others if all take more than ``max_bytes``."""
        newest = sorted(archives, key=lambda item: item.export.expires_at or now, reverse=True)
        expired, total = [], 0
        for item in newest:
            total += item.export.n_bytes
            if total > max_bytes or (item.export.expires_at or now) <= now:
                expired.append(item)
                total -= item.export.n_bytes
        return expired

    def _described(self) -> Iterator[StoredArchive]:
        for path in self._folder.glob("*.json"):
            try:
                yield self._measured(_from_json(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # cut short or of another version: it counts as not finished

    def _measured(self, stored: StoredArchive) -> StoredArchive:
        stat = self.path(stored.export.id).stat()
        expires = datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None) + self._keep
        values = {name: getattr(stored.export, name) for name in Export.__slots__}
        export = Export(**values | {"n_bytes": stat.st_size, "expires_at": expires})
        return StoredArchive(export, stored.key, stored.generation)


def _from_json(document: dict[str, object]) -> StoredArchive:
    values = dict(document["export"])  # type: ignore[call-overload]
    values |= {
        "parts": tuple(Part(part) for part in values["parts"]),
        "state": ExportState(values["state"]),
        "created_at": datetime.fromisoformat(values["created_at"]),
        "expires_at": None,
    }
    return StoredArchive(Export(**values), str(document["key"]), int(str(document["generation"])))

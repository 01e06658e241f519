"""The folder of finished archives: each a zip and a JSON that says what it is; kept for a while, then swept.

An archive counts from the moment that its JSON is there; whatever else lies in the folder at the start was
left by a kill.
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
    """A finished archive; ``key`` is its request's, ``generation`` the database's when it was begun."""

    export: Export
    key: str
    generation: int


class ArchiveStore:
    """Zips and their descriptions under one folder."""

    def __init__(self, folder: Path, keep: timedelta) -> None:
        self._folder = folder
        self._keep = keep
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The folder {folder} cannot be made: {error.strerror}.") from error

    def work(self, export_id: str) -> Path:
        """A new folder to make an archive in."""
        path = self._folder / f"{export_id}.work"
        path.mkdir()
        return path

    def discard(self, work: Path) -> None:
        """Delete such a folder with all that is in it."""
        shutil.rmtree(work, ignore_errors=True)

    def put(self, work: Path, kept: StoredArchive) -> StoredArchive:
        """Keep ``work``/archive.zip; returns it with its size and how long it stays."""
        archive, target = work / "archive.zip", self.path(kept.export.id)
        with archive.open("rb") as file:
            os.fsync(file.fileno())
        archive.replace(target)
        about = work / "about.json"
        about.write_text(json.dumps(asdict(kept), default=str), encoding="utf-8")
        about.replace(target.with_suffix(".json"))
        return self._seen(kept)

    def path(self, export_id: str) -> Path:
        """Where an archive lies; ``export_id`` is one that was given out."""
        return self._folder / f"{export_id}.zip"

    def touch(self, kept: StoredArchive) -> StoredArchive:
        """Begin its time anew: it is being taken.

        Raises:
            FileNotFoundError: it is gone.
        """
        os.utime(self.path(kept.export.id))
        return self._seen(kept)

    def remove(self, export_id: str) -> None:
        """Delete an archive; whoever is taking it still gets it to its end."""
        for suffix in (".json", ".zip"):
            self.path(export_id).with_suffix(suffix).unlink(missing_ok=True)

    def take_stock(self) -> list[StoredArchive]:
        """What an earlier run has finished; everything that it has not is deleted."""
        found = list(self._described())
        files = {f"{item.export.id}{suffix}" for item in found for suffix in (".json", ".zip")}
        for path in self._folder.iterdir():
            if path.is_dir():
                self.discard(path)
            elif path.name not in files:
                path.unlink(missing_ok=True)
        return found

    def too_old(self, kept: Iterable[StoredArchive], now: datetime, max_bytes: int) -> list[StoredArchive]:
        """Those past their time, and the oldest of the others as long as all take more than ``max_bytes``."""
        newest = sorted(kept, key=lambda item: item.export.expires_at or now, reverse=True)
        gone, total = [], 0
        for item in newest:
            total += item.export.n_bytes
            if total > max_bytes or (item.export.expires_at or now) <= now:
                gone.append(item)
                total -= item.export.n_bytes
        return gone

    def _described(self) -> Iterator[StoredArchive]:
        for path in self._folder.glob("*.json"):
            try:
                yield self._seen(_kept(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, KeyError, TypeError):
                continue  # cut short or of another version: it counts as not finished

    def _seen(self, kept: StoredArchive) -> StoredArchive:
        stat = self.path(kept.export.id).stat()
        expires = datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None) + self._keep
        told = {name: getattr(kept.export, name) for name in Export.__slots__}
        export = Export(**told | {"n_bytes": stat.st_size, "expires_at": expires})
        return StoredArchive(export, kept.key, kept.generation)


def _kept(told: dict[str, object]) -> StoredArchive:
    about = dict(told["export"])  # type: ignore[call-overload]
    about |= {
        "parts": tuple(Part(part) for part in about["parts"]),
        "state": ExportState(about["state"]),
        "created_at": datetime.fromisoformat(about["created_at"]),
        "expires_at": None,
    }
    return StoredArchive(Export(**about), str(told["key"]), int(str(told["generation"])))

"""Watched folders: what an instrument writes below a project's folder is taken in once it is complete.

The folder of a project is the one in the setting WATCHED_ROOT that has the project's name. So whoever runs
the app says what may be read, and no visitor can name another folder of its computer.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import SpheroscopeError, StorageError
from core.files.blobs import pieces_of
from core.images.formats import SUFFIXES
from core.models import Project, Upload
from core.store import Batch, NewUpload, Store
from core.store.uploads import WATCHED_FOLDER
from core.uploads.uploads import Uploads

log = logging.getLogger(__name__)

TURN_SECONDS = 2.0  # after which the rest of the files waits for the next turn
_State = tuple[int, int]  # bytes, and time of the last change in nanoseconds


class WatchedFolders:
    """Takes files in, each state of a file once, also over restarts. Only for one thread."""

    def __init__(
        self, root: Path | None, store: Store, uploads: Uploads, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``root`` holds a folder for each project to be watched; None watches nothing."""
        self._root = root
        self._store = store
        self._uploads = uploads
        self._clock = clock
        self._seen: dict[Path, _State] = {}  # at the last turn
        self._taken: set[tuple[str, str]] = set()  # project and key

    def run(self) -> None:
        """Take in what is complete: files whose size and time have not changed since the last turn."""
        if self._root is None:
            return
        try:
            self._run(self._root)
        except SpheroscopeError as error:  # the next turn is a few seconds away
            log.warning("event=watched_folder.failed code=%s", error.code)

    def _run(self, root: Path) -> None:
        until, seen = self._clock() + TURN_SECONDS, dict[Path, _State]()
        for project in self._store.projects.list():
            folder = root / project.name
            if folder.parent != root or project.name == ".." or not folder.is_dir():
                continue
            for path, state in _files(folder):
                seen[path] = state
                if self._seen.get(path) == state and self._clock() < until:
                    self._take(project, folder, path, state)
        self._seen = seen

    def _take(self, project: Project, folder: Path, path: Path, state: _State) -> None:
        name = path.relative_to(folder).as_posix()
        key = f"{name} {state[0]} {state[1]}"
        if (project.id, key) in self._taken:
            return
        batch = Batch(WATCHED_FOLDER, requested_by=WATCHED_FOLDER)
        (upload,) = self._uploads.declare(project.id, batch, [NewUpload(key, name, state[0])])
        try:
            if upload.state.ended or self._read(upload, path).state.ended:
                self._taken.add((project.id, key))
        except SpheroscopeError as error:  # said of the file; it is tried again at the next turn
            log.warning("event=watched_folder.not_taken code=%s", error.code)
            self._store.uploads.set_waiting(upload.id, error.code, error.message)

    def _read(self, upload: Upload, path: Path) -> Upload:
        part = self._uploads.open_part(upload, upload.offset)
        try:
            with path.open("rb") as file:
                file.seek(upload.offset)
                for piece in pieces_of(file):
                    part.write(piece)
        except OSError as error:
            raise StorageError(
                f"This file cannot be read: {error.strerror}. It is tried again every few seconds."
            ) from error
        finally:
            self._uploads.close_part(upload, part)
        return self._uploads.finish(upload)


def _files(folder: Path) -> Iterator[tuple[Path, _State]]:
    """Image files below ``folder`` with their states; nothing hidden, and no link that leads out of it."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES or path.is_symlink():
                continue
            try:
                status = path.stat()
            except OSError:  # it has just been moved away
                continue
            yield path, (status.st_size, status.st_mtime_ns)

"""Watched folders: what an instrument writes below a project's folder is taken in once it is complete.

The folder of a project lies below the setting WATCHED_ROOT: the one that was chosen for it, else the one with
the project's name. So whoever runs the app says what may be read, and no visitor can name another folder of
its computer. With accounts, admins alone choose one, and of several projects with one name the first has the
folder of that name: nobody gets another's images by what they call their project.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InvalidRequest, SpheroscopeError, StorageError
from core.files.blobs import pieces_of
from core.images.formats import SUFFIXES
from core.models import Project, Upload
from core.store import NewUpload, Store, UploadBatch
from core.store.uploads import WATCHED_FOLDER
from core.uploads.uploads import Uploads

log = logging.getLogger(__name__)

LATEST = 10  # files that a status names
TURN_SECONDS = 2.0  # after which the rest of the files waits for the next turn
_State = tuple[int, int]  # bytes, and time of the last change in nanoseconds


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """Watched folder of a project, and its latest uploads.

    ``root`` is the folder that all lie below, None where nothing is watched; ``folder`` is relative to it.
    ``problem`` says why nothing can be taken in from a folder that is watched; empty where it can.
    """

    root: Path | None
    folder: str
    is_on: bool
    problem: str
    latest: tuple[Upload, ...]


class WatchedFolders:
    """Takes files in, each state of a file once, also over restarts. ``run`` is only for one thread."""

    def __init__(
        self, root: Path | None, store: Store, uploads: Uploads, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``root`` holds a folder for each project to be watched; None watches nothing."""
        self._root = root
        self._store = store
        self._uploads = uploads
        self._clock = clock
        self._previous_states: dict[Path, _State] = {}  # at the last turn
        self._taken: set[tuple[str, str]] = set()  # project and key

    @classmethod
    def open(cls, root: str, store: Store, uploads: Uploads) -> WatchedFolders:
        """Watch below the folder of this name; below none where it is empty."""
        return cls(Path(root).expanduser().resolve() if root else None, store, uploads)

    def status(self, project_id: str) -> FolderStatus:
        """Return which folder a project watches, whether it can be read, and the latest files from there.

        Raises:
            NotFound: the project is not there.
        """
        project = self._store.projects.get(project_id)
        chosen = self._store.watched_folders.chosen().get(project_id)
        latest = self._store.uploads.latest_of_batch(project_id, WATCHED_FOLDER, LATEST)
        if self._root is None:
            return FolderStatus(None, chosen or project.name, is_on=False, problem="", latest=latest)
        path = self._paths(self._root).get(project_id)
        is_on = path is not None and (chosen is not None or path.is_dir())
        problem = _problem(path) if path is not None and is_on else ""
        return FolderStatus(self._root, chosen or project.name, is_on, problem, latest)

    def choose(self, project_id: str, folder: str | None, changed_by: str) -> None:
        """Choose the folder that a project takes images in from; None to take in none.

        ``folder`` is relative to the folder that all lie below. It may be missing as yet.

        Raises:
            InvalidRequest: it does not lie below that folder.
            NotFound: the project is not there.
        """
        if folder is not None and (self._root is None or not _is_below(self._root, folder)):
            where = f"below {self._root}, named from there, as in “confocal/day 3”" if self._root else "there"
            raise InvalidRequest(f"Choose a folder {where}.")
        self._store.watched_folders.choose(project_id, folder or "", changed_by)

    def run(self) -> None:
        """Take in what is complete: files whose size and time have not changed since the last turn."""
        if self._root is None:
            return
        try:
            self._run(self._root)
        except SpheroscopeError as error:  # the next turn is a few seconds away
            log.warning("event=watched_folder.failed code=%s", error.code)

    def _run(self, root: Path) -> None:
        deadline, states = self._clock() + TURN_SECONDS, dict[Path, _State]()
        paths = self._paths(root)
        for project in self._store.projects.list():
            folder = paths.get(project.id)
            if folder is None or not folder.is_dir():
                continue
            for path, state in _files(folder):
                states[path] = state
                if self._previous_states.get(path) == state and self._clock() < deadline:
                    self._take(project, folder, path, state)
        self._previous_states = states

    def _paths(self, root: Path) -> dict[str, Path]:
        """Return the folder of each project that watches one, whether it is there or not."""
        chosen = self._store.watched_folders.chosen()
        paths, names = dict[str, Path](), set[str]()
        for project in sorted(self._store.projects.list(), key=lambda item: item.created_at):
            by_name = project.id not in chosen
            path = _path(root, project, chosen.get(project.id))
            if path is not None and not (by_name and (project.name in names or path.parent != root)):
                paths[project.id] = path
            names |= {project.name} if by_name else set()
        return paths

    def _take(self, project: Project, folder: Path, path: Path, state: _State) -> None:
        name = path.relative_to(folder).as_posix()
        key = f"{name} {state[0]} {state[1]}"
        if (project.id, key) in self._taken:
            return
        batch = UploadBatch(WATCHED_FOLDER, requested_by=WATCHED_FOLDER)
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


def _path(root: Path, project: Project, chosen: str | None) -> Path | None:
    """Return the folder of a project; None where it watches none, or it would not lie below ``root``."""
    folder = project.name if chosen is None else chosen
    return root / folder if _is_below(root, folder) else None


def _is_below(root: Path, folder: str) -> bool:
    parts = Path(folder).parts
    if not parts or any(part.startswith(".") for part in parts) or "\0" in folder:
        return False
    path = root / folder
    return path != root and path.resolve().is_relative_to(root)


def _problem(path: Path) -> str:
    """Return why nothing can be read from a folder, and what to do about it; empty where it can."""
    try:
        with os.scandir(path):
            return ""
    except FileNotFoundError:
        return f"The folder {path} is not there. Make it, or connect the drive that it is on."
    except NotADirectoryError:
        return f"{path} is a file, not a folder. Choose a folder."
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return f"The folder {path} cannot be read: {reason}. Allow the account that runs the app to read it."


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

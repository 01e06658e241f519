"""An audit of the stored files: damaged and missing ones, by the images that need them; its last outcome.

Which files there should be is only known from the database, which no other process can read while the app
runs. Then only damage is found, by file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from core.clock import utc_now
from core.db import Database
from core.errors import DatabaseLocked, StorageError
from core.files.audit import audit_blobs, stored_path
from core.monitoring import QueryRecorder, Recorder
from core.store.stored_files import NamedFile, StoredFiles

OUTCOME_FILE = "audit.json"
ADVICE = (
    "Drop an original that is damaged or missing again into its project; it keeps its results. "
    "Where it is another file, segment the image again."
)
MAX_LISTED = 1000  # of files that are not whole: a folder that is gone would list every one


@dataclass(frozen=True, slots=True)
class AuditOutcome:
    """Outcome of the last check of all files: time, number, and number of damaged or missing ones.

    ``n_missing`` is None where it is not known, because the app ran.
    """

    at: datetime
    n_files: int
    n_bytes: int
    n_damaged: int
    n_missing: int | None

    @property
    def whole(self) -> bool:
        """Whether nothing was damaged or missing, as far as is known."""
        return not self.n_damaged and not self.n_missing

    @property
    def counts(self) -> str:
        """“1,204 stored files: 2 damaged, 1 missing”."""
        missing = "those missing are not known" if self.n_missing is None else f"{self.n_missing:,} missing"
        return f"{self.n_files:,} stored files: {self.n_damaged:,} damaged, {missing}"


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that is damaged, or missing, and what needs it where that is known."""

    path: Path
    missing: bool
    file: NamedFile | None = None

    def __str__(self) -> str:
        """“damaged: A01.tif in the project Plate 1 (original): /data/blobs/ab/ab…”."""
        file = self.file
        needed_by = (
            "" if file is None else f"{file.image_name} in the project {file.project_name} ({file.kind}): "
        )
        return f"{'missing' if self.missing else 'damaged'}: {needed_by}{self.path}"


@dataclass(frozen=True, slots=True)
class FileAudit:
    """An outcome with the first MAX_LISTED problems.

    ``n_lost_commits``: changes that the database found to have lost when it was opened for this.
    """

    outcome: AuditOutcome
    problems: tuple[FileProblem, ...]
    n_lost_commits: int = 0

    def lines(self) -> Iterator[str]:
        """Return what to tell the person who asked for it: each problem, the counts, and what to do."""
        yield from map(str, self.problems)
        if len(self.problems) == MAX_LISTED:
            yield f"Only the first {MAX_LISTED:,} are listed."
        if self.n_lost_commits:
            yield f"The database's log was damaged: the last {self.n_lost_commits} changes are missing."
        yield f"{self.outcome.counts}; {self.outcome.n_bytes / 2**20:,.1f} MiB were read."
        if self.outcome.n_missing is None:
            yield "Spheroscope is running. Stop it to learn which files are missing, and of which images."
        if not self.outcome.whole:
            yield ADVICE


def audit_files(folder: Path, memory_mb: int, report: Callable[[int], None] = lambda _: None) -> FileAudit:
    """Read every file of a data folder through, compare them with the database, and save the outcome.

    ``report`` is called with the number of files read so far; the database may take ``memory_mb``.

    Raises:
        StorageError: the disk refuses, or the database cannot be opened.
    """
    files = audit_blobs(folder, report)
    damaged = set(files.damaged)
    n_missing: int | None = None
    n_lost_commits, problems = 0, list[FileProblem]()
    with suppress(DatabaseLocked), closing(_database(folder, memory_mb)) as db:
        n_lost_commits = db.lost_commits
        n_missing, problems = _compared(folder, StoredFiles(db), damaged)
    needed = {problem.path.name for problem in problems}
    unnamed = [FileProblem(stored_path(folder, name), False) for name in sorted(damaged - needed)]
    outcome = AuditOutcome(utc_now(), files.n_files, files.n_bytes, len(damaged), n_missing)
    _save(folder, outcome)
    return FileAudit(outcome, tuple((problems + unnamed)[:MAX_LISTED]), n_lost_commits)


def last_outcome(folder: Path) -> AuditOutcome | None:
    """Return the outcome of the last audit; None before the first, or where it cannot be read."""
    try:
        values = json.loads((folder / OUTCOME_FILE).read_bytes())
        return AuditOutcome(**values | {"at": datetime.fromisoformat(values["at"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _database(folder: Path, memory_mb: int) -> Database:
    return Database.open(folder / "spheroscope.duckdb", QueryRecorder(Recorder(enabled=False)), memory_mb)


def _compared(folder: Path, stored: StoredFiles, damaged: set[str]) -> tuple[int, list[FileProblem]]:
    """The number of files that are needed and missing, and the problems with what needs them."""
    missing: set[str] = set()
    problems: list[FileProblem] = []
    with closing(stored.named()) as needed_files:
        for file in needed_files:
            path = stored_path(folder, file.sha256)
            if is_missing := file.sha256 not in damaged and not path.exists():
                missing.add(file.sha256)
            if (is_missing or file.sha256 in damaged) and len(problems) < MAX_LISTED:
                problems.append(FileProblem(path, is_missing, file))
    return len(missing), problems


def _save(folder: Path, outcome: AuditOutcome) -> None:
    values = asdict(outcome) | {"at": outcome.at.isoformat()}
    part = folder / f"{OUTCOME_FILE}.part"
    try:
        part.write_text(json.dumps(values), encoding="utf-8")
        part.replace(folder / OUTCOME_FILE)
    except OSError as error:
        raise StorageError(f"The audit's outcome could not be saved: {error.strerror}.") from error

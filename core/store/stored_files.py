"""Which stored files the database needs, and of what."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from core.db import Database


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that an image or a result of it needs. ``kind``: what it holds, in a word or two."""

    sha256: str
    kind: str
    image_name: str
    project_name: str


class StoredFiles:
    """The files that rows name."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def named(self) -> Generator[NamedFile, None, None]:
        """Yield every file with what needs it, by project and image; a file of several images comes for each.

        A caller that stops before the end must close the generator: it holds a cursor.
        """
        with self._db.read() as session:
            for chunk in session.stream("files.named", {}):
                yield from (NamedFile(**row) for row in chunk)

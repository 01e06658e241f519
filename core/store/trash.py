"""The trash: deleted images and projects that can still be restored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.db import Database
from core.errors import NotFound
from core.store.images import ImageStore
from core.store.projects import ProjectStore


class DeletedKind(StrEnum):
    """Kinds of deleted things."""

    IMAGE = "image"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedItem:
    """An image or a project in the trash; ``deleted_by`` is None where nobody is known.

    ``n_images``: how many images come back with it.
    """

    kind: DeletedKind
    id: str
    name: str
    project_id: str
    project_name: str
    n_images: int
    deleted_at: datetime
    deleted_by: str | None


@dataclass(frozen=True, slots=True)
class Trash:
    """The newest of what was deleted, and how much there is in all."""

    items: tuple[DeletedItem, ...]
    total: int


class TrashStore:
    """Lists what was deleted. Methods may be called from any thread."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def items(self, limit: int, name: str = "", visible: Sequence[str] | None = None) -> Trash:
        """Return what was deleted last, of those whose own or project's name contains ``name``.

        With ``visible``, only what was in the projects with these ids.
        """
        values = {"name": name, "limit": limit, "visible": None if visible is None else list(visible)}
        with self._db.read() as session:
            rows = session.rows("trash.items", values)
        total = rows[0]["total"] if rows else 0
        items = (
            {key: value for key, value in row.items() if key != "total"} | {"kind": DeletedKind(row["kind"])}
            for row in rows
        )
        return Trash(tuple(DeletedItem(**item) for item in items), total)


def restore(projects: ProjectStore, images: ImageStore, items: Iterable[DeletedItem]) -> int:
    """Restore images and projects; return how many of them were still there to be restored.

    Raises:
        NotAllowed: the caller may not restore one of them; those before it have been.
    """
    in_projects: dict[str, list[str]] = {}
    restored = 0
    for item in items:
        if item.kind is DeletedKind.IMAGE:
            in_projects.setdefault(item.project_id, []).append(item.id)
            continue
        try:
            projects.restore(item.id)
            restored += 1
        except NotFound:  # restored by somebody else, or its time is over
            continue
    return restored + sum(images.restore(project_id, ids) for project_id, ids in in_projects.items())

"""Projects: created, renamed, deleted for a while, listed with their counts in one statement."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from core.cache import Cache
from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import InvalidRequest, NotFound
from core.listing.page_index import PageIndex
from core.models import PixelSizeMethod, Project, ReviewSettings
from core.models.quality import LOOK_BELOW
from core.models.text import NO_PROJECT, one_line
from core.store.project_generations import PROJECTS, ProjectGenerations
from core.store.rows import canonical_json, project_of

MAX_NAME = 100
MOST_SECOND_OPINIONS = 1000
COUNTS = "counts"  # kind of cached values: what projects.totals says of one project


class ProjectStore:
    """The table of projects. Methods may be called from any thread."""

    def __init__(
        self,
        db: Database,
        cache: Cache,
        generations: ProjectGenerations,
        index: PageIndex | None,
        *,
        batching: bool = True,
    ) -> None:
        self._db = db
        self._batching = batching
        self._index = index
        self._cache = cache
        self._generations = generations
        self._listed: tuple[str, Sequence[Row]] = "", ()  # every project's row, without counts

    def list(self, visible: Sequence[str] | None = None) -> tuple[Project, ...]:
        """Return every project, or those of the ids ``visible``; the one with the latest activity first.

        Two statements at most whatever their number, none where nothing has changed; without batching, one
        more for every project.
        """
        projects = self._read(None, visible)
        return tuple(sorted(projects, key=lambda item: item.last_activity or item.created_at, reverse=True))

    def get(self, project_id: str) -> Project:
        """Return one project.

        Raises:
            NotFound: it does not exist or has been deleted.
        """
        projects = self._read(project_id)
        if not projects:
            raise NotFound(NO_PROJECT)
        return projects[0]

    def _read(self, project_id: str | None, visible: Sequence[str] | None = None) -> Sequence[Project]:
        """Return one project, or all that are ``visible``, by two statements at most."""
        with self._db.read() as session:
            rows = self._rows(session, project_id, visible)
            # Before the images are counted: a change meanwhile makes a key too old, never too new.
            keys = {row["id"]: self._generations.cache_key(row["id"]) for row in rows}
            cached = self._cache.get_many(COUNTS, list(keys.values()))
            totals = {key: json.loads(cached[name]) for key, name in keys.items() if name in cached}
            missing = [key for key in keys if key not in totals]
            counted = self._counted(session, missing)
        for key in missing:
            totals[key] = counted.get(key, {})
            self._cache.put(COUNTS, keys[key], json.dumps(totals[key]).encode())
        return [project_of(row, totals[row["id"]]) for row in rows]

    def _rows(self, session: Session, project_id: str | None, visible: Sequence[str] | None) -> Sequence[Row]:
        if project_id is not None:
            return session.rows("projects.list", {"id": project_id})
        rows = self._every_row(session)
        if visible is None:
            return rows
        ids = frozenset(visible)
        return [row for row in rows if row["id"] in ids]

    def _every_row(self, session: Session) -> Sequence[Row]:
        """Every project's row, read anew only where one has changed."""
        generation = self._generations.of(PROJECTS)
        known, rows = self._listed
        if known != generation:
            rows = session.rows("projects.list", {"id": None})
            self._listed = generation, rows
        return rows

    def _counted(self, session: Session, ids: Sequence[str]) -> dict[str, Row]:
        """Return rows of projects.totals by project, as JSON; from the page index where that has them."""
        rows: dict[str, Row] = {}
        if not self._batching:
            counted = [row for key in ids for row in session.rows("projects.totals", _totals_of([key]))]
            return {row["project_id"]: _as_json(row) for row in counted}
        if self._index is not None:
            rows = {key: row for key in ids if (row := self._index.totals(key)) is not None}
        uncached = [key for key in ids if key not in rows]
        if uncached:
            rows |= {row["project_id"]: row for row in session.rows("projects.totals", _totals_of(uncached))}
        return {key: _as_json(row) for key, row in rows.items()}

    def require(self, project_id: str) -> str:
        """Make sure that a project is there, without counting its images; return its name.

        Raises:
            NotFound: it does not exist or has been deleted.
        """
        with self._db.read() as session:
            rows = session.rows("projects.list", {"id": project_id})
        return str(_require(rows)["name"])

    def create(
        self, name: str, engine: str, um_per_px: float | None = None, owner: str | None = None
    ) -> Project:
        """Add a project, which belongs to the account ``owner`` where there are accounts.

        Raises:
            InvalidRequest: the name is empty, too long or taken, or the pixel size is not positive.
        """
        project_id = secrets.token_hex(8)
        clean = _checked_name(name)
        values = {
            "id": project_id,
            "name": clean,
            "um_per_px": checked_pixel_size(um_per_px),
            "engine": engine,
            "params": canonical_json({}),
            "now": utc_now(),
        }

        def work(session: Session) -> None:
            _refuse_taken(session, clean, project_id, owner)
            session.rows("projects.add", values)
            if owner is not None:
                member = {"project_id": project_id, "account_id": owner, "level": "own"}
                session.rows("members.add", member | {"now": values["now"]})

        self._db.write(work)
        return self.get(project_id)

    def rename(self, project_id: str, name: str) -> None:
        """Give a project another name.

        Raises:
            InvalidRequest: the name is empty, too long or taken.
            NotFound: the project is not there.
        """
        new = _checked_name(name)

        def work(session: Session) -> None:
            _refuse_taken(session, new, project_id)
            _require(session.rows("projects.rename", {"id": project_id, "name": new}))

        self._db.write(work)

    def set_pixel_size(
        self,
        project_id: str,
        um_per_px: float | None,
        method: PixelSizeMethod = PixelSizeMethod.TYPED,
    ) -> None:
        """Set the pixel size of the images whose file does not say and that nobody has set by hand."""
        values = {"um_per_px": checked_pixel_size(um_per_px), "method": method.value}

        def work(session: Session) -> None:
            _require(session.rows("projects.set_pixel_size", {"id": project_id, **values}))
            session.rows("images.follow_project_pixel_size", {"project_id": project_id, **values})

        self._db.write(work)

    def set_recipe(self, project_id: str, engine: str, params: Mapping[str, object]) -> None:
        """Set how a project's images are segmented from now on; results that are there stay."""
        values = {"id": project_id, "engine": engine, "params": canonical_json(dict(params))}
        self._db.write(lambda session: _require(session.rows("projects.set_recipe", values)))

    def set_review(self, project_id: str, settings: ReviewSettings) -> None:
        """Set what a project's review goes by.

        Raises:
            InvalidRequest: there are to be less than no second opinions, or more than MOST_SECOND_OPINIONS.
            NotFound: the project is not there.
        """
        if not 0 <= settings.second_opinions <= MOST_SECOND_OPINIONS:
            raise InvalidRequest(
                f"Between 0 and {MOST_SECOND_OPINIONS:,} images of a project can be drawn a second time."
            )
        values = {"id": project_id, **asdict(settings)}
        self._db.write(lambda session: _require(session.rows("projects.set_review", values)))

    def delete(self, project_id: str, deleted_by: str | None = None) -> None:
        """Delete a project, whose jobs are cancelled; ``restore`` undoes it until it is purged."""

        def work(session: Session) -> None:
            deletion = {"id": project_id, "now": utc_now(), "deleted_by": deleted_by}
            _require(session.rows("projects.delete", deletion))
            values = {"ids": None, "image_ids": None, "project_id": project_id, "now": utc_now()}
            cancelled = session.rows("jobs.cancel", values | {"visible": None})
            session.rows("images.settle", {"ids": [row["image_id"] for row in cancelled]})

        self._db.write(work)

    def restore(self, project_id: str) -> None:
        """Restore a deleted project, under another name if its own has been taken meanwhile."""

        def work(session: Session) -> None:
            old = name = _require(session.rows("projects.restore", {"id": project_id}))["name"]
            number = 1
            while session.one("projects.same_name", {"id": project_id, "name": name, "owner": None}):
                suffix = f" (restored {number})" if number > 1 else " (restored)"
                name, number = old[: MAX_NAME - len(suffix)] + suffix, number + 1
            session.rows("projects.rename", {"id": project_id, "name": name})

        self._db.write(work)


def require_project(session: Session, project_id: str) -> Row:
    """Return the pixel size of a project's images whose file does not say, and how it was found.

    Raises:
        NotFound: the project does not exist or has been deleted.
    """
    return _require(session.rows("projects.pixel_size", {"id": project_id}))


def checked_pixel_size(um_per_px: float | None) -> float | None:
    """Return the size in µm per pixel if it can be one.

    Raises:
        InvalidRequest: it is not between 0.001 and 1000.
    """
    if um_per_px is not None and not 0.001 <= um_per_px <= 1000:
        raise InvalidRequest("A pixel size must lie between 0.001 and 1000 µm per pixel.")
    return um_per_px


def _checked_name(name: str) -> str:
    clean = one_line(name)
    if not clean:
        raise InvalidRequest("Give the project a name.")
    if len(clean) > MAX_NAME:
        raise InvalidRequest(f"A project's name may have {MAX_NAME} characters; this one has {len(clean)}.")
    return clean


def _refuse_taken(session: Session, name: str, project_id: str, owner: str | None = None) -> None:
    if session.one("projects.same_name", {"name": name, "id": project_id, "owner": owner}):
        raise InvalidRequest(f"There is already a project named “{name}”. Choose another name.")


def _require(rows: list[Row]) -> Row:
    if not rows:
        raise NotFound(NO_PROJECT)
    return rows[0]


def _totals_of(ids: Sequence[str]) -> Row:
    return {"ids": ids, "look_below": LOOK_BELOW}


def _as_json(row: Row) -> Row:
    last = row["last_image_at"]
    return row | {"last_image_at": last and last.isoformat()}

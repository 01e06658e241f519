"""Engines and settings that were accepted for single images, and segmenting images by them.

An image that has settings of its own is segmented by these, the others by their project's. They are read in
the transaction that queues the jobs, so that no request undoes what somebody accepts at the same time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.db import Database, Session
from core.store.jobs import insert
from core.store.recipe import ANONYMOUS, JobRequest, Recipe
from core.store.results import put_in_force, require_version
from core.store.rows import canonical_json

ToRecipe = Callable[[str, Mapping[str, object]], Recipe]  # of an engine's name and its parameters


@dataclass(frozen=True, slots=True)
class ImageRecipes:
    """Recipes by which images are segmented: their own, else the default.

    Those without settings of their own by ``default``; ``to_recipe`` makes a recipe of the others' settings.
    ``override``: ids of images whose own settings are taken back.
    """

    default: Recipe
    to_recipe: ToRecipe
    override: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The engine and the parameters that were accepted for one image."""

    image_id: str
    engine: str
    params: dict[str, object]


class OwnSettingsStore:
    """The settings of single images. Methods may be called from any thread."""

    def __init__(self, db: Database, max_queued: int) -> None:
        self._db = db
        self._max_queued = max_queued

    def of_project(self, project_id: str) -> tuple[OwnSettings, ...]:
        """Return the settings of all images of a project that have their own, by the image's id."""
        with self._db.read() as session:
            return _own_settings(session, project_id)

    def segment(
        self,
        project_id: str,
        image_ids: Sequence[str],
        recipes: ImageRecipes,
        request: JobRequest = ANONYMOUS,
    ) -> int:
        """Queue images, each by its own settings or else by its project's; return how many were queued.

        Raises:
            NotFound: the project is not there.
            QueueFull: more would wait than the limit allows.
            InvalidRequest: there is no engine any more that an image's own settings name.
            After each of them, nothing is queued and no settings are taken back.
        """

        return self._db.write(
            lambda session: insert_by_settings(
                session, project_id, image_ids, recipes, request, self._max_queued
            )
        )

    def accept(
        self, project_id: str, image_ids: Sequence[str], recipe: Recipe, request: JobRequest = ANONYMOUS
    ) -> int:
        """Make a recipe the images' own and queue them; return how many were queued.

        Raises:
            NotFound, QueueFull: as ``segment``; then nothing changes.
        """

        def work(session: Session) -> int:
            _set(session, project_id, image_ids, recipe.engine, recipe.params)
            return self._insert(session, project_id, image_ids, recipe, request)

        return self._db.write(work)

    def restore_version(
        self,
        project_id: str,
        image_id: str,
        versions: tuple[str, str | None],
        settings: tuple[str, Mapping[str, object]] | None,
    ) -> None:
        """Put an earlier version in force, with the settings that the image had for it.

        ``versions`` are the ids of that one and of the one that the person saw in force; ``settings`` become
        the image's own, None where it follows its project.

        Raises:
            VersionConflict: another version is in force by now.
            NotFound: the image or the version does not exist.
        """
        earlier, expected = versions
        engine, params = settings or (None, None)

        def work(session: Session) -> None:
            require_version(session, image_id, earlier)
            put_in_force(session, image_id, earlier, expected)
            _set(session, project_id, [image_id], engine, params)

        self._db.write(work)

    def _insert(
        self, session: Session, project_id: str, ids: Sequence[str], recipe: Recipe, request: JobRequest
    ) -> int:
        return insert(session, project_id, ids, recipe, request, self._max_queued)


def insert_by_settings(
    session: Session,
    project_id: str,
    image_ids: Sequence[str],
    recipes: ImageRecipes,
    request: JobRequest,
    max_queued: int,
) -> int:
    """Queue images by their settings within a transaction of the caller's; see OwnSettingsStore.segment."""
    own = {item.image_id: item for item in _own_settings(session, project_id)}
    if taken_back := sorted(recipes.override & own.keys()):
        _set(session, project_id, taken_back, None, None)
        own = {key: item for key, item in own.items() if key not in recipes.override}
    groups: dict[str, tuple[Recipe, list[str]]] = {"": (recipes.default, [])}
    for image_id in image_ids:
        settings = own.get(image_id)
        if settings is None:
            groups[""][1].append(image_id)
            continue
        key = canonical_json([settings.engine, settings.params])
        if key not in groups:
            groups[key] = recipes.to_recipe(settings.engine, settings.params), []
        groups[key][1].append(image_id)
    pairs = groups.values()
    return sum(insert(session, project_id, ids, recipe, request, max_queued) for recipe, ids in pairs)


def _own_settings(session: Session, project_id: str) -> tuple[OwnSettings, ...]:
    rows = session.rows("images.own_settings", {"project_id": project_id})
    return tuple(OwnSettings(row["id"], row["engine"], json.loads(row["params"])) for row in rows)


def _set(
    session: Session,
    project_id: str,
    image_ids: Sequence[str],
    engine: str | None,
    params: Mapping[str, object] | None,
) -> None:
    values: dict[str, Any] = {"project_id": project_id, "ids": list(image_ids), "engine": engine}
    values["params"] = None if params is None else canonical_json(dict(params))
    session.rows("images.set_own_settings", values)

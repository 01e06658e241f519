"""Which engine and settings images are segmented with: their project's, or those accepted for one image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from core.models import Image, Project, Version, VersionKind
from core.segmentation import EngineRegistry, SegmentationParams
from core.store import JobRequest, Recipe, Store
from core.store.own_settings import ImageRecipes
from core.store.recipe import ANONYMOUS


class SegmentationRequests:
    """Queues images by their settings, and changes these. ``wake`` is called after jobs have been added."""

    def __init__(self, store: Store, engines: EngineRegistry, wake: Callable[[], None]) -> None:
        self._store = store
        self._engines = engines
        self._wake = wake

    def recipe(self, project: Project) -> Recipe:
        """The recipe of those of a project's images that have no settings of their own."""
        return self.recipe_of(project.engine, project.params)

    def recipe_of(self, engine: str, params: Mapping[str, object]) -> Recipe:
        """An engine with parameters, those not given at their defaults.

        Raises:
            InvalidRequest: there is no such engine or parameter, or a value cannot be.
        """
        full = SegmentationParams.from_dict(params).to_dict()
        return Recipe(engine, self._engines.get(engine).version, full)

    def with_own_settings(self, project_id: str, image_ids: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return which of a project's images, or of some of them, have settings of their own."""
        own = tuple(item.image_id for item in self._store.own_settings.of_project(project_id))
        if image_ids is None:
            return own
        chosen = set(image_ids)
        return tuple(image_id for image_id in own if image_id in chosen)

    def recipes(self, project: Project, override: Iterable[str] = ()) -> ImageRecipes:
        """Return how a project's images are segmented; those of ``override`` lose settings of their own."""
        return ImageRecipes(self.recipe(project), self.recipe_of, frozenset(override))

    def segment(
        self,
        project: Project,
        image_ids: Sequence[str],
        request: JobRequest = ANONYMOUS,
        override: Iterable[str] = (),
    ) -> int:
        """Queue images by their own settings, those without by their project's.

        Those of ``override`` lose settings of their own and go by the project's. Returns how many were not
        waiting already.

        Raises:
            NotFound, QueueFull, InvalidRequest: as ``OwnSettingsStore.segment``.
        """
        recipes = self.recipes(project, override)
        count = self._store.own_settings.segment(project.id, image_ids, recipes, request)
        self._wake()
        return count

    def accept(
        self, project: Project, image_ids: Sequence[str], recipe: Recipe, request: JobRequest = ANONYMOUS
    ) -> int:
        """Make a recipe the images' own, until somebody changes it, and queue them by it."""
        count = self._store.own_settings.accept(project.id, image_ids, recipe, request)
        self._wake()
        return count

    def accept_for_project(
        self,
        project: Project,
        recipe: Recipe,
        request: JobRequest = ANONYMOUS,
        override: Iterable[str] = (),
    ) -> int:
        """Make a recipe the project's and queue all its images, by ``segment``'s rules."""
        self._store.projects.set_recipe(project.id, recipe.engine, recipe.params)
        changed = self._store.projects.get(project.id)
        return self.segment(changed, self._store.images.ids(project.id), request, override)

    def restore_version(self, project: Project, image: Image, version: Version) -> None:
        """Put an earlier version of an image in force, with the settings that it was made with.

        Segmenting again then repeats that version. Of a correction nothing can be repeated, so the settings
        stay as they are.

        Raises:
            VersionConflict: another version than the one that ``image`` names is in force by now.
            NotFound: the image or the version does not exist.
        """
        settings: tuple[str, Mapping[str, object]] | None = None
        if version.kind is VersionKind.CORRECTED:
            if image.own_engine is not None and image.own_params is not None:
                settings = image.own_engine, image.own_params
        elif not _is_by(project, version):
            settings = version.engine, version.params
        versions = version.id, image.version_id
        self._store.own_settings.restore_version(project.id, image.id, versions, settings)


def _is_by(project: Project, version: Version) -> bool:
    """Whether a version was made with the settings that its project has now."""
    project_params = SegmentationParams.from_dict(project.params).to_dict()
    return (version.engine, version.params) == (project.engine, project_params)

"""The parts of the app as one caller may use them: every call passes its rule of ``policy.METHODS`` first.

A caller who may not look at a project is told that it does not exist, whether it does or not, and after the
same work: nothing is read of it before that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from core.accounts.access import Access
from core.accounts.audit import Action
from core.accounts.policy import METHODS, MethodRule, Rule
from core.accounts.principal import Level, Principal
from core.errors import NotAllowed, NotFound, NotSignedIn, QuotaExceeded
from core.models.text import NO_IMAGE, NO_PROJECT

NO_EXPORT = "This export is not there any more. Make it again on the Images page."
STORE_PARTS = (
    *("projects", "images", "frozen_lists", "jobs", "own_settings", "results", "objects", "generations"),
    "saved_views",
    "trash",
    "correction_audit",
)


@dataclass(frozen=True)
class Caller:
    """Somebody, with what was looked up for them during one request or one run of a page."""

    identity: Principal
    access: Access
    project_of_export: Callable[[str], str]
    _projects_of_images: dict[str, str | None] = field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        """The caller with their rights of now: a dialog may stay open while those change.

        Raises:
            NotSignedIn: their session has ended.
        """
        if ":" not in self.identity.key:  # nobody, or a test's
            return self.identity
        current = self.access.principal(self.identity.key, self.identity.address)
        if current is None:
            raise NotSignedIn("Your session has ended. Load this page again to sign in.")
        return current

    def guard(self, name: str, part: Any) -> Any:
        """Return a part of the app as this caller may use it."""
        return Guarded(name, part, self)

    def guard_store(self, store: Any) -> Any:
        """Return the repository, of whose parts only those with rules can be used."""
        return GuardedStore(
            {name: self.guard(name, getattr(store, name)) for name in STORE_PARTS}, store, self
        )

    def check(self, project_id: str, level: Level, missing: str = NO_PROJECT) -> None:
        """Make sure that the caller may do what ``level`` allows with a project.

        Raises:
            NotFound: they may not even look at it; in the words of ``missing``.
            NotAllowed: they may look at it, but not do this.
        """
        _require(self.principal, project_id, level, missing)

    def check_images(self, ids: tuple[str, ...], level: Level) -> str | None:
        """Check the same for the projects of images; return the id of one of them.

        Raises:
            NotFound: one of them does not exist, or the caller may not look at it.
            NotAllowed: they may not do this with one of them.
        """
        principal = self.principal
        unknown = [key for key in ids if key not in self._projects_of_images]
        if unknown:
            projects_by_image = self.access.members.projects_of_images(unknown)
            self._projects_of_images.update({key: projects_by_image.get(key) for key in unknown})
        projects = {self._projects_of_images[key] for key in ids}
        for project_id in projects:
            _require(principal, project_id, level, NO_IMAGE)
        return next(iter(projects), None)

    def check_share(self, rule: MethodRule, project_id: str, n_images: int) -> None:
        """Make sure that there is room in a person's share of the disk and of the queue.

        Raises:
            QuotaExceeded: there is none.
        """
        rules, members = self.access.rules, self.access.members
        if rule.adds_files and members.min_bytes_of_owners(project_id) >= rules.disk_bytes:
            raise QuotaExceeded(
                f"The projects of this project's owner take {rules.disk_bytes / 2**20:,.0f} MiB of the disk, "
                "which is all that one person may use. Delete what is not needed, or ask an admin for more."
            )
        if members.waiting(self.principal.name) + n_images > rules.waiting_images:
            raise QuotaExceeded(
                f"{rules.waiting_images:,} of your images may wait at once. Try again when some are done."
            )

    def visible_images(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of ``ids`` whose project the caller may look at."""
        projects_by_image = self.access.members.projects_of_images(ids)
        return tuple(
            key for key in ids if key in projects_by_image and self.principal.reaches(projects_by_image[key])
        )

    def check_rule(self, rule: MethodRule, named_arguments: Mapping[str, Any]) -> str | None:
        """Check the argument that a rule names, then the role; return its project's id, None where of none.

        Raises:
            NotFound, NotAllowed: as ``check``.
        """
        principal = self.principal  # looked up first, so that what is another's takes as long as what is not
        project_id = self._check_argument(principal, rule, named_arguments.get(rule.argument))
        if not Rule(rule.audience).admits(principal):
            raise NotAllowed("This takes another role than yours. An admin can change it.")
        return project_id

    def _check_argument(self, principal: Principal, rule: MethodRule, value: Any) -> str | None:
        if rule.argument in ("image_id", "ids", "image_ids"):
            return self.check_images((value,) if isinstance(value, str) else tuple(value or ()), rule.level)
        if rule.argument == "project_id":
            project_id, missing = cast(str, value), NO_PROJECT
        elif rule.argument == "project":
            project_id, missing = cast(Any, value).id, NO_PROJECT
        elif rule.argument in ("image", "request", "upload"):
            project_id = cast(Any, value).project_id
            missing = NO_IMAGE if rule.argument == "image" else NO_PROJECT
        elif rule.argument == "export_id":
            project_id, missing = self.project_of_export(cast(str, value)), NO_EXPORT
        else:
            return None
        _require(principal, project_id, rule.level, missing)
        return project_id


def _require(principal: Principal, project_id: str | None, level: Level, missing: str) -> None:
    """Make sure that somebody may do what ``level`` allows; None is the project of what does not exist."""
    if project_id is None or not principal.reaches(project_id):
        raise NotFound(missing)
    if not principal.reaches(project_id, level):
        raise NotAllowed(
            "You can look at this project, but not change it. Ask its owner to let you."
            if level is Level.EDIT
            else "Only an owner of this project can do this."
        )


class Guarded:
    """A part of the app that looks up the rule of each method before it is called."""

    def __init__(self, name: str, part: Any, caller: Caller) -> None:
        self._name = name
        self._part = part
        self._caller = caller

    def __getattr__(self, method: str) -> Any:
        value = getattr(self._part, method)
        if not callable(value):
            return Guarded(method, value, self._caller) if method == "timeline" else value
        rule = METHODS.get(f"{self._name}.{method}")
        if rule is None:
            raise NotAllowed(f"{self._name}.{method} has no rule in core/accounts/policy.py.")

        def call(*arguments: Any, **named: Any) -> Any:
            if rule.argument == "narrowed":
                narrowed = self._part.of_projects(self._caller.principal.projects_at(rule.level))
                return self._call(rule, getattr(narrowed, method), arguments, named)
            return self._call(rule, value, arguments, named)

        return call

    def _call(self, rule: MethodRule, method: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        named_arguments = inspect.signature(method).bind(*arguments, **named).arguments
        project_id = self._caller.check_rule(rule, named_arguments)
        if project_id is not None and (rule.adds_files or rule.action is Action.SEGMENTED):
            self._caller.check_share(rule, project_id, len(named_arguments.get("image_ids", ())))
        if rule.argument == "known":
            arguments = (self._caller.visible_images(tuple(named_arguments["ids"])),)
            named = {}
        if rule.argument == "visible":
            named["visible"] = self._caller.principal.projects_at(rule.level)
        if rule.argument == "owner":
            named["owner"] = self._caller.principal.account_id
        result = method(*arguments, **named)
        if rule.argument == "returned":
            self._caller.check(result.project_id, rule.level)
        if rule.argument == "shown":
            return tuple(item for item in result if self._caller.principal.reaches(item.project_id))
        if rule.action is not None:
            self._record(rule.action, named_arguments, result, project_id)
        return result

    def _record(
        self, action: Action, named_arguments: Mapping[str, Any], result: Any, project_id: str | None
    ) -> None:
        if action is Action.CREATED:
            project_id = result.id
        access = self._caller.access
        access.audit.add(self._caller.principal, action, self._subject(named_arguments), project_id)

    def _subject(self, named_arguments: Mapping[str, Any]) -> str:
        """Return what was acted on, for the audit: a name, a number, or an image with its verdict."""
        if isinstance(name := named_arguments.get("name"), str):
            return name
        if path := getattr(named_arguments.get("upload"), "path", ""):
            return str(path)
        if isinstance(ids := named_arguments.get("ids", named_arguments.get("image_ids")), list | tuple):
            return f"{len(ids)} selected"
        if (image_id := named_arguments.get("image_id")) is None:
            return ""
        image = self._caller.access.members.name_of_image(image_id)
        verdict = named_arguments.get("verdict")
        words = [image, verdict.state.value, verdict.reason] if verdict is not None else [image]
        return ": ".join(filter(None, words))


class GuardedStore(Guarded):
    """The repository: its parts by name, and the methods that touch several of them."""

    def __init__(self, parts: Mapping[str, Any], store: Any, caller: Caller) -> None:
        super().__init__("store", store, caller)
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:
        if f"store.{name}" not in METHODS:
            raise NotAllowed(f"store.{name} has no rule in core/accounts/policy.py.")
        return super().__getattr__(name)

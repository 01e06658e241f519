"""The policy: one table of rules for every page, every route and every method that they may call.

What has no rule is refused to everybody who has to say who they are, and a test names it. The table in
docs/access.md is written from this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.accounts.audit import Action
from core.accounts.principal import Level, Principal


class Audience(StrEnum):
    """Groups of people who may use a page or a route, before any project is looked at."""

    ANYBODY = "anybody"
    SIGNED_IN = "whoever is signed in"
    CREATOR = "members and admins"
    ADMIN = "admins"


class Subject(StrEnum):
    """Kinds of things that the id in a route's address, or an argument of a method, belongs to."""

    PROJECT = "project"
    IMAGE = "image"
    EXPORT = "export"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rule:
    """Rule of a page or a route: the audience and, with a subject, the level needed in its project."""

    audience: Audience = Audience.SIGNED_IN
    subject: Subject = Subject.NONE
    level: Level = Level.VIEW

    def admits(self, principal: Principal | None) -> bool:
        """Whether somebody may use it at all; None is nobody."""
        if self.audience is Audience.ANYBODY or principal is None:
            return self.audience is Audience.ANYBODY
        if self.audience is Audience.ADMIN:
            return principal.is_admin
        return self.audience is Audience.SIGNED_IN or principal.may_create


ANYBODY, SIGNED_IN, CREATOR, ADMIN = (Rule(audience) for audience in Audience)
OF_PROJECT, OF_IMAGE, OF_EXPORT = (
    Rule(subject=subject) for subject in (Subject.PROJECT, Subject.IMAGE, Subject.EXPORT)
)
EDIT_PROJECT, EDIT_IMAGE = (
    Rule(subject=subject, level=Level.EDIT) for subject in (Subject.PROJECT, Subject.IMAGE)
)

# By file of pages/, but those that begin with an underscore.
PAGES: Mapping[str, Rule] = {
    "projects.py": SIGNED_IN,
    "images.py": OF_PROJECT,
    "image.py": OF_IMAGE,
    "review.py": EDIT_PROJECT,
    "measurements.py": OF_PROJECT,
    "queue.py": SIGNED_IN,
    "trash.py": SIGNED_IN,
    "performance.py": ADMIN,
    "throughput.py": ADMIN,
    "health.py": ADMIN,
    "settings.py": ADMIN,
    "people.py": ADMIN,
    "audit.py": ADMIN,
    "account.py": SIGNED_IN,
    "help.py": SIGNED_IN,
}
ABOUT_ACCESS = frozenset({"people.py", "audit.py", "account.py"})  # there is none of it with AUTH=none

# By method and template. HEAD follows GET.
ROUTES: Mapping[str, Rule] = {
    "GET /api/health": ANYBODY,
    "GET /api/projects": SIGNED_IN,
    "GET /api/projects/{id}/images": OF_PROJECT,
    "GET /api/projects/{id}/objects": OF_PROJECT,
    "GET /api/uploads": SIGNED_IN,
    "GET /api/projects/{id}/uploads": OF_PROJECT,
    "GET /api/projects/{id}/uploads/{key}": OF_PROJECT,
    "POST /api/projects/{id}/images": EDIT_PROJECT,
    "POST /api/projects/{id}/uploads": EDIT_PROJECT,
    "DELETE /api/projects/{id}/uploads": EDIT_PROJECT,
    "DELETE /api/projects/{id}/uploads/{key}": EDIT_PROJECT,
    "POST /api/projects/{id}/segment": EDIT_PROJECT,
    "GET /api/images/{id}": OF_IMAGE,
    "GET /api/images/{id}/objects": OF_IMAGE,
    "GET /api/images/{id}/corrections": OF_IMAGE,
    "POST /api/images/{id}/corrections": EDIT_IMAGE,
    "POST /api/images/{id}/corrections/click": EDIT_IMAGE,
    "POST /api/images/{id}/corrections/undo": EDIT_IMAGE,
    "POST /api/images/{id}/corrections/redo": EDIT_IMAGE,
    "POST /api/images/{id}/corrections/done": EDIT_IMAGE,
    "DELETE /api/images/{id}/corrections": EDIT_IMAGE,
    "GET /api/images/{id}/corrections/discarded": OF_IMAGE,
    "POST /api/images/{id}/corrections/reopen": EDIT_IMAGE,
    "GET /api/images/{id}/history": OF_IMAGE,
    "GET /api/images/{id}/versions": OF_IMAGE,
    "PUT /api/images/{id}/versions": EDIT_IMAGE,
    "PUT /api/images/{id}/review": EDIT_IMAGE,
    "POST /api/projects/{id}/outlines": EDIT_PROJECT,
    "GET /api/projects/{id}/review": OF_PROJECT,
    "POST /api/projects/{id}/review/next": EDIT_PROJECT,
    "GET /api/projects/{id}/accuracy": OF_PROJECT,
    "GET /api/projects/{id}/second-opinions": OF_PROJECT,
    "POST /api/projects/{id}/second-opinions/next": EDIT_PROJECT,
    "POST /api/images/{id}/second-opinions": EDIT_IMAGE,
    "GET /api/jobs": SIGNED_IN,
    "GET /api/queue": SIGNED_IN,
    "GET /api/version": SIGNED_IN,
    "GET /api/exports/{id}": OF_EXPORT,
    "GET /api/metrics/performance": ADMIN,
    "GET /api/metrics/health": ADMIN,
    "GET /api/metrics/summary": ADMIN,
    "GET /api/metrics/slow-queries": ADMIN,
    "GET /api/metrics/endpoints": ADMIN,
    "GET /metrics": ADMIN,
    "GET /thumbs/{id}": OF_IMAGE,
    "GET /views/{id}.png": OF_IMAGE,
    "GET /downloads/projects/{id}/objects.csv": OF_PROJECT,
    "GET /downloads/projects/{id}/images.csv": OF_PROJECT,
    "GET /downloads/projects/{id}/measurements.csv": OF_PROJECT,
    "GET /downloads/images/{id}/objects.csv": OF_IMAGE,
    "GET /downloads/images/{id}/original": OF_IMAGE,
    "GET /downloads/images/{id}/mask.png": OF_IMAGE,
    "GET /downloads/images/{id}/overlay.png": OF_IMAGE,
    "GET /downloads/formulas.csv": SIGNED_IN,
    "GET /downloads/exports/{id}.zip": OF_EXPORT,
    "GET /downloads/audit.csv": ADMIN,
}


@dataclass(frozen=True, slots=True)
class MethodRule:
    """Rule of a method of the app's parts: the caller needs ``level`` in the project of ``argument``.

    ``argument`` is project_id, project, image, image_id, image_ids, ids (of images), export_id or request.
    With "visible", the method gets the ids of all projects in which the caller has the level, and leaves out
    all others; with "narrowed", it is called on the part narrowed to those projects; with "shown", what it
    returns is filtered. ``action`` is recorded in the audit.
    """

    argument: str
    level: Level = Level.VIEW
    action: Action | None = None
    audience: Audience = Audience.SIGNED_IN
    adds_files: bool = False  # so there has to be room in the owner's share of the disk


def _view(argument: str) -> MethodRule:
    return MethodRule(argument)


VISIBLE = MethodRule("visible")
NARROWED = MethodRule("narrowed")
EDITABLE = MethodRule("narrowed", Level.EDIT, Action.CHANGED_SETTINGS)

# By part and method, for every public method of the parts that pages and routes use.
METHODS: Mapping[str, MethodRule] = {
    "projects.list": VISIBLE,
    "projects.get": _view("project_id"),
    "projects.require": _view("project_id"),
    "projects.create": MethodRule("owner", action=Action.CREATED, audience=Audience.CREATOR),
    "projects.rename": MethodRule("project_id", Level.OWN, Action.CHANGED_SETTINGS),
    "projects.set_pixel_size": MethodRule("project_id", Level.EDIT, Action.CHANGED_SETTINGS),
    "projects.set_recipe": MethodRule("project_id", Level.EDIT, Action.CHANGED_SETTINGS),
    "projects.set_review": MethodRule("project_id", Level.EDIT, Action.CHANGED_SETTINGS),
    "projects.delete": MethodRule("project_id", Level.OWN, Action.DELETED),
    "projects.restore": MethodRule("project_id", Level.OWN, Action.RESTORED),
    "images.get": _view("image_id"),
    "images.project_of": _view("image_id"),
    "images.page": _view("project_id"),
    "images.ids": _view("project_id"),
    "images.neighbours": _view("image"),
    "images.known": MethodRule("known"),
    "frozen_lists.neighbours": _view("image"),
    "saved_views.of_project": _view("project_id"),
    "saved_views.save": MethodRule("project_id", Level.EDIT, Action.CHANGED_SETTINGS),
    "saved_views.delete": MethodRule("project_id", Level.EDIT, Action.CHANGED_SETTINGS),
    "images.set_pixel_size": MethodRule("ids", Level.EDIT, Action.CHANGED_SETTINGS),
    "images.delete": MethodRule("project_id", Level.EDIT, Action.DELETED),
    "images.restore": MethodRule("project_id", Level.EDIT, Action.RESTORED),
    "jobs.enqueue": MethodRule("project_id", Level.EDIT, Action.SEGMENTED),
    "jobs.cancel": EDITABLE,
    "jobs.prioritise": EDITABLE,
    "jobs.retry": MethodRule("narrowed", Level.EDIT, Action.SEGMENTED),
    "jobs.page": NARROWED,
    "jobs.ids": NARROWED,
    "jobs.totals": NARROWED,
    "own_settings.of_project": _view("project_id"),
    "own_settings.segment": MethodRule("project_id", Level.EDIT, Action.SEGMENTED),
    "own_settings.accept": MethodRule("project_id", Level.EDIT, Action.SEGMENTED),
    "own_settings.restore_version": MethodRule("image_id", Level.EDIT, Action.CORRECTED),
    "trash.items": VISIBLE,
    "results.get": _view("image"),
    "results.spheroids": _view("image_id"),
    "results.segmentation": _view("image"),
    "results.versions": _view("image_id"),
    "results.set_in_force": MethodRule("image_id", Level.EDIT, Action.CORRECTED),
    "results.add_version": MethodRule("image_id", Level.EDIT, Action.CORRECTED),
    "results.size": _view("project_id"),
    "results.objects": _view("project_id"),
    "results.images": _view("project_id"),
    "objects.page": _view("project_id"),
    "objects.count": _view("project_id"),
    "objects.calibrated": _view("project_id"),
    "objects.partly_calibrated": _view("project_id"),
    "objects.stream": _view("project_id"),
    "objects.histogram": _view("project_id"),
    "objects.points": _view("project_id"),
    "generations.of": _view("project_id"),
    "ingest.add": MethodRule("project_id", Level.EDIT, Action.UPLOADED, adds_files=True),
    "uploads.declare": MethodRule("project_id", Level.EDIT, adds_files=True),
    "uploads.begin": MethodRule("project_id", Level.EDIT, adds_files=True),
    "uploads.open_part": MethodRule("upload", Level.EDIT),
    "uploads.close_part": MethodRule("upload", Level.EDIT),
    "uploads.finish": MethodRule("upload", Level.EDIT, Action.UPLOADED),
    "uploads.refuse": MethodRule("upload", Level.EDIT),
    "uploads.cancel": MethodRule("project_id", Level.EDIT),
    "uploads.dismiss": MethodRule("project_id", Level.EDIT),
    "uploads.of_key": _view("project_id"),
    "uploads.get": MethodRule("returned"),
    "uploads.listed": MethodRule("shown"),
    "uploads.require_size": MethodRule(""),
    "watched.status": _view("project_id"),
    "watched.choose": MethodRule("project_id", Level.OWN, Action.CHANGED_SETTINGS, audience=Audience.ADMIN),
    "store.enqueue_once": MethodRule("project_id", Level.EDIT, Action.SEGMENTED),
    "correction_audit.of_image": _view("image_id"),
    "correction_audit.page_of_image": _view("image_id"),
    "corrections.draft": _view("image_id"),
    "corrections.state": _view("image_id"),
    "corrections.unfinished": _view("image_id"),
    "corrections.prepare": _view("image_id"),
    "corrections.apply": MethodRule("image_id", Level.EDIT),
    "corrections.undo": MethodRule("image_id", Level.EDIT),
    "corrections.click": MethodRule("image_id", Level.EDIT),
    "corrections.finish": MethodRule("image_id", Level.EDIT, Action.CORRECTED),
    "corrections.discard": MethodRule("image_id", Level.EDIT),
    "corrections.discarded": _view("image_id"),
    "corrections.reopen": MethodRule("image_id", Level.EDIT),
    "imports.add": MethodRule("project_id", Level.EDIT, Action.CORRECTED, adds_files=True),
    "reviews.queue": _view("project_id"),
    "reviews.turn": MethodRule("project_id", Level.EDIT),
    "reviews.judge": MethodRule("image_id", Level.EDIT, Action.REVIEWED),
    "reviews.take_back": MethodRule("image_id", Level.EDIT, Action.TOOK_REVIEW_BACK),
    "reviews.renew": MethodRule("image_id", Level.EDIT),
    "reviews.accuracy": _view("project_id"),
    "reviews.effort": _view("project_id"),
    "second_opinions.turn": MethodRule("project", Level.EDIT),
    "second_opinions.left": MethodRule("project", Level.EDIT),
    "second_opinions.add": MethodRule("image_id", Level.EDIT, Action.GAVE_SECOND_OPINION),
    "second_opinions.figures": _view("project_id"),
    "second_opinions.rows": _view("project_id"),
    "previews.segment": _view("image"),
    "exports.start": MethodRule("request", action=Action.EXPORTED),
    "exports.get": _view("export_id"),
    "exports.of_project": _view("project_id"),
    "exports.take": _view("export_id"),
    "exports.cancel": MethodRule("export_id", Level.EDIT),
    "queue_monitor.snapshot": VISIBLE,
    "queue.wake": MethodRule(""),
    "timeline.latest": MethodRule("shown"),
}

# Methods of these parts that only the app itself calls, not in anybody's name.
INTERNAL = frozenset(
    {
        "generations.cache_key",
        "jobs.of_projects",
        "jobs.claim",
        "jobs.fail",
        "jobs.put_back",
        "jobs.release",
        "jobs.give_back",
        "jobs.recover",
        "results.finish",
        "results.begin_to_finish",
        "results.pin",
        "results.version",
        "results.unpin",
        "ingest.add_file",
        *("corrections.open", "imports.open", "second_opinions.open"),
        *("correction_audit.of_project", "correction_audit.verify"),
        "uploads.start",
        "uploads.sweep",
        "uploads.close",
        "watched.open",
        "watched.run",
        *("exports.sweep", "exports.close", "previews.close"),
    }
)

"""/api/images/…/corrections: gestures of the editor, versions of an image's result, and its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import unquote

import orjson
from fastapi import Depends, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from core.corrections import Tool
from core.corrections.gestures import Applied, Click
from core.errors import (
    InvalidRequest,
    NotSignedIn,
    ObjectConflict,
    SpheroscopeError,
    VersionConflict,
)
from core.http.answers import json_answer
from core.http.dependencies import IdempotencyKey, ImageId, ServicesDependency, own_client, requested_by
from core.http.routing import ReadRouter
from core.http.schemas import corrections as bodies
from core.services import Services
from core.store.recipe import PAGE

MAX_BODY_BYTES = 8 * 2**20

router = ReadRouter(prefix="/api/images", tags=["Corrections"])
CONFLICTS: dict[int | str, dict[str, Any]] = {
    409: {"model": bodies.ConflictProblem, "description": "Somebody else was first: see `objects`."}
}


async def _author(request: Request, services: ServicesDependency) -> str:
    page = PAGE if request.headers.get("sec-fetch-site") == "same-origin" else None
    author = requested_by(request, services.settings, page)
    expected = unquote(request.headers.get("expected-author", author))
    if expected != author:
        raise NotSignedIn(f"These changes are {expected[:100]}'s, and {author} is signed in now.")
    return author


async def small_json(request: Request) -> None:
    """Refuse a body that is not JSON, or does not say that it is short enough.

    Raises:
        InvalidRequest: so it is.
    """
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MAX_BODY_BYTES):
        raise InvalidRequest(f"A change may have {MAX_BODY_BYTES // 2**20} MiB, and must say its length.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise InvalidRequest("A change is sent as application/json.")


Author = Annotated[str, Depends(_author)]
CHANGE = [Depends(own_client), Depends(small_json)]


@router.get("/{id}/corrections", response_model=bodies.StateAnswer)
def draft(image_id: ImageId, services: ServicesDependency, author: Author) -> Response:
    """Where the correction of an image stands: every spheroid's pixels, as the last gesture left them."""
    answer = json_answer(bodies.state_body(services.corrections.state(image_id), author))
    answer.background = BackgroundTask(services.corrections.prepare, image_id)
    return answer


@router.post(
    "/{id}/corrections", response_model=bodies.AppliedAnswer, responses=CONFLICTS, dependencies=CHANGE
)
def correct(
    image_id: ImageId,
    body: bodies.GestureBody,
    key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Store one gesture, and measure what it has changed.

    A spheroid that comes apart keeps its number on its largest part. Gestures at different spheroids never
    conflict.
    """
    image = services.store.images.get(image_id)
    gesture = body.gesture(key, image)
    if gesture.tool in (Tool.UNDO, Tool.REDO):
        raise InvalidRequest("Undo and redo have addresses of their own.")
    return _answer(services, image_id, author, lambda: services.corrections.apply(image_id, gesture, author))


@router.post(
    "/{id}/corrections/click", response_model=bodies.AppliedAnswer, responses=CONFLICTS, dependencies=CHANGE
)
def click(
    image_id: ImageId,
    body: bodies.ClickBody,
    key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Outline, grow, trim or split a spheroid by a click, which a network answers."""
    click_request = Click((body.x, body.y), body.number, body.away, body.split_at)
    gesture = body.gesture(key, Tool.CLICK)
    return _answer(
        services,
        image_id,
        author,
        lambda: services.corrections.click(image_id, gesture, click_request, author),
    )


@router.post(
    "/{id}/corrections/undo", response_model=bodies.AppliedAnswer, responses=CONFLICTS, dependencies=CHANGE
)
def undo(
    image_id: ImageId,
    body: bodies.StepBody,
    key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Undo one's own last gesture."""
    gesture = body.gesture(key, Tool.UNDO)
    return _answer(services, image_id, author, lambda: services.corrections.undo(image_id, gesture, author))


@router.post(
    "/{id}/corrections/redo", response_model=bodies.AppliedAnswer, responses=CONFLICTS, dependencies=CHANGE
)
def redo(
    image_id: ImageId,
    body: bodies.StepBody,
    key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Do again what one has undone last."""
    gesture = body.gesture(key, Tool.REDO)
    return _answer(services, image_id, author, lambda: services.corrections.undo(image_id, gesture, author))


@router.post(
    "/{id}/corrections/done", response_model=bodies.VersionAnswer, responses=CONFLICTS, dependencies=CHANGE
)
def done(
    image_id: ImageId,
    body: bodies.DoneBody,
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Make the draft a corrected version and put it in force."""
    try:
        version = services.corrections.finish(image_id, body.revision, body.in_force, author, body.reason)
    except (ObjectConflict, VersionConflict) as error:
        return conflict(services, image_id, error)
    return json_answer(bodies.version_body(version, version.id).model_dump(mode="json"))


@router.delete("/{id}/corrections", status_code=204, responses=CONFLICTS, dependencies=CHANGE)
def discard(
    image_id: ImageId,
    body: bodies.DiscardBody,
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Give the draft up; what is in force stays so, and the draft can be taken up again."""
    try:
        services.corrections.discard(image_id, body.revision, author)
    except ObjectConflict as error:
        return conflict(services, image_id, error)
    return Response(status_code=204)


@router.get("/{id}/corrections/discarded")
def discarded(image_id: ImageId, services: ServicesDependency) -> bodies.DiscardedDraftsAnswer:
    """The drafts of an image that were given up and can be taken up again, the latest first."""
    services.store.images.get(image_id)
    drafts = services.corrections.discarded(image_id)
    return bodies.DiscardedDraftsAnswer(
        discarded=[bodies.DiscardedAnswer.model_validate(item) for item in drafts]
    )


@router.post("/{id}/corrections/reopen", status_code=204, responses=CONFLICTS, dependencies=CHANGE)
def reopen(
    image_id: ImageId,
    body: bodies.ReopenBody,
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Response:
    """Take a discarded draft up again, where no other one is open."""
    try:
        services.corrections.reopen(image_id, body.draft_id, author)
    except ObjectConflict as error:
        return conflict(services, image_id, error)
    return Response(status_code=204)


@router.get("/{id}/versions")
def versions(image_id: ImageId, services: ServicesDependency) -> bodies.VersionsAnswer:
    """Every version of an image's result, the newest first."""
    in_force = services.store.images.get(image_id).version_id
    versions = services.store.results.versions(image_id)
    return bodies.VersionsAnswer(versions=[bodies.version_body(item, in_force) for item in versions])


@router.put("/{id}/versions", responses=CONFLICTS, dependencies=CHANGE, response_model=bodies.VersionsAnswer)
def choose(
    image_id: ImageId,
    body: bodies.ChoiceBody,
    _key: IdempotencyKey,
    services: ServicesDependency,
    author: Author,
) -> Any:
    """Put another version in force; none is lost by it."""
    try:
        services.store.results.set_in_force(image_id, body.version_id, body.in_force, author)
    except VersionConflict as error:
        return conflict(services, image_id, error)
    return versions(image_id, services)


@router.get("/{id}/history")
def history(image_id: ImageId, services: ServicesDependency) -> bodies.HistoryAnswer:
    """Every change that people made to an image's result, the first one first."""
    services.store.images.get(image_id)
    changes = services.store.correction_audit.of_image(image_id)
    names = [name for name in bodies.HistoryRow.model_fields if name != "facts"]
    return bodies.HistoryAnswer(
        changes=[
            bodies.HistoryRow(**{name: getattr(item, name) for name in names}, facts=orjson.loads(item.facts))
            for item in changes
        ]
    )


def _answer(services: Services, image_id: str, author: str, change: Callable[[], Applied]) -> Response:
    try:
        applied = change()
        services.reviews.renew(image_id, author)
        return json_answer(bodies.applied_body(applied, author))
    except (ObjectConflict, VersionConflict) as error:
        return conflict(services, image_id, error)


def conflict(services: Services, image_id: str, error: SpheroscopeError) -> Response:
    """What is there now of the spheroids that two have changed; of all of them, where that is not known."""
    now = services.corrections.draft(image_id)
    numbers = getattr(error, "numbers", None) or now.objects.keys()
    detail = {"code": error.code, "message": error.message}
    objects = [bodies.region(number, now.objects.get(number)) for number in sorted(numbers)]
    about = {"revision": now.revision, "version_id": now.parent_id}
    ended = bodies.ended_body(getattr(error, "ended", None))
    return json_answer({"error": detail, **about, "objects": objects, "ended": ended}, 409)

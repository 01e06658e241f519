"""What route functions are given beside their parameters: the services, as whoever calls may use them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import Depends, Header, Path, Request

from core.accounts import LOCAL, Level, Principal, Role
from core.accounts.caller import Caller
from core.accounts.policy import ROUTES, Subject
from core.errors import ForeignRequest, InvalidRequest, NotAllowed, NotFound
from core.http.middleware.access import same_origin
from core.models.text import NO_PROJECT
from core.services import Services
from core.settings import Settings
from core.store.recipe import PROGRAM, requester_name

NOBODY = Principal("", "nobody", Role.VIEWER, read_only=True)  # sees no project; of the open routes


# Coroutines, because FastAPI hands a plain function to another thread, which takes longer than these do.
async def _services(request: Request) -> Services:
    services: Services = request.app.state.services()
    return services.for_caller(principal_of(request) or NOBODY)


def principal_of(request: Request) -> Principal | None:
    """Return who asks, as the access guard found; where there is no guard, whoever is at this computer."""
    principal: Principal | None = request.scope.get("state", {}).get("principal", LOCAL)
    return principal


async def authorised(request: Request) -> None:
    """Refuse who may not use this route at all; projects are looked at where its parts are used.

    Raises:
        NotFound: the route is for others.
        NotAllowed: it has no rule, or changes something and the caller only reads.
        TooManyAttempts: it is a download, and they have had too many in a short time.
    """
    principal = principal_of(request)
    if principal is LOCAL:
        return
    method = "GET" if request.method == "HEAD" else request.method
    rule = ROUTES.get(f"{method} {request.scope['route'].path}")
    if rule is None:
        raise NotAllowed("This address has no rule in core/accounts/policy.py, so nobody may use it.")
    if not rule.admits(principal):
        raise NotFound("There is nothing at this address.")
    if rule.subject is Subject.PROJECT and principal is not None:
        _check_level(principal, request.path_params["id"], rule.level)
    if rule.subject is Subject.IMAGE and principal is not None and method != "GET":
        # before the body is read: what is wrong with it is nothing that others are told
        caller = Caller(principal, request.app.state.services().access, str)
        caller.check_images((request.path_params["id"],), rule.level)
    if request.url.path.startswith("/downloads/") and principal is not None:
        request.app.state.services().access.downloads.take(principal.account_id or principal.key)
    if method != "GET" and (principal is None or principal.read_only):
        raise NotAllowed("You may look here, but not change anything.")


async def single_values(request: Request) -> None:
    """Refuse a parameter that is given more than once: FastAPI would take the last.

    Raises:
        InvalidRequest: one is.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in counts.items():
        if times > 1:
            raise InvalidRequest(f"{name[:40]} is given {times} times; give it once.")


def _check_level(principal: Principal, project_id: str, level: Level) -> None:
    if not principal.reaches(project_id):
        raise NotFound(NO_PROJECT)
    if not principal.reaches(project_id, level):
        raise NotAllowed("You can look at this project, but not change it. Ask its owner to let you.")


async def no_parameters(request: Request) -> None:
    """Refuse any parameter.

    Raises:
        InvalidRequest: there is one.
    """
    if request.query_params:
        name = next(iter(request.query_params))
        raise InvalidRequest(f"There is no parameter “{name[:40]}”. This address takes none.")


async def own_client(request: Request) -> None:
    """Refuse a change that another website makes a visitor's browser ask for.

    Such a request says so itself, in a modern browser; an older one says where it comes from. It cannot have
    an Idempotency-Key either, which every change needs: a page may send headers of its own choice to another
    site only with that site's consent.

    Raises:
        ForeignRequest: it is one.
    """
    if not same_origin(request.scope):
        raise ForeignRequest("Another website asks for this change. Only Spheroscope's own pages may.")


def requested_by(request: Request, settings: Settings, name: str | None = None) -> str:
    """Return who asks for a change: whose request it is, else as a proxy or the client itself says."""
    principal = principal_of(request)
    if principal is not None and principal is not LOCAL:
        return principal.name
    by_proxy = request.headers.get(settings.user_header, "") if settings.user_header else ""
    return requester_name(by_proxy) or requester_name(name or "") or PROGRAM


ServicesDependency = Annotated[Services, Depends(_services)]
ProjectId = Annotated[str, Path(alias="id", description="Id of a project.")]
ImageId = Annotated[str, Path(alias="id", description="Id of an image.")]
ExportId = Annotated[str, Path(alias="id", description="Id of an export.")]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Chosen by the client, another one for every change; a repeated one changes no more.",
    ),
]

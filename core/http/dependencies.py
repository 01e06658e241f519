"""What route functions are given beside their parameters: the services of the process.

A route that has to know who calls will take a second dependency from here.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Header, Path, Request

from core.errors import ForeignRequest, InvalidRequest
from core.services import Services
from core.settings import Settings
from core.store.recipe import requester_name

PROGRAM = "program"  # requests a change where nobody is known by name


# Coroutines, because FastAPI hands a plain function to another thread, which takes longer than these do.
async def _services(request: Request) -> Services:
    opened: Services = request.app.state.services()
    return opened


async def single_values(request: Request) -> None:
    """Refuse a parameter that is given more than once: FastAPI would take the last.

    Raises:
        InvalidRequest: one is.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in counts.items():
        if times > 1:
            raise InvalidRequest(f"{name[:40]} is given {times} times; give it once.")


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
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = site in ("same-origin", "none")
    if site is None:
        own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not own:
        raise ForeignRequest("Another website asks for this change. Only Spheroscope's own pages may.")


def requested_by(request: Request, settings: Settings, name: str | None = None) -> str:
    """Return who asks for a change: as the reverse proxy says, else as the client itself says."""
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

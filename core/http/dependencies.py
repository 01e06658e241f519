"""What route functions are given beside their parameters: the services of the process.

A route that has to know who calls will take a second dependency from here.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import Depends, Path, Request

from core.errors import InvalidRequest
from core.services import Services


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


ServicesDependency = Annotated[Services, Depends(_services)]
ProjectId = Annotated[str, Path(alias="id", description="Id of a project.")]
ImageId = Annotated[str, Path(alias="id", description="Id of an image.")]
ExportId = Annotated[str, Path(alias="id", description="Id of an export.")]

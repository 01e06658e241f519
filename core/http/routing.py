"""A router whose routes that read also answer HEAD, and that refuses parameters nobody takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends

from core.http.dependencies import no_parameters


class ReadRouter(APIRouter):
    """Routes added with ``get`` answer HEAD as well, which the OpenAPI document does not list again.

    A function without an argument ``query`` takes no parameters, and its address refuses any.
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route, and for GET a second one of the same function for HEAD."""
        if "query" not in inspect.signature(endpoint).parameters:
            options["dependencies"] = [*(options.get("dependencies") or ()), Depends(no_parameters)]
        super().add_api_route(path, endpoint, **options)
        if options.get("methods") == ["GET"]:
            options |= {"methods": ["HEAD"], "include_in_schema": False}
            super().add_api_route(path, endpoint, **options)

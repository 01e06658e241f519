"""What every address takes and answers: the OpenAPI document beside this file, served at /api/openapi.json.

It is the one list of the parameters that are allowed: a request with any other one is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from core.errors import InvalidRequest
from core.http.guards import Handler

Document = dict[str, Any]
FILE = Path(__file__).parent / "openapi.json"


def document() -> Document:
    """The OpenAPI 3.1 document."""
    read: Document = json.loads(FILE.read_text(encoding="utf-8"))
    return read


def guarded(path: str, handler: Handler, told: Document) -> Handler:
    """``handler``, reached only by requests whose every parameter is one that ``told`` has for ``path``."""
    if path not in told["paths"]:
        return handler
    known = query_parameters(path, told)

    def checked(request: Request) -> Response:
        given = request.query_params.multi_items()
        names = [name for name, _ in given]
        for name in dict.fromkeys(names):
            if name not in known:
                these = f"Known: {', '.join(known)}." if known else "This address takes none."
                raise InvalidRequest(f"There is no parameter “{name[:40]}”. {these}")
            if names.count(name) > 1:
                raise InvalidRequest(f"{name} is given {names.count(name)} times; give it once.")
        return handler(request)

    return checked


def query_parameters(path: str, told: Document) -> tuple[str, ...]:
    """Names of the parameters that an address takes after its question mark."""
    shared: Document = told["components"]["parameters"]
    listed = [
        shared[item["$ref"].rpartition("/")[2]] if "$ref" in item else item
        for item in told["paths"][path]["get"].get("parameters", ())
    ]
    return tuple(item["name"] for item in listed if item["in"] == "query")

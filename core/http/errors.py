"""Errors as JSON: a stable ``code`` for programs and a ``message`` for people, whatever raised them."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from core.errors import (
    AppBusy,
    BlobDamaged,
    BlobMissing,
    ForeignRequest,
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotSignedIn,
    ObjectConflict,
    QueueFull,
    QuotaExceeded,
    SearchTooSlow,
    ServiceClosed,
    SignInRefused,
    SpheroscopeError,
    StorageError,
    TooManyAttempts,
    UploadConflict,
    VersionConflict,
)
from core.http.answers import json_answer

log = logging.getLogger(__name__)

# The first class that fits counts. A lost or damaged file is our fault and asking again does not help.
STATUSES: tuple[tuple[type[SpheroscopeError], int], ...] = (
    (NotFound, 404),
    (NotSignedIn, 401),
    (SignInRefused, 401),
    (TooManyAttempts, 429),
    (QuotaExceeded, 429),
    (NotAllowed, 403),
    (InvalidRequest, 400),
    (VersionConflict, 409),
    (ObjectConflict, 409),
    (UploadConflict, 409),
    (ForeignRequest, 403),
    (QueueFull, 503),
    (AppBusy, 503),
    (SearchTooSlow, 503),
    (ServiceClosed, 503),
    (BlobMissing, 500),
    (BlobDamaged, 500),
    (StorageError, 503),
)
RETRY_SECONDS = "5"
HTTP_ERRORS = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method; Allow names those that it takes."),
}
SHOWN_CHARACTERS = 40  # of a value that is repeated in a message


def add_handlers(app: FastAPI) -> None:
    """Have every error of the routes answered in the same form."""
    app.add_exception_handler(SpheroscopeError, _own_error)
    app.add_exception_handler(RequestValidationError, _invalid_parameter)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as JSON."""
    return json_answer({"error": {"code": code, "message": message}}, status, headers)


async def _own_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, SpheroscopeError)
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    if status >= 500:
        log.error("event=http.refused code=%s status=%d", error.code, status)
    return problem(
        status, error.code, error.message, {"Retry-After": RETRY_SECONDS} if status == 503 else None
    )


async def _invalid_parameter(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(400, InvalidRequest.code, _message(request, error.errors()[0]))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message = HTTP_ERRORS.get(error.status_code, ("http_error", str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))  # the error names those of the first route alone
    return problem(error.status_code, code, message, headers)


async def _unexpected(_request: Request, _error: Exception) -> Response:
    # The server logs the traceback.
    return problem(
        500, "unexpected", "This could not be answered because of a fault in Spheroscope. See its log."
    )


def _methods(request: Request) -> list[str]:
    """The methods that the address of a request takes."""
    methods = {method.upper() for method in request.app.openapi()["paths"][request.scope["route"].path]}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _message(request: Request, error: dict[str, Any]) -> str:
    """A sentence on the first parameter that cannot be, as its place in the OpenAPI document describes it."""
    location = [str(part) for part in error["loc"]]
    if error["type"] == "missing":
        kind = "parameter" if location[0] == "query" else location[0]
        return f"This request needs {location[-1]} as a {kind}."
    if location[0] in ("header", "body"):
        parameter = ".".join(location[1:])[:SHOWN_CHARACTERS] or "The body"
        return f"{parameter} cannot be taken: {error['msg']}."
    name = location[1]
    value = str(error["input"])[:SHOWN_CHARACTERS]
    parameters = _parameters(request)
    if error["type"] == "extra_forbidden":
        return f"There is no parameter “{name[:SHOWN_CHARACTERS]}”. Known: {', '.join(parameters)}."
    schema = parameters[name]
    if expected := error.get("ctx", {}).get("expected"):  # “'name', '-name' or 'status'”
        known = ", ".join(choice for choice in re.findall(r"'([^']+)'", expected) if choice[0] != "-")
        words = {"sort": "The list cannot be sorted by", "fields": "There is no field"}
        return f"{words.get(name, f'{name} cannot be')} “{value}”. Known: {known}."
    if "maxLength" in schema:
        return f"{name} may have {schema['maxLength']} characters."
    return f"{name} must be {_kind(schema)}."


def _kind(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "a date or a time such as 2026-11-02 or 2026-11-02T09:30:00Z"
    if "enum" in schema:
        return " or ".join(schema["enum"])
    if schema["type"] == "integer":
        lowest, highest = schema.get("minimum", 0), schema.get("maximum")
        return f"a whole number from {lowest}" + ("" if highest is None else f" to {highest}")
    return "a number, such as 200 or 0.85"


def _parameters(request: Request) -> dict[str, dict[str, Any]]:
    """Schemas of the parameters that the address of a request takes, by name."""
    operation = request.app.openapi()["paths"][request.scope["route"].path]
    operation = operation["get" if request.method == "HEAD" else request.method.lower()]
    parameters = operation.get("parameters", ())
    return {item["name"]: item["schema"] for item in parameters if item["in"] == "query"}

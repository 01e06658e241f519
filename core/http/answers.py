"""Answers in the forms that all routes share: JSON, errors, what may be cached, names of files."""

from __future__ import annotations

import json
import logging
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from core.errors import (
    AppBusy,
    BlobDamaged,
    BlobMissing,
    InvalidRequest,
    NotFound,
    QueueFull,
    SearchTooSlow,
    ServiceClosed,
    SpheroscopeError,
    StorageError,
    VersionConflict,
)
from core.files.file_names import file_name
from core.images.formats import HEAD_BYTES, content_type

log = logging.getLogger(__name__)

# The first class that fits counts. A lost or damaged file is our fault and does not mend by asking again.
STATUSES: tuple[tuple[type[SpheroscopeError], int], ...] = (
    (NotFound, 404),
    (InvalidRequest, 400),
    (VersionConflict, 409),
    (QueueFull, 503),
    (AppBusy, 503),
    (SearchTooSlow, 503),
    (ServiceClosed, 503),
    (BlobMissing, 500),
    (BlobDamaged, 500),
    (StorageError, 503),
)
IMMUTABLE = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"  # may be kept, but is asked for by its ETag each time
NOT_KEPT = "no-store"


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """``body`` as JSON: times in UTC as ISO 8601 with a Z, and never cached, for it changes."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    fixed = {"Cache-Control": NOT_KEPT, "X-Content-Type-Options": "nosniff"}
    return Response(text.encode(), status, {**fixed, **(headers or {})}, media_type="application/json")


def versioned(request: Request, version: object, body: Callable[[], object]) -> Response:
    """``body`` as JSON that may be kept and asked for again by its version, or 304 where that is known.

    ``version`` is told before ``body`` reads anything, so what is kept is never called newer than it is.
    """
    etag = f'"{version}"'
    answer = unchanged(request, etag, ASK_AGAIN) or json_answer(body(), headers={"Cache-Control": ASK_AGAIN})
    answer.headers["ETag"] = f"W/{etag}"  # weak: compressed or not, it says the same
    return answer


def problem(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as JSON: ``code`` for programs, ``message`` for people."""
    return json_answer({"error": {"code": code, "message": message}}, status, headers)


def refused(_request: Request, error: Exception) -> Response:
    """What is answered when a handler raises one of Spheroscope's own errors."""
    assert isinstance(error, SpheroscopeError)
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    if status >= 500:
        log.error("event=http.refused code=%s status=%d", error.code, status)
    return problem(status, error.code, error.message, {"Retry-After": "5"} if status == 503 else None)


def crashed(_request: Request, _error: Exception) -> Response:
    """What is answered when a handler raises anything else; the server logs the traceback."""
    return problem(
        500, "unexpected", "This could not be answered because of a fault in Spheroscope. See its log."
    )


def picture(data: bytes, etag: str, cache_control: str) -> Response:
    """A picture to be shown, its type told from its first bytes."""
    headers = {"Cache-Control": cache_control, "ETag": etag}
    return Response(data, headers=headers, media_type=content_type(data[:HEAD_BYTES]))


def unchanged(request: Request, etag: str, cache_control: str) -> Response | None:
    """304 if what the client already has is still right, else None."""
    known = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if etag in tags or "*" in tags:
        return Response(status_code=304, headers={"Cache-Control": cache_control, "ETag": etag})
    return None


def attachment(name: str) -> str:
    """Content-Disposition that saves a file under ``name``, whatever characters that has (RFC 6266).

    Browsers take ``filename*``; the other one is for clients that know only ASCII.
    """
    safe = file_name(name)
    letters = "".join(char for char in unicodedata.normalize("NFKD", safe) if not unicodedata.combining(char))
    plain = re.sub(r"[^A-Za-z0-9 ._()+=-]", "_", letters) or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z"  # stored times are UTC without a zone
    raise TypeError(f"no JSON for {type(value).__name__}")

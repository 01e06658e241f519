"""Answers in the forms that all routes share: JSON, cache headers, names of downloaded files."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from core.accounts import LOCAL, Principal
from core.files.file_names import file_name

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"  # may be kept, but is asked for by its ETag each time
PRIVATE = "private, no-cache"  # the same, and by nobody but who asked
NOT_KEPT = "no-store"


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """``body`` as JSON: times in UTC as ISO 8601 with a Z, and never cached, for it changes."""
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME
    text = orjson.dumps(body, default=_plain, option=options)
    return Response(
        text, status, {"Cache-Control": NOT_KEPT, **(headers or {})}, media_type="application/json"
    )


def conditional(
    request: Request,
    tag: str,
    cache_control: str,
    answer: Callable[[], Response],
    *,
    weak: bool = False,
) -> Response:
    """Answer with what ``answer`` returns under an ETag, or with 304 where the client has it already.

    ``tag`` must be read before ``answer`` reads anything, and be another one whenever the bytes are; a
    ``weak`` one whenever the meaning is: then the answer may be compressed or not.
    """
    principal: Principal = request.scope.get("state", {}).get("principal") or LOCAL
    if principal is not LOCAL:  # another person's browser cache must not answer, nor a shared one
        tag = f"{tag}-{caller_mark(principal)}" if weak else tag
        cache_control = PRIVATE
    response = Response(status_code=304) if is_known(request, tag) else answer()
    response.headers["ETag"] = f'W/"{tag}"' if weak else f'"{tag}"'
    response.headers["Cache-Control"] = cache_control
    return response


def caller_mark(principal: Principal) -> str:
    """Return a text that differs between callers who may see different things."""
    rights = f"{principal.key} {principal.role} {principal.projects} {principal.read_only}"
    return hashlib.sha256(rights.encode()).hexdigest()[:8]


def conditional_json(request: Request, version: str, body: Callable[[], object]) -> Response:
    """Answer with ``body`` as JSON, or 304 where the client has it; see ``conditional`` for ``version``."""
    return conditional(request, version, REVALIDATE, lambda: json_answer(body()), weak=True)


def is_known(request: Request, tag: str) -> bool:
    """Whether the client has what ``tag`` names (If-None-Match, RFC 9110, 13.1.2)."""
    known = request.headers.get("if-none-match", "")
    tags = {part.strip().removeprefix("W/") for part in known.split(",")}
    return f'"{tag}"' in tags or known.strip() == "*"


def attachment(name: str) -> str:
    """Content-Disposition that saves a file under ``name``, whatever characters that has (RFC 6266).

    Browsers take ``filename*``; the other one is for clients that know only ASCII.
    """
    safe = file_name(name)
    letters = "".join(char for char in unicodedata.normalize("NFKD", safe) if not unicodedata.combining(char))
    plain = re.sub(r"[^A-Za-z0-9 ._()+=-]", "_", letters) or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"


def utc_text(time: datetime) -> str:
    """A stored time, which is UTC without a zone, as ISO 8601 with milliseconds and a Z."""
    return time.isoformat(timespec="milliseconds") + "Z"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(f"no JSON for {type(value).__name__}")

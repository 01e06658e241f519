"""Answers that are tables: written to a file first, then sent from there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core.export import TableFiles
from core.export.text import Pieces
from core.http.files import FileAnswer

CSV = "text/csv"  # Starlette adds the charset
KEPT_HEADERS = ("content-disposition", "cache-control")  # the others are the file's


class TableAnswer(Response):
    """A table under the ETag ``tag``, which names its file.

    Whoever waits for a table to be written holds no thread: only as many as ``limiter`` allows are written
    at once. A table is given up when its client leaves.
    """

    def __init__(
        self,
        tables: TableFiles,
        tag: str,
        pieces: Callable[[], Pieces],
        headers: dict[str, str],
        limiter: anyio.CapacityLimiter,
    ) -> None:
        super().__init__(headers=headers, media_type=CSV)
        self._tables = tables
        self._tag = tag
        self._pieces = pieces
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._tables.find(self._tag) or await self._written(receive)
        if path is not None:
            headers = {name: self.headers[name] for name in KEPT_HEADERS if name in self.headers}
            await FileAnswer(path, self._tag, CSV, headers)(scope, receive, send)

    async def _written(self, receive: Receive) -> Path | None:
        """The file of the table; None where its client has left."""
        client_left = threading.Event()
        watching = asyncio.create_task(_wait_until_client_left(receive, client_left))
        try:
            return await anyio.to_thread.run_sync(
                self._tables.write, self._tag, self._pieces, client_left, limiter=self._limiter
            )
        finally:
            watching.cancel()


async def _wait_until_client_left(receive: Receive, client_left: threading.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    client_left.set()

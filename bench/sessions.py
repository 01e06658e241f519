"""Visitors of pages, as their browsers talk to the server: a websocket, a page run, its end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


class Visitor:
    """One session of the app."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket

    async def open(self, page: str, query: str = "") -> float:
        """Open a page by its name in the address; returns the seconds until it was drawn.

        Raises:
            RuntimeError: the page showed a traceback.
        """
        ask = BackMsg()
        ask.rerun_script.page_name = page
        ask.rerun_script.query_string = query
        start = time.perf_counter()
        await self._socket.send(ask.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(await self._socket.recv(decode=False))
            if message.delta.new_element.WhichOneof("type") == "exception":
                raise RuntimeError(
                    f"{page or 'the first page'}: {message.delta.new_element.exception.message}"
                )
            if message.WhichOneof("type") == "script_finished":
                return time.perf_counter() - start


@asynccontextmanager
async def visitor(address: str) -> AsyncIterator[Visitor]:
    """Begin a session of the app at ``address``."""
    where = address.replace("http", "ws", 1) + "/_stcore/stream"
    async with websockets.connect(where, max_size=None, open_timeout=60) as socket:
        yield Visitor(socket)

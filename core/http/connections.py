"""Sets TCP_NODELAY on the server's connections, so that answers leave at once."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

import psutil

log = logging.getLogger(__name__)

_OPEN = (psutil.CONN_LISTEN, psutil.CONN_ESTABLISHED)
SOON_SECONDS = 0.2


async def send_at_once() -> None:
    """Switch Nagle's algorithm off for all connections of the server, when it is about to accept the first.

    An answer is two writes, head and body, and with the algorithm the second waits up to 40 ms until the
    client acknowledges the first. asyncio switches it off only where the listening socket was opened with the
    number of TCP, which Streamlit's is not.
    """
    switch_off_delays()
    # Clients that came while the app was starting are accepted now, with what the listener had then.
    asyncio.get_running_loop().call_later(SOON_SECONDS, switch_off_delays)


def switch_off_delays() -> None:
    """Set TCP_NODELAY on what this process has open; connections inherit it from the socket they come by.

    Where that is refused, answers come later, and the app goes on.
    """
    try:
        opened = psutil.Process().net_connections("tcp")
    except (OSError, psutil.Error) as error:  # a sandbox may hide them from us
        log.warning("event=connections.hidden reason=%s", type(error).__name__)
        return
    for item in opened:
        if item.status in _OPEN and item.fd >= 0:
            _switch_off(item.fd)


def _switch_off(handle: int) -> None:
    try:
        with socket.socket(fileno=os.dup(handle)) as copy:  # closing it leaves the other one open
            copy.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:  # its client has just left
        log.debug("event=connections.gone reason=%s", error.strerror)

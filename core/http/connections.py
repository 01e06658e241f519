"""Connections of clients: what is written to one leaves at once."""

from __future__ import annotations

import asyncio
import os
import socket

import psutil

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
    """Set TCP_NODELAY on what this process has open; connections inherit it from the socket they come by."""
    for item in psutil.Process().net_connections("tcp"):
        if item.status in _OPEN and item.fd >= 0:
            with socket.socket(fileno=os.dup(item.fd)) as copy:  # closing it leaves the other one open
                copy.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

"""How often a password may be tried, so that guessing is slow and nobody can be locked out by others.

Failures are counted by who tries, never by the name alone: a browser that has signed in with this name before
has a count of its own, anybody else one for their address and the name, and one for their address. Whoever
fills one of these counts shuts out themselves. While a name is under attack from many addresses, each new
address gets one try.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import TooManyAttempts

FREE_TRIES = 5  # of one visitor for one name, before each failure doubles the wait
FREE_TRIES_UNDER_ATTACK = 1
FREE_TRIES_OF_ADDRESS = 30  # for all names
ATTACK_FAILURES = 50  # for one name, by whomever
FIRST_WAIT_S, MAX_WAIT_S = 2.0, 15 * 60.0
FORGOTTEN_AFTER_S = 60 * 60.0
MAX_COUNTS = 100_000  # 20 MB; then the one that failed longest ago is forgotten


@dataclass(slots=True)
class _Count:
    failures: int = 0
    last: float = 0.0
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Origin of a sign-in attempt: an address, and the device if the browser has signed in before."""

    address: str
    device: str | None = None


class AttemptLimiter:
    """Counts failures in memory. Safe from any thread; ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, ...], _Count] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, name: str, visitor: Visitor) -> None:
        """Count a try as failed before the password is looked at, or refuse one that comes too soon.

        So any number of tries at the same time count as that many. ``succeeded`` takes it back.

        Raises:
            TooManyAttempts: with the seconds that have to pass.
        """
        now, keys = self._clock(), _keys(name, visitor)
        with self._lock:
            counts = [self._counts[key] for key in keys if key in self._counts]
            wait = max((count.not_before - now for count in counts), default=0.0)
            if wait > 0:
                raise TooManyAttempts(
                    f"Too many wrong passwords from this browser. Try again in {_words(wait)}. "
                    "If you have forgotten yours, an admin can give you a link to choose another.",
                    wait,
                )
            under_attack = self._add(("name", name), now).failures > ATTACK_FAILURES
            for key in keys:
                count = self._add(key, now)
                over = count.failures - _free(key, under_attack)
                if over >= 0:
                    count.not_before = now + min(MAX_WAIT_S, FIRST_WAIT_S * 2.0 ** min(over, 20))

    def succeeded(self, name: str, visitor: Visitor) -> None:
        """Forget the failures of this visitor for this name; other failures of their address stay."""
        own, *others = _keys(name, visitor)
        with self._lock:
            self._counts.pop(own, None)
            for key in (("name", name), *others):
                if count := self._counts.get(key):
                    count.failures -= 1
                    count.not_before = 0.0

    def _add(self, key: tuple[str, ...], now: float) -> _Count:
        count = self._counts.pop(key, None)
        if count is None or now - count.last > FORGOTTEN_AFTER_S:
            count = _Count()
        count.failures += 1
        count.last = now
        self._counts[key] = count
        while len(self._counts) > MAX_COUNTS:
            self._counts.popitem(last=False)
        return count


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the /64 that one connection is given, else the address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _keys(name: str, visitor: Visitor) -> list[tuple[str, ...]]:
    if visitor.device is not None:
        return [("device", visitor.device, name)]
    network = network_of(visitor.address)
    return [("pair", network, name), ("address", network)]


def _free(key: tuple[str, ...], under_attack: bool) -> int:
    if key[0] == "address":
        return FREE_TRIES_OF_ADDRESS
    return FREE_TRIES_UNDER_ATTACK if under_attack and key[0] == "pair" else FREE_TRIES


def _words(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"

"""How people are known: the access mode of the installation, read from its settings."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from core.accounts.principal import Role
from core.errors import InvalidRequest
from core.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T", bound=StrEnum)


class AccessMode(StrEnum):
    """Ways in which people sign in."""

    NONE = "none"  # not at all: the app serves this computer only
    LOCAL = "local"  # by accounts with passwords of the app's own
    OIDC = "oidc"  # by an OpenID Connect provider, through Streamlit's login
    PROXY = "proxy"  # by a header of a reverse proxy


@dataclass(frozen=True, slots=True)
class AccessRules:
    """The settings of access, checked."""

    mode: AccessMode
    idle: timedelta
    admins: frozenset[str]  # names in lower case, of those who sign in elsewhere
    new_role: Role | None  # of whoever signs in elsewhere for the first time; None refuses them
    user_header: str
    proxies: tuple[Network, ...]
    public_url: str
    disk_bytes: int  # of the files in one person's own projects
    waiting_images: int  # of one person
    downloads_per_minute: int

    @classmethod
    def of(cls, settings: Settings) -> AccessRules:
        """Return the rules of an installation.

        Raises:
            InvalidRequest: a setting cannot be, or one that the mode needs is missing; says which.
        """
        mode = _one_of(AccessMode, "AUTH", settings.auth)
        new_role = None
        if settings.new_account_role != "none":
            new_role = _one_of(Role, "NEW_ACCOUNT_ROLE", settings.new_account_role, ("none",))
        rules = cls(
            mode,
            timedelta(hours=settings.session_hours),
            frozenset(_names(settings.admins.lower())),
            new_role,
            settings.user_header.strip().lower(),
            tuple(_network(text) for text in _names(settings.proxy_addresses)),
            settings.public_url.strip().rstrip("/"),
            settings.account_disk_mb * 2**20,
            max(1, settings.max_queued * settings.account_queue_percent // 100),
            settings.downloads_per_minute,
        )
        rules._check()
        return rules

    def _check(self) -> None:
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            raise InvalidRequest("PUBLIC_URL must be an address such as https://spheroids.example.org.")
        if self.mode is AccessMode.PROXY and not (self.user_header and self.proxies):
            raise InvalidRequest(
                "AUTH=proxy needs USER_HEADER, the header in which the proxy says who asks, and "
                "PROXY_ADDRESSES, the addresses from which it is believed."
            )
        if self.mode in (AccessMode.PROXY, AccessMode.OIDC) and not self.admins:
            raise InvalidRequest(
                f"AUTH={self.mode} needs ADMINS: the names of those who are admins when they first sign in, "
                "with commas between."
            )

    @property
    def enabled(self) -> bool:
        """Whether anybody has to say who they are."""
        return self.mode is not AccessMode.NONE

    def trusts(self, address: str) -> bool:
        """Whether headers from this address are the proxy's own."""
        parsed = _address(address)
        return parsed is not None and any(parsed in network for network in self.proxies)


def is_loopback(address: str) -> bool:
    """Whether an address is this computer's own, which no other computer reaches."""
    parsed = _address(address)
    return address == "localhost" if parsed is None else parsed.is_loopback


def check_address(address: str, rules: AccessRules) -> None:
    """Refuse to serve other computers where nobody has to say who they are.

    Raises:
        InvalidRequest: with what to do.
    """
    if not rules.enabled and not is_loopback(address):
        raise InvalidRequest(
            f"Spheroscope was told to listen on {address or 'every address'}, where other computers reach "
            "it, but AUTH=none asks nobody who they are: everyone there could see and delete everything. Set "
            "AUTH=local (accounts of its own), AUTH=oidc or AUTH=proxy, or listen on 127.0.0.1. "
            "docs/access.md says how."
        )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidRequest(
            f"PROXY_ADDRESSES must be addresses such as 10.0.0.5 or 10.0.0.0/24, not {text!r}."
        ) from None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _one_of(kind: type[T], setting: str, text: str, other_values: tuple[str, ...] = ()) -> T:
    try:
        return kind(text.strip().lower())
    except ValueError:
        choices = ", ".join([*(item.value for item in kind), *other_values])
        raise InvalidRequest(f"{setting} must be one of {choices}, not {text!r}.") from None

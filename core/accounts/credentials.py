"""Secrets that people carry: made here, stored as digests, signed where a browser keeps them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import BadSignature, Signer

from core.files.fsync import fsync

KEY_FILE = "access.key"
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Credential:
    """An id, by which a row is found, and a secret, whose digest the row holds."""

    id: str
    secret: str

    @classmethod
    def new(cls) -> Credential:
        """Make one with 256 random bits."""
        return cls(secrets.token_hex(8), secrets.token_urlsafe(32))

    @classmethod
    def read(cls, text: str) -> Credential | None:
        """Read what ``text`` wrote; None where that cannot be one."""
        key, dot, secret = text.partition(".")
        valid = dot and len(text) <= 200 and text.isascii() and key.isalnum() and secret
        return cls(key, secret) if valid else None

    @property
    def text(self) -> str:
        """Return the credential as text, for a link, a cookie or a script."""
        return f"{self.id}.{self.secret}"

    @property
    def sha256(self) -> str:
        """The digest that is stored."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def matches(self, sha256: str) -> bool:
        """Whether ``sha256`` is this secret's digest; takes as long whether it is or not."""
        return hmac.compare_digest(self.sha256, sha256)


class CookieSigner:
    """Signs what browsers keep, with a key of the installation's own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, purpose: str, text: str) -> str:
        """Return ``text`` with a signature that holds for one purpose only."""
        return Signer(self._key, salt=purpose).sign(text.encode()).decode()

    def read(self, purpose: str, signed: str) -> str | None:
        """Return the text that was signed for ``purpose``; None where the signature does not hold."""
        try:
            return Signer(self._key, salt=purpose).unsign(signed.encode()).decode()
        except (BadSignature, UnicodeError):
            return None


def load_key(folder: Path) -> bytes:
    """Return the installation's key, made at the first start; readable by the app's own user only.

    Raises:
        OSError: it cannot be read or written.
    """
    path = folder / KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        fsync(fresh)
        fresh.replace(path)
        fsync(folder)
    return path.read_bytes()

"""Passwords: what may be one, and how they are hashed (argon2id, RFC 9106)."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.exceptions import VerificationError as ArgonError

from core.errors import InvalidRequest

MIN_CHARACTERS, MAX_CHARACTERS = 12, 200
MIN_DIFFERENT_CHARACTERS = 5
AT_ONCE = 2  # each takes 64 MiB and a core for 50 to 150 ms


class Passwords:
    """Hashes and verifies, at most ``AT_ONCE`` at a time. Safe from any thread."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._dummy_hash: str | None = None

    def hash(self, password: str) -> str:
        """Return a salted hash, in argon2's own text form."""
        with self._turns:
            return self._hasher.hash(password)

    def verify(self, password: str, hashed: str | None) -> bool:
        """Whether ``hashed`` is this password's; with None the answer is no, after the same time."""
        if self._dummy_hash is None:
            self._dummy_hash = self.hash("the password of an account that does not exist")
        with self._turns:
            try:
                valid = self._hasher.verify(hashed or self._dummy_hash, password[:MAX_CHARACTERS])
                return valid and bool(hashed)
            except (VerifyMismatchError, InvalidHashError, ArgonError):
                return False


def check_password(password: str, name: str) -> None:
    """Refuse a password that would be guessed.

    Raises:
        InvalidRequest: it is too short or too long, is made of few characters, or contains the name.
    """
    if not MIN_CHARACTERS <= len(password) <= MAX_CHARACTERS:
        raise InvalidRequest(
            f"A password has {MIN_CHARACTERS} to {MAX_CHARACTERS} characters; this one has "
            f"{len(password)}. A few words that do not belong together are long and easy to keep."
        )
    if len(set(password)) < MIN_DIFFERENT_CHARACTERS:
        raise InvalidRequest(f"This password has fewer than {MIN_DIFFERENT_CHARACTERS} different characters.")
    own = name.partition("@")[0].lower()
    if len(own) >= 4 and own in password.lower():
        raise InvalidRequest("This password contains your name. Choose another one.")

"""Accounts on an empty database, with a clock that only moves when a test says so, and cheap passwords."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from argon2 import PasswordHasher

from core.accounts import Access, AccessRules, Role
from core.accounts.credentials import CookieSigner
from core.accounts.passwords import Passwords
from core.db import Database
from core.settings import Settings

PASSWORD = "seven quiet spheroids"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Time:
    """A clock for both kinds of time."""

    seconds: float = 1000.0
    start: datetime = field(default_factory=lambda: datetime(2026, 11, 2, 9))

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds - 1000)

    def pass_by(self, **values: float) -> None:
        self.seconds += timedelta(**values).total_seconds()


@pytest.fixture
def time() -> Time:
    return Time()


def opened(db: Database, time: Time, **settings: object) -> Access:
    rules = AccessRules.of(Settings(**({"auth": "local"} | settings)))  # type: ignore[arg-type]
    signer = CookieSigner(b"k" * 32)
    return Access(db, rules, signer, time.monotonic, time.now, Passwords(CHEAP))


@pytest.fixture
def access(db: Database, time: Time) -> Access:
    return opened(db, time)


def add(access: Access, name: str, role: Role = Role.MEMBER) -> str:
    """Add an account with the usual password; return its id."""
    return access.accounts.create(name, role, access.passwords.hash(PASSWORD)).id

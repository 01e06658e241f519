"""Sessions of people in browsers, and API tokens of their scripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.accounts.credentials import Credential
from core.accounts.principal import Scope
from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import InvalidRequest, NotFound
from core.models.text import one_line

MAX_SESSION_TIME = timedelta(days=30)  # a session ends after this however often it is used
NOTED_EVERY = timedelta(minutes=10)  # when a session was last used is not written more often
RETENTION = timedelta(days=90)  # after which ended sessions are deleted
TOKEN_PREFIX = "sphero_"  # by which a token that was published by mistake is found
MAX_TOKEN_DAYS = 366
MAX_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that is signed in, or that opened a project's link. Times are UTC without a zone."""

    id: str
    secret_sha256: str
    account_id: str | None
    link_id: str | None
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, without its secret. ``project_id`` None is every project of the account."""

    id: str
    secret_sha256: str
    account_id: str
    name: str
    scope: Scope
    project_id: str | None
    created_at: datetime
    expires_at: datetime


class SessionStore:
    """The tables of sessions and tokens. ``idle`` is how long a session lasts without being used."""

    def __init__(self, db: Database, idle: timedelta, now: Callable[[], datetime] = utc_now) -> None:
        self._db = db
        self._idle = idle
        self._now = now

    def begin(
        self, account_id: str | None, address: str, browser: str, link_id: str | None = None
    ) -> Credential:
        """Begin a session of an account, or of a visitor by a link; return the credential for the cookie.

        Sessions that ended more than RETENTION ago are deleted.
        """
        fresh, now = Credential.new(), self._now()
        values = {
            "id": fresh.id,
            "secret_sha256": fresh.sha256,
            "account_id": account_id,
            "link_id": link_id,
            "now": now,
            "address": address[:60],
            "browser": browser[:120],
        }

        def work(session: Session) -> None:
            session.rows("sessions.forget", {"before": now - RETENTION})
            session.rows("sessions.add", values)

        self._db.write(work)
        return fresh

    def find(self, session_id: str) -> BrowserSession | None:
        """Return a session that has not ended, without looking at its age; see ``is_current``."""
        with self._db.read() as reader:
            row = reader.one("sessions.get", {"id": session_id})
        return BrowserSession(**row) if row else None

    def is_current(self, session: BrowserSession) -> bool:
        """Whether a session is neither idle for too long nor too old."""
        now = self._now()
        return (
            now - session.seen_at < self._idle + NOTED_EVERY and now - session.created_at < MAX_SESSION_TIME
        )

    def note_use(self, session: BrowserSession) -> bool:
        """Write that a session is used, if that is due; whether it was."""
        now = self._now()
        if now - session.seen_at < NOTED_EVERY:
            return False
        self._db.write(lambda writer: writer.rows("sessions.seen", {"id": session.id, "now": now}))
        return True

    def of_account(self, account_id: str) -> tuple[BrowserSession, ...]:
        """Return the sessions of an account that last, the latest use first."""
        values = {"account_id": account_id, "since": self._now() - self._idle}
        with self._db.read() as reader:
            return tuple(BrowserSession(**row) for row in reader.rows("sessions.of_account", values))

    def end(self, session_id: str, account_id: str | None = None) -> None:
        """End a session, with ``account_id`` only if it is that account's."""
        values = {"id": session_id, "account_id": account_id, "now": self._now()}
        self._db.write(lambda writer: writer.rows("sessions.end", values))

    def add_token(
        self, account_id: str, name: str, scope: Scope, days: int, project_id: str | None = None
    ) -> str:
        """Make a token; return it as its only copy.

        Raises:
            InvalidRequest: the name is empty or too long, or the time is not between a day and a year.
        """
        clean = one_line(name)
        if not 0 < len(clean) <= MAX_CHARACTERS:
            raise InvalidRequest(f"Give the token a name of at most {MAX_CHARACTERS} characters.")
        if not 1 <= days <= MAX_TOKEN_DAYS:
            raise InvalidRequest(f"A token lasts 1 to {MAX_TOKEN_DAYS} days.")
        fresh, now = Credential.new(), self._now()
        values = {"id": fresh.id, "secret_sha256": fresh.sha256, "account_id": account_id, "name": clean}
        token: Row = values | {"scope": scope.value, "project_id": project_id}
        times = {"now": now, "expires_at": now + timedelta(days=days)}
        self._db.write(lambda writer: writer.rows("sessions.add_token", token | times))
        return TOKEN_PREFIX + fresh.text

    def token(self, token_id: str) -> Token | None:
        """Return a token that has not been revoked, expired or not."""
        with self._db.read() as reader:
            row = reader.one("sessions.token", {"id": token_id})
        return _token_of(row) if row else None

    def tokens(self, account_id: str) -> tuple[Token, ...]:
        """Return the tokens of an account that hold, the newest first."""
        values = {"account_id": account_id, "now": self._now()}
        with self._db.read() as reader:
            return tuple(_token_of(row) for row in reader.rows("sessions.tokens_of_account", values))

    def revoke_token(self, token_id: str, account_id: str) -> None:
        """Revoke a token of an account.

        Raises:
            NotFound: the account has none of this id.
        """
        values = {"id": token_id, "account_id": account_id, "now": self._now()}
        if not self._db.write(lambda writer: writer.rows("sessions.revoke_token", values)):
            raise NotFound("There is no such token.")


def _token_of(row: Row) -> Token:
    return Token(**row | {"scope": Scope(row["scope"])})

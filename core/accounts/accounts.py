"""People's accounts: made, given a role, disabled; and the links by which a password is chosen."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.accounts.credentials import Credential
from core.accounts.principal import Role
from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import InvalidRequest, NotFound, SignInRefused
from core.models.text import one_line

MAX_CHARACTERS = 80
PASSWORD_LINK_TIME = timedelta(hours=48)
LINK_REFUSED = "This link has been used or is too old. Ask an admin for a new one."


@dataclass(frozen=True, slots=True)
class Account:
    """One person. ``name`` is what they sign in with; times are UTC without a zone."""

    id: str
    name: str
    role: Role
    has_password: bool
    created_at: datetime
    disabled_at: datetime | None

    @property
    def disabled(self) -> bool:
        """Whether it cannot be used (any more)."""
        return self.disabled_at is not None


class AccountStore:
    """The table of accounts. Methods may be called from any thread."""

    def __init__(self, db: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._db = db
        self._now = now

    def list(self) -> tuple[Account, ...]:
        """Return every account by name."""
        with self._db.read() as session:
            return tuple(_account_of(row) for row in session.rows("accounts.list"))

    def get(self, account_id: str) -> Account:
        """Return one account.

        Raises:
            NotFound: there is none.
        """
        with self._db.read() as session:
            row = session.one("accounts.get", {"id": account_id})
        if row is None:
            raise NotFound("There is no such account.")
        return _account_of(row)

    def named(self, name: str) -> tuple[Account, str | None] | None:
        """Return the account of this name, in whatever case, with the hash of its password."""
        with self._db.read() as session:
            row = session.one("accounts.named", {"name": name})
        return (_account_of(row), row["password_hash"]) if row else None

    def has_admin(self) -> bool:
        """Whether there is an admin who can sign in."""
        with self._db.read() as session:
            return bool(session.rows("accounts.admins")[0]["total"])

    def create(self, name: str, role: Role, password_hash: str | None = None) -> Account:
        """Add an account. The first admin becomes the owner of every project that belongs to nobody.

        Raises:
            InvalidRequest: the name is empty, too long or taken.
        """
        clean, account_id = clean_name(name), secrets.token_hex(8)

        def work(session: Session) -> None:
            self._add(session, account_id, clean, role, password_hash)

        self._db.write(work)
        return self.get(account_id)

    def _add(
        self, session: Session, account_id: str, name: str, role: Role, password_hash: str | None
    ) -> None:
        if session.one("accounts.named", {"name": name}):
            raise InvalidRequest(f"There is already an account named “{name}”. Choose another name.")
        first = role is Role.ADMIN and not session.rows("accounts.admins")[0]["total"]
        values = {"id": account_id, "name": name, "role": role.value, "password_hash": password_hash}
        session.rows("accounts.add", values | {"now": self._now()})
        if first:
            session.rows("accounts.adopt", {"account_id": account_id, "now": self._now()})

    def set_role(self, account_id: str, role: Role) -> None:
        """Give an account another role.

        Raises:
            InvalidRequest: it is the last admin.
            NotFound: there is no such account.
        """

        def work(session: Session) -> None:
            if role is not Role.ADMIN:
                self._keep_an_admin(session, account_id)
            _require(session.rows("accounts.set_role", {"id": account_id, "role": role.value}))

        self._db.write(work)

    def disable(self, account_id: str) -> None:
        """Disable an account: its sessions end, its tokens and links stop working. Its projects stay.

        Raises:
            InvalidRequest: it is the last admin.
            NotFound: there is no such account.
        """

        def work(session: Session) -> None:
            self._keep_an_admin(session, account_id)
            _require(session.rows("accounts.disable", {"id": account_id, "now": self._now()}))
            self._end_everything(session, account_id)
            session.rows("sessions.revoke_tokens", {"account_id": account_id, "now": self._now()})

        self._db.write(work)

    def enable(self, account_id: str) -> None:
        """Open a disabled account again.

        Raises:
            NotFound: there is no such account.
        """
        self._db.write(lambda session: _require(session.rows("accounts.enable", {"id": account_id})))

    def set_password(self, account_id: str, password_hash: str, keep_session: str | None = None) -> None:
        """Set the password of an account; its other sessions end, and its links hold no more.

        Raises:
            NotFound: there is no such account.
        """

        def work(session: Session) -> None:
            values = {"id": account_id, "password_hash": password_hash}
            _require(session.rows("accounts.set_password", values))
            self._end_everything(session, account_id, keep_session)

        self._db.write(work)

    def password_link(self, account_id: str | None) -> Credential:
        """Return a new link by which the password of an account, or the first admin, is set once.

        Links made before do not hold any more.
        """
        fresh, now = Credential.new(), self._now()

        def work(session: Session) -> None:
            session.rows("accounts.drop_password_links", {"account_id": account_id, "now": now})
            values = {"id": fresh.id, "secret_sha256": fresh.sha256, "account_id": account_id, "now": now}
            session.rows("accounts.add_password_link", values | {"expires_at": now + PASSWORD_LINK_TIME})

        self._db.write(work)
        return fresh

    def account_of_link(self, link: Credential) -> str | None:
        """Return the account whose password a link sets; None for the first admin's.

        Raises:
            SignInRefused: the link does not hold (any more).
        """
        with self._db.read() as session:
            return _of_link(session, link, self._now())

    def use_link(self, link: Credential, name: str, password_hash: str) -> str:
        """Set a password by a link, which is used up; return the id of the account.

        The first admin's link makes the account ``name``; for others the name is not looked at.

        Raises:
            SignInRefused: the link does not hold (any more).
            InvalidRequest: the name cannot be one, or is taken.
        """
        fresh_id, now = secrets.token_hex(8), self._now()

        def work(session: Session) -> str:
            account_id = _of_link(session, link, now)
            if not session.rows("accounts.use_password_link", {"id": link.id, "now": now}):
                raise SignInRefused(LINK_REFUSED)
            if account_id is None:
                if session.rows("accounts.admins")[0]["total"]:
                    raise SignInRefused(LINK_REFUSED)
                self._add(session, fresh_id, clean_name(name), Role.ADMIN, password_hash)
                return fresh_id
            values = {"id": account_id, "password_hash": password_hash}
            _require(session.rows("accounts.set_password", values))
            self._end_everything(session, account_id)
            return account_id

        return self._db.write(work)

    def _keep_an_admin(self, session: Session, account_id: str) -> None:
        row = session.one("accounts.get", {"id": account_id})
        last = session.rows("accounts.admins")[0]["total"] == 1
        if row and row["role"] == Role.ADMIN and row["disabled_at"] is None and last:
            raise InvalidRequest("This is the only admin. Make somebody else an admin first.")

    def _end_everything(self, session: Session, account_id: str, without: str | None = None) -> None:
        values = {"account_id": account_id, "now": self._now()}
        session.rows("sessions.end_all", values | {"without": without})
        session.rows("accounts.drop_password_links", values)


def clean_name(name: str) -> str:
    """Return a name as one short line of printable characters.

    Raises:
        InvalidRequest: nothing is left of it, or it is too long.
    """
    if not (clean := one_line(name)):
        raise InvalidRequest("Give a name.")
    if len(clean) > MAX_CHARACTERS:
        raise InvalidRequest(f"A name may have {MAX_CHARACTERS} characters; this one has {len(clean)}.")
    return clean


def _of_link(session: Session, link: Credential, now: datetime) -> str | None:
    row = session.one("accounts.password_link", {"id": link.id, "now": now})
    if row is None or not link.matches(row["secret_sha256"]):
        raise SignInRefused(LINK_REFUSED)
    account_id: str | None = row["account_id"]
    return account_id


def _account_of(row: Row) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        has_password=row["has_password"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )


def _require(rows: list[Row]) -> None:
    if not rows:
        raise NotFound("There is no such account.")

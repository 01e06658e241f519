"""Who is there: principals from cookies, tokens and names, and how somebody signs in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from core.accounts.accounts import Account, AccountStore, clean_name
from core.accounts.attempts import AttemptLimiter, Visitor
from core.accounts.audit import Action, Audit
from core.accounts.cache import AccessCache
from core.accounts.credentials import CookieSigner, Credential, load_key
from core.accounts.members import MemberStore
from core.accounts.passwords import Passwords, check_password
from core.accounts.principal import Level, Principal, Role, Scope
from core.accounts.rates import RateLimiter
from core.accounts.rules import AccessMode, AccessRules
from core.accounts.sessions import TOKEN_PREFIX, BrowserSession, SessionStore
from core.clock import utc_now
from core.db import Database
from core.errors import InvalidRequest, SignInRefused

SESSION, DEVICE = "session", "device"  # purposes of signatures
WRONG_PASSWORD = "Name and password do not belong together."
UNKNOWN_NAME = "a name that nobody has"
VISITOR = "visitor by link"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Cookies of a browser that has signed in; ``device`` gives its next attempts a count of their own."""

    session: str
    device: str
    principal: Principal


class Access:
    """Everything about who is there. Methods may be called from any thread."""

    def __init__(
        self,
        db: Database,
        rules: AccessRules,
        signer: CookieSigner,
        clock: Callable[[], float],
        now: Callable[[], datetime] = utc_now,
        passwords: Passwords | None = None,
    ) -> None:
        self.rules = rules
        self.accounts = AccountStore(db, now)
        self.sessions = SessionStore(db, rules.idle, now)
        self.members = MemberStore(db, now)
        self.audit = Audit(db, now)
        self.attempts = AttemptLimiter(clock)
        self.downloads = RateLimiter(rules.downloads_per_minute, clock)
        self.passwords = passwords or Passwords()
        self._signer = signer
        self._now = now
        self._cache = AccessCache(db)

    @classmethod
    def open(cls, db: Database, rules: AccessRules, folder: Path) -> Access:
        """Open what the rules need; without accounts, no key is made in ``folder``.

        Raises:
            OSError: the key cannot be read or written.
        """
        key = load_key(folder) if rules.enabled else b""
        return cls(db, rules, CookieSigner(key), time.monotonic)

    def principal(self, key: str, address: str = "") -> Principal | None:
        """Return who is known by ``key``, with their rights of now; None where it does not hold."""
        kind, _, item = key.partition(":")
        if kind == "session":
            principal = self._of_session(item)
        elif kind == "token":
            principal = self._of_token(item)
        else:
            principal = self._of_account(item, key) if kind == "account" else None
        return principal and replace(principal, address=address)

    def by_cookie(self, cookie: str, address: str = "") -> Principal | None:
        """Return whose session a browser's cookie is."""
        credential = Credential.read(self._signer.read(SESSION, cookie) or "")
        if credential is None:
            return None
        session = self._session(credential.id)
        if session is None or not credential.matches(session.secret_sha256):
            return None
        return self.principal(f"session:{session.id}", address)

    def by_token(self, text: str, address: str = "") -> Principal | None:
        """Return whose API token it is."""
        credential = Credential.read(text.removeprefix(TOKEN_PREFIX))
        if credential is None or not text.startswith(TOKEN_PREFIX):
            return None
        token = self.sessions.token(credential.id)
        if token is None or not credential.matches(token.secret_sha256):
            return None
        return self.principal(f"token:{token.id}", address)

    def by_name(self, name: str, address: str = "") -> Principal | None:
        """Return who a provider or a proxy says is there; whoever comes first is given an account.

        None where they have none and are to get none.
        """
        try:
            clean = clean_name(name)
        except InvalidRequest:
            return None
        account_id = self._cache.get(f"name:{clean.lower()}", lambda: self._account_named(clean))
        return self.principal(f"account:{account_id}", address) if account_id else None

    def sign_in(self, name: str, password: str, address: str, browser: str, device: str = "") -> SignedIn:
        """Begin a session of who knows the password; ``device`` is what an earlier one left in the browser.

        Raises:
            SignInRefused: name and password do not belong together, or the account is disabled.
            TooManyAttempts: this visitor has failed too often; the password was not looked at.
        """
        account, hashed = self.accounts.named(name.strip()[:200]) or (None, None)
        visitor = Visitor(address, self._device(device, account))
        key = name.strip().lower()[:200]
        self.attempts.begin(key, visitor)
        valid = self.passwords.verify(password, hashed)
        if account is None or account.disabled or not valid:
            # Recorded of names that nobody has as well: else the time of the answer would tell them apart.
            self.audit.add(_refused(account, address), Action.SIGN_IN_REFUSED)
            raise SignInRefused(WRONG_PASSWORD)
        self.attempts.succeeded(key, visitor)
        return self._begin(account.id, address, browser, device if visitor.device else "")

    def choose_password(self, link: str, name: str, password: str, address: str, browser: str) -> SignedIn:
        """Set a password by a link and begin a session; the first admin's link makes the account ``name``.

        Raises:
            SignInRefused: the link does not hold (any more).
            InvalidRequest: the password or the name cannot be one.
        """
        credential = self._link(link)
        account_id = self.accounts.account_of_link(credential)
        own_name = name if account_id is None else self.accounts.get(account_id).name
        check_password(password, clean_name(own_name))
        account_id = self.accounts.use_link(credential, name, self.passwords.hash(password))
        return self._begin(account_id, address, browser, "")

    def name_of_link(self, link: str) -> str | None:
        """Return whose password a link sets; None for the first admin's.

        Raises:
            SignInRefused: the link does not hold (any more).
        """
        account_id = self.accounts.account_of_link(self._link(link))
        return None if account_id is None else self.accounts.get(account_id).name

    def change_password(self, principal: Principal, old: str, new: str) -> None:
        """Change one's own password; other sessions end.

        Raises:
            SignInRefused: the old one is wrong.
            InvalidRequest: the new one cannot be one.
            TooManyAttempts: too many wrong ones.
        """
        account, hashed = self.accounts.named(principal.name) or (None, None)
        if account is None or account.id != principal.account_id:
            raise SignInRefused(WRONG_PASSWORD)
        visitor = Visitor(principal.address, f"own {account.id}")
        self.attempts.begin(account.id, visitor)
        if not self.passwords.verify(old, hashed):
            raise SignInRefused("This is not your current password.")
        self.attempts.succeeded(account.id, visitor)
        check_password(new, account.name)
        keep = principal.key.removeprefix("session:")
        self.accounts.set_password(account.id, self.passwords.hash(new), keep)
        self.audit.add(principal, Action.CHANGED_ACCESS, "own password")

    def open_link(self, link: str, address: str, browser: str) -> tuple[str, str]:
        """Begin a session of a visitor by a project's link; return the cookie and the project's id.

        Raises:
            SignInRefused: the link does not hold (any more).
        """
        credential = self._link(link)
        project_link = self.members.link(credential.id)
        if project_link is None or not credential.matches(project_link.secret_sha256):
            raise SignInRefused("This link has expired or was ended. Ask whoever sent it for a new one.")
        session = self.sessions.begin(None, address, browser, project_link.id)
        self.audit.add(
            Principal(f"session:{session.id}", VISITOR, Role.VIEWER, address=address),
            Action.SIGNED_IN,
            "by link",
            project_link.project_id,
        )
        return self._signer.sign(SESSION, session.text), project_link.project_id

    def sign_out(self, principal: Principal) -> None:
        """End the session that somebody is in."""
        kind, _, session_id = principal.key.partition(":")
        if kind == "session":
            self.sessions.end(session_id)
            self.audit.add(principal, Action.SIGNED_OUT)

    def first_admin_link(self) -> str | None:
        """Return a new link for the first admin; None where there is one, or people sign in elsewhere."""
        if self.rules.mode is not AccessMode.LOCAL or self.accounts.has_admin():
            return None
        return self.accounts.password_link(None).text

    def _begin(self, account_id: str, address: str, browser: str, device: str) -> SignedIn:
        session = self.sessions.begin(account_id, address, browser)
        principal = self.principal(f"session:{session.id}", address)
        if principal is None:
            raise SignInRefused(WRONG_PASSWORD)
        self.audit.add(principal, Action.SIGNED_IN)
        device = device or self._signer.sign(DEVICE, f"{account_id}.{secrets.token_hex(8)}")
        return SignedIn(self._signer.sign(SESSION, session.text), device, principal)

    def _link(self, text: str) -> Credential:
        credential = Credential.read(text)
        if credential is None:
            raise SignInRefused("This link is not complete. Copy all of it into the address bar.")
        return credential

    def _device(self, cookie: str, account: Account | None) -> str | None:
        text = self._signer.read(DEVICE, cookie) if cookie else None
        own = account is not None and text is not None and text.partition(".")[0] == account.id
        return text if own else None

    def _account_named(self, name: str) -> str | None:
        if known := self.accounts.named(name):
            return known[0].id
        role = Role.ADMIN if name.lower() in self.rules.admins else self.rules.new_role
        if role is None:
            return None
        try:
            return self.accounts.create(name, role).id
        except InvalidRequest:  # two requests of one page made it at the same time
            known = self.accounts.named(name)
            return known[0].id if known else None

    def _session(self, session_id: str) -> BrowserSession | None:
        return self._cache.get(f"session:{session_id}", lambda: self.sessions.find(session_id))

    def _of_session(self, session_id: str) -> Principal | None:
        session = self._session(session_id)
        if session is None or not self.sessions.is_current(session):
            return None
        self.sessions.note_use(session)
        key = f"session:{session_id}"
        if session.account_id is not None:
            return self._of_account(session.account_id, key)
        link = self.members.link(session.link_id or "")
        if link is None:
            return None
        return Principal(key, VISITOR, Role.VIEWER, projects={link.project_id: Level.VIEW}, read_only=True)

    def _of_token(self, token_id: str) -> Principal | None:
        token = self.sessions.token(token_id)
        if token is None or token.expires_at <= self._now():
            return None
        owner = self._of_account(token.account_id, f"token:{token_id}")
        if owner is None:
            return None
        projects = owner.projects
        if token.project_id is not None:
            level = Level.OWN if projects is None else projects.get(token.project_id)
            projects = {} if level is None else {token.project_id: level}
        return replace(owner, projects=projects, read_only=token.scope is Scope.READ)

    def _of_account(self, account_id: str, key: str) -> Principal | None:
        principal = self._cache.get(f"account:{account_id}", lambda: self._read_account(account_id))
        return principal and replace(principal, key=key)

    def _read_account(self, account_id: str) -> Principal | None:
        account = self.accounts.get(account_id)
        if account.disabled:
            return None
        projects = None if account.role is Role.ADMIN else self.members.of_account(account_id)
        return Principal("", account.name, account.role, account_id, projects)


def _refused(account: Account | None, address: str) -> Principal:
    """Return who is recorded: what was typed as a name may be a password, so it is not."""
    if account is None:
        return Principal("", UNKNOWN_NAME, Role.VIEWER, address=address)
    return Principal("", account.name, account.role, account.id, address=address)

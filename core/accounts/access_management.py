"""What people may do about access, each act checked against their rights of that moment and recorded."""

from __future__ import annotations

from dataclasses import dataclass

from core.accounts.access import Access
from core.accounts.accounts import Account
from core.accounts.audit import Action, AuditRow
from core.accounts.members import Member, ProjectLink
from core.accounts.principal import Level, Principal, Role, Scope
from core.accounts.sessions import BrowserSession, Token
from core.errors import InvalidRequest, NotAllowed, NotFound, NotSignedIn
from core.models.text import NO_PROJECT


@dataclass(frozen=True)
class AccessManagement:
    """Base of the classes by which one principal manages access."""

    access: Access
    principal: Principal

    def now(self) -> Principal:
        """Return the principal with present rights, which may differ from those when the page was drawn.

        Raises:
            NotSignedIn: their session has ended.
        """
        current = self.access.principal(self.principal.key, self.principal.address)
        if current is None:
            raise NotSignedIn("Your session has ended. Load this page again to sign in.")
        return current

    def record(self, subject: str, project_id: str | None = None) -> None:
        """Record a change of access."""
        self.access.audit.add(self.now(), Action.CHANGED_ACCESS, subject, project_id)


class People(AccessManagement):
    """Management of accounts, by admins. Every method raises NotAllowed for others."""

    def list(self) -> tuple[Account, ...]:
        """Return every account."""
        self._require_admin()
        return self.access.accounts.list()

    def add(self, name: str, role: Role) -> tuple[Account, str]:
        """Add an account; return it with the link by which a password is chosen."""
        self._require_admin()
        account = self.access.accounts.create(name, role)
        self.record(f"{account.name} is a new {role}")
        return account, self.access.accounts.password_link(account.id).text

    def reset(self, account_id: str) -> str:
        """Return a new link by which the password of an account is chosen anew."""
        self._require_admin()
        account = self.access.accounts.get(account_id)
        self.record(f"{account.name} may choose a new password")
        return self.access.accounts.password_link(account_id).text

    def set_role(self, account_id: str, role: Role) -> None:
        """Give an account another role."""
        self._require_admin()
        account = self.access.accounts.get(account_id)
        self.access.accounts.set_role(account_id, role)
        self.record(f"{account.name} is now {role}, was {account.role}")

    def disable(self, account_id: str) -> None:
        """Disable an account."""
        self._require_admin()
        self.access.accounts.disable(account_id)
        self.record(f"{self.access.accounts.get(account_id).name} is disabled")

    def enable(self, account_id: str) -> None:
        """Enable an account again."""
        self._require_admin()
        self.access.accounts.enable(account_id)
        self.record(f"{self.access.accounts.get(account_id).name} is enabled again")

    def audit(
        self, limit: int, before: int | None = None, action: str | None = None, name: str | None = None
    ) -> tuple[AuditRow, ...]:
        """Return rows of the audit; see ``Audit.page``."""
        self._require_admin()
        return self.access.audit.page(limit, before, action, name)

    def _require_admin(self) -> None:
        if not self.now().is_admin:
            raise NotAllowed("Only an admin can do this.")


class OwnAccount(AccessManagement):
    """Management of one's own account."""

    def sessions(self) -> tuple[BrowserSession, ...]:
        """Return one's sessions, the latest use first."""
        return self.access.sessions.of_account(self._account_id())

    def end_session(self, session_id: str) -> None:
        """End one of one's sessions."""
        self.access.sessions.end(session_id, self._account_id())
        self.record("ended a session")

    def change_password(self, old: str, new: str) -> None:
        """Change one's password; see ``Access.change_password``."""
        self.access.change_password(self.now(), old, new)

    def tokens(self) -> tuple[Token, ...]:
        """Return one's tokens that hold."""
        return self.access.sessions.tokens(self._account_id())

    def add_token(self, name: str, scope: Scope, days: int, project_id: str | None) -> str:
        """Make a token; return its only copy."""
        if project_id is not None and not self.now().reaches(project_id):
            raise NotFound(NO_PROJECT)
        token = self.access.sessions.add_token(self._account_id(), name, scope, days, project_id)
        self.record(f"made the token {name}, {scope}, {days} days", project_id)
        return token

    def revoke_token(self, token_id: str) -> None:
        """Revoke one of one's tokens."""
        self.access.sessions.revoke_token(token_id, self._account_id())
        self.record("revoked a token")

    def _account_id(self) -> str:
        account_id = self.now().account_id
        if account_id is None:
            raise NotAllowed("Visitors by a link have no account.")
        return account_id


class Sharing(AccessManagement):
    """Management of a project's members and links, by its owners. Others get NotFound or NotAllowed."""

    def members(self, project_id: str) -> tuple[Member, ...]:
        """Return the members of a project."""
        self._require(project_id, Level.VIEW)
        return self.access.members.of_project(project_id)

    def share(self, project_id: str, name: str, level: Level) -> None:
        """Make the account of this name a member.

        Raises:
            InvalidRequest: nobody has this name, or the project would be left without an owner.
        """
        self._require(project_id)
        account_and_hash = self.access.accounts.named(name.strip())
        if account_and_hash is None:
            raise InvalidRequest(f"Nobody here is called “{name.strip()[:40]}”. An admin can add them.")
        self.set_level(project_id, account_and_hash[0].id, level)

    def set_level(self, project_id: str, account_id: str, level: Level | None) -> None:
        """Give a member another level, or with None none.

        Raises:
            InvalidRequest: the project would be left without an owner.
        """
        self._require(project_id)
        account = self.access.accounts.get(account_id)
        self.access.members.set_level(project_id, account_id, level)
        self.record(f"{account.name}: {level.word if level else 'no member any more'}", project_id)

    def links(self, project_id: str) -> tuple[ProjectLink, ...]:
        """Return the links of a project that hold."""
        self._require(project_id)
        return self.access.members.links(project_id)

    def add_link(self, project_id: str, days: int) -> str:
        """Make a link by which anybody may look at a project; return its only copy."""
        self._require(project_id)
        link = self.access.members.add_link(project_id, self.now().name, days)
        self.record(f"made a link for {days} days", project_id)
        return link.text

    def end_link(self, project_id: str, link_id: str) -> None:
        """End a link, and the visits by it."""
        self._require(project_id)
        self.access.members.revoke_link(link_id, project_id)
        self.record("ended a link", project_id)

    def may_share(self, project_id: str) -> bool:
        """Whether they are an owner of the project."""
        return self.now().reaches(project_id, Level.OWN)

    def _require(self, project_id: str, level: Level = Level.OWN) -> None:
        principal = self.now()
        if not principal.reaches(project_id):
            raise NotFound(NO_PROJECT)
        if not principal.reaches(project_id, level):
            raise NotAllowed("Only an owner of this project can do this.")

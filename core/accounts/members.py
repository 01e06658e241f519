"""Who may look at, edit and own a project; and links by which anybody may look at it for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.accounts.credentials import Credential
from core.accounts.principal import Level, Role
from core.clock import utc_now
from core.db import Database, Row, Session
from core.errors import InvalidRequest, NotFound

MAX_LINK_DAYS = 90


@dataclass(frozen=True, slots=True)
class Member:
    """An account with its level in one project."""

    account_id: str
    name: str
    role: Role
    level: Level
    disabled: bool


@dataclass(frozen=True, slots=True)
class ProjectLink:
    """A link by which anybody may look at a project, without its secret."""

    id: str
    secret_sha256: str
    project_id: str
    created_by: str
    created_at: datetime
    expires_at: datetime


class MemberStore:
    """The tables of memberships and of projects' links. Methods may be called from any thread."""

    def __init__(self, db: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._db = db
        self._now = now

    def of_account(self, account_id: str) -> Mapping[str, Level]:
        """Return an account's level by project."""
        with self._db.read() as session:
            rows = session.rows("members.of_account", {"account_id": account_id})
        return {row["project_id"]: Level.of_word(row["level"]) for row in rows}

    def of_project(self, project_id: str) -> tuple[Member, ...]:
        """Return the members of a project, owners first."""
        with self._db.read() as session:
            rows = session.rows("members.of_project", {"project_id": project_id})
        return tuple(
            Member(
                account_id=row["account_id"],
                name=row["name"],
                role=Role(row["role"]),
                level=Level.of_word(row["level"]),
                disabled=row["disabled_at"] is not None,
            )
            for row in rows
        )

    def set_level(self, project_id: str, account_id: str, level: Level | None) -> None:
        """Make an account a member of a project at a level, or with None no member.

        Raises:
            InvalidRequest: the project would be left without an owner.
        """

        def work(session: Session) -> None:
            values = {"project_id": project_id, "account_id": account_id}
            owners = {row["account_id"] for row in session.rows("members.owners", {"project_id": project_id})}
            if level is not Level.OWN and owners == {account_id}:
                raise InvalidRequest("This is the project's only owner. Make somebody else an owner first.")
            session.rows("members.remove", values)
            if level is not None:
                session.rows("members.add", values | {"level": level.word, "now": self._now()})

        self._db.write(work)

    def add_link(self, project_id: str, created_by: str, days: int) -> Credential:
        """Make a link by which anybody may look at a project.

        Raises:
            InvalidRequest: the time is not between a day and ``MAX_LINK_DAYS``.
        """
        if not 1 <= days <= MAX_LINK_DAYS:
            raise InvalidRequest(f"A link lasts 1 to {MAX_LINK_DAYS} days.")
        fresh, now = Credential.new(), self._now()
        values: Row = {"id": fresh.id, "secret_sha256": fresh.sha256, "project_id": project_id}
        values |= {"created_by": created_by, "now": now, "expires_at": now + timedelta(days=days)}
        self._db.write(lambda session: session.rows("members.add_link", values))
        return fresh

    def link(self, link_id: str) -> ProjectLink | None:
        """Return a link that holds."""
        with self._db.read() as session:
            row = session.one("members.link", {"id": link_id, "now": self._now()})
        return ProjectLink(**row) if row else None

    def links(self, project_id: str) -> tuple[ProjectLink, ...]:
        """Return the links of a project that hold, the newest first."""
        with self._db.read() as session:
            rows = session.rows("members.links", {"project_id": project_id, "now": self._now()})
        return tuple(ProjectLink(**row) for row in rows)

    def revoke_link(self, link_id: str, project_id: str) -> None:
        """End a link of a project.

        Raises:
            NotFound: the project has none of this id.
        """
        values = {"id": link_id, "project_id": project_id, "now": self._now()}
        if not self._db.write(lambda session: session.rows("members.revoke_link", values)):
            raise NotFound("There is no such link.")

    def projects_of_images(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Return the project of each image that exists, deleted or not."""
        with self._db.read() as session:
            rows = session.rows("members.projects_of_images", {"ids": list(ids)})
        return {row["id"]: row["project_id"] for row in rows}

    def name_of_image(self, image_id: str) -> str:
        """Return the name of an image, deleted or not; empty where there is none."""
        with self._db.read() as session:
            row = session.one("members.name_of_image", {"id": image_id})
        return str(row["name"]) if row else ""

    def min_bytes_of_owners(self, project_id: str) -> int:
        """Return what the owner of a project with the least on the disk has there in all their projects."""
        with self._db.read() as session:
            owners = [row["account_id"] for row in session.rows("members.owners", {"project_id": project_id})]
        return min((self.bytes_of_account(owner) for owner in owners), default=0)

    def waiting(self, name: str) -> int:
        """Return how many jobs wait that the account of this name requested."""
        with self._db.read() as session:
            return int(session.rows("members.waiting", {"name": name})[0]["total"])

    def bytes_of_account(self, account_id: str) -> int:
        """Return what the files of the projects that an account owns take on the disk."""
        with self._db.read() as session:
            return int(session.rows("members.bytes_of_account", {"account_id": account_id})[0]["n_bytes"])

"""Who acts: a person, a script of theirs, a visitor by a link, or anybody at this computer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Role(StrEnum):
    """Roles of an account, whatever the project."""

    VIEWER = "viewer"  # looks at the projects that are shared with them
    MEMBER = "member"  # makes projects, and works in those shared with them
    ADMIN = "admin"  # the PI: reaches every project, people, audit and the operations pages


class Level(IntEnum):
    """Levels of access of a member to one project; each includes those before it."""

    VIEW = 1  # look, and take away
    EDIT = 2  # upload, segment, change and delete images
    OWN = 3  # rename, share and delete the project

    @property
    def word(self) -> str:
        """The level as it is stored: view, edit, own."""
        return self.name.lower()

    @classmethod
    def of_word(cls, word: str) -> Level:
        """Return the level that is stored as ``word``."""
        return cls[word.upper()]


class Scope(StrEnum):
    """Scopes of an API token."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who uses the app. ``projects``: level by project id; None reaches every project as an owner.

    ``key`` names how they are known: "session:ID", "token:ID", "account:ID", or "local". ``account_id`` is
    None for visitors by a link and where there are no accounts. With ``read_only`` nothing may be changed.
    """

    key: str
    name: str
    role: Role
    account_id: str | None = None
    projects: Mapping[str, Level] | None = field(default_factory=dict)
    read_only: bool = False
    address: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether they may use the pages of operations, people and audit."""
        return self.role is Role.ADMIN and not self.read_only and self.projects is None

    @property
    def may_create(self) -> bool:
        """Whether they may make projects."""
        return self.role is not Role.VIEWER and not self.read_only

    def reaches(self, project_id: str, level: Level = Level.VIEW) -> bool:
        """Whether they may do what ``level`` allows with a project."""
        if self.projects is None:
            return level is Level.VIEW or not self.read_only
        return self._effective_level(self.projects.get(project_id)) >= level

    def projects_at(self, level: Level) -> tuple[str, ...] | None:
        """Ids of the projects with which they may do what ``level`` allows; None for every project."""
        if self.projects is None:
            return None if level is Level.VIEW or not self.read_only else ()
        return tuple(key for key, given in self.projects.items() if self._effective_level(given) >= level)

    def _effective_level(self, given: Level | None) -> int:
        if given is None:
            return 0
        limited = self.read_only or self.role is Role.VIEWER
        return min(given, Level.VIEW) if limited else given


# With AUTH=none: anybody at this computer, who may do everything, as there is nobody else.
LOCAL = Principal("local", "page", Role.ADMIN, projects=None)

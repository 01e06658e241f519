"""How images are to be segmented, and who asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from core.models import Priority
from core.models.text import one_line
from core.store.rows import canonical_json


@dataclass(frozen=True, slots=True)
class Recipe:
    """Engine, its version and its parameters by which images are segmented."""

    engine: str
    engine_version: str
    params: Mapping[str, object]

    def job_id(self, image_id: str) -> str:
        """The same image, engine, weights and parameters always give the same job."""
        text = canonical_json([image_id, self.engine, self.engine_version, dict(self.params)])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class JobRequest:
    """Requester and priority of jobs; ``requested_by`` is None where nobody is known."""

    requested_by: str | None = None
    priority: Priority = Priority.NORMAL


ANONYMOUS = JobRequest()
PAGE, PROGRAM = "not signed in", "program"  # who changes something where nobody is known by name
NAMELESS = frozenset({PAGE, PROGRAM})
MAX_REQUESTER_NAME = 80  # characters of a requester's name


def requester_name(text: str) -> str:
    """Return who requests something as one short line: printable, at most MAX_REQUESTER_NAME long."""
    return one_line(text)[:MAX_REQUESTER_NAME]

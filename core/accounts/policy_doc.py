"""Writes the table of docs/access.md from the policy: ``python -m core.accounts.policy_doc``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.accounts.policy import PAGES, ROUTES, Audience, Rule, Subject
from core.accounts.principal import Level, Principal, Role

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "access.md"
BEGIN, END = "<!-- the policy: written by core.accounts.policy_doc -->", "<!-- end of the policy -->"
THIS, OTHER = "this project", "another project"

# Who is looked at in the table and in the walk of tests/security/test_absence.py; None is nobody.
CALLERS: Mapping[str, Principal | None] = {
    "nobody": None,
    "viewer elsewhere": Principal("1", "", Role.VIEWER, "1", {OTHER: Level.VIEW}),
    "link": Principal("2", "", Role.VIEWER, None, {THIS: Level.VIEW}, read_only=True),
    "viewer": Principal("3", "", Role.VIEWER, "3", {THIS: Level.VIEW}),
    "member": Principal("4", "", Role.MEMBER, "4", {THIS: Level.EDIT}),
    "owner": Principal("5", "", Role.MEMBER, "5", {THIS: Level.OWN}),
    "admin": Principal("6", "", Role.ADMIN, "6", None),
    "read token": Principal("7", "", Role.MEMBER, "4", {THIS: Level.EDIT}, read_only=True),
    "token elsewhere": Principal("8", "", Role.MEMBER, "5", {OTHER: Level.OWN}),
}


def allows(rule: Rule, principal: Principal | None) -> bool:
    """Whether somebody may use a page or a route of ``THIS`` project."""
    if principal is None:
        return rule.audience is Audience.ANYBODY
    if rule.level is not Level.VIEW and principal.read_only:
        return False
    reached = rule.subject is Subject.NONE or principal.reaches(THIS, rule.level)
    return rule.admits(principal) and reached


def matrix() -> str:
    """Return the table in Markdown: a row a page or route, a column a caller."""
    rows = {f"page {name.removesuffix('.py')}": rule for name, rule in PAGES.items()}
    rows |= {f"`{name}`": rule for name, rule in ROUTES.items()}
    lines = [f"| of one project | {' | '.join(CALLERS)} |", "| --- |" + " :-: |" * len(CALLERS)]
    for name, rule in rows.items():
        marks = []
        for caller, principal in CALLERS.items():
            no_pages = "token" in caller and name.startswith("page")
            marks.append("yes" if allows(rule, principal) and not no_pages else "–")
        lines.append(f"| {name} | {' | '.join(marks)} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    """Return the document ``text`` with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{matrix()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")

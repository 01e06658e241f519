"""The audit: what is added stays as it was."""

from __future__ import annotations

from core.accounts import Access, Principal, Role
from core.accounts.audit import ROWS_PER_READ, Action
from core.db.statements import load_queries
from core.models import Project
from tests.accounts.conftest import PASSWORD, Time, add

ANA = Principal("session:1", "Ana", Role.MEMBER, "a", address="10.0.0.1")


def test_rows_come_newest_first_with_the_projects_name(access: Access, project: Project, time: Time) -> None:
    access.audit.add(ANA, Action.UPLOADED, "a.tif", project.id)
    time.pass_by(minutes=1)
    access.audit.add(ANA, Action.DELETED, "3 images", project.id)
    newest, oldest = access.audit.page(10)
    assert (newest.action, newest.subject, newest.project) == ("deleted", "3 images", project.name)
    assert (oldest.name, oldest.address) == ("Ana", "10.0.0.1")
    assert oldest.done_at < newest.done_at
    assert access.audit.page(10, before=newest.sequence) == (oldest,)
    assert access.audit.page(10, action="uploaded", name="AN") == (oldest,)
    assert access.audit.page(10, name="bo") == ()


def test_everything_is_read_in_parts(access: Access) -> None:
    for number in range(ROWS_PER_READ + 3):
        access.audit.add(ANA, Action.EXPORTED, str(number))
    assert [row.subject for row in access.audit.everything()] == [
        str(n) for n in reversed(range(ROWS_PER_READ + 3))
    ]


def test_no_statement_changes_a_row() -> None:
    words = ("UPDATE audit", "DELETE FROM audit", "INTO audit")
    texts = {name: " ".join(text.split()) for name, text in load_queries().items()}
    found = {name for name, text in texts.items() for word in words if word in text}
    assert found == {"audit.add"}


def test_signing_in_and_out_is_recorded_without_secrets(access: Access) -> None:
    add(access, "ana")
    signed_in = access.sign_in("ana", PASSWORD, "10.0.0.1", "Firefox")
    access.sign_out(signed_in.principal)
    rows = access.audit.page(10)
    assert [(row.action, row.name) for row in rows] == [("signed out", "ana"), ("signed in", "ana")]
    assert PASSWORD not in str(rows)
    assert signed_in.session not in str(rows)

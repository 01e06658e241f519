"""Signing in and out, sessions, tokens, links: who is there, and for how long."""

from __future__ import annotations

import pytest

from core.accounts import Access, Level, Principal, Role, Scope
from core.accounts.attempts import FREE_TRIES
from core.accounts.sessions import RETENTION
from core.db import Database
from core.errors import InvalidRequest, NotFound, SignInRefused, TooManyAttempts
from core.models import Project
from tests.accounts.conftest import PASSWORD, Time, add, opened

pytestmark = pytest.mark.slow

HERE = ("10.0.0.1", "Firefox")


def count_sessions(db: Database) -> int:
    with db.read() as reader:
        return int(reader._cursor.execute("SELECT count(*) FROM session").fetchone()[0])


def sign_in(access: Access, name: str = "ana", password: str = PASSWORD, address: str = "10.0.0.1") -> str:
    return access.sign_in(name, password, address, "Firefox").session


def test_a_session_is_whose_password_began_it(access: Access) -> None:
    account_id = add(access, "Ana")
    principal = access.by_cookie(sign_in(access, " aNA "), "10.0.0.1")
    assert principal is not None
    assert (principal.account_id, principal.name, principal.role) == (account_id, "Ana", Role.MEMBER)
    assert principal.address == "10.0.0.1"


def test_sessions_that_ended_long_ago_are_deleted_when_another_begins(
    access: Access, db: Database, time: Time
) -> None:
    add(access, "ana")
    for session in (sign_in(access), sign_in(access)):
        access.sign_out(access.by_cookie(session))  # type: ignore[arg-type]
    time.pass_by(days=RETENTION.days - 1)
    sign_in(access)
    assert count_sessions(db) == 3
    time.pass_by(days=2)
    sign_in(access)
    assert count_sessions(db) == 2


@pytest.mark.parametrize(
    ("name", "password"), [("ana", "wrong"), ("nobody", PASSWORD), ("", ""), ("ana", "")]
)
def test_what_is_wrong_is_refused_in_the_same_words(access: Access, name: str, password: str) -> None:
    add(access, "ana")
    with pytest.raises(SignInRefused) as refused:
        sign_in(access, name, password)
    assert refused.value.message == "Name and password do not belong together."


def test_only_what_was_signed_here_is_a_cookie(access: Access, db: Database, time: Time) -> None:
    add(access, "ana")
    cookie = sign_in(access)
    text, _, signature = cookie.rpartition(".")
    session_id, _, secret = text.partition(".")
    forged = [
        cookie[:-1],
        "",
        "x",
        f"{text}.",
        f"{session_id}.{'A' * len(secret)}.{signature}",
        text,
        cookie * 9,
    ]
    for value in (*forged, "💥", "\0"):
        assert access.by_cookie(value) is None, value
    assert access.by_cookie(cookie) is not None
    device = access.sign_in("ana", PASSWORD, *HERE).device
    assert access.by_cookie(device) is None, "signed for another purpose"


def test_the_database_holds_no_secret(access: Access, db: Database, project: Project) -> None:
    account_id = add(access, "ana")
    secrets = [sign_in(access).split(".")[1], PASSWORD]
    secrets += [access.sessions.add_token(account_id, "script", Scope.READ, 1).split(".")[1]]
    secrets += [access.accounts.password_link(account_id).secret]
    secrets += [access.members.add_link(project.id, account_id, 1).secret]
    with db.read() as session:
        tables = ("account", "session", "api_token", "password_link", "project_link", "audit")
        stored = str([session._cursor.execute(f"FROM {table}").fetchall() for table in tables])
    assert "argon2id" in stored
    assert not [secret for secret in secrets if secret in stored]


def test_a_session_ends_when_it_is_idle_and_not_before(access: Access, time: Time) -> None:
    add(access, "ana")
    cookie = sign_in(access)
    for _ in range(10):
        time.pass_by(hours=11)
        assert access.by_cookie(cookie)
    time.pass_by(hours=13)
    assert access.by_cookie(cookie) is None


def test_a_session_ends_after_a_month_however_often_it_is_used(access: Access, time: Time) -> None:
    add(access, "ana")
    cookie = sign_in(access)
    for _ in range(60):
        time.pass_by(hours=11, minutes=59)
        access.by_cookie(cookie)
    time.pass_by(hours=2)
    assert access.by_cookie(cookie) is None


def test_sessions_are_listed_and_ended(access: Access) -> None:
    account_id = add(access, "ana")
    first, second = sign_in(access), sign_in(access, address="10.0.0.2")
    assert {item.address for item in access.sessions.of_account(account_id)} == {"10.0.0.1", "10.0.0.2"}
    principal = access.by_cookie(first)
    assert principal is not None
    access.sign_out(principal)
    assert access.by_cookie(first) is None
    assert access.principal(principal.key) is None
    assert access.by_cookie(second) is not None
    other = add(access, "bo")
    (left,) = access.sessions.of_account(account_id)
    access.sessions.end(left.id, other)
    assert access.by_cookie(second) is not None, "another account cannot end it"
    access.sessions.end(left.id, account_id)
    assert access.by_cookie(second) is None


def test_rights_are_those_of_now(access: Access, project: Project) -> None:
    admin, account_id = add(access, "boss", Role.ADMIN), add(access, "ana")
    cookie = sign_in(access)

    def reaches(level: Level) -> bool:
        principal = access.by_cookie(cookie)
        return principal is not None and principal.reaches(project.id, level)

    assert not reaches(Level.VIEW)
    access.members.set_level(project.id, account_id, Level.EDIT)
    assert reaches(Level.EDIT)
    assert not reaches(Level.OWN)
    access.accounts.set_role(account_id, Role.VIEWER)
    assert reaches(Level.VIEW)
    assert not reaches(Level.EDIT)
    access.accounts.set_role(account_id, Role.ADMIN)
    assert reaches(Level.OWN)
    access.accounts.disable(account_id)
    assert access.by_cookie(cookie) is None
    with pytest.raises(SignInRefused):
        sign_in(access)
    access.accounts.enable(account_id)
    assert access.by_cookie(cookie) is None, "a session that ended does not come back"
    with pytest.raises(InvalidRequest, match="only admin"):
        access.accounts.disable(account_id) or access.accounts.disable(admin)


def test_a_changed_password_ends_the_other_sessions(access: Access) -> None:
    account_id = add(access, "ana")
    here, elsewhere = sign_in(access), sign_in(access)
    principal = access.by_cookie(here)
    assert principal is not None
    with pytest.raises(SignInRefused):
        access.change_password(principal, "wrong", "another long password")
    with pytest.raises(InvalidRequest, match="12 to 200"):
        access.change_password(principal, PASSWORD, "short")
    access.change_password(principal, PASSWORD, "another long password")
    assert access.by_cookie(here) is not None
    assert access.by_cookie(elsewhere) is None
    assert sign_in(access, password="another long password")
    link = access.accounts.password_link(account_id)
    access.choose_password(link.text, "", "a third long password", *HERE)
    assert access.by_cookie(here) is None


@pytest.mark.parametrize(
    "password", ["", "short", "aaaaaaaaaaaaaaaa", "x" * 201, "Anastasia-2026", "abcabcabcabc"]
)
def test_a_password_that_would_be_guessed_is_refused(access: Access, password: str) -> None:
    account_id = access.accounts.create("anastasia@example.org", Role.MEMBER).id
    link = access.accounts.password_link(account_id)
    with pytest.raises(InvalidRequest):
        access.choose_password(link.text, "", password, *HERE)
    access.choose_password(link.text, "", PASSWORD, *HERE)


def test_a_link_sets_a_password_once(access: Access, time: Time) -> None:
    account_id = access.accounts.create("ana", Role.MEMBER).id
    with pytest.raises(SignInRefused):
        sign_in(access)
    older, link = access.accounts.password_link(account_id), access.accounts.password_link(account_id)
    assert access.name_of_link(link.text) == "ana"
    for wrong in (older.text, f"{link.id}.wrong", "x", "", "a.b.c", link.text + "x"):
        with pytest.raises(SignInRefused):
            access.choose_password(wrong, "", PASSWORD, *HERE)
    access.choose_password(link.text, "", PASSWORD, *HERE)
    with pytest.raises(SignInRefused, match="has been used"):
        access.choose_password(link.text, "", PASSWORD, *HERE)
    assert sign_in(access)
    late = access.accounts.password_link(account_id)
    time.pass_by(hours=49)
    with pytest.raises(SignInRefused):
        access.choose_password(late.text, "", PASSWORD, *HERE)


def test_the_first_admin_is_made_by_a_link_and_owns_what_was_there(access: Access, project: Project) -> None:
    link = access.first_admin_link()
    assert link is not None
    assert access.name_of_link(link) is None
    signed_in = access.choose_password(link, "Prof. Lab", PASSWORD, *HERE)
    assert signed_in.principal.is_admin
    account_id = signed_in.principal.account_id
    assert access.members.of_account(account_id or "") == {project.id: Level.OWN}
    assert access.first_admin_link() is None
    with pytest.raises(SignInRefused):
        access.choose_password(link, "Another", PASSWORD, *HERE)


def test_two_links_of_a_first_admin_make_one(access: Access) -> None:
    first = access.first_admin_link()
    second = access.first_admin_link()
    assert first is not None
    assert second is not None
    with pytest.raises(SignInRefused):
        access.choose_password(first, "Eve", PASSWORD, *HERE)
    access.choose_password(second, "Ana", PASSWORD, *HERE)


@pytest.mark.slow
def test_the_owner_signs_in_while_a_thousand_addresses_guess(access: Access) -> None:
    add(access, "ana")
    refused = 0
    for number in range(1000):
        with pytest.raises(SignInRefused):
            sign_in(access, password=f"guess number {number}", address=f"10.{number // 200}.1.{number % 200}")
        refused += 1
    assert refused == 1000
    assert access.by_cookie(sign_in(access, address="192.168.0.7"))


def test_the_owner_signs_in_from_the_address_that_guesses(access: Access) -> None:
    add(access, "ana")
    device = access.sign_in("ana", PASSWORD, *HERE).device
    for _ in range(FREE_TRIES):
        with pytest.raises(SignInRefused):
            sign_in(access, password="wrong")
    with pytest.raises(TooManyAttempts):
        sign_in(access)
    assert access.sign_in("ana", PASSWORD, *HERE, device).device == device
    add(access, "bo")
    bos = access.sign_in("bo", PASSWORD, "10.0.0.9", "Firefox").device
    with pytest.raises(TooManyAttempts):
        access.sign_in("ana", PASSWORD, *HERE, bos)


def test_present_passwords_are_not_guessed_from_within(access: Access) -> None:
    add(access, "ana")
    principal = access.by_cookie(sign_in(access))
    assert principal is not None
    for _ in range(FREE_TRIES):
        with pytest.raises(SignInRefused):
            access.change_password(principal, "wrong", "another long password")
    with pytest.raises(TooManyAttempts):
        access.change_password(principal, PASSWORD, "another long password")


def test_a_token_has_its_owners_rights_within_its_scope(access: Access, project: Project, time: Time) -> None:
    account_id = add(access, "ana")
    access.members.set_level(project.id, account_id, Level.OWN)
    access.members.set_level("another", account_id, Level.OWN)

    def principal(scope: Scope, project_id: str | None = None) -> Principal:
        token = access.sessions.add_token(account_id, "script", scope, 30, project_id)
        assert token.startswith("sphero_")
        found = access.by_token(token)
        assert found is not None
        return found

    reading, writing = principal(Scope.READ), principal(Scope.WRITE, project.id)
    assert reading.reaches("another")
    assert not reading.reaches("another", Level.EDIT)
    assert writing.reaches(project.id, Level.OWN)
    assert not writing.reaches("another")
    token = access.sessions.add_token(account_id, "script", Scope.READ, 30)
    for wrong in (token[:-1], token.removeprefix("sphero_"), "", "sphero_", "sphero_a.b", token.upper()):
        assert access.by_token(wrong) is None
    assert {item.name for item in access.sessions.tokens(account_id)} == {"script"}
    time.pass_by(days=29)
    assert access.by_token(token)
    time.pass_by(days=1)
    assert access.by_token(token) is None
    assert access.sessions.tokens(account_id) == ()


def test_tokens_are_revoked_by_their_owner_and_with_the_account(access: Access) -> None:
    add(access, "boss", Role.ADMIN)
    account_id = add(access, "ana")
    first, second = (access.sessions.add_token(account_id, name, Scope.READ, 30) for name in "ab")
    with pytest.raises(NotFound):
        access.sessions.revoke_token(first[7:23], "another")
    access.sessions.revoke_token(first[7:23], account_id)
    assert access.by_token(first) is None
    access.accounts.disable(account_id)
    access.accounts.enable(account_id)
    assert access.by_token(second) is None


def test_a_projects_link_shows_that_project_until_it_expires(
    access: Access, project: Project, time: Time
) -> None:
    account_id = add(access, "ana")
    link = access.members.add_link(project.id, account_id, 1)
    cookie, opens = access.open_link(link.text, *HERE)
    assert opens == project.id
    visitor = access.by_cookie(cookie)
    assert visitor is not None
    assert visitor.projects_at(Level.VIEW) == (project.id,)
    assert not visitor.reaches(project.id, Level.EDIT)
    assert not visitor.may_create
    with pytest.raises(NotFound):
        access.members.revoke_link(link.id, "another")
    time.pass_by(days=1, seconds=1)
    assert access.by_cookie(cookie) is None
    with pytest.raises(SignInRefused):
        access.open_link(link.text, *HERE)
    second = access.members.add_link(project.id, account_id, 1)
    cookie, _ = access.open_link(second.text, *HERE)
    access.members.revoke_link(second.id, project.id)
    assert access.by_cookie(cookie) is None


def test_who_signs_in_elsewhere_gets_an_account(db: Database, time: Time, project: Project) -> None:
    access = opened(db, time, auth="oidc", admins="Boss@Example.org, second@example.org")
    boss = access.by_name("boss@example.org")
    assert boss is not None
    assert boss.is_admin
    assert access.members.of_account(boss.account_id or "") == {project.id: Level.OWN}
    ana = access.by_name("ana@example.org")
    assert ana is not None
    assert (ana.role, ana.projects_at(Level.VIEW)) == (Role.VIEWER, ())
    assert access.by_name("ANA@example.org") == ana
    assert access.by_name(" \0 ") is None
    access.accounts.disable(ana.account_id or "")
    assert access.by_name("ana@example.org") is None


def test_strangers_can_be_refused(db: Database, time: Time) -> None:
    access = opened(db, time, auth="oidc", admins="boss", new_account_role="none")
    assert access.by_name("ana") is None
    assert access.by_name("boss") is not None
    access.accounts.create("ana", Role.MEMBER)
    assert access.by_name("ana") is not None


def test_a_project_keeps_an_owner(access: Access, project: Project) -> None:
    ana, bo = add(access, "ana"), add(access, "bo")
    access.members.set_level(project.id, ana, Level.OWN)
    for level in (None, Level.EDIT):
        with pytest.raises(InvalidRequest, match="only owner"):
            access.members.set_level(project.id, ana, level)
    access.members.set_level(project.id, bo, Level.OWN)
    access.members.set_level(project.id, ana, None)
    (member,) = access.members.of_project(project.id)
    assert (member.name, member.level) == ("bo", Level.OWN)

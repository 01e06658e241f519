"""What people do about access: checked against their rights of that moment, and recorded."""

from __future__ import annotations

import pytest

from core.accounts import Access, Level, Principal, Role, Scope
from core.accounts.access_management import OwnAccount, People, Sharing
from core.errors import InvalidRequest, NotAllowed, NotFound, NotSignedIn
from core.models import Project
from tests.accounts.conftest import PASSWORD, add

pytestmark = pytest.mark.slow


def signed_in(access: Access, name: str) -> Principal:
    return access.sign_in(name, PASSWORD, "10.0.0.1", "Firefox").principal


@pytest.fixture
def boss(access: Access) -> Principal:
    add(access, "boss", Role.ADMIN)
    return signed_in(access, "boss")


@pytest.fixture
def ana(access: Access) -> Principal:
    add(access, "ana")
    return signed_in(access, "ana")


def test_an_admin_adds_people_who_choose_their_own_password(access: Access, boss: Principal) -> None:
    account, link = People(access, boss).add("bo", Role.VIEWER)
    access.choose_password(link, "", PASSWORD, "10.0.0.2", "")
    assert signed_in(access, "bo").account_id == account.id
    assert access.audit.page(10)[-1].action == "signed in"
    assert "bo is a new viewer" in [row.subject for row in access.audit.page(10)]
    with pytest.raises(InvalidRequest, match="already an account"):
        People(access, boss).add("BO", Role.VIEWER)


def test_people_who_are_no_admins_may_not_manage_accounts(
    access: Access, boss: Principal, ana: Principal
) -> None:
    desk, boss_id = People(access, ana), boss.account_id or ""
    for act in (
        desk.list,
        lambda: desk.add("x", Role.ADMIN),
        lambda: desk.reset(boss_id),
        lambda: desk.set_role(boss_id, Role.VIEWER),
        lambda: desk.disable(boss_id),
        lambda: desk.enable(boss_id),
        lambda: desk.audit(1),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert access.accounts.get(boss_id).role is Role.ADMIN


def test_rights_are_those_of_now_not_of_when_the_page_was_drawn(access: Access, boss: Principal) -> None:
    add(access, "second", Role.ADMIN)
    desk = People(access, boss)
    People(access, signed_in(access, "second")).set_role(boss.account_id or "", Role.MEMBER)
    with pytest.raises(NotAllowed):
        desk.list()
    access.sign_out(boss)
    with pytest.raises(NotSignedIn):
        desk.list()


def test_people_see_and_end_only_what_is_theirs(access: Access, boss: Principal, ana: Principal) -> None:
    (own,) = OwnAccount(access, ana).sessions()
    assert f"session:{own.id}" == ana.key
    OwnAccount(access, boss).end_session(own.id)
    assert access.principal(ana.key) is not None
    OwnAccount(access, ana).add_token("script", Scope.READ, 30, None)
    (token,) = OwnAccount(access, ana).tokens()
    assert OwnAccount(access, boss).tokens() == ()
    with pytest.raises(NotFound):
        OwnAccount(access, boss).revoke_token(token.id)
    OwnAccount(access, ana).revoke_token(token.id)
    assert OwnAccount(access, ana).tokens() == ()


@pytest.mark.parametrize(
    ("name", "days"), [("", 30), (" ", 30), ("x" * 61, 30), ("a", 0), ("a", 367), ("a", -1)]
)
def test_tokens_that_cannot_be_are_refused(access: Access, ana: Principal, name: str, days: int) -> None:
    with pytest.raises(InvalidRequest):
        OwnAccount(access, ana).add_token(name, Scope.READ, days, None)


def test_a_token_is_for_a_project_that_one_reaches(access: Access, ana: Principal, project: Project) -> None:
    with pytest.raises(NotFound):
        OwnAccount(access, ana).add_token("script", Scope.READ, 30, project.id)


def test_owners_share_and_others_do_not(
    access: Access, boss: Principal, ana: Principal, project: Project
) -> None:
    bo = add(access, "bo")
    sharing = Sharing(access, ana)
    with pytest.raises(NotFound):
        sharing.members(project.id)
    access.members.set_level(project.id, ana.account_id or "", Level.EDIT)
    assert [member.name for member in sharing.members(project.id)] == ["ana"]
    assert not sharing.may_share(project.id)
    for act in (
        lambda: sharing.share(project.id, "bo", Level.VIEW),
        lambda: sharing.set_level(project.id, ana.account_id or "", Level.OWN),
        lambda: sharing.links(project.id),
        lambda: sharing.add_link(project.id, 1),
        lambda: sharing.end_link(project.id, "x"),
    ):
        with pytest.raises(NotAllowed, match="owner"):
            act()
    Sharing(access, boss).set_level(project.id, ana.account_id or "", Level.OWN)
    sharing.share(project.id, " BO ", Level.VIEW)
    assert access.members.of_account(bo) == {project.id: Level.VIEW}
    with pytest.raises(InvalidRequest, match="Nobody here is called “eve”"):
        sharing.share(project.id, "eve", Level.VIEW)
    sharing.set_level(project.id, bo, None)
    assert access.members.of_account(bo) == {}
    link = sharing.add_link(project.id, 7)
    (listed,) = sharing.links(project.id)
    assert listed.id == link.partition(".")[0]
    sharing.end_link(project.id, listed.id)
    assert sharing.links(project.id) == ()
    subjects = [row.subject for row in access.audit.page(4)]
    assert subjects == ["ended a link", "made a link for 7 days", "bo: no member any more", "bo: view"]
    assert {row.project for row in access.audit.page(4)} == {project.name}

"""The settings of access: what cannot be is refused with a sentence that says what to do."""

from __future__ import annotations

import pytest

from core.accounts import AccessMode, AccessRules, Role, check_address
from core.errors import InvalidRequest
from core.settings import Settings


def rules(**env: str) -> AccessRules:
    return AccessRules.of(Settings.from_env(env))


def test_without_settings_nobody_has_to_sign_in() -> None:
    assert rules().mode is AccessMode.NONE
    assert not rules().enabled


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.8.8.8", "::ffff:127.0.0.1"])
def test_this_computer_may_be_served_without_accounts(address: str) -> None:
    check_address(address, rules())


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", "192.168.1.4", "lab-pc", "::ffff:10.0.0.1"])
def test_other_computers_may_not(address: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_address(address, rules())
    for words in ("AUTH=none", "AUTH=local", "127.0.0.1", "docs/access.md"):
        assert words in refused.value.message
    check_address(address, rules(AUTH="local"))


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"AUTH": "password"}, "AUTH must be one of none, local, oidc, proxy"),
        ({"AUTH": "proxy"}, "USER_HEADER"),
        ({"AUTH": "proxy", "USER_HEADER": "X-User"}, "PROXY_ADDRESSES"),
        ({"AUTH": "proxy", "USER_HEADER": "X-User", "PROXY_ADDRESSES": "10.0.0.5"}, "ADMINS"),
        ({"AUTH": "oidc"}, "ADMINS"),
        ({"PROXY_ADDRESSES": "proxy.lab"}, "PROXY_ADDRESSES must be addresses"),
        ({"NEW_ACCOUNT_ROLE": "boss"}, "NEW_ACCOUNT_ROLE must be one of viewer, member, admin, none"),
        ({"PUBLIC_URL": "lab.example"}, "PUBLIC_URL must be an address"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(env: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words.replace("(", r"\(")):
        rules(**env)


def test_a_proxy_is_believed_by_its_address_only() -> None:
    given = rules(AUTH="proxy", USER_HEADER="X-User", PROXY_ADDRESSES="10.0.0.5, fd00::/8", ADMINS="boss")
    assert [given.trusts(text) for text in ("10.0.0.5", "::ffff:10.0.0.5", "fd00::9")] == [True] * 3
    assert [given.trusts(text) for text in ("10.0.0.6", "127.0.0.1", "", "testclient")] == [False] * 4
    assert given.new_role is Role.VIEWER

"""The door: who comes in by cookie, token, header or provider, and how a session begins and ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from core.accounts import Role, streamlit_login
from core.http.middleware.access import CLOSED, ENDED
from core.http.routes.access import _own_path
from core.services import CALLER_HEADER
from core.settings import ROOT, Settings
from tests.security.conftest import PASSWORD, SESSION, Door, open_door

HTML = {"Accept": "text/html,application/xhtml+xml"}
NEW = "four words nobody knows"
ADDRESSES = (
    "/",
    "/images?project=1",
    "/static/js/main.js",
    "/media/a.png",
    "/_stcore/host-config",
    "/component/x",
)


def form(client: TestClient, path: str, **fields: str):  # type: ignore[no-untyped-def]
    return client.post(path, data=fields, headers={"Sec-Fetch-Site": "same-origin"})


@pytest.mark.parametrize("address", [*ADDRESSES, "/_stcore/upload_file/a/b", "/api/projects", "/nothing"])
def test_without_signing_in_no_address_answers(door: Door, address: str) -> None:
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        answer = door.client().request(method, address)
        assert answer.status_code == 401, method
        assert answer.json()["error"]["code"] == "not_signed_in" if method != "HEAD" else True


def test_nobody_in_a_browser_is_led_to_the_sign_in_page_and_back(door: Door) -> None:
    door.account("ana")
    client = door.client()
    led = client.get("/images?project=1&page=2", headers=HTML)
    assert (led.status_code, led.headers["cache-control"]) == (303, "no-store")
    page = client.get(led.headers["location"])
    assert page.status_code == 200
    assert "<h1>Sign in</h1>" in page.text
    back = form(client, led.headers["location"], name="ana", password=PASSWORD)
    assert (back.status_code, back.headers["location"]) == (303, "/images?project=1&page=2")
    assert client.get("/").text == "a page"


@pytest.mark.parametrize(
    "target",
    [
        *(
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie:x",
        ),
        *("", "/access/sign-out", "evil.example", "/\tevil"),
    ],
)
def test_no_address_of_another_site_is_led_to(door: Door, target: str) -> None:
    door.account("ana")
    client = door.client()
    answer = client.post(
        "/access/sign-in", params={"next": target}, data={"name": "ana", "password": PASSWORD}
    )
    assert answer.headers["location"] == "/"


def test_cookies_are_kept_from_scripts_and_other_sites(door: Door) -> None:
    door.account("ana")
    cookies = form(door.client(), "/access/sign-in", name="ana", password=PASSWORD).headers.get_list(
        "set-cookie"
    )
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie, "this is not behind TLS"
        assert PASSWORD not in cookie


def test_behind_tls_cookies_are_sent_encrypted_only(data_folder: Path) -> None:
    door = open_door(Settings(data=data_folder, auth="local", public_url="https://lab.example"))
    door.account("ana")
    answer = form(door.client(), "/access/sign-in", name="ana", password=PASSWORD)
    session, device = answer.headers.get_list("set-cookie")
    assert session.startswith(f"__Host-{SESSION}=")
    assert "Secure" in session
    assert "Path=/" in session
    assert "Secure" in device
    door.services.close()


def test_wrong_passwords_are_told_and_then_slowed_down(door: Door) -> None:
    door.account("ana")
    client = door.client()
    answers = [form(client, "/access/sign-in", name="ana", password="wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert "do not belong together" in answers[0].text
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Too many wrong passwords" in answers[-1].text
    assert SESSION not in client.cookies


def test_what_was_typed_is_shown_as_text(door: Door) -> None:
    name = '"><script>alert(1)</script>'
    answer = form(door.client(), "/access/sign-in", name=name, password="x")
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy


@pytest.mark.parametrize("body", [b"x" * 10_000, b"\xff\xfe", b"a=1&" * 900, b"", b"name=ana"])
def test_forms_that_cannot_be_are_refused(door: Door, body: bytes) -> None:
    assert door.client().post("/access/sign-in", content=body).status_code == 400


def test_signing_out_ends_the_session_and_what_the_browser_kept(door: Door) -> None:
    door.account("ana")
    client = door.signed_in("ana")
    cookie = client.cookies[SESSION]
    assert client.get("/access/sign-out").status_code == 200
    assert client.get("/").status_code == 200, "only a press of the button ends it"
    answer = client.post("/access/sign-out")
    assert answer.headers["location"] == "/access/sign-in"
    assert "cache" in answer.headers["clear-site-data"]
    assert door.client(cookie).get("/").status_code == 401


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
    ],
)
def test_other_sites_cannot_change_anything(door: Door, headers: dict[str, str], allowed: bool) -> None:
    door.account("ana")
    client = door.signed_in("ana")
    for method, address in (
        ("POST", "/access/sign-out"),
        ("PUT", "/_stcore/upload_file/a/b"),
        ("DELETE", "/x"),
    ):
        answer = client.request(method, address, headers=headers)
        assert (answer.status_code == 403) is not allowed, (method, address)
        if allowed:
            client = door.signed_in("ana")


def test_a_websocket_needs_a_session_and_ends_with_it(door: Door) -> None:
    account_id = door.account("ana")
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        door.client().websocket_connect("ws://localhost/_stcore/stream"),
    ):
        pass
    assert denied.value.status_code == 401
    client = door.signed_in("ana")
    with client.websocket_connect("ws://localhost/_stcore/stream") as socket:
        socket.send_text("who am I?")
        key = socket.receive_text()
        principal = door.access.principal(key)
        assert principal is not None
        assert principal.account_id == account_id
        door.access.sign_out(principal)
        socket.send_text("am I still here?")
        with pytest.raises(WebSocketDisconnect) as ended:
            socket.receive_text()
    assert ended.value.code == ENDED


def test_a_caller_cannot_set_the_header_that_names_the_caller(door: Door) -> None:
    boss, _ = door.account("boss", Role.ADMIN), door.account("ana")
    claim = {CALLER_HEADER: f"account:{boss}"}
    assert door.client().get("/api/projects", headers=claim).status_code == 401
    client = door.signed_in("ana")
    with client.websocket_connect("ws://localhost/_stcore/stream", headers=claim) as socket:
        socket.send_text("who am I?")
        assert socket.receive_text().startswith("session:")


def test_tokens_are_for_routes_not_for_pages(door: Door) -> None:
    from core.accounts import Scope  # noqa: PLC0415

    token = door.access.sessions.add_token(door.account("ana"), "script", Scope.WRITE, 1)
    client = door.client(token=token)
    assert client.get("/api/projects").status_code == 200
    assert client.get("/").status_code == 403
    assert door.client(token=token + "x").get("/api/projects").status_code == 401
    cookie = door.access.sign_in("ana", PASSWORD, "10.0.0.1", "").session
    wrong = door.client(cookie, token="wrong")
    assert wrong.get("/api/projects").status_code == 401, "a wrong token is not made good by a cookie"


@pytest.mark.parametrize("address", CLOSED)
def test_parts_of_the_server_that_no_page_uses_are_shut(door: Door, address: str) -> None:
    door.account("boss", Role.ADMIN)
    assert door.signed_in("boss").get(address).status_code == 404


def test_health_is_for_everybody(door: Door) -> None:
    assert door.client().get("/api/health").status_code == 200
    assert door.client().get("/_stcore/health").text == "a page"


def test_the_first_admin_comes_by_the_printed_link_once(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    from core import http  # noqa: PLC0415

    project = door.services.store.projects.create("Old plate", "unet")
    http.announce_first_admin(door.access, "8501")
    printed = capsys.readouterr().out
    link = next(word for word in printed.split() if word.startswith("http://127.0.0.1:8501/access/password/"))
    path = link.removeprefix("http://127.0.0.1:8501")
    client = door.client()
    assert "Become the first admin" in client.get(path).text
    unequal = form(client, path, name="Boss", password=NEW, again=NEW + "x")
    assert "not the same" in unequal.text
    short = form(client, path, name="Boss", password="short", again="short")
    assert "12 to 200 characters" in short.text
    assert form(client, path, name="Boss", password=NEW, again=NEW).headers["location"] == "/"
    (listed,) = client.get("/api/projects").json()["projects"]
    assert listed["id"] == project.id
    assert "has been used" in form(door.client(), path, name="Eve", password=NEW, again=NEW).text
    http.announce_first_admin(door.access, "8501")
    assert capsys.readouterr().out == ""


def test_a_projects_link_is_used_by_pressing_its_button(door: Door) -> None:
    project = door.services.store.projects.create("Plate", "unet", owner=door.account("ana"))
    link = door.access.members.add_link(project.id, "ana", 1)
    client = door.client()
    assert client.get(f"/access/shared/{link.text}").status_code == 200
    assert not client.cookies, "a preview of the link begins no session"
    opened = client.post(f"/access/shared/{link.text}")
    assert opened.headers["location"] == f"/images?project={project.id}"
    assert client.get(f"/api/projects/{project.id}/images").status_code == 200
    assert "has expired" in client.post("/access/shared/a.b").text


@given(st.text(max_size=100).map(lambda text: f"/{text}") | st.text(max_size=100))
def test_one_is_led_to_addresses_of_this_app_alone(text: str) -> None:
    path = _own_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isprintable()


@pytest.fixture
def behind_proxy(tmp_path: Path) -> Iterator[Door]:
    settings = Settings(
        data=tmp_path,
        auth="proxy",
        user_header="X-Forwarded-User",
        proxy_addresses="10.0.0.5",
        admins="boss",
        new_account_role="member",
    )
    door = open_door(settings)
    yield door
    door.services.close()


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("10.0.0.5", [("X-Forwarded-User", "ana")], 200),
        ("10.0.0.6", [("X-Forwarded-User", "ana")], 401),
        ("127.0.0.1", [("X-Forwarded-User", "ana"), ("X-Forwarded-For", "10.0.0.5")], 401),
        ("10.0.0.5", [("X-Forwarded-User", "boss"), ("X-Forwarded-User", "ana")], 401),
        ("10.0.0.5", [], 401),
        ("10.0.0.5", [("X-Forwarded-User", "")], 401),
        ("10.0.0.5", [("X-User", "ana")], 401),
    ],
)
def test_a_header_is_believed_from_the_proxy_alone(
    behind_proxy: Door, peer: str, headers: list[tuple[str, str]], status: int
) -> None:
    client = TestClient(behind_proxy.app, "http://localhost", client=(peer, 4000), follow_redirects=False)
    assert client.get("/api/projects", headers=headers).status_code == status  # type: ignore[arg-type]
    assert client.get("/api/metrics/summary", headers=headers).status_code in (401, 404)  # type: ignore[arg-type]


def test_addresses_behind_a_proxy_are_its_clients(behind_proxy: Door) -> None:
    from core.http.middleware.access import address_of  # noqa: PLC0415

    def address(peer: str, forwarded: bytes) -> str:
        return address_of(
            behind_proxy.access,
            {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded)]},
        )

    assert address("10.0.0.5", b"6.6.6.6, 192.168.0.9") == "192.168.0.9"
    assert address("10.0.0.6", b"192.168.0.9") == "10.0.0.6"


def test_who_has_signed_in_elsewhere_is_known_by_streamlits_cookie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamlit_login, "get_cookie_secret", lambda: "secret")
    door = open_door(Settings(data=tmp_path, auth="oidc", admins="boss@lab.org", new_account_role="member"))

    def status(secret: str = "secret", **user: object) -> int:
        value = create_signed_value(secret, "_streamlit_user", json.dumps(user)).decode()
        client = door.client()
        client.cookies.set("_streamlit_user", value)
        return client.get("/api/metrics/summary").status_code

    boss = {"is_logged_in": True, "email": "boss@lab.org"}
    assert status(**boss) == 200
    assert status("another secret", **boss) == 401
    assert status(**boss | {"is_logged_in": False}) == 401
    assert status(**boss | {"email_verified": False}) == 401
    assert status(**boss | {"email_verified": False, "preferred_username": "boss@lab.org"}) == 401
    assert status(**boss | {"email": "ana@lab.org"}) == 404
    assert door.client().get("/auth/login").text == "a page"
    door.services.close()


def test_without_accounts_only_this_computer_is_served(tmp_path: Path) -> None:
    door = open_door(Settings(data=tmp_path))
    for base, status in (("http://127.0.0.1", 200), ("http://[::1]", 200), ("http://localhost", 200)):
        client = TestClient(door.app, base)
        assert client.get("/api/projects").status_code == status, base
    for base, status in (
        ("http://192.168.1.4", 403),
        ("http://[fe80::1]", 403),
        ("http://[2001:db8::1]", 403),
    ):
        client = TestClient(door.app, base)
        assert client.get("/api/projects").status_code == status, base
        assert client.get("/").status_code == status, base
    assert TestClient(door.app, "http://localhost").get("/access/sign-in").status_code == 404
    door.services.close()


@pytest.mark.parametrize(
    ("auth", "address", "starts"), [("", "0.0.0.0", False), ("proxy", "127.0.0.1", False)]
)
def test_an_app_that_others_reach_without_signing_in_does_not_start(
    tmp_path: Path, auth: str, address: str, starts: bool
) -> None:
    command = [sys.executable, "-m", "core", "serve", "--address", address, "--port", "8599"]
    env = os.environ | {"SPHEROSCOPE_DATA": str(tmp_path), "AUTH": auth, "STREAMLIT_SERVER_HEADLESS": "true"}
    ended = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode == 3) is not starts
    assert ("AUTH=none asks nobody who they are" if not auth else "USER_HEADER") in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "spheroscope.duckdb").exists()

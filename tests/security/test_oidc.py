"""AUTH=oidc from end to end: Streamlit's login against a provider, and the guard that believes its cookie."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import httpx2
import pytest
from joserfc.jwk import RSAKey

from core.settings import ROOT
from tests.browser.chromium import streamlit_server
from tests.security.provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.servers import free_port

HTML = {"Accept": "text/html"}
SECRETS = """
[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "what signs the cookies of this test"
client_id = "{client}"
client_secret = "{secret}"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture(scope="module")
def address(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, whose sign-in is the provider's."""
    folder, port = tmp_path_factory.mktemp("oidc"), free_port()
    secrets = folder / "secrets.toml"
    secrets.write_text(
        SECRETS.format(port=port, client=CLIENT_ID, secret=CLIENT_SECRET, provider=provider.address)
    )
    settings = {"SPHEROSCOPE_DATA": str(folder / "data"), "AUTH": "oidc", "ADMINS": "Boss@lab.org"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (settings | {"NEW_ACCOUNT_ROLE": "member"}).items():
            patch.setenv(name, value)
        with streamlit_server(ROOT / "app.py", f"--secrets.files={secrets}", port=port):
            yield f"http://localhost:{port}"


@contextmanager
def browser(address: str) -> Iterator[httpx2.Client]:
    """A client that keeps cookies and goes where it is sent."""
    with httpx2.Client(base_url=address, headers=HTML, follow_redirects=True, timeout=60) as client:
        yield client


def sign_in(client: httpx2.Client) -> httpx2.Response:
    """Open the app, be led to its sign-in page, and press its button."""
    page = client.get("/images?project=1")
    assert page.url.path == "/access/sign-in"
    button = re.search(r'href="(/auth/login[^"]*)"|action="(/auth/login[^"]*)"', page.text)
    assert button
    return client.get(unescape(button[1] or button[2]))


def test_somebody_signs_in_at_the_provider_and_out(address: str, provider: Provider) -> None:
    provider.user = {"email": "boss@lab.org", "email_verified": True, "name": "Boss"}
    with browser(address) as client:
        assert client.get("/api/projects").status_code == 401
        arrived = sign_in(client)
        assert arrived.status_code == 200
        assert arrived.url.host == "localhost"
        assert client.get("/api/projects").status_code == 200
        assert client.get("/api/metrics/summary").status_code == 200, "an admin by ADMINS, whatever the case"
        client.post("/access/sign-out", headers={"Sec-Fetch-Site": "same-origin"})
        assert client.get("/api/projects").status_code == 401


def test_whoever_comes_first_has_an_account_of_the_usual_role(address: str, provider: Provider) -> None:
    provider.user = {"email": "ana@lab.org", "email_verified": True}
    with browser(address) as client:
        sign_in(client)
        assert client.get("/api/projects").json()["projects"] == []
        assert client.get("/api/metrics/summary").status_code == 404


@pytest.mark.parametrize(
    "user",
    [
        {"email": "boss@lab.org", "email_verified": False},
        {"email": "boss@lab.org", "email_verified": False, "preferred_username": "boss@lab.org"},
    ],
)
def test_an_address_that_the_provider_has_not_verified_is_nobodys(
    address: str, provider: Provider, user: dict[str, object]
) -> None:
    provider.user = user
    with browser(address) as client:
        sign_in(client)
        assert client.get("/api/metrics/summary").status_code in (401, 404)


def test_a_token_that_another_has_signed_is_not_believed(address: str, provider: Provider) -> None:
    provider.user = {"email": "boss@lab.org", "email_verified": True}
    provider.signed_with = RSAKey.generate_key(2048, {"kid": "1"})
    try:
        with browser(address) as client:
            sign_in(client)
            assert client.get("/api/projects").status_code == 401
    finally:
        provider.signed_with = provider.key


def test_an_answer_that_nobody_here_asked_for_signs_nobody_in(address: str, provider: Provider) -> None:
    provider.user = {"email": "boss@lab.org", "email_verified": True}
    with browser(address) as client:
        forged = client.get("/oauth2callback", params={"code": "code 0", "state": "made up"})
        assert forged.status_code < 500
        assert client.get("/api/projects").status_code == 401


def test_the_providers_secrets_are_in_no_answer(address: str, provider: Provider) -> None:
    provider.user = {"email": "boss@lab.org", "email_verified": True}
    with browser(address) as client:
        answers = [sign_in(client)] + [
            client.get(path)
            for path in (
                "/api/metrics/health",
                "/metrics",
                "/access/sign-in",
                "/auth/login?provider=x",
                "/nothing",
            )
        ]
        for answer in answers:
            assert CLIENT_SECRET not in answer.text
            assert "what signs the cookies" not in answer.text


@pytest.mark.parametrize(
    ("secrets", "missing"), [("", "server_metadata_url"), ("[auth]\nredirect_uri = 'x'", "cookie_secret")]
)
def test_an_app_whose_sign_in_cannot_work_does_not_start(tmp_path: Path, secrets: str, missing: str) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text(secrets or "[auth]\nredirect_uri = 'x'\ncookie_secret = 'y'\nclient_id = 'z'")
    settings = {
        "SPHEROSCOPE_DATA": str(tmp_path),
        "AUTH": "oidc",
        "ADMINS": "a",
        "STREAMLIT_SECRETS_FILES": file,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "core", "serve", "--port", str(free_port())],
        cwd=ROOT,
        env=os.environ | {name: str(value) for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 3
    assert missing in ended.stderr
    assert "docs/access.md" in ended.stderr
    assert "Traceback" not in ended.stderr

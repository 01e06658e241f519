"""Cookies, tokens and links as anybody may send them: read, or nothing, and never an error."""

from __future__ import annotations

import stat
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.accounts.credentials import KEY_BYTES, CookieSigner, Credential, load_key

SIGNER = CookieSigner(b"k" * KEY_BYTES)


@given(st.text(max_size=300))
def test_any_text_is_a_credential_or_none(text: str) -> None:
    credential = Credential.read(text)
    assert credential is None or credential.text == text


@given(st.text(max_size=300), st.text(max_size=20))
def test_a_forged_signature_is_refused(text: str, purpose: str) -> None:
    assert SIGNER.read(purpose, text) is None


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=100))
def test_what_was_signed_is_read_for_its_purpose_alone(text: str) -> None:
    signed = SIGNER.sign("session", text)
    assert SIGNER.read("session", signed) == text
    assert SIGNER.read("device", signed) is None
    assert CookieSigner(b"x" * KEY_BYTES).read("session", signed) is None


def test_a_credential_is_new_each_time_and_matches_its_digest_alone() -> None:
    first, second = Credential.new(), Credential.new()
    assert first != second
    assert first.matches(first.sha256)
    assert not first.matches(second.sha256)


def test_the_key_is_made_once_and_for_the_apps_own_user(tmp_path: Path) -> None:
    key = load_key(tmp_path / "data")
    assert len(key) == KEY_BYTES
    assert load_key(tmp_path / "data") == key
    assert stat.S_IMODE((tmp_path / "data" / "access.key").stat().st_mode) == 0o600
    assert load_key(tmp_path / "other") != key

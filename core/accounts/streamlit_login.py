"""Who has signed in by Streamlit's login (AUTH=oidc), read from its cookie as Streamlit's server does.

Streamlit checks it for the pages' WebSocket alone; everything else is checked here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.util import find_spec

from streamlit import config
from streamlit.auth_util import encode_provider_token, get_cookie_with_chunks, validate_auth_credentials
from streamlit.errors import StreamlitAuthError
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core.errors import InvalidRequest

__all__ = ["check_login", "login_address", "signed_in_user"]


def check_login() -> None:
    """Make sure that Streamlit's login can work, before the first person tries.

    Raises:
        InvalidRequest: a package or a setting of it is missing.
    """
    if not (find_spec("authlib") and find_spec("httpx2")):
        raise InvalidRequest(
            "AUTH=oidc needs packages that are not installed: pip install -r requirements-oidc.txt"
        )
    try:
        validate_auth_credentials("default")
    except StreamlitAuthError as error:
        raise InvalidRequest(f"AUTH=oidc: {' '.join(str(error).split())} See docs/access.md.") from error


def signed_in_user(cookies: Mapping[str, str]) -> str | None:
    """Return the email, or else the name, of who has signed in.

    None where nobody has, or the provider says that it has not verified the email.
    """
    secret = get_cookie_secret()
    if not secret or USER_COOKIE_NAME not in cookies:
        return None

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        return None if value is None else decode_signed_value(secret, name, value)

    try:
        user = json.loads(get_cookie_with_chunks(signed, USER_COOKIE_NAME) or b"{}")
    except ValueError:
        return None
    if not isinstance(user, dict) or not user.get("is_logged_in"):
        return None
    if user.get("email") and not user.get("email_verified", True):
        return None  # other names of theirs may be chosen by themselves as well
    name = user.get("email") or user.get("preferred_username") or user.get("sub")
    return str(name) if name else None


def login_address() -> str:
    """Return the address at which Streamlit's server sends a browser to the provider."""
    base = (config.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/auth/login?provider={encode_provider_token('default')}"

"""A small OpenID Connect provider: whoever comes is signed in as the person that the test has set."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "spheroscope", "the provider's secret for its client"


class Provider:
    """Discovery, authorisation, tokens and keys at one address of this computer."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.user: dict[str, Any] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.signed_with = self.key  # another one signs what is to be refused
        self._nonces: dict[str, str | None] = {}

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Answer a GET: status, headers and body."""
        if path == "/.well-known/openid-configuration":
            return _json(self._document())
        if path == "/keys":
            return _json({"keys": [self.key.as_dict(private=False)]})
        if path == "/authorize":
            code = f"code {len(self._nonces)}"
            self._nonces[code] = query.get("nonce")
            back = f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
            return 302, {"Location": back}, b""
        return 404, {}, b""

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, str], bytes]:
        """Exchange a code, once, for an ID token."""
        secret = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        known = authorization == f"Basic {secret}" or form.get("client_secret") == CLIENT_SECRET
        if not known or form.get("code") not in self._nonces:
            return 400, {"Content-Type": "application/json"}, b'{"error": "invalid_grant"}'
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT_ID, "sub": "1", "iat": now, "exp": now + 600}
        claims |= {"nonce": self._nonces.pop(form["code"])} | self.user
        signed = jwt.encode({"alg": "RS256", "kid": "1"}, claims, self.signed_with)
        return _json({"access_token": "x", "token_type": "Bearer", "expires_in": 600, "id_token": signed})

    def _document(self) -> dict[str, Any]:
        places = {"authorization": "authorize", "token": "token"}
        return {
            "issuer": self.address,
            **{f"{name}_endpoint": f"{self.address}/{path}" for name, path in places.items()},
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }


def _json(content: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


@contextmanager
def running_provider() -> Iterator[Provider]:
    """Run a provider in a thread, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._answer(*provider.get(parts.path, query))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.token(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()

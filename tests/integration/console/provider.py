"""An identity provider for tests: OpenID Connect's code flow over HTTP, as strict as the standards ask.

It checks the client, the redirect address, PKCE (RFC 7636) and that each code is used once. What its tokens
say can be bent, to see that they are not believed.
"""

import asyncio
import base64
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from fleet.serving import make_server
from hobbs.local.ports import free_port

CLIENT, SECRET = "hobbs-console", "client-secret-0123456789"


@dataclass(slots=True, kw_only=True)
class IdentityProvider:
    """`claims`: what the next token says of its subject; `bend`: changes its claims before it is signed."""

    issuer: str
    redirect_uri: str
    key: RSAKey
    claims: dict[str, Any] = field(default_factory=dict)
    bend: Callable[[dict[str, Any]], None] = lambda claims: None
    signs_with: RSAKey | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    keys_fetched: int = 0

    def rotate(self) -> None:
        self.key = new_key()

    def token(self, **claims: Any) -> str:
        key = self.signs_with or self.key
        said = {"iss": self.issuer, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 300}
        said |= claims
        self.bend(said)
        return str(jwt.encode({"alg": "RS256", "kid": key.kid}, said, key))

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            }
        )

    async def _keys(self, _: Request) -> Response:
        self.keys_fetched += 1
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["redirect_uri"] == self.redirect_uri
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return RedirectResponse(f"{self.redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {wanted}":
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or form.get("redirect_uri") != self.redirect_uri
            or asked["code_challenge"] != challenge.decode().rstrip("=")
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        token = self.token(nonce=asked["nonce"], **self.claims)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})


def new_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})


@asynccontextmanager
async def running_provider(redirect_uri: str) -> AsyncIterator[IdentityProvider]:
    """Serve a provider on the loopback until the block ends."""
    port = free_port()
    provider = IdentityProvider(issuer=f"http://127.0.0.1:{port}", redirect_uri=redirect_uri, key=new_key())
    server = make_server(provider.app(), "127.0.0.1", port)
    serving = asyncio.create_task(server.serve())
    for _ in range(500):
        if server.started:
            break
        await asyncio.sleep(0.02)
    yield provider
    server.should_exit = True
    await serving

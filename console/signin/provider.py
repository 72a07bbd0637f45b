"""The identity provider: its addresses, its keys, and what a token of its must say before it is believed.

Keys are fetched again when a token names one that is not known or does not fit: providers rotate them.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from console.settings import ConsoleSettings

ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]
LEEWAY_S: Final = 60  # by which the provider's clock may differ from ours
TIMEOUT_S: Final = 10.0
KEYS_AGAIN_AFTER_S: Final = 5.0  # whoever sends odd tokens does not make us ask for keys each time
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

Claims = Mapping[str, Any]


class NotBelieved(Exception):
    """The provider, or its answer, is not what it must be. The sentence holds nothing of a token."""


class Provider:
    """The provider of the settings; what it publishes is fetched when it is first needed."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self._metadata: Claims | None = None
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    @property
    def redirect_uri(self) -> str:
        return f"{self._settings.origin}/login/answer"

    async def sign_in_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where a browser goes to sign in: code flow, with PKCE."""
        metadata = await self._published()
        async with self._client() as client:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
            )
        return str(url)

    async def claims_of(self, code: str, *, verifier: str, nonce: str) -> Claims:
        """Exchange a code for an ID token and read its claims. Raises NotBelieved."""
        metadata = await self._published()
        try:
            async with self._client() as client:
                token = await client.fetch_token(
                    metadata["token_endpoint"],
                    code=code,
                    code_verifier=verifier,
                    grant_type="authorization_code",
                )
        except Exception as error:  # of the library, of HTTP: all of them mean that nobody is signed in
            raise NotBelieved(f"the provider gave no token ({type(error).__name__})") from None
        id_token = token.get("id_token") if isinstance(token, Mapping) else None
        if not isinstance(id_token, str):
            raise NotBelieved("the provider gave no ID token")
        claims = await self._verified(id_token)
        if claims.get("nonce") != nonce:
            raise NotBelieved("the ID token answers another sign-in (nonce)")
        return claims

    async def ended_by(self, logout_token: str) -> tuple[str | None, str | None]:
        """The session and the subject that a back-channel logout ends. Raises NotBelieved."""
        claims = await self._verified(logout_token)
        events = claims.get("events")
        if not isinstance(events, Mapping) or LOGOUT_EVENT not in events or "nonce" in claims:
            raise NotBelieved("this is no logout token")
        session, subject = claims.get("sid"), claims.get("sub")
        return (
            session if isinstance(session, str) else None,
            subject if isinstance(subject, str) else None,
        )

    async def sign_out_url(self) -> str | None:
        """Where a browser signs out of the provider itself, if it has such a page."""
        url = (await self._published()).get("end_session_endpoint")
        return url if isinstance(url, str) else None

    def _client(self) -> AsyncOAuth2Client:
        secret = self._settings.console_oidc_client_secret.get_secret_value()
        return AsyncOAuth2Client(
            client_id=self._settings.console_oidc_client_id,
            client_secret=secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._settings.console_oidc_scopes,
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )

    async def _published(self) -> Claims:
        if self._metadata is None:
            issuer = self._settings.console_oidc_issuer
            found = await _fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise NotBelieved("the provider calls itself by another name (issuer)")
            self._metadata = found
        return self._metadata

    async def _verified(self, token: str) -> Claims:
        claims = await self._decoded(token)
        now = time.time()
        audience = claims.get("aud")
        audiences = (
            [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        )
        ours = self._settings.console_oidc_client_id
        checks = (
            (claims.get("iss") == self._settings.console_oidc_issuer, "it is of another issuer"),
            (ours in audiences, "it is for somebody else (aud)"),
            (len(audiences) == 1 or claims.get("azp") == ours, "it was given to somebody else (azp)"),
            (_number(claims.get("exp")) > now - LEEWAY_S, "it has expired"),
            (_number(claims.get("iat")) < now + LEEWAY_S, "it is of the future"),
            (_number(claims.get("nbf", 0)) < now + LEEWAY_S, "it is not valid yet"),
            (isinstance(claims.get("sub"), str) or "sid" in claims, "it names nobody"),
        )
        for holds, sentence in checks:
            if not holds:
                raise NotBelieved(f"the token is not believed: {sentence}")
        return claims

    async def _decoded(self, token: str) -> Claims:
        """The claims of a token that a key of the provider's has signed; keys are fetched anew once."""
        for fetch in (False, True):
            keys = await self._known_keys(anew=fetch)
            if keys is None:
                break
            try:
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError):
                continue
        raise NotBelieved("the token is not signed by a key of the provider's")

    async def _known_keys(self, *, anew: bool) -> KeySet | None:
        """The provider's keys; None when they were asked for a moment ago and are not to be again."""
        if self._keys is not None and not anew:
            return self._keys
        if anew and time.monotonic() - self._keys_at < KEYS_AGAIN_AFTER_S:
            return None
        found = await _fetched(str((await self._published()).get("jwks_uri")))
        try:
            self._keys = KeySet.import_key_set(dict(found))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError):
            raise NotBelieved("the provider's keys cannot be read") from None
        self._keys_at = time.monotonic()
        return self._keys


async def _fetched(url: str) -> Claims:
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            answer = await client.get(url)
            answer.raise_for_status()
            found = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotBelieved(f"the provider does not answer ({type(error).__name__})") from None
    if not isinstance(found, dict):
        raise NotBelieved("the provider's answer cannot be read")
    return found


def _number(value: object) -> float:
    """A claim's instant; what is none fails every comparison."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")

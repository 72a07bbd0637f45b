"""Tokens by which a client logs in to brokers with OAUTHBEARER: client credentials (RFC 6749, 4.4).

A token is asked for when a connection needs one, kept until most of its time is over, and shown in no log.
"""

import asyncio
import time
from typing import Final

from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

TIMEOUT_S: Final = 10.0
KEPT: Final = 0.8  # of the time that the token is good for
UNSAID_S: Final = 60.0  # how long it is kept when nobody says how long it is good for


class _Answering(conn.OAuthAuthenticator):  # type: ignore[misc]
    """Answers a broker that refuses a token, as RFC 7628 (3.2.3) asks, so that it says so.

    aiokafka takes the refusal for an acceptance, and waits for ever for the answer to its next request.
    """

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        if self._token_sent and payload:
            return b"\x01", True
        step: tuple[bytes, bool] | None = await super().step(payload)
        return step


conn.OAuthAuthenticator = _Answering


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]
    """Gives the broker's client a token of the authorization server's, the same to all its connections."""

    def __init__(self, url: str, *, client: str, secret: str, scope: str = "") -> None:
        self._url, self._client, self._secret, self._scope = url, client, secret, scope
        self._token, self._until = "", 0.0
        self._asking = asyncio.Lock()

    async def token(self) -> str:
        """A token that is good now. Raises KafkaConnectionError, as for a broker that is away."""
        async with self._asking:
            if time.monotonic() >= self._until:
                asked_at = time.monotonic()
                self._token, good_s = await self._ask()
                self._until = asked_at + KEPT * good_s
        return self._token

    async def _ask(self) -> tuple[str, float]:
        import httpx

        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
                answer = await client.post(self._url, data=form, auth=(self._client, self._secret))
                answer.raise_for_status()
                said = answer.json()
            return str(said["access_token"]), float(said.get("expires_in", UNSAID_S))
        except httpx.HTTPStatusError as error:
            raise KafkaConnectionError(
                f"{self._url} gives {self._client} no token: {error.response.status_code}"
            ) from None
        except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
            raise KafkaConnectionError(f"no token from {self._url}: {type(error).__name__}") from None

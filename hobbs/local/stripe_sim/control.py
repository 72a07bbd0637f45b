"""A blocking client of the admin API, for tests, the demo and `hobbs sim`."""

import ssl
from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Any

import httpx

Doc = dict[str, Any]


@cache
def tls() -> ssl.SSLContext:
    """One for all clients: each would read all certificates, which takes longer than a hundred requests."""
    return httpx.create_ssl_context(trust_env=False)


class SimulatorRefused(Exception):
    """The admin API answered 4xx, with a sentence."""


class Control:
    """`Control("http://127.0.0.1:12111").fund(100_000)`."""

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False, verify=tls())

    def __enter__(self) -> "Control":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    # Reading

    def is_up(self) -> bool:
        try:
            return self._client.get("/_sim/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def state(self) -> Doc:
        return self._get("state")

    def effects(self, *, kind: str | None = None, operation_id: str | None = None) -> list[Doc]:
        """Every movement of money, oldest first."""
        wanted = {"kind": kind, "operation_id": operation_id}
        rows: list[Doc] = self._get("effects", {k: v for k, v in wanted.items() if v is not None})["effects"]
        return rows

    def events(self, *, after: int = 0) -> list[Doc]:
        """Events with a `cursor`, oldest first, platform and connected accounts."""
        rows: list[Doc] = self._get("events", {"after": str(after)})["events"]
        return rows

    def requests(self, *, after: int = 0) -> list[Doc]:
        """The last API requests this process answered, oldest first."""
        rows: list[Doc] = self._get("requests", {"after": str(after)})["requests"]
        return rows

    def deliveries(self, *, state: str | None = None) -> list[Doc]:
        """Webhook deliveries, newest first; state is pending, delivered, abandoned or lost."""
        rows: list[Doc] = self._get("deliveries", {"state": state} if state else {})["deliveries"]
        return rows

    def transactions(self) -> list[Doc]:
        """Balance transactions of the platform, newest first."""
        rows: list[Doc] = self._get("transactions")["transactions"]
        return rows

    def settings(self) -> Doc:
        return self._get("settings")

    def faults(self) -> list[Doc]:
        rows: list[Doc] = self._get("faults")["faults"]
        return rows

    # Changing

    def reset(self, *, keep_endpoints: bool = False, keep_settings: bool = False) -> None:
        self._post("reset", {"keep_endpoints": keep_endpoints, "keep_settings": keep_settings})

    def set(self, **settings: Any) -> Doc:
        """Change settings, named as in settings.py."""
        return self._post("settings", settings)

    def fund(self, amount: int, *, currency: str = "usd", account: str = "") -> Doc:
        """Put money on the platform's or an account's available balance."""
        return self._post("fund", {"amount": amount, "currency": currency, "account": account})

    def advance(self, seconds: float) -> Doc:
        """Move the simulator's clock and wait until everything that became due has happened."""
        return self._post("clock", {"advance_s": seconds})

    def onboard(self, account: str, outcome: str = "complete", **details: Any) -> Doc:
        """outcome: complete, submit, restrict (disabled_reason, currently_due), pause_payouts, close."""
        return self._post("onboard", {"account": account, "outcome": outcome, **details})

    def trigger(self, event: str, **details: Any) -> Doc:
        return self._post("trigger", {"event": event, **details})

    def add_endpoint(
        self,
        url: str,
        *,
        connect: bool = False,
        thin: bool = False,
        secret: str | None = None,
        events: list[str] | None = None,
    ) -> Doc:
        """Register a webhook endpoint; the answer carries its `secret`.

        thin: a destination of API v2 instead, for the named thin events of connected accounts.
        """
        given = {
            "url": url,
            "connect": connect,
            "secret": secret,
            "enabled_events": events or ["*"],
            "thin": thin,
        }
        return self._post("webhook_endpoints", given)

    def add_restricted_key(self, key: str, permissions: list[str] | None = None) -> Doc:
        """Accept an rk_test_ key with these permissions (transfer_write …), else the recommended ones."""
        return self._post("restricted_keys", {"key": key, "permissions": permissions})

    def add_fault(self, kind: str, **scope: Any) -> Doc:
        """kind, when="before"|"after", method, path, match, nth, probability, seed, count, delay_s, saved.

        The kind refuse also has status, code, type, param and message.
        """
        return self._post("faults", {"kind": kind, **scope})

    def clear_faults(self, id: str | None = None) -> None:
        self._call("DELETE", "faults", {"id": id} if id else {})

    def resend(self, event: str, *, variant: str = "duplicate") -> None:
        """Deliver an event again: duplicate, forged (tampered, wrong secret), stale (signed an hour ago)."""
        self._post("resend", {"event": event, "variant": variant})

    def flush_deliveries(self) -> None:
        """Retry every waiting delivery now."""
        self._post("deliveries/flush", {})

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> Doc:
        return self._checked(self._client.get(f"/_sim/{path}", params=params))

    def _post(self, path: str, given: Doc) -> Doc:
        return self._call("POST", path, given)

    def _call(self, method: str, path: str, given: Doc) -> Doc:
        return self._checked(self._client.request(method, f"/_sim/{path}", json=given))

    def _checked(self, response: httpx.Response) -> Doc:
        doc: Doc = response.json()
        if not isinstance(doc, dict) or (response.status_code >= 400 and "error" not in doc):
            raise SimulatorRefused(f"what answers at {self.url} is no simulator")
        if response.status_code >= 400:
            raise SimulatorRefused(doc["error"])
        return doc

"""The Stripe simulator as tests see it."""

from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSim:
    """A running simulator with nothing in it; `admin` talks to what Stripe would not offer."""

    api_base: str
    secret_key: str
    admin: httpx.Client

    def effects(self) -> list[dict[str, object]]:
        """What really happened at Stripe, once each, in order."""
        answer = self.admin.get("effects")
        answer.raise_for_status()
        found: list[dict[str, object]] = answer.json()["effects"]
        return found

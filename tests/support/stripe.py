"""The Stripe simulator in tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from hobbs.local.stack import Simulator
from hobbs.local.stripe_sim.control import tls

UNLIMITED = ["--set", 'rate_limits="off"']  # for tests of something else than pace


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSim:
    """A running, empty simulator; `admin` is the client of its admin API."""

    api_base: str
    secret_key: str
    admin: httpx.Client

    def effects(self) -> list[dict[str, object]]:
        """Every movement of money at the simulator, in order."""
        answer = self.admin.get("effects")
        answer.raise_for_status()
        found: list[dict[str, object]] = answer.json()["effects"]
        return found


@contextmanager
def emptied(simulator: Simulator) -> Iterator[StripeSim]:
    """Empty the simulator and return it, without Stripe's rate limits: a test of pace sets them again."""
    with httpx.Client(base_url=f"{simulator.api_base}/_sim/", timeout=10, verify=tls()) as admin:
        admin.post("reset").raise_for_status()
        admin.post("settings", json={"rate_limits": "off"}).raise_for_status()
        yield StripeSim(api_base=simulator.api_base, secret_key=simulator.secret_key, admin=admin)

"""The state that every endpoint works on: store, clock, settings, and the request being answered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hobbs.local.stripe_sim.clock import Clock
from hobbs.local.stripe_sim.settings import Settings
from hobbs.local.stripe_sim.store import Store

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated API request; `account` is '' for the platform, or the Stripe-Account header."""

    method: str
    path: str
    params: Doc
    ids: dict[str, str] = field(default_factory=dict)
    account: str = ""
    key: str | None = None
    request_id: str | None = None
    api_key: str = ""


@dataclass(slots=True)
class World:
    store: Store
    clock: Clock
    settings: Settings
    api_version: str
    call: Call | None = None
    """The request being answered, for event.request and the effect table; None inside timed jobs."""
    public_url: str = ""
    on_delivery: Callable[[], None] = lambda: None
    platform_account: str = "acct_platform0000001"

    @property
    def now(self) -> int:
        return self.clock.now_s()

    def set_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.store.put_setting("settings", settings.as_dict())

    def advance_clock(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.store.put_setting("clock_offset", self.clock.offset)


def public(value: Any) -> Any:
    """Drop the simulator's private fields, whose names begin with an underscore."""
    if isinstance(value, dict):
        return {name: public(nested) for name, nested in value.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [public(item) for item in value]
    return value

"""The faults of a chaos run. Shares are of records, of calls to Stripe and of webhook deliveries."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.services import SERVICES
from tests.crash.traffic import RecordFaults
from tests.crash.workers import LEASE_S

RECORDS = RecordFaults(duplicated=0.2, reordered=0.1, poison=0.01, refused=0.01, mended=0.5)
WEBHOOKS = {
    "webhook_duplicate": 0.3,
    "webhook_reorder": 0.3,
    "webhook_reorder_wait_s": 2.0,
    "webhook_loss": 0.05,
    "webhook_forged": 0.01,
    "webhook_stale": 0.02,
}
NO_FAULTS = dict.fromkeys(WEBHOOKS, 0.0)
MOVING_MONEY = (
    "/v1/transfers",
    "/v1/transfers/*/reversals",
    "/v1/payouts",
    "/v1/refunds",
    "/v1/payment_intents",
    "/v2/core/accounts",
)
STRIPE: tuple[dict[str, Any], ...] = (
    {"kind": "timeout", "when": "after", "probability": 0.10},
    {"kind": "timeout", "when": "before", "probability": 0.05},
    {"kind": "server_error", "when": "after", "probability": 0.05},
    {"kind": "conflict", "probability": 0.05},
    {"kind": "rate_limit", "probability": 0.05},
    {"kind": "slow", "when": "after", "probability": 0.02, "delay_s": LEASE_S + 1},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """A stop or kill of a worker or server, `after_s` seconds after the one before."""

    kind: str
    service: str
    after_s: float


def stripe_faults(seed: int) -> Iterator[dict[str, Any]]:
    for path in MOVING_MONEY:
        for number, fault in enumerate(STRIPE):  # with one seed all would hit the same calls
            yield {**fault, "path": path, "seed": 100 * seed + number}


def disturbances(seed: int, times: int) -> list[Disturbance]:
    """Stops and kills of workers, with one kill of the broker and one of the database among them."""
    chance = random.Random(f"disturbances {seed}")
    kinds = ["leave" if chance.random() < 0.5 else "kill" for _ in range(times)]
    planned = [
        Disturbance(kind=kind, service=chance.choice(SERVICES), after_s=chance.uniform(2.0, 5.0))
        for kind in kinds
    ]
    first, second = sorted(chance.sample(range(1, times + 1), 2))
    servers = chance.sample(("broker", "database"), 2)
    planned.insert(second, Disturbance(kind=servers[1], service="", after_s=4.0))
    planned.insert(first, Disturbance(kind=servers[0], service="", after_s=4.0))
    return planned

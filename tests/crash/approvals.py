"""People's decisions about adjustments, from a seed: they approve, reject, claw back, refund, settle.

Some try what they may not: to approve what they made themselves, or the same again.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from hobbs.local.fleet_processes import Fleet
from tests.crash.decisions import REQUESTED, VALID_FOR
from tests.crash.traffic import MAKER, KeyValueHeaders, publish

SERVICE: Final = "adjustments"
PEOPLE: Final = ("ann", "bob", MAKER)
OWN_FLIGHTS: Final = "taken-back-"  # nobody decides about them by chance
EACH_TURN_MAX: Final = 6
OTHER_WAY, REJECTED, DOUBLED, LEFT = 0.3, 0.1, 0.2, 0.2  # shares of the decisions; LEFT are not asked for
OTHER_WAYS: Final[Sequence[tuple[str, Mapping[str, Any]]]] = (
    ("claw_back", {}),
    ("claw_back", {}),
    ("settle", {"method": "manual_check", "number": "1044", "paid_on": "2026-01-31"}),
    ("settle", {"method": "forgiven"}),
    ("settle", {"method": "refund"}),
    ("settle", {"method": "refund"}),
    ("settle", {"method": "written_off", "amount": 100}),
)

_OPEN = """
    SELECT flight_id || ':' || revision AS name, state FROM adjustments.adjustment
    WHERE state IN ('waiting', 'failed', 'settling') AND NOT starts_with(flight_id, $1) ORDER BY id
"""


@dataclass(slots=True, kw_only=True)
class Approvers:
    """Decide about the adjustments of one deployment; every choice comes from `chance`."""

    fleet: Fleet
    chance: random.Random
    asked: int = 0

    async def decide_some(self) -> None:
        """Ask for some decisions about what is open, and wait until Kafka has them."""
        try:
            found = await self._open()
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError):
            return  # Postgres is away: people come back later
        waiting = [row["name"] for row in found if row["state"] != "settling"]
        settling = [row["name"] for row in found if row["state"] == "settling"]
        records = [self._approval(name) for name in self._some(waiting)]
        records += [
            self._settlement(name) for name in self._some(settling) if self.chance.random() < OTHER_WAY
        ]
        for record in records:
            await publish(self.fleet, REQUESTED, [record] * (1 + (self.chance.random() < DOUBLED)))
        self.asked += len(records)

    async def _open(self) -> Sequence[Mapping[str, Any]]:
        connection = await asyncpg.connect(self.fleet.owner_url)
        try:
            found: Sequence[Mapping[str, Any]] = await connection.fetch(_OPEN, OWN_FLIGHTS)
            return found
        finally:
            await connection.close()

    def _some(self, names: Sequence[str]) -> list[str]:
        kept = [name for name in names if self.chance.random() >= LEFT]
        return self.chance.sample(kept, min(EACH_TURN_MAX, len(kept)))

    def _approval(self, name: str) -> KeyValueHeaders:
        action = "reject" if self.chance.random() < REJECTED else "approve"
        return self._decision(name, action, {})

    def _settlement(self, name: str) -> KeyValueHeaders:
        return self._decision(name, *self.chance.choice(OTHER_WAYS))

    def _decision(self, name: str, action: str, parameters: Mapping[str, Any]) -> KeyValueHeaders:
        identity = UUID(int=self.chance.getrandbits(128), version=4)
        return decision(name, action, parameters, who=self.chance.choice(PEOPLE), identity=identity)


def decision(
    name: str,
    action: str,
    parameters: Mapping[str, Any],
    *,
    who: str,
    identity: UUID,
    service: str = SERVICE,
) -> KeyValueHeaders:
    """A person's decision about an object: for adjustments `<flight>:<revision>`."""
    now = datetime.now(UTC)
    body = {
        "decision_id": str(identity),
        "service": service,
        "action": action,
        "object": name,
        "parameters": parameters,
        "who": {"name": who, "roles": ["finance"], "channel": "crash run"},
        "why": "a crash run",
        "dry_run": False,
        "requested_at": now.isoformat(),
        "valid_until": (now + VALID_FOR).isoformat(),
    }
    headers = [("ce_source", b"hobbs/operator"), ("ce_id", str(identity).encode())]
    return f"{service}/{name}".encode(), json.dumps(body).encode(), headers

"""People's decisions for a run, from a seed: every service is asked to redrive or discard its dead letters.

Some decisions are unreadable, so that every service has dead letters; some are published twice.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from hobbs.local.fleet_processes import Fleet
from schemas.services import SERVICES
from tests.crash.traffic import KeyValueHeaders, publish

REQUESTED: Final = "decision.requested"
OBJECT: Final = "dead letters"
LETTERS_MAX: Final = 5
VALID_FOR: Final = timedelta(minutes=10)  # longer than a worker is dead
UNREADABLE, DOUBLED, DISCARDED, DRY_RUN = 0.1, 0.2, 0.25, 0.1  # shares of the decisions


@dataclass(slots=True, kw_only=True)
class Deciders:
    """Asks the services of one deployment; every choice comes from `chance`."""

    fleet: Fleet
    chance: random.Random
    asked: int = 0
    have_letters: set[str] = field(default_factory=set)

    async def ask_every_service(self) -> None:
        """Ask each service once, and wait until Kafka has the decisions."""
        connection = await asyncpg.connect(self.fleet.owner_url)
        try:
            letters = {service: await open_letters(connection, service) for service in SERVICES}
        finally:
            await connection.close()
        records = [r for service in SERVICES for r in self._records(service, letters[service])]
        await publish(self.fleet, REQUESTED, records)

    def _records(self, service: str, letters: Sequence[UUID]) -> Iterator[KeyValueHeaders]:
        key = f"{service}/{OBJECT}".encode()
        if service not in self.have_letters or self.chance.random() < UNREADABLE:
            self.have_letters.add(service)
            yield key, f"not json {self._uuid()}".encode(), []
        decision_id = self._uuid()
        body = self._body(service, decision_id, letters or [self._uuid()])
        headers = [("ce_source", b"hobbs/operator"), ("ce_id", str(decision_id).encode())]
        self.asked += 1
        for _ in range(1 + (self.chance.random() < DOUBLED)):
            yield key, body, headers

    def _body(self, service: str, decision_id: UUID, letters: Sequence[UUID]) -> bytes:
        """A decision about letters. The service refuses it when none of them exists."""
        now = datetime.now(UTC)
        decision = {
            "decision_id": str(decision_id),
            "service": service,
            "action": "discard" if self.chance.random() < DISCARDED else "redrive",
            "object": OBJECT,
            "parameters": {"ids": [str(letter) for letter in letters]},
            "who": {"name": "crash run", "roles": ["operator"], "channel": "crash run"},
            "why": "a crash run",
            "dry_run": self.chance.random() < DRY_RUN,
            "requested_at": now.isoformat(),
            "valid_until": (now + VALID_FOR).isoformat(),
        }
        return json.dumps(decision).encode()

    def _uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)


async def open_letters(connection: "asyncpg.Connection[asyncpg.Record]", service: str) -> list[UUID]:
    """The oldest open dead letters of a service, LETTERS_MAX at most."""
    rows = await connection.fetch(
        f"SELECT id FROM {service}.dead_letter WHERE state = 'open'"  # noqa: S608 - a constant name
        " ORDER BY first_seen_at, id LIMIT $1",
        LETTERS_MAX,
    )
    return [row["id"] for row in rows]

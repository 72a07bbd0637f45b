"""Says requests briefly, sends them through the handler, and reads back what the ledger wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

import orjson
from typer.testing import Result

from fleet.database import Database
from fleet.envelope import Record
from schemas.journals import EntryRequest, JournalRequested
from services.ledger.handlers import post_journals
from services.ledger.wire.journals import REQUESTED
from tests.support.records import record

NOON = datetime(2026, 5, 22, 12, tzinfo=UTC)
Legs = Sequence[tuple[str, int]]
FLIGHT: Legs = (("student:s-1", -100), ("instructor:i-1", 60), ("platform:school", 40))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event in the outbox."""

    topic: str
    key: str
    event_id: UUID
    value: bytes

    @property
    def body(self) -> dict[str, Any]:
        document: dict[str, Any] = orjson.loads(self.value)
        return document


def requested(
    source: str = "flight:F1:1",
    legs: Legs = FLIGHT,
    *,
    currency: str = "USD",
    event_type: str = "flight",
    memo: str = "",
    ce_id: UUID | None = None,
) -> Record:
    """A journal.requested record, a new event unless `ce_id` says otherwise."""
    event = JournalRequested(
        source=source,
        event_type=event_type,
        currency=currency,
        occurred_at=NOON,
        memo=memo,
        entries=[EntryRequest(wallet=wallet, amount=amount) for wallet, amount in legs],
    )
    return record(REQUESTED, event, key=source, ce_id=ce_id)


async def ask(ledger: Database, *records: Record) -> list[Told]:
    """Hand records to the ledger as one batch; what it told the world about them, in order."""
    before = len(await told(ledger))
    await post_journals(ledger, records)
    return (await told(ledger))[before:]


def only(events: Sequence[Told], topic: str) -> Told:
    """The one event of a topic."""
    [event] = [event for event in events if event.topic == topic]
    return event


async def told(ledger: Database) -> list[Told]:
    async with ledger.transaction() as tx:
        rows = await tx.all("SELECT topic, key, event_id, value FROM outbox ORDER BY id")
    return [
        Told(topic=row.topic, key=row.key.decode(), event_id=row.event_id, value=row.value) for row in rows
    ]


async def balances(ledger: Database) -> dict[str, int]:
    """Every balance in USD by wallet; wallets at zero are left out."""
    async with ledger.transaction() as tx:
        rows = await tx.all(
            "SELECT address, balance FROM ledger_public.wallets WHERE currency = 'USD' AND balance <> 0"
        )
    return {row.address: row.balance for row in rows}


async def journals(ledger: Database) -> list[str]:
    """The sources of every journal."""
    async with ledger.transaction() as tx:
        rows = await tx.all("SELECT source FROM ledger_public.journals ORDER BY source")
    return [row.source for row in rows]


async def letters(ledger: Database) -> list[tuple[str, str | None]]:
    """(reason, subject) of every dead letter, in order."""
    async with ledger.transaction() as tx:
        rows = await tx.all("SELECT reason, subject FROM dead_letter ORDER BY id")
    return [(row.reason, row.subject) for row in rows]


class Hobbs(Protocol):
    """Runs `hobbs ARGUMENTS…`; see the fixture."""

    async def __call__(self, *arguments: str) -> Result: ...


def rows(result: Result) -> Any:
    """What a command that went well wrote as JSON."""
    assert result.exit_code == 0, result.stderr
    return orjson.loads(result.stdout)

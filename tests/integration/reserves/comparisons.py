"""Rows of Stripe's balance, journals of its cash, and what reserves made of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from fleet.database import Database
from fleet.envelope import Record
from schemas.journals import JournalPosted, PostedEntry
from schemas.stripe_balance import StripeTransaction
from schemas.transfers import TransferSent
from services.reserves import handlers, steps
from services.reserves.domain.days import ComparedDay
from services.reserves.steps import reconciliation
from tests.support.records import record

NOON = datetime(2026, 5, 22, 12, tzinfo=UTC)
DAY = NOON.date()


def line(
    name: str,
    net: int,
    *,
    type: str = "charge",
    fee: int = 0,
    at: datetime = NOON,
    version: int = 1,
    noted_at: datetime | None = None,
    expected: tuple[str, ...] | None = None,
    source_id: str | None = None,
    currency: str = "USD",
    standing: str = "waiting",
    **changed: Any,
) -> Record:
    """A `stripe.transaction` record; a charge's expected journals are those of its source."""
    source_id = source_id or f"src_{name}"
    if expected is None:
        expected = (f"charge:{source_id}", f"charge-fee:{name}") if type == "charge" else ()
    event = StripeTransaction.model_validate(
        {
            "transaction_id": name,
            "version": version,
            "type": type,
            "category": type,
            "amount": net + fee,
            "fee": fee,
            "net": net,
            "currency": currency,
            "source_id": source_id,
            "made_at": at,
            "available_at": at + timedelta(days=2),
            "expected": list(expected),
            "standing": standing,
            "noted_at": noted_at or at + timedelta(hours=1, minutes=version),
            **changed,
        }
    )
    return record("stripe.transaction", event, key=name)


TYPES = {"charge": "payment", "charge-fee": "stripe_fee", "stripe": "stripe_account_fee"}


def journal(
    source: str,
    cash: int,
    *,
    at: datetime = NOON,
    other: str = "student:anna",
    currency: str = "USD",
    event_type: str | None = None,
) -> Record:
    """A `journal.posted` record that moves Stripe's cash by so much, as cash goes; one for each source."""
    prefix = source.partition(":")[0]
    event = JournalPosted(
        journal_id=uuid5(NAMESPACE_URL, source),
        source=source,
        event_type=event_type or TYPES.get(prefix, prefix),
        currency=currency,
        occurred_at=at,
        recorded_at=at + timedelta(minutes=1),
        entries=[
            PostedEntry(wallet="external:stripe", amount=-cash, balance_after=0, version=1),
            PostedEntry(wallet=other, amount=cash, balance_after=0, version=1),
        ],
    )
    return record("journal.posted", event, key=source)


def sent(name: str, stripe_transfer_id: str) -> Record:
    """A `transfer.sent` record; its journal has the source `transfer:<id>`."""
    event = TransferSent(
        transfer_id=uuid5(NAMESPACE_URL, name),
        payee="ines",
        wallet="instructor:ines",
        amount=100,
        currency="USD",
        stripe_transfer_id=stripe_transfer_id,
        stripe_account="acct_1",
        sources=["flight:F1:1"],
        sent_at=NOON,
        clawback_until=NOON + timedelta(days=3),
    )
    return record("transfer.sent", event, key=str(event.transfer_id))


def transfer_source(name: str) -> str:
    return f"transfer:{uuid5(NAMESPACE_URL, name)}"


async def given(db: Database, *records: Record) -> None:
    """Hand records to the service, each topic's to its handler, in the order of the topics' first records."""
    handle = {
        "stripe.transaction": handlers.take_transactions,
        "journal.posted": handlers.take_journals,
        "transfer.sent": handlers.take_transfers,
    }
    for topic in dict.fromkeys(one.topic for one in records):
        await handle[topic](db, [one for one in records if one.topic == topic])


async def matched(db: Database, now: datetime = NOON) -> None:
    await reconciliation.match(db, now)


async def compared(db: Database, day: Any = DAY, now: datetime = NOON) -> ComparedDay:
    """A date's comparison in dollars, after all is matched."""
    await reconciliation.match(db, now)
    async with db.transaction() as tx:
        [one] = [one for one in await steps.reconciliation.complete(tx, day, now) if one.currency == "USD"]
    return one


async def open_ids(db: Database) -> set[str]:
    """What has no other half: ids of lines, sources of journals."""
    async with db.transaction() as tx:
        rows = await tx.all(
            "SELECT transaction_id AS name FROM open_line UNION ALL SELECT source FROM open_journal"
        )
    return {row.name for row in rows}


async def published(db: Database, topic: str) -> list[Mapping[str, Any]]:
    async with db.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox WHERE topic = :topic ORDER BY id", topic=topic)
    return [orjson.loads(row.value) for row in rows]

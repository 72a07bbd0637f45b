"""Rows of the school's Stripe balance beside the books: states that tests reach, and what they read."""

from collections import Counter
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from fleet.database import Database
from fleet.envelope import Record
from fleet.invariants import ask_all, service_invariants
from hobbs.commands.movements import compared
from schemas.journals import JournalPosted, JournalRequested, PostedEntry
from services.payouts.desk import reads
from services.receivables.handlers import take_settled_charges, take_stripe_events
from tests.integration.payouts.test_missed_events import delivered
from tests.integration.payouts.world import World
from tests.support.records import record


async def opened(world: World) -> None:
    """The opening is read."""
    await world.movements().run()


async def listed(world: World) -> None:
    """What moved is listed, and compared with the books of now."""
    await world.movements().run()


def posted(requested: JournalRequested) -> Record:
    """A requested journal as the ledger posts it: one for each source."""
    event = JournalPosted(
        journal_id=uuid5(NAMESPACE_URL, requested.source),
        source=requested.source,
        event_type=requested.event_type,
        currency=requested.currency,
        occurred_at=requested.occurred_at,
        recorded_at=datetime.now(UTC),
        entries=[
            PostedEntry(wallet=entry.wallet, amount=entry.amount, balance_after=0, version=1)
            for entry in requested.entries
        ],
    )
    return record("journal.posted", event, key=requested.source)


async def requested(*databases: Database) -> list[JournalRequested]:
    """Every journal that the services asked for."""
    found = []
    for database in databases:
        async with database.transaction() as tx:
            rows = await tx.all("SELECT value FROM outbox WHERE topic = 'journal.requested' ORDER BY id")
        found += [JournalRequested.model_validate_json(row.value) for row in rows]
    return found


async def kept_books(world: World, receivables: Database | None = None) -> None:
    """Webhooks are delivered, fees are read, and the ledger posts what services ask for."""
    databases = [world.db]
    if receivables is not None:
        databases.append(receivables)
        events = [event for event in world.control.events() if not event.get("account")]
        await take_stripe_events(receivables, [delivered(event) for event in events])
        await world.handle(*[delivered(event) for event in events])
        await world.work()
        await settled(world, receivables)
    await world.hand(*[posted(one) for one in await requested(*databases)])


async def settled(world: World, receivables: Database) -> None:
    """Receivables hears of the fees that payouts read."""
    async with world.db.transaction() as tx:
        rows = await tx.all("SELECT key, value, raw_headers FROM outbox WHERE topic = 'charge.settled'")
    charges = [
        record("charge.settled", row.value, key=row.key.decode(), headers=row.raw_headers) for row in rows
    ]
    await take_settled_charges(receivables, charges)


async def cash(world: World) -> dict[str, int]:
    """What Stripe holds, what the books say, and of what their difference consists; in US dollars' cents."""
    async with world.db.transaction() as tx:
        [stripe] = [row for row in await reads.cash_at_stripe(tx) if row["currency"] == "USD"]
    [(books,)] = await world.rows("SELECT coalesce(-sum(amount), 0) FROM cash_journal WHERE currency = 'USD'")
    return {name: value for name, value in compared("USD", stripe, int(books)).items() if name != "currency"}


def held(world: World) -> int:
    """What Stripe itself says that it holds: available and pending, in cents."""
    balance = world.control.state()["balance"]
    return sum(balance[part].get("usd", 0) for part in ("available", "pending"))


async def standings(world: World) -> dict[str, int]:
    rows = await world.rows("SELECT standing FROM movement WHERE standing <> 'before'")
    return Counter(row.standing for row in rows)


async def journals(world: World, prefix: str = "stripe:") -> list[str]:
    return [one.event_type for one in await requested(world.db) if one.source.startswith(prefix)]


async def broken(world: World) -> set[str]:
    outcomes = await ask_all(world.db, service_invariants("payouts"))
    return {outcome.invariant.name for outcome in outcomes if not outcome.holds}


async def told(world: World) -> list[str]:
    notices = await world.published("notification.requested")
    return [notice["about"] for notice in notices if notice["kind"] == "movement_unexplained"]

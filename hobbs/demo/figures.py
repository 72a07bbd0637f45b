"""What the demo and the system tests read from a running fleet: its progress, its pending work, its totals.

Reads only, as the owner of the database: the services' tables and views, Kafka's offsets, the simulator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import asyncpg
import httpx
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from fleet.reader import Reader
from hobbs.local.fleet_processes import Fleet
from schemas.kafka_rights import group_of
from schemas.services import SERVICES
from schemas.topics import TOPICS

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Counts of bills, refused flights, journals and transfers."""

    billed: int
    refused: int
    journals: int
    transfers: int
    sent: int
    in_bank: int


class Figures:
    """Connections to a fleet's database, Kafka and simulator; use it as a context manager."""

    def __init__(self, fleet: Fleet) -> None:
        self._database_url = fleet.owner_url
        self._kafka = fleet.kafka_bootstrap
        self._prefix = fleet.topic_prefix
        self._stripe = httpx.AsyncClient(base_url=f"{fleet.stripe_api_base}/_sim/", timeout=10)

    async def __aenter__(self) -> Self:
        self._database = await asyncpg.connect(self._database_url)
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka)
        await self._admin.start()
        self._consumer = Reader(bootstrap_servers=self._kafka)
        await self._consumer.start()
        self._broker = await self._admin.find_coordinator("any")  # a local fleet has one broker
        self._places: list[TopicPartition] = []
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()
        await self._admin.close()
        await self._stripe.aclose()
        await self._database.close()

    async def rows(self, sql: str, *arguments: object) -> list[Row]:
        """Run a query of constant text; rows as mappings."""
        return [dict(row) for row in await self._database.fetch(sql, *arguments)]

    async def progress(self) -> Progress:
        row = (await self.rows(_PROGRESS))[0]
        return Progress(**row)

    async def payees(self) -> list[Row]:
        """Every payee, with its Stripe account once it has one."""
        return await self.rows("SELECT wallet, key, stripe_account, ready FROM payouts.payee ORDER BY wallet")

    async def held(self, reason: str) -> int:
        """How many transfers are held for this reason."""
        rows = await self.rows(
            "SELECT count(*) AS held FROM payouts.transfer WHERE state = 'held' AND reason = $1", reason
        )
        return int(rows[0]["held"])

    async def busy(self) -> list[str]:
        """The work that is still pending, a few words each; empty when nothing will change by itself.

        Kafka and the simulator, which are slower, are asked only when the database shows no pending work.
        """
        found = [f"{row['rows']} {row['what']}" for row in await self.rows(_UNDER_WAY) if row["rows"]]
        if found:
            return found
        if lag := await self.lag():
            return [f"{lag} records not yet consumed"]
        state = await self._stripe_state()
        if pending := state["deliveries"].get("pending", 0):
            found.append(f"{pending} webhooks not yet delivered")
        if jobs := sum(state["jobs"].values()):
            found.append(f"{jobs} jobs that Stripe has scheduled")
        return found

    async def lag(self) -> int:
        """The lag of all services' consumer groups together, in records; the console may not be there."""
        if not self._places:
            read = [self._prefix + topic.name for topic in TOPICS.values() if topic.consumers]
            self._places = await self._consumer.places_of(*read)
        ends = await self._consumer.end_offsets(self._places)
        written: dict[str, dict[TopicPartition, int]] = {}
        for place, end in ends.items():
            if end:
                written.setdefault(place.topic.removeprefix(self._prefix), {})[place] = end
        lag = 0
        for topic, filled in written.items():
            for service in set(TOPICS[topic].consumers) & set(SERVICES):
                group = group_of(service, topic, self._prefix)
                committed = await self._admin.list_consumer_group_offsets(group, self._broker)
                for place, end in filled.items():
                    done = committed.get(place)
                    lag += end - (max(done.offset, 0) if done else 0)
        return lag

    async def stripe_balance(self) -> dict[str, int]:
        """The platform's Stripe balance, available and pending together, in minor units by currency."""
        held: dict[str, int] = {}
        for part in (await self._stripe_state())["balance"].values():
            for currency, amount in part.items():
                held[currency.upper()] = held.get(currency.upper(), 0) + amount
        return held

    async def effects(self) -> list[Row]:
        """Every movement of money at the simulator."""
        found: list[Row] = (await self._stripe.get("effects")).raise_for_status().json()["effects"]
        return found

    async def _stripe_state(self) -> dict[str, Any]:
        state: dict[str, Any] = (await self._stripe.get("state")).raise_for_status().json()
        return state

    async def fingerprint(self) -> dict[str, str]:
        """A digest of every table that a repeated flight must not change; equal before and after."""
        digests = {}
        for table in LASTING_TABLES:
            digests[table] = await self._database.fetchval(_DIGEST.format(table=table))
        digests["effects at Stripe"] = str(len(await self.effects()))
        return digests


LASTING_TABLES = (
    "billing.bill",
    "billing.card_version",
    "ledger.wallet",
    "ledger.balance",
    "ledger.journal",
    "ledger.entry",
    "payouts.payee",
    "payouts.payable",
    "payouts.transfer",
    "payouts.transfer_history",
    "payouts.operation",
    "payouts.attempt",
    "payouts.payout",
    "receivables.charge",
    "adjustments.adjustment",
    "adjustments.settlement",
)

_DIGEST = """
    SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '')
    FROM {table} AS t
"""

_PROGRESS = """
    SELECT (SELECT count(*) FROM billing.bill)::int AS billed,
           (SELECT count(*) FROM billing.dead_letter WHERE state = 'open')::int AS refused,
           (SELECT count(*) FROM ledger.journal)::int AS journals,
           (SELECT count(*) FROM payouts.transfer WHERE state <> 'cancelled')::int AS transfers,
           (SELECT count(*) FROM payouts.transfer WHERE stripe_transfer_id IS NOT NULL)::int AS sent,
           (SELECT count(*) FROM payouts.transfer WHERE state = 'in_bank')::int AS in_bank
"""

# Constant names, so nothing can be injected.
_TO_PUBLISH = "".join(
    f"\n    UNION ALL SELECT '{service} events to publish', count(*) FROM {service}.outbox"  # noqa: S608
    for service in SERVICES
)
_UNDER_WAY = f"""
    SELECT 'operations at Stripe' AS what, count(*) AS rows FROM payouts.operation AS waiting
              -- Operations behind a held one of the same payee wait; while money is short, all later ones.
              WHERE state = 'in_flight' OR state = 'due' AND NOT EXISTS (
                  SELECT FROM payouts.operation AS ahead
                  WHERE ahead.sequence < waiting.sequence AND ahead.state IN ('held', 'parked')
                    AND (ahead.wallet = waiting.wallet OR ahead.reason = 'balance_insufficient'))
    UNION ALL SELECT 'rereads from Stripe', count(*) FROM payouts.inquiry
              -- Accounts are read again for ever, every few minutes.
              WHERE due_at IS NOT NULL AND (kind <> 'account' OR due_at <= now())
    UNION ALL SELECT 'transfers to send', count(*) FROM payouts.transfer
              WHERE state = 'sending' OR state = 'pending' AND NOT EXISTS (
                  SELECT FROM payouts.operation WHERE transfer_id = transfer.id)
    UNION ALL SELECT 'payees owed money without a transfer', count(*) FROM (
                  SELECT FROM payouts.payable WHERE transfer_id IS NULL AND clawback_id IS NULL
                  GROUP BY wallet, currency HAVING sum(amount) > 0) AS owed  -- debts wait for earnings
    UNION ALL SELECT 'claw-backs under way', count(*) FROM payouts.clawback WHERE state <> 'settled'
    UNION ALL SELECT 'corrections whose turn has come', count(*) FROM billing.waiting_revision AS waiting
              WHERE EXISTS (SELECT FROM billing.bill WHERE bill.flight_id = waiting.flight_id
                            AND bill.revision = waiting.revision - 1)
    UNION ALL SELECT 'adjustments under way', count(*) FROM adjustments.adjustment
              WHERE state IN ('proposed', 'approved', 'posted')  -- others ended, or wait for people or money
    UNION ALL SELECT 'charges of saved cards under way', count(*) FROM receivables.auto_charge
              WHERE state = 'asked'  -- a bank debit is processing for days
    UNION ALL SELECT 'dispatches without an answer', count(*) FROM receivables.dispatch
              WHERE state IN ('waits', 'asked', 'voiding')
    UNION ALL SELECT 'settlements asked for', count(*) FROM adjustments.settlement WHERE state = 'asked'
    {_TO_PUBLISH}
"""  # noqa: S608

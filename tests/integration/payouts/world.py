"""Reach states through real code: configured payees, posted journals, a relay one phase at a time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any
from uuid import UUID

import orjson

from fleet.database import Database
from fleet.envelope import Record, uuid7
from hobbs.local.stripe_sim.control import Control
from schemas.contacts import ContactChanged
from schemas.journals import JournalPosted, PostedEntry
from schemas.reversals import ReversalRequested
from schemas.school import SchoolAccepted, SchoolChange
from schemas.stripe_fields import reduced
from schemas.stripe_webhooks import StripeWebhook
from services.payouts import handlers
from services.payouts.app import (
    effect_policy_of,
    listing_policy_of,
    movement_policy_of,
    relay_limits_of,
)
from services.payouts.domain.accounts import AccountPolicy
from services.payouts.domain.outcomes import RetryPolicy
from services.payouts.domain.reading import Wait
from services.payouts.stripe import webhooks
from services.payouts.stripe.clawbacks import Clawbacks
from services.payouts.stripe.client import StripeClient
from services.payouts.stripe.effects import EffectPolicy
from services.payouts.stripe.missed_events import MissedEvents
from services.payouts.stripe.movements import Movements
from services.payouts.stripe.pacer import Pace
from services.payouts.stripe.refunds import Refunds
from services.payouts.stripe.relay import StripeRelay
from services.payouts.stripe.rereads import Rereader
from services.payouts.stripe.treasury import Treasury
from services.payouts.stripe.usage import Usage
from tests.support.books import keep_books
from tests.support.payouts import SETTINGS, unhurried
from tests.support.records import record

ALWAYS = Wait(first=timedelta(), most=timedelta())
AT_ONCE = replace(
    SETTINGS.policy, backoff_first=timedelta(milliseconds=1), backoff_max=timedelta(milliseconds=1)
)

_versions = count(1)
_flights = count(1)


class Clock:
    """The time as the service under test sees it: real, plus what the test moved it by."""

    def __init__(self) -> None:
        self.moved = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved

    def advance(self, **by: float) -> None:
        self.moved += timedelta(**by)


@dataclass(kw_only=True)
class World:
    db: Database
    ledger: Database
    client: StripeClient
    control: Control
    clock: Clock
    policy: RetryPolicy = AT_ONCE
    effect_policy: EffectPolicy = field(default_factory=lambda: effect_policy_of(SETTINGS))
    version: int = 0
    accounts: AccountPolicy = field(default_factory=lambda: SETTINGS.accounts)

    @cached_property
    def usage(self) -> Usage:
        return Usage(self.db, self.clock)

    def relay(self, client: StripeClient | None = None, per_s: float = 1000.0) -> StripeRelay:
        return StripeRelay(
            self.db,
            client or self.client,
            unhurried(per_s),
            self.clock,
            policy=self.policy,
            limits=replace(relay_limits_of(SETTINGS), call_time=timedelta(seconds=3)),
            effect_policy=self.effect_policy,
        )

    def rereader(self, lease: timedelta = timedelta(seconds=SETTINGS.inquiry_lease_s)) -> Rereader:
        return Rereader(
            self.db,
            self.client,
            unhurried(),
            self.usage,
            self.clock,
            SETTINGS.schedule.rechecks,
            put_off=SETTINGS.put_off,
            lease=lease,
        )

    def missed_events(
        self, pace: Pace | None = None, wait: Wait = ALWAYS, **policy: timedelta
    ) -> MissedEvents:
        listing = replace(listing_policy_of(SETTINGS), wait=wait, **policy)
        pace = pace or unhurried()
        return MissedEvents(self.db, self.client, pace, self.usage, self.clock, listing, pages_per_s=1000)

    def movements(self, **policy: timedelta) -> Movements:
        return Movements(
            self.db, self.client, unhurried(), self.clock, replace(movement_policy_of(SETTINGS), **policy)
        )

    def clawbacks(self) -> Clawbacks:
        return Clawbacks(self.db, self.client, unhurried(), self.clock)

    def refunds(self) -> Refunds:
        return Refunds(self.db, self.client, unhurried(), self.clock)

    def treasury(self, wait: Wait = ALWAYS) -> Treasury:
        return Treasury(self.db, self.client, unhurried(), self.usage, self.clock, wait)

    async def work(self, rounds: int = 40) -> None:
        """Run relay, rereads, treasury, claw-backs and refunds until nothing is due."""
        relay, rereader, treasury = self.relay(), self.rereader(), self.treasury()
        clawbacks, refunds = self.clawbacks(), self.refunds()
        for _ in range(rounds):
            done = await self.once(relay)
            done += await rereader.step()
            done += await treasury.step()
            done += await clawbacks.step() + await refunds.step()
            if not done:
                return
        raise AssertionError("the service did not come to rest")

    async def once(self, relay: StripeRelay | None = None) -> int:
        """One claim, its calls, one record."""
        relay = relay or self.relay()
        claimed = await relay.claim(100)
        outcomes = [await relay.call(operation) for operation in claimed]
        await relay.record([o for o in outcomes if o is not None])
        return len(claimed)

    async def park(self, effect: str) -> None:
        """Lose the answer of the transfer that is due, after or before its effect, and its lookup."""
        patient = self.policy
        self.control.add_fault("reset", when=effect, path="/v1/transfers", count=1)
        await self.once()
        self.clock.advance(hours=13)
        self.control.add_fault("unavailable", method="GET", path="/v1/transfers")
        self.policy = replace(patient, lookups_max=1)
        await self.once()
        self.policy = patient
        self.control.clear_faults()

    # What comes in

    async def configured(
        self, *keys: str, kind: str = "instructor", email: str | None = None, **settings: Any
    ) -> None:
        """Payees are in the book; an address is known first, as `hobbs school apply` publishes it."""
        self.version += 1
        if email is not None:
            await self.stated(f"instructor:{keys[0]}", email=email)
        rates = {"flight_per_hour": 4500, "ground_per_hour": 4000} if kind == "instructor" else {}
        changes = [
            SchoolChange(
                kind=kind,
                key=key,
                effective_from=datetime(2020, 1, 1).date(),  # noqa: DTZ001
                new={**rates, **settings},
            )
            for key in keys
        ]
        await self.configure(changes)

    async def configure(self, changes: Sequence[SchoolChange]) -> None:
        event = SchoolAccepted(
            version=max(self.version, 1),
            base_version=max(self.version - 1, 0),
            who="finance",
            why="test",
            at=self.clock(),
            changes=list(changes),
        )
        batch = [record("school.accepted", event, key="school")]
        await handlers.configure_payees(self.db, batch, accounts=self.accounts, clock=self.clock)

    async def stated(self, wallet: str, **said: Any) -> Record:
        """The book's operator says what a person is called; the record, to send it again."""
        event = ContactChanged(**({"wallet": wallet, "stated_at": self.clock()} | said))
        sent = record("contact.changed", event, key=wallet)
        await handlers.know_people(self.db, [sent], accounts=self.accounts, clock=self.clock)
        return sent

    async def payee(self, key: str, **settings: Any) -> str:
        """A configured payee whose Stripe account is made, onboarded and read; the account."""
        [account] = await self.payees(key, **settings)
        return account

    async def payees(self, *keys: str, **settings: Any) -> list[str]:
        await self.configured(*keys, **settings)
        await self.work()
        accounts = [await self.account_of(key) for key in keys]
        for account in accounts:
            self.control.onboard(account)
            await self.webhook("account.updated", {"id": account, "object": "account"}, account=account)
        await self.work()
        return accounts

    async def journal(
        self, wallet: str, amount: int, *, source: str | None = None, event_type: str = "flight"
    ) -> Record:
        """A posted journal that owes (or takes) so much; the record, to send it again."""
        sent = self.posted(wallet, amount, source=source, event_type=event_type)
        await self.hand(sent)
        return sent

    def posted(
        self,
        wallet: str,
        amount: int,
        *,
        source: str | None = None,
        event_type: str = "flight",
        journal_id: UUID | None = None,
        currency: str = "USD",
    ) -> Record:
        source = source or f"flight:F{next(_flights)}:1"
        event = JournalPosted(
            journal_id=journal_id or uuid7(),
            source=source,
            event_type=event_type,
            currency=currency,
            occurred_at=self.clock(),
            recorded_at=self.clock(),
            entries=[
                PostedEntry(wallet="student:s1", amount=-amount, balance_after=0, version=1),
                PostedEntry(wallet=wallet, amount=amount, balance_after=0, version=1),
            ],
        )
        return record("journal.posted", event, key=source)

    async def ask_back(self, amount: int, source: str, *paid_by: str, **given: Any) -> None:
        """Ask to take back what a payee owes because of the journal `source`."""
        asked = self.asked_back(amount, source, *paid_by, **given)
        await handlers.claw_back(self.db, [asked], clock=self.clock)

    def asked_back(
        self,
        amount: int,
        source: str,
        *paid_by: str,
        wallet: str = "instructor:i1",
        currency: str = "USD",
    ) -> Record:
        """A request to take money back, as adjustments publishes it."""
        asked = ReversalRequested(
            settlement_id=uuid7(),
            wallet=wallet,
            currency=currency,
            amount=amount,
            source=source,
            paid_by=list(paid_by),
        )
        return record("reversal.requested", asked, key=wallet)

    def revert_of(self, reverted: Record) -> Record:
        """The revert of a posted journal, as the ledger announces it."""
        journal = orjson.loads(reverted.value or b"")
        entry = journal["entries"][1]
        source = f"revert:{journal['journal_id']}"
        return self.posted(entry["wallet"], -entry["amount"], source=source, event_type="revert")

    async def hand(self, *batch: Record) -> None:
        """Hand journals to the service as one batch, once the ledger has posted them."""
        await keep_books(self.ledger, *batch)
        await handlers.record_payables(self.db, list(batch), clock=self.clock)

    async def earned(self, key: str, *amounts: int, currency: str = "USD") -> None:
        batch = [self.posted(f"instructor:{key}", amount, currency=currency) for amount in amounts]
        await self.hand(*batch)

    async def webhook(
        self,
        kind: str,
        thing: dict[str, Any],
        *,
        account: str | None = None,
        event_id: str | None = None,
    ) -> Record:
        """Handle a verified webhook; its record, to send it again."""
        sent = self.webhook_record(kind, thing, account=account, event_id=event_id)
        await self.handle(sent)
        return sent

    def webhook_record(
        self, kind: str, thing: dict[str, Any], *, account: str | None = None, event_id: str | None = None
    ) -> Record:
        """A verified webhook, as the gateway publishes it."""
        event_id = event_id or f"evt_{uuid7().hex}"
        body = {"id": event_id, "object": "event", "type": kind, "data": {"object": thing}}
        event = StripeWebhook(
            event_id=event_id,
            event_type=kind,
            endpoint="connect" if account else "platform",
            account=account,
            livemode=False,
            created_at=self.clock(),
            received_at=self.clock(),
            attested=True,
            body=json.dumps(reduced(body)),
        )
        return record("stripe.webhook", event, ce_id=event_id, ce_source="stripe")

    async def handle(self, *batch: Record) -> None:
        await webhooks.handle_webhooks(
            self.db, list(batch), effect_policy=self.effect_policy, look_now=lambda: None, clock=self.clock
        )

    # What is there

    async def rows(self, sql: str, **params: Any) -> list[Any]:
        async with self.db.transaction() as tx:
            return await tx.all(sql, **params)

    async def account_of(self, key: str) -> str:
        [row] = await self.rows("SELECT stripe_account FROM payee WHERE key = :key", key=key)
        account: str = row.stripe_account
        return account

    async def transfers(self) -> list[Any]:
        """All transfers, in the order of what they pay."""
        first = "(SELECT min(id) FROM payable WHERE transfer_id = transfer.id)"
        return await self.rows(f"SELECT * FROM transfer ORDER BY created_at, {first}, id")  # noqa: S608

    async def states(self) -> list[str]:
        return [row.state for row in await self.transfers()]

    async def operations(self, kind: str = "transfer") -> list[Any]:
        return await self.rows("SELECT * FROM operation WHERE kind = :kind ORDER BY sequence", kind=kind)

    async def verdicts(self) -> list[str]:
        """What each attempt of the transfers proved, in order."""
        rows = await self.rows(
            "SELECT verdict FROM attempt JOIN operation ON operation.id = operation_id"
            " WHERE kind = 'transfer' ORDER BY started_at"
        )
        return [row.verdict for row in rows]

    async def published(self, topic: str) -> list[dict[str, Any]]:
        rows = await self.rows("SELECT value FROM outbox WHERE topic = :topic ORDER BY id", topic=topic)
        return [orjson.loads(row.value) for row in rows]

    async def history(self, transfer_id: UUID) -> list[str]:
        rows = await self.rows(
            "SELECT to_state FROM transfer_history WHERE transfer_id = :id ORDER BY id", id=transfer_id
        )
        return [row.to_state for row in rows]

    def paid(self) -> list[int]:
        """Amounts of the transfers that really happened at Stripe."""
        return [int(e["amount"]) for e in self.control.effects(kind="transfer")]

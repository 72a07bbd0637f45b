"""Handlers, one for each topic: admit, lock, decide, write, stage. They have no rule and no SQL.

Of `stripe.webhook` it is in stripe/webhooks.py: what decides knows no Stripe, also in a shadow (deciding.py).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from fleet import dead_letters, inbox, vouches
from fleet.database import Database, Tx
from fleet.envelope import OWN_SOURCES, Record
from fleet.faults import fault_point
from fleet.inbox import Admitted
from fleet.zones import local_date
from services.payouts import store, wire
from services.payouts.domain.accounts import AccountPolicy
from services.payouts.domain.contacts import Contact, newest
from services.payouts.domain.retries import Occasion
from services.payouts.steps import agreements, books, charges, clawbacks, payments, retries

BILLING = OWN_SOURCES + "billing"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def record_payables(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Record what posted journals owe payees or take back, and decide what is paid of it now."""
    now = clock()
    async with db.transaction() as tx:
        posted = await inbox.admit(
            tx, batch, wire.records.journal_posted, natural_key=lambda journal: str(journal.journal_id)
        )
        posted = await books.believed(tx, posted)
        await store.movements.note_cash(tx, wire.records.cash_journals(posted))
        accruals = wire.records.accruals(posted)
        if accruals:
            wallets = {accrual.wallet for accrual in accruals}
            await store.payees.know(tx, wallets)
            payees = await store.payees.lock(tx, wallets)
            owed = await payments.accrue(tx, accruals, now)
            await clawbacks.claim(tx, owed, now)
            await payments.pay_locked(tx, [payee for payee in payees if payee.wallet in owed], now)


async def claw_back(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Claim what payees owe, to take it back of transfers that were sent: stripe/clawbacks.py goes on."""
    now = clock()
    async with db.transaction() as tx:
        admitted = await inbox.admit(
            tx, batch, wire.records.reversal_requested, natural_key=lambda asked: str(asked.settlement_id)
        )
        if admitted:
            await clawbacks.request(tx, [wire.records.requested(one) for one in admitted], now)


async def know_payments(db: Database, batch: Sequence[Record]) -> None:
    """Keep students' card payments: of these they can be refunded."""
    async with db.transaction() as tx:
        received = await inbox.admit(tx, batch, wire.records.payment_received)
        await store.refunds.keep_payments(tx, [one.event for one in received])


async def refund(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Keep requests to refund students' cards: stripe/refunds.py goes on."""
    async with db.transaction() as tx:
        admitted = await inbox.admit(
            tx, batch, wire.records.refund_requested, natural_key=lambda asked: str(asked.settlement_id)
        )
        await store.refunds.request(tx, [wire.records.to_refund(one) for one in admitted], clock())


async def charge(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Order the charges of students' saved payment methods that are asked for: the relay goes on."""
    async with db.transaction() as tx:
        admitted = await inbox.admit(
            tx, batch, wire.records.charge_requested, natural_key=lambda asked: str(asked.request_id)
        )
        await charges.request(tx, [wire.records.to_charge(one) for one in admitted], clock())


async def heed_gate(db: Database, batch: Sequence[Record]) -> None:
    """Take how much may be let out: steps/reserve_gate.py goes on."""
    async with db.transaction() as tx:
        for one in await inbox.admit(tx, batch, wire.records.reserve_gate):
            await store.reserve_gate.heed(tx, one.event)


async def configure_payees(
    db: Database, batch: Sequence[Record], *, accounts: AccountPolicy | None, clock: Clock = utc_now
) -> None:
    """Take payees' cards and the time zone from the versions of the school's book that billing accepted.

    Nothing is judged here (decision 0170): what billing refused never comes. accounts: how payees' accounts
    at Stripe are made; None: none is asked for, as in a shadow.
    """
    now = clock()
    async with db.transaction() as tx:
        accepted = await inbox.admit(
            tx, batch, wire.records.school_accepted, natural_key=lambda event: f"school:{event.version}"
        )
        if not accepted:
            return
        versions = [admitted.event for admitted in accepted]
        if named := wire.records.currency_in(versions):
            await store.reserve_gate.name_currency(tx, *named)
        zone = await store.payees.follow_school(
            tx,
            version=max(event.version for event in versions),
            named=wire.records.time_zone_in(versions),
        )
        await store.offsets.keep(
            tx, [one for event in versions for one in wire.records.share_policies(event)]
        )
        await store.reserve_gate.keep_policies(
            tx, [one for event in versions for one in wire.records.reserve_policies(event)]
        )
        cards = [card for event in versions for card in wire.records.payee_cards(event)]
        wallets = await store.payees.configure(tx, cards, local_date(now, zone), now)
        if accounts is not None:
            await agreements.expect(tx, wallets, accounts, accepted[-1].cause)
            await payments.open_missing_accounts(tx, wallets, now, accepted[-1].cause, accounts)
        await payments.hold_unsent(tx, wallets, now)
        await payments.pay(tx, wallets, now)
        await retries.hasten(tx, Occasion.SCHOOL, now)


async def make_pages(db: Database, batch: Sequence[Record], *, clock: Clock = utc_now) -> None:
    """Have the page made by which a student pays what they are asked for; its address is in no topic."""
    async with db.transaction() as tx:
        asked = await inbox.admit(tx, batch, wire.dunning.dunning_requested)
        for link in [link for one in asked if (link := wire.dunning.page_of(one.event))]:
            await store.student_links.request(tx, link, clock())


async def know_people(
    db: Database, batch: Sequence[Record], *, accounts: AccountPolicy, clock: Clock = utc_now
) -> None:
    """Keep what people are called and where mail reaches them, in the one table that can be erased.

    A payee whose request for an account Stripe refused gets another one when the address is another.
    """
    now = clock()
    async with db.transaction() as tx:
        stated = await _of_somebody(tx, await inbox.admit(tx, batch, wire.contacts.contact_changed))
        if not stated:
            return
        contacts = newest(one.event for one in stated)
        await store.payees.lock(tx, [contact.wallet for contact in contacts])
        written_to = await store.contacts.keep(tx, contacts)
        await fault_point("payouts.contacts_kept")
        if written_to:
            await payments.open_missing_accounts(tx, written_to, now, stated[-1].cause, accounts)


async def _of_somebody(tx: Tx, stated: Sequence[Admitted[Contact]]) -> Sequence[Admitted[Contact]]:
    """What people stated for whom a login vouches, once they have logins; billing moved its own once."""
    asked = [one for one in stated if one.record.headers.get("ce_source") != BILLING]
    if not asked or not await vouches.people(tx):
        return stated
    said = {one.event_key: one.record.value or b"" for one in asked}
    known = await vouches.vouched(tx, said)
    nobodys = {one.event_key: one for one in asked if one.event_key not in known}
    await dead_letters.bury(tx, [_not_vouched(one) for one in nobodys.values()])
    return [one for one in stated if one.event_key not in nobodys]


def _not_vouched(one: Admitted[Contact]) -> dead_letters.Refusal:
    return dead_letters.Refusal(
        admitted=one,
        reason="not_vouched",
        sentence="no login of the database vouches for it, and people have logins of their own: "
        "state it with `hobbs school apply`, logged in as yourself",
    )

"""Records from Kafka into domain values. No pydantic model goes further than this."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from fleet.admitted import Admitted
from fleet.cause import Cause
from fleet.envelope import Record
from fleet.inbox import Unreadable, has_nul, read
from fleet.stripe_amounts import sendable
from fleet.stripe_keys import mode
from schemas.attestation import NOT_ATTESTED, NOT_ATTESTED_SENTENCE, is_attested
from schemas.charges import ChargeRequested
from schemas.journal_types import happened_at_stripe
from schemas.journals import JournalPosted
from schemas.payments import PaymentReceived
from schemas.refunds import RefundRequested
from schemas.reserves import ReserveGate
from schemas.reversals import ReversalRequested
from schemas.school import (
    AdjustmentsCard,
    InstructorCard,
    OwnerCard,
    ReserveCard,
    SchoolAccepted,
    read_card,
)
from schemas.stripe_webhooks import StripeWebhook, is_thin
from services.payouts.domain import refunds
from services.payouts.domain.books import Booked, booked
from services.payouts.domain.charges import ToCharge
from services.payouts.domain.clawbacks import Requested
from services.payouts.domain.movements import EXTERNAL_STRIPE, CashJournal
from services.payouts.domain.offsets import SharePolicy
from services.payouts.domain.payees import PAYEE_KINDS, PayeeCard
from services.payouts.domain.payments import PAYABLE_EVENT_TYPES, REVERT_EVENT_TYPE, Accrual
from services.payouts.domain.refunds import CardPayment
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.domain.reserve_gate import HeardGate, ReservePolicy
from services.payouts.domain.student_links import STUDENT

IDENTIFIER_CHARS_MAX = 100  # as schemas.fields.Identifier allows
_WALLET_KINDS = {"instructor": "instructor", "owner": "aircraft_owner"}


# journal.posted

Posted = Admitted[JournalPosted]


def journal_posted(record: Record) -> JournalPosted:
    """Read a journal. Raises Unreadable, also for a payee whose id is too long for our events."""
    journal = read(record, JournalPosted)
    for entry in journal.entries:
        kind, _, key = entry.wallet.partition(":")
        if kind in PAYEE_KINDS and len(key) > IDENTIFIER_CHARS_MAX:
            raise Unreadable(
                "payee_id_too_long", f"wallet {entry.wallet}: at most {IDENTIFIER_CHARS_MAX} characters"
            )
    return journal


def accruals(admitted: Iterable[Admitted[JournalPosted]]) -> list[Accrual]:
    """What journals owe payees: one amount for each journal and wallet; zero amounts are left out.

    A revert is among them, with the journal it reverts: whether it is a payable follows from that one.
    """
    return [
        Accrual(
            journal_id=a.event.journal_id,
            wallet=wallet,
            currency=a.event.currency,
            amount=amount,
            source=a.event.source,
            event_type=a.event.event_type,
            occurred_at=a.event.occurred_at,
            trace=a.cause,
            reverts=reverted_by(a.event),
        )
        for a in admitted
        if a.event.event_type in PAYABLE_EVENT_TYPES or reverted_by(a.event) is not None
        for wallet, amount in _owed(a.event).items()
        if amount
    ]


def reverted_by(journal: JournalPosted) -> UUID | None:
    """The id of the journal that this one reverts, as the ledger names it; None: it is no revert."""
    kind, _, reverted = journal.source.partition(":")
    if journal.event_type != REVERT_EVENT_TYPE or kind != REVERT_EVENT_TYPE:
        return None
    try:
        return UUID(reverted)
    except ValueError:
        return None


def _owed(journal: JournalPosted) -> dict[str, int]:
    owed: dict[str, int] = defaultdict(int)
    for entry in journal.entries:
        if entry.wallet.partition(":")[0] in PAYEE_KINDS:
            owed[entry.wallet] += entry.amount
    return owed


def as_booked(journal: JournalPosted) -> Booked:
    """What of a journal must be in the ledger's books."""
    lines = [f"{entry.wallet} {journal.currency} {entry.amount}" for entry in journal.entries]
    return booked(journal.source, journal.event_type, journal.occurred_at, lines)


def cash_journals(admitted: Iterable[Admitted[JournalPosted]]) -> list[CashJournal]:
    """The journals that move Stripe's cash in the books, each with its sum on `external:stripe`."""
    return [
        CashJournal(
            source=journal.source,
            currency=journal.currency,
            event_type=journal.event_type,
            amount=amount,
            at_stripe=happened_at_stripe(journal.event_type),
            occurred_at=journal.occurred_at,
            recorded_at=journal.recorded_at,
        )
        for journal in (a.event for a in admitted)
        if (amount := sum(entry.amount for entry in journal.entries if entry.wallet == EXTERNAL_STRIPE))
    ]


# reversal.requested


def reversal_requested(record: Record) -> ReversalRequested:
    """Read a request. Raises Unreadable, also when the wallet is no payee's."""
    asked = read(record, ReversalRequested)
    kind, _, key = asked.wallet.partition(":")
    if kind not in PAYEE_KINDS or len(key) > IDENTIFIER_CHARS_MAX:
        raise Unreadable("not_a_payee", f"wallet {asked.wallet} is no payee's: nothing was sent to it")
    return asked


def requested(admitted: Admitted[ReversalRequested]) -> Requested:
    """What is to be taken back."""
    asked = admitted.event
    return Requested(
        settlement_id=asked.settlement_id,
        wallet=asked.wallet,
        currency=asked.currency,
        source=asked.source,
        asked=asked.amount,
        paid_by=tuple(asked.paid_by),
        trace=admitted.cause,
    )


# refund.requested, payment.received


def refund_requested(record: Record) -> RefundRequested:
    """Read a request. Raises Unreadable, also when the wallet is no student's."""
    asked = read(record, RefundRequested)
    if not asked.wallet.startswith(STUDENT):
        raise Unreadable("not_a_student", f"wallet {asked.wallet} is no student's: it paid nothing by card")
    return asked


def to_refund(admitted: Admitted[RefundRequested]) -> refunds.Requested:
    """What is to be refunded."""
    asked = admitted.event
    return refunds.Requested(
        settlement_id=asked.settlement_id,
        wallet=asked.wallet,
        currency=asked.currency,
        source=asked.source,
        asked=asked.amount,
        trace=admitted.cause,
    )


def charge_requested(record: Record) -> ChargeRequested:
    """Read a request. Raises Unreadable, also when the wallet is no student's, or Stripe cannot take it."""
    asked = read(record, ChargeRequested)
    if not asked.wallet.startswith(STUDENT):
        raise Unreadable("not_a_student", f"wallet {asked.wallet} is no student's: no card is saved for it")
    if sendable(asked.amount, asked.currency) != asked.amount:
        raise Unreadable("amount_not_sendable", f"Stripe takes no payment of {asked.amount} {asked.currency}")
    return asked


def to_charge(admitted: Admitted[ChargeRequested]) -> ToCharge:
    """What is to be charged."""
    asked = admitted.event
    return ToCharge(
        request_id=asked.request_id,
        wallet=asked.wallet,
        currency=asked.currency,
        amount=asked.amount,
        cause=asked.cause,
        customer=asked.customer,
        payment_method=asked.payment_method,
        method_type=asked.method_type,
        decided_at=asked.decided_at,
        trace=admitted.cause,
    )


def payment_received(record: Record) -> CardPayment:
    """Read a card payment, with the student whose it is now."""
    event = read(record, PaymentReceived)
    return CardPayment(
        charge_id=event.charge_id,
        wallet=None if event.student is None else STUDENT + event.student,
        currency=event.currency,
        amount=event.amount,
        received_at=event.received_at,
    )


# school.accepted


def school_accepted(record: Record) -> SchoolAccepted:
    return read(record, SchoolAccepted)


def payee_cards(event: SchoolAccepted) -> list[PayeeCard]:
    """The payees' cards in one version of the book, with those it withdraws."""
    return [
        _card(event.version, change.kind, change.key, change.effective_from, change.new)
        for change in event.changes
        if change.kind in _WALLET_KINDS
    ]


def _card(version: int, kind: Any, key: str, effective_from: Any, new: dict[str, Any] | None) -> PayeeCard:
    plain = {
        "kind": _WALLET_KINDS[kind],
        "key": key,
        "effective_from": effective_from,
        "version": version,
    }
    if new is None:
        return PayeeCard(**plain, withdrawn=True)
    card = read_card(kind, new)
    assert isinstance(card, InstructorCard | OwnerCard)
    return PayeeCard(
        **plain,
        country=card.country,
        schedule=card.payout_schedule,
        minimum_amount=card.payout_minimum,
        hold_hours=card.payout_hold_hours,
        instant=card.instant_payout,
    )


def share_policies(event: SchoolAccepted) -> list[SharePolicy]:
    """What a version of the book says of how much of each payment is taken off for corrections."""
    return [
        SharePolicy(
            effective_from=change.effective_from,
            version=event.version,
            percent=None
            if change.new is None
            else AdjustmentsCard.model_validate(change.new).offset_share_percent,
        )
        for change in event.changes
        if change.kind == "adjustments"
    ]


def reserve_policies(event: SchoolAccepted) -> list[ReservePolicy]:
    """What a version of the book says of the reserve, as far as it concerns payouts."""
    cards = [
        (change.effective_from, None if change.new is None else ReserveCard.model_validate(change.new))
        for change in event.changes
        if change.kind == "reserve"
    ]
    return [
        ReservePolicy(
            effective_from=day,
            version=event.version,
            stale_after_minutes=None if card is None else card.stale_after_minutes,
            when_stale=None if card is None else card.when_stale,
        )
        for day, card in cards
    ]


def currency_in(versions: Sequence[SchoolAccepted]) -> tuple[int, str] | None:
    """The newest of the versions that names the school's currency, and the currency."""
    named = [(event.version, card.currency) for event in versions for card in event.schools()]
    return max(named, default=None)


# reserve.gate


def reserve_gate(record: Record) -> HeardGate:
    """Read how much may be let out."""
    gate = read(record, ReserveGate)
    return HeardGate(
        currency=gate.currency,
        number=gate.number,
        state=gate.state,
        ceiling=gate.ceiling,
        balance_number=gate.balance_number,
        exempt_below=gate.exempt_below,
        exempt_wallets=tuple(gate.exempt_wallets),
        sentence=gate.sentence,
        valid_until=gate.valid_until,
        when_over=gate.when_over,
    )


def time_zone_in(versions: Sequence[SchoolAccepted]) -> tuple[int, str] | None:
    """The newest of the versions that names the school's time zone, and the zone; None when none does."""
    named = [(event.version, card.time_zone) for event in versions for card in event.schools()]
    return max(named, default=None)


# stripe.webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook: something happened to Stripe's object `thing`, perhaps long ago.

    `account`: the connected account it happened on, None for the platform's own.
    """

    event_id: str
    event_type: str
    account: str | None
    thing: Mapping[str, Any]
    received_at: datetime
    body: str


def stripe_webhook(record: Record, *, livemode: bool, keys: Sequence[str] = ()) -> Webhook:
    """Read a webhook and the event Stripe put into it; raises Unreadable, also for one of the other mode.

    Of a thin event `thing` is what its related object is called: id and object (its type), nothing else.
    """
    webhook = read(record, StripeWebhook)
    if not is_attested(webhook, keys):
        raise Unreadable(NOT_ATTESTED, NOT_ATTESTED_SENTENCE)
    if webhook.livemode is not livemode:
        theirs, ours = mode(webhook.livemode), mode(livemode)
        raise Unreadable(
            "wrong_mode",
            f"the event is of {theirs} mode and our key of {ours} mode; see HOBBS_STRIPE_LIVEMODE",
        )
    try:
        event = orjson.loads(webhook.body)
        thing = _related(event) if is_thin(event) else event["data"]["object"]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise Unreadable("not_a_stripe_event", "the body has no data.object as Stripe's events do") from None
    if not isinstance(thing, dict):
        raise Unreadable("not_a_stripe_event", "data.object is not an object")
    if has_nul(webhook.body.encode(), event):
        raise Unreadable("nul_character", "the event contains a NUL character, which cannot be stored")
    return Webhook(
        event_id=webhook.event_id,
        event_type=webhook.event_type,
        account=webhook.account,
        thing=thing,
        received_at=webhook.received_at,
        body=webhook.body,
    )


def _related(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a thin event is about: id and type (as `object`) of the object that has to be read."""
    related = event.get("related_object")
    return {"id": related.get("id"), "object": related.get("type")} if isinstance(related, dict) else {}


def webhook_key(webhook: Webhook) -> str:
    return webhook.event_id


def reread_request(
    kind: RereadKind, object_id: str, cause: Cause, after: datetime, account: str | None = None
) -> RereadRequest:
    return RereadRequest(kind=kind, object_id=object_id, trace=cause, after=after, stripe_account=account)

"""Records from Kafka into what this service works with. Pydantic and Stripe's event shapes stop here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import ValidationError

from fleet.cause import Cause
from fleet.envelope import Message, Record, derived_key, first_cause
from fleet.inbox import Admitted, Unreadable, describe, read
from schemas.journals import JournalPosted
from schemas.school import InstructorCard, OwnerCard, SchoolCard, SchoolConfigured, read_card
from schemas.stripe_webhooks import SOURCE, StripeWebhook, content_of, object_of
from services.payouts.domain.transfers import PAYABLE_EVENT_TYPES, PAYEE_KINDS, Trace
from services.payouts.store.events import Listed
from services.payouts.store.inquiries import InquiryKind, Question
from services.payouts.store.payees import AccountStatus, Card
from services.payouts.store.payouts import SeenPayout, SeenReversal
from services.payouts.store.transfers import Accrual

IDENTIFIER_CHARS_MAX = 100  # as schemas.fields.Identifier allows
BODY_BYTES_MAX = 400_000  # as the gateway takes at most: quoted in JSON it still fits into a record
_WALLET_KINDS = {"instructor": "instructor", "owner": "aircraft_owner"}


def trace_of(cause: Cause) -> Trace:
    return Trace(correlation_id=cause.correlation_id, traceparent=cause.traceparent, event_id=cause.event_id)


def cause_of(trace: Trace) -> Cause:
    return Cause(correlation_id=trace.correlation_id, traceparent=trace.traceparent, event_id=trace.event_id)


# journal.posted


def journal_posted(record: Record) -> JournalPosted:
    """Read a journal; raises Unreadable, also when it owes somebody whose id no event could name."""
    journal = read(record, JournalPosted)
    for entry in journal.entries:
        kind, _, key = entry.wallet.partition(":")
        if kind in PAYEE_KINDS and len(key) > IDENTIFIER_CHARS_MAX:
            raise Unreadable(
                "payee_id_too_long", f"wallet {entry.wallet}: at most {IDENTIFIER_CHARS_MAX} characters"
            )
    return journal


def accruals(admitted: Iterable[Admitted[JournalPosted]]) -> list[Accrual]:
    """What journals owe payees: one amount per journal and wallet, none for journals that pay nobody."""
    return [
        Accrual(
            journal_id=a.event.journal_id,
            wallet=wallet,
            currency=a.event.currency,
            amount=amount,
            source=a.event.source,
            event_type=a.event.event_type,
            occurred_at=a.event.occurred_at,
            trace=trace_of(a.cause),
        )
        for a in admitted
        if a.event.event_type in PAYABLE_EVENT_TYPES
        for wallet, amount in _owed(a.event).items()
        if amount
    ]


def _owed(journal: JournalPosted) -> dict[str, int]:
    owed: dict[str, int] = defaultdict(int)
    for entry in journal.entries:
        if entry.wallet.partition(":")[0] in PAYEE_KINDS:
            owed[entry.wallet] += entry.amount
    return owed


# school.configured


def school_configured(record: Record) -> SchoolConfigured:
    return read(record, SchoolConfigured)


def payee_cards(event: SchoolConfigured) -> list[Card]:
    """The payees' cards of one change set, those withdrawn among them."""
    return [
        _card(event.version, change.kind, change.key, change.effective_from, change.new)
        for change in event.changes
        if change.kind in _WALLET_KINDS
    ]


def _card(version: int, kind: Any, key: str, effective_from: Any, new: dict[str, Any] | None) -> Card:
    plain = {
        "kind": _WALLET_KINDS[kind],
        "key": key,
        "effective_from": effective_from,
        "version": version,
    }
    if new is None:
        return Card(**plain, withdrawn=True)
    card = read_card(kind, new)
    assert isinstance(card, InstructorCard | OwnerCard)
    return Card(
        **plain,
        email=card.email or None,
        country=card.country,
        schedule=card.payout_schedule,
        minimum_amount=card.payout_minimum,
        hold_hours=card.payout_hold_hours,
        instant=card.instant_payout,
    )


def time_zone_in(events: Sequence[SchoolConfigured]) -> str | None:
    """The school's time zone, when change sets say it: the last one does."""
    cards = [
        read_card("school", change.new)
        for event in events
        for change in event.changes
        if change.kind == "school" and change.new is not None
    ]
    return cards[-1].time_zone if cards and isinstance(cards[-1], SchoolCard) else None


# stripe.webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """A webhook: something happened to `thing`, and it may be old news. `account`: on a connected account."""

    event_id: str
    event_type: str
    account: str | None
    thing: Mapping[str, Any]
    received_at: datetime
    body: str


def stripe_webhook(record: Record) -> Hint:
    """Read a webhook and the event Stripe put into it; raises Unreadable."""
    webhook = read(record, StripeWebhook)
    try:
        event = orjson.loads(webhook.body)
        thing = event["data"]["object"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Unreadable("not_a_stripe_event", "the body has no data.object as Stripe's events do") from None
    if not isinstance(thing, dict):
        raise Unreadable("not_a_stripe_event", "data.object is not an object")
    return Hint(
        event_id=webhook.event_id,
        event_type=webhook.event_type,
        account=webhook.account,
        thing=thing,
        received_at=webhook.received_at,
        body=webhook.body,
    )


def hint_key(hint: Hint) -> str:
    return hint.event_id


def event_listed(event: Mapping[str, Any], now: datetime) -> Listed:
    """Read an event of Stripe's list as something that can be published; raises Unreadable."""
    try:
        body = orjson.dumps(event)
        webhook = _webhook(event, body.decode(), now)
    except ValidationError as error:
        raise Unreadable("invalid", describe(error)) from None
    except (KeyError, TypeError, ValueError, OverflowError) as error:  # orjson's errors are TypeErrors
        raise Unreadable("invalid", f"the event is not as Stripe's are: {type(error).__name__}") from None
    if len(body) > BODY_BYTES_MAX:
        raise Unreadable("oversized", f"the event has {len(body)} bytes; the limit is {BODY_BYTES_MAX}")
    return Listed(
        event_id=webhook.event_id,
        event_key=derived_key("stripe.webhook", SOURCE, webhook.event_id),
        event_type=webhook.event_type,
        made_at=webhook.created_at,
        body=webhook.body,
    )


def recovered(listed: Listed, now: datetime) -> Message:
    """Publish a listed event as the gateway publishes a delivered one: same identity, key and content."""
    event = orjson.loads(listed.body)
    webhook = _webhook(event, listed.body, now)
    return Message(
        topic="stripe.webhook",
        key=object_of(event) or webhook.account or webhook.event_id,
        event=webhook,
        cause=first_cause(),
        event_id=listed.event_key,
        content=content_of(event),
    )


def _webhook(event: Mapping[str, Any], body: str, now: datetime) -> StripeWebhook:
    """Attested, because it was read from Stripe itself, with our key and over TLS."""
    account = event.get("account")
    return StripeWebhook.model_validate(
        {
            "event_id": event.get("id"),
            "event_type": event.get("type"),
            "endpoint": "connect" if account else "platform",
            "account": account,
            "livemode": event.get("livemode"),
            "created_at": instant_of(event),
            "received_at": now,
            "attested": True,
            "body": body,
        }
    )


def question(
    kind: InquiryKind, object_id: str, cause: Cause, after: datetime, account: str | None = None
) -> Question:
    return Question(
        kind=kind, object_id=object_id, trace=trace_of(cause), after=after, stripe_account=account
    )


# Stripe's objects


def instant_of(thing: Mapping[str, Any]) -> datetime:
    """When Stripe made an object."""
    return datetime.fromtimestamp(int(thing["created"]), UTC)


def operation_named(thing: Mapping[str, Any]) -> UUID | None:
    """Which of our operations an object says it came from; nonsense is nobody's."""
    metadata = thing.get("metadata")
    named = metadata.get("hobbs_operation_id") if isinstance(metadata, Mapping) else None
    try:
        return UUID(named) if isinstance(named, str) else None
    except ValueError:
        return None


def payout_seen(thing: Mapping[str, Any], account: str, operation_id: UUID | None = None) -> SeenPayout:
    return SeenPayout(
        stripe_payout_id=thing["id"],
        stripe_account=account,
        amount=thing["amount"],
        currency=thing["currency"].upper(),
        status=thing["status"],
        instant=thing.get("method") == "instant",
        made_at=instant_of(thing),
        failure=thing.get("failure_message") or thing.get("failure_code"),
        operation_id=operation_id or operation_named(thing),
    )


def reversals_seen(listed: Sequence[Mapping[str, Any]]) -> list[SeenReversal]:
    return [
        SeenReversal(
            stripe_reversal_id=thing["id"],
            stripe_transfer_id=thing["transfer"],
            amount=thing["amount"],
            reversed_at=instant_of(thing),
            operation_id=operation_named(thing),
        )
        for thing in listed
    ]


def account_status(account: Mapping[str, Any], balance: Mapping[str, Any] | None) -> AccountStatus:
    """What an account object (and its balance) say: it is ready when Stripe lets it receive transfers."""
    capabilities = account.get("capabilities") or {}
    requirements = account.get("requirements") or {}
    due = {*(requirements.get("currently_due") or ()), *(requirements.get("past_due") or ())}
    money = [*(balance or {}).get("available", ()), *(balance or {}).get("pending", ())]
    totals: dict[str, int] = defaultdict(int)
    for part in money:
        totals[part["currency"]] += part["amount"]
    return AccountStatus(
        stripe_account=account["id"],
        ready=capabilities.get("transfers") == "active" and bool(account.get("payouts_enabled")),
        details_submitted=bool(account.get("details_submitted")),
        charges_enabled=bool(account.get("charges_enabled")),
        payouts_enabled=bool(account.get("payouts_enabled")),
        requirements=tuple(sorted(due)),
        disabled_reason=requirements.get("disabled_reason"),
        balance_negative=any(total < 0 for total in totals.values()),
    )


def id_of(value: Any) -> str:
    """An expanded object stands for its id."""
    return str(value["id"]) if isinstance(value, Mapping) else str(value)

"""What each type of Stripe webhook makes this service do. A webhook is a hint: it may be old or doubled.

Objects that prove an operation complete it; whatever can change is read again from Stripe (inquiries.py);
payouts only ever move on. Types nobody here acts on are counted and kept, never ignored.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fleet import outbox
from fleet.database import Tx
from fleet.inbox import Admitted
from fleet.money import format_minor
from services.payouts import metrics, store, wire
from services.payouts.domain.operations import Kind, Known, State, difference
from services.payouts.domain.rereads import InquiryKind, Question
from services.payouts.steps import payments
from services.payouts.stripe import effects, rereads
from services.payouts.stripe.effects import Effect, Terms
from services.payouts.wire.records import Hint

ACCOUNT_EVENTS = frozenset(
    {
        "account.updated",
        "account.application.authorized",
        "account.application.deauthorized",
        "account.external_account.created",
        "account.external_account.updated",
        "account.external_account.deleted",
        "capability.updated",
        "person.created",
        "person.updated",
    }
)
PAYOUT_EVENTS = frozenset(
    {"payout.created", "payout.updated", "payout.paid", "payout.failed", "payout.canceled"}
)
REVERSAL_EVENTS = frozenset({"transfer.updated", "transfer.reversed"})
CHARGE_EVENTS = frozenset({"charge.succeeded", "charge.updated", "charge.captured"})
MONEY_EVENTS = CHARGE_EVENTS | {
    "payment_intent.succeeded",
    "balance.available",
    "topup.succeeded",
    "transfer.reversed",
}
LEGACY_EVENTS = frozenset({"transfer.paid", "transfer.failed"})
# Facts about students' money are receivables' to act on.
OTHERS_ACT_ON = ("payment_intent.", "charge.", "refund.", "customer.", "setup_intent.", "payment_method.")
# payment.created: our own transfer as the payee's account sees it arrive, once for each.
NOTHING_NEW = frozenset(
    {
        "balance.available",
        "payment.created",
        "payout.reconciliation_completed",
        "topup.created",
        "topup.succeeded",
    }
)
PROVING = frozenset({"transfer.created", "account.updated"}) | PAYOUT_EVENTS

FEE_KNOWN_AFTER = timedelta(seconds=3)

_log = logging.getLogger(__name__)

Hinted = Admitted[Hint]


@dataclass(slots=True)
class _Gathered:
    """What a batch of hints asks for, so that each kind is written once."""

    requests: list[Question] = field(default_factory=list)
    kept: list[tuple[Hinted, str, str]] = field(default_factory=list)

    def keep(self, hinted: Hinted, reason: str, sentence: str) -> None:
        self.kept.append((hinted, reason, sentence))


async def act_on(tx: Tx, hinted: Sequence[Hinted], now: datetime, terms: Terms) -> None:
    """Write what a batch of webhooks proves, and have read again what they only hint at."""
    gathered = _Gathered()
    await _prove(tx, [h for h in hinted if h.event.event_type in PROVING], gathered, now, terms)
    for h in hinted:
        known = await _act(tx, h, gathered, now)
        _count(h.event, known, now)
        if not known:
            gathered.keep(h, "unknown_type", f"nothing here acts on {h.event.event_type}")
    await store.rereads.request(tx, gathered.requests, now)
    for h, reason, sentence in gathered.kept:
        await _keep(tx, h.event, reason, sentence)


async def _act(tx: Tx, hinted: Hinted, gathered: _Gathered, now: datetime) -> bool:
    """Do what the type asks for; False when no rule knows it."""
    hint, kind = hinted.event, hinted.event.event_type
    if kind in ACCOUNT_EVENTS:
        account = hint.account or str(hint.thing.get("account") or hint.thing.get("id"))
        gathered.requests.append(wire.records.reread_request(InquiryKind.ACCOUNT, account, hinted.cause, now))
    elif kind in PAYOUT_EVENTS:
        await (_payout(tx, hinted, gathered, now) if hint.account else _platform_payout(tx, hinted))
    elif kind in REVERSAL_EVENTS:
        await _transfer_changed(tx, hinted, gathered, now)
    elif kind in LEGACY_EVENTS:
        await _legacy(tx, hinted, gathered, now)
    elif kind in CHARGE_EVENTS and hint.account is None:
        _charge(hinted, gathered, now)
    elif kind == "transfer.created":
        return True
    else:
        return kind in NOTHING_NEW or kind.startswith(OTHERS_ACT_ON)
    return True


async def _payout(tx: Tx, hinted: Hinted, gathered: _Gathered, now: datetime) -> None:
    hint = hinted.event
    account = str(hint.account)
    if await store.payees.wallet_of_account(tx, account) is None:
        return gathered.keep(hinted, "unknown_account", f"{account} is no payee's account")
    return await rereads.note_payout(tx, hint.thing, account, now, wire.records.trace_of(hinted.cause))


async def _platform_payout(tx: Tx, hinted: Hinted) -> None:
    """Money left the school's own Stripe balance: it may be what transfers were waiting for."""
    thing = hinted.event.thing
    if hinted.event.event_type != "payout.created":
        return
    money = (
        f"{format_minor(int(thing['amount']), str(thing['currency']).upper())} {thing['currency'].upper()}"
    )
    said = f"{money} is paid out of the school's Stripe balance ({thing['id']})"
    if thing.get("automatic"):
        said += "; switch automatic payouts of the platform off: they drain the money meant for transfers"
    word = wire.notifications.finance_notification(
        "platform_payout", str(thing["id"]), said, wire.records.trace_of(hinted.cause)
    )
    await outbox.stage(tx, [word])


async def _transfer_changed(tx: Tx, hinted: Hinted, gathered: _Gathered, now: datetime) -> None:
    thing = hinted.event.thing
    noted = await store.payouts.reversed_of(tx, str(thing.get("id")))
    # A transfer that is not ours yet is still being recorded: its reversals are read a moment later.
    if noted is None or noted < int(thing.get("amount_reversed") or 0):
        after = now if noted is not None else now + FEE_KNOWN_AFTER
        asked = wire.records.reread_request(InquiryKind.REVERSALS, str(thing.get("id")), hinted.cause, after)
        gathered.requests.append(asked)


async def _legacy(tx: Tx, hinted: Hinted, gathered: _Gathered, now: datetime) -> None:
    """transfer.paid and transfer.failed are gone from current API versions; only tr_ ids mean a transfer."""
    hint, transfer = hinted.event, str(hinted.event.thing.get("id"))
    if not transfer.startswith("tr_"):
        return gathered.keep(hinted, "not_a_transfer", f"{hint.event_type} for {transfer}")
    if hint.event_type == "transfer.paid":
        return await store.payouts.mark_in_bank(tx, transfer, now)
    said = f"an old API version says that transfer {transfer} failed; look at it in Stripe's dashboard"
    gathered.keep(hinted, "legacy_failure", said)
    word = wire.notifications.finance_notification(
        "transfer_failed", transfer, said, wire.records.trace_of(hinted.cause)
    )
    return await outbox.stage(tx, [word])


def _charge(hinted: Hinted, gathered: _Gathered, now: datetime) -> None:
    thing = hinted.event.thing
    if thing.get("status") != "succeeded":
        return
    # Often null at first; whether or not charge.updated ever arrives, the charge is read until it is there.
    after = now if thing.get("balance_transaction") else now + FEE_KNOWN_AFTER
    asked = wire.records.reread_request(InquiryKind.CHARGE_FEE, str(thing["id"]), hinted.cause, after)
    gathered.requests.append(asked)


# Proof


async def _prove(tx: Tx, hinted: Sequence[Hinted], gathered: _Gathered, now: datetime, terms: Terms) -> None:
    """Complete operations whose effect a webhook shows, before or instead of their answer."""
    named = [(h, wire.stripe_objects.operation_named(h.event.thing)) for h in hinted]
    ids = {operation_id for _, operation_id in named if operation_id is not None}
    # Of payouts too: what they carried is reckoned under the payee's lock, or two would carry the same.
    wallets = {*await store.operations.wallets_of(tx, ids), *await _paid_out(tx, hinted)}
    await store.payees.lock(tx, wallets)
    known = await store.operations.lock(tx, ids)
    proofs: dict[Any, Effect] = {}
    unparked: set[str] = set()
    for h, operation_id in named:
        operation = known.get(operation_id) if operation_id is not None else None
        if operation is None:
            if h.event.event_type == "transfer.created":
                gathered.keep(h, "foreign_transfer", f"{h.event.thing.get('id')} names no operation of ours")
            continue
        if _is_news(operation, h, gathered):
            proofs[operation.id] = _effect(operation, h)
            if operation.state is State.PARKED:
                unparked.add(operation.wallet)
    proven = await store.operations.prove(tx, {i: e.thing["id"] for i, e in proofs.items()}, now)
    await effects.apply_effects(tx, [e for i, e in proofs.items() if i in proven], now, terms, actor="stripe")
    if unparked:
        await payments.pay(tx, unparked, now)
    await _report_breaches(tx, gathered)


async def _paid_out(tx: Tx, hinted: Sequence[Hinted]) -> set[str]:
    """Wallets of the accounts whose payouts a batch tells of."""
    accounts = {h.event.account for h in hinted if h.event.event_type in PAYOUT_EVENTS and h.event.account}
    wallets = {await store.payees.wallet_of_account(tx, account) for account in accounts}
    return {wallet for wallet in wallets if wallet is not None}


def _is_news(operation: Known, hinted: Hinted, gathered: _Gathered) -> bool:
    """Whether the object proves an operation that was open; what must never happen is kept and reported."""
    thing = hinted.event.thing
    if thing.get("object") not in _OBJECTS[operation.kind] or operation.stripe_id == thing.get("id"):
        return False
    if operation.state in (State.SUCCEEDED, State.CANCELLED):
        state = f"{operation.state} ({operation.stripe_id})"
        said = f"operation {operation.id} is {state}, and {thing.get('id')} names it too"
        gathered.keep(hinted, "second_effect", said)
        return False
    if unlike := difference(operation, thing):
        gathered.keep(hinted, "effect_differs", unlike)
        return False
    return True


_OBJECTS = {
    Kind.TRANSFER: ("transfer",),
    Kind.INSTANT_PAYOUT: ("payout",),
    Kind.ACCOUNT: ("account",),
    Kind.REVERSAL: ("transfer_reversal",),
}


def _effect(operation: Known, hinted: Hinted) -> Effect:
    return Effect(
        operation_id=operation.id,
        kind=operation.kind,
        wallet=operation.wallet,
        transfer_id=operation.transfer_id,
        stripe_account=operation.stripe_account,
        trace=operation.trace,
        thing=hinted.event.thing,
    )


async def _report_breaches(tx: Tx, gathered: _Gathered) -> None:
    breaches = [(h, r, s) for h, r, s in gathered.kept if r in ("second_effect", "effect_differs")]
    for _, reason, sentence in breaches:
        metrics.INVARIANT_BREACHES.labels(reason).inc()
        _log.critical("Stripe shows what must never happen", extra={"reason": reason, "said": sentence})
    words = [
        wire.notifications.operator_notification(
            reason, str(h.event.thing.get("id")), sentence, wire.records.trace_of(h.cause)
        )
        for h, reason, sentence in breaches
    ]
    await outbox.stage(tx, words)


def _count(hint: Hint, known: bool, now: datetime) -> None:
    kind = hint.event_type if known else "other"
    metrics.WEBHOOKS.labels(kind, "yes" if known else "no").inc()
    metrics.WEBHOOK_SECONDS.observe(max((now - hint.received_at).total_seconds(), 0.0))


async def _keep(tx: Tx, hint: Hint, reason: str, sentence: str) -> None:
    await store.kept_webhooks.keep(
        tx,
        event_id=hint.event_id,
        event_type=hint.event_type,
        account=hint.account,
        reason=reason,
        sentence=sentence,
        body=hint.body,
        received_at=hint.received_at,
    )

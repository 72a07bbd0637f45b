"""What each type of Stripe's webhooks makes this service do. A webhook may be old, repeated or out of order.

An object that proves what an operation did completes it. Objects that change are read again from Stripe
(rereads.py). A payout's status only moves forward. Types that no rule acts on are counted and kept. An object
that cannot be read as money raises OddField: its record, alone, becomes a dead letter.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from fleet import inbox, outbox
from fleet.admitted import Admitted
from fleet.database import Database, Tx
from fleet.envelope import Record
from fleet.faults import fault_point
from fleet.money import format_minor
from services.payouts import metrics, store, wire
from services.payouts.domain.event_types import (
    ACCOUNT_EVENTS,
    CHARGE_EVENTS,
    LEGACY_EVENTS,
    MONEY_EVENTS,
    MOVES_THE_BALANCE,
    NOTHING_NEW,
    OTHERS_ACT_ON,
    PAYOUT_EVENTS,
    PROVING,
    REVERSAL_EVENTS,
    V2_ACCOUNT_EVENTS,
)
from services.payouts.domain.odd_objects import OddField
from services.payouts.domain.operations import Kind, KnownOperation, State, difference
from services.payouts.domain.rereads import RereadKind, RereadRequest
from services.payouts.steps import payments
from services.payouts.stripe import adoption, effects, rereads
from services.payouts.stripe.effects import Effect, EffectPolicy
from services.payouts.wire.records import Webhook

FEE_KNOWN_AFTER = timedelta(seconds=3)

_log = logging.getLogger(__name__)

AdmittedWebhook = Admitted[Webhook]


@dataclass(slots=True)
class _FollowUps:
    """What a batch of webhooks leads to, so that each kind is written in one statement."""

    requests: list[RereadRequest] = field(default_factory=list)
    kept: list[tuple[AdmittedWebhook, str, str]] = field(default_factory=list)

    def keep(self, admitted: AdmittedWebhook, reason: str, sentence: str) -> None:
        self.kept.append((admitted, reason, sentence))


async def handle_webhooks(
    db: Database,
    batch: Sequence[Record],
    *,
    effect_policy: EffectPolicy,
    look_now: Callable[[], None],
    balance_moved: Callable[[], None] = lambda: None,
    livemode: bool = False,
    keys: Sequence[str] = (),
    clock: Callable[[], datetime] | None = None,
) -> None:
    """Apply Stripe's webhooks; after one that may have brought money, `look_now` reads the balance.

    balance_moved: has the balance read for the reserve. livemode: our key's; an event of the other mode
    becomes a dead letter. keys: of which one must have proved it (schemas/attestation.py).
    """
    now = clock() if clock else datetime.now(UTC)
    async with db.transaction() as tx:
        admitted = await inbox.admit(
            tx,
            batch,
            partial(wire.records.stripe_webhook, livemode=livemode, keys=keys),
            natural_key=wire.records.webhook_key,
        )
        await apply_webhooks(tx, admitted, now, effect_policy)
        await fault_point("payouts.webhooks_heeded")
    if any(a.event.event_type in MONEY_EVENTS for a in admitted):
        look_now()
    if any(a.event.event_type in MOVES_THE_BALANCE and a.event.account is None for a in admitted):
        balance_moved()


async def apply_webhooks(
    tx: Tx, admitted: Sequence[AdmittedWebhook], now: datetime, effect_policy: EffectPolicy
) -> None:
    """Write what a batch of webhooks proves, and have the other objects that they name read again."""
    follow_ups = _FollowUps()
    await _prove(tx, [a for a in admitted if a.event.event_type in PROVING], follow_ups, now, effect_policy)
    for a in admitted:
        known = await _act(tx, a, follow_ups, now)
        _count(a.event, known, now)
        if not known:
            follow_ups.keep(a, "unknown_type", f"nothing here acts on {a.event.event_type}")
    await store.rereads.request(tx, follow_ups.requests, now)
    for a, reason, sentence in follow_ups.kept:
        await _keep(tx, a.event, reason, sentence)


async def _act(tx: Tx, admitted: AdmittedWebhook, follow_ups: _FollowUps, now: datetime) -> bool:
    """Do what the type of a webhook requires; False when no rule knows the type."""
    webhook, kind = admitted.event, admitted.event.event_type
    if kind.startswith(V2_ACCOUNT_EVENTS):
        return _v2_account(admitted, follow_ups, now)
    if kind in ACCOUNT_EVENTS:
        account = webhook.account or _named(webhook, "account") or wire.fields.word(webhook.thing, "id")
        follow_ups.requests.append(
            wire.records.reread_request(RereadKind.ACCOUNT, account, admitted.cause, now)
        )
    elif kind in PAYOUT_EVENTS:
        await (_payout(tx, admitted, follow_ups, now) if webhook.account else _platform_payout(tx, admitted))
    elif kind in REVERSAL_EVENTS:
        await _transfer_changed(tx, admitted, follow_ups, now)
    elif kind in LEGACY_EVENTS:
        await _legacy(tx, admitted, follow_ups, now)
    elif kind in CHARGE_EVENTS and webhook.account is None:
        _charge(admitted, follow_ups, now)
    elif kind == "transfer.created":
        return True
    else:
        return kind in NOTHING_NEW or kind.startswith(OTHERS_ACT_ON)
    return True


def _v2_account(admitted: AdmittedWebhook, follow_ups: _FollowUps, now: datetime) -> bool:
    """Have the account read again that a thin event is about: its object itself, or else its context."""
    webhook = admitted.event
    itself = _named(webhook, "id") if webhook.thing.get("object") == "v2.core.account" else None
    account = itself or webhook.account
    if account is not None:
        request = wire.records.reread_request(RereadKind.ACCOUNT, account, admitted.cause, now)
        follow_ups.requests.append(request)
    return account is not None


async def _payout(tx: Tx, admitted: AdmittedWebhook, follow_ups: _FollowUps, now: datetime) -> None:
    webhook = admitted.event
    account = str(webhook.account)
    if await store.payees.wallet_of_account(tx, account) is None:
        return follow_ups.keep(admitted, "unknown_account", f"{account} is no payee's account")
    payout = wire.stripe_objects.seen_payout(webhook.thing, account)
    await rereads.note_payout(tx, payout, now, admitted.cause)
    return await store.odd_objects.forget(tx, "payout", [payout.stripe_payout_id])


async def _platform_payout(tx: Tx, admitted: AdmittedWebhook) -> None:
    """Tell finance that money left the school's Stripe balance: transfers may be waiting for it."""
    thing = admitted.event.thing
    if admitted.event.event_type != "payout.created":
        return
    payout, currency = wire.fields.word(thing, "id"), wire.fields.currency(thing)
    money = f"{format_minor(wire.fields.amount(thing), currency)} {currency}"
    sentence = f"{money} is paid out of the school's Stripe balance ({payout})"
    if thing.get("automatic"):
        sentence += "; switch automatic payouts of the platform off: they drain the money meant for transfers"
    notification = wire.notifications.finance_notification(
        "platform_payout", payout, sentence, admitted.cause
    )
    await outbox.stage(tx, [notification])


async def _transfer_changed(tx: Tx, admitted: AdmittedWebhook, follow_ups: _FollowUps, now: datetime) -> None:
    thing = admitted.event.thing
    transfer, back = wire.stripe_objects.reversed_amount(thing)
    noted = await store.payouts.reversed_of(tx, transfer)
    # A transfer that is not ours yet is still being recorded: its reversals are read a moment later.
    if noted is None or noted < back:
        after = now if noted is not None else now + FEE_KNOWN_AFTER
        request = wire.records.reread_request(RereadKind.REVERSALS, transfer, admitted.cause, after)
        follow_ups.requests.append(request)


async def _legacy(tx: Tx, admitted: AdmittedWebhook, follow_ups: _FollowUps, now: datetime) -> None:
    """transfer.paid and transfer.failed are gone from current API versions; only tr_ ids mean a transfer."""
    webhook, transfer = admitted.event, str(admitted.event.thing.get("id"))
    if not transfer.startswith("tr_"):
        return follow_ups.keep(admitted, "not_a_transfer", f"{webhook.event_type} for {transfer}")
    if webhook.event_type == "transfer.paid":
        return await store.payouts.mark_in_bank(tx, transfer, now)
    sentence = f"an old API version says that transfer {transfer} failed; look at it in Stripe's dashboard"
    follow_ups.keep(admitted, "legacy_failure", sentence)
    notification = wire.notifications.finance_notification(
        "transfer_failed", transfer, sentence, admitted.cause
    )
    return await outbox.stage(tx, [notification])


def _charge(admitted: AdmittedWebhook, follow_ups: _FollowUps, now: datetime) -> None:
    thing = admitted.event.thing
    if thing.get("status") != "succeeded" and not thing.get("failure_balance_transaction"):
        return  # a failed bank debit had its fee, and it comes back
    charge = wire.fields.word(thing, "id")
    # The balance transaction is often null at first. The charge is read until it is there, also when
    # charge.updated does not arrive.
    after = now if thing.get("balance_transaction") else now + FEE_KNOWN_AFTER
    request = wire.records.reread_request(RereadKind.CHARGE_FEE, charge, admitted.cause, after)
    follow_ups.requests.append(request)


def _named(webhook: Webhook, name: str) -> str | None:
    """An id that a webhook's object names, None when it names none."""
    try:
        return wire.fields.word(webhook.thing, name)
    except OddField:
        return None


# Proof


async def _prove(
    tx: Tx,
    admitted: Sequence[AdmittedWebhook],
    follow_ups: _FollowUps,
    now: datetime,
    effect_policy: EffectPolicy,
) -> None:
    """Complete operations whose effect a webhook shows, before or instead of their answer."""
    named = [(a, wire.stripe_objects.operation_named(a.event.thing)) for a in admitted]
    ids = {operation_id for _, operation_id in named if operation_id is not None}
    # Payees of payouts are locked too: without the lock two payouts could be mapped to the same transfer.
    wallets = {*await store.operations.wallets_of(tx, ids), *await _paid_out(tx, admitted)}
    await store.payees.lock(tx, wallets)
    known = await store.operations.lock(tx, ids)
    proofs: dict[Any, Effect] = {}
    unparked: set[str] = set()
    for a, operation_id in named:
        operation = known.get(operation_id) if operation_id is not None else None
        if operation is None:
            await _unknown(tx, a, follow_ups, now)
            continue
        if _proves(operation, a, follow_ups):
            proofs[operation.id] = _effect(operation, a)
            if operation.state is State.PARKED:
                unparked.add(operation.wallet)
    proven = await store.operations.prove(tx, {i: e.thing["id"] for i, e in proofs.items()}, now)
    await effects.apply_effects(
        tx, [e for i, e in proofs.items() if i in proven], now, effect_policy, actor="stripe"
    )
    if unparked:
        await payments.pay(tx, unparked, now)
    await _report_breaches(tx, follow_ups)


async def _unknown(tx: Tx, admitted: AdmittedWebhook, follow_ups: _FollowUps, now: datetime) -> None:
    """A transfer of an operation that is not here: this database was restored, or somebody else made it."""
    if admitted.event.event_type != "transfer.created":
        return
    thing = admitted.event.thing
    try:
        found = wire.stripe_objects.found_effect(thing)
    except OddField as odd:
        return follow_ups.keep(admitted, "foreign_transfer", f"{thing.get('id')}: {odd}")
    if found is None:
        follow_ups.keep(admitted, "foreign_transfer", f"{thing.get('id')} names no operation of ours")
    else:
        await adoption.keep(tx, [found], now)
    return None


async def _paid_out(tx: Tx, admitted: Sequence[AdmittedWebhook]) -> set[str]:
    """Wallets of the accounts whose payouts a batch of webhooks names."""
    accounts = {a.event.account for a in admitted if a.event.event_type in PAYOUT_EVENTS and a.event.account}
    wallets = {await store.payees.wallet_of_account(tx, account) for account in accounts}
    return {wallet for wallet in wallets if wallet is not None}


def _proves(operation: KnownOperation, admitted: AdmittedWebhook, follow_ups: _FollowUps) -> bool:
    """Whether the object proves an open operation. A second or a different effect is kept, and reported."""
    thing = admitted.event.thing
    if thing.get("object") not in _OBJECTS[operation.kind] or operation.stripe_id == thing.get("id"):
        return False
    if _named(admitted.event, "id") is None:
        follow_ups.keep(admitted, "effect_differs", f"operation {operation.id}: an effect without an id")
        return False
    if operation.state in (State.SUCCEEDED, State.CANCELLED):
        state = f"{operation.state} ({operation.stripe_id})"
        sentence = f"operation {operation.id} is {state}, and {thing.get('id')} names it too"
        follow_ups.keep(admitted, "second_effect", sentence)
        return False
    if unlike := difference(operation, thing):
        follow_ups.keep(admitted, "effect_differs", unlike)
        return False
    return True


_OBJECTS = {
    Kind.TRANSFER: ("transfer",),
    Kind.INSTANT_PAYOUT: ("payout",),
    Kind.ACCOUNT: ("account",),
    Kind.REVERSAL: ("transfer_reversal",),
    Kind.REFUND: ("refund",),
    Kind.CHARGE: ("payment_intent",),
}


def _effect(operation: KnownOperation, admitted: AdmittedWebhook) -> Effect:
    return Effect(
        operation_id=operation.id,
        kind=operation.kind,
        wallet=operation.wallet,
        transfer_id=operation.transfer_id,
        stripe_account=operation.stripe_account,
        trace=operation.trace,
        thing=admitted.event.thing,
    )


async def _report_breaches(tx: Tx, follow_ups: _FollowUps) -> None:
    breaches = [(a, r, s) for a, r, s in follow_ups.kept if r in ("second_effect", "effect_differs")]
    for _, reason, sentence in breaches:
        metrics.INVARIANT_BREACHES.labels(reason).inc()
        _log.critical(
            "Stripe shows an effect that must never happen", extra={"reason": reason, "sentence": sentence}
        )
    notifications = [
        wire.notifications.operator_notification(reason, str(a.event.thing.get("id")), sentence, a.cause)
        for a, reason, sentence in breaches
    ]
    await outbox.stage(tx, notifications)


def _count(webhook: Webhook, known: bool, now: datetime) -> None:
    kind = webhook.event_type if known else "other"
    metrics.WEBHOOKS.labels(kind, "yes" if known else "no").inc()
    metrics.WEBHOOK_SECONDS.observe(max((now - webhook.received_at).total_seconds(), 0.0))


async def _keep(tx: Tx, webhook: Webhook, reason: str, sentence: str) -> None:
    await store.kept_webhooks.keep(
        tx,
        event_id=webhook.event_id,
        event_type=webhook.event_type,
        account=webhook.account,
        reason=reason,
        sentence=sentence,
        body=webhook.body,
        received_at=webhook.received_at,
    )

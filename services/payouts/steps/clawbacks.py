"""Take back what payees owe, when it is asked for: claim the debt, order reversals, answer (decision 0211).

Payees are locked by whoever calls; the caller commits. None of this calls Stripe.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from fleet import outbox
from fleet.database import Tx
from fleet.faults import fault_point
from fleet.money import format_minor
from services.payouts import metrics, store, wire
from services.payouts.domain.clawbacks import (
    GIVES_UP_AFTER,
    Answer,
    Claim,
    Clawback,
    Reason,
    Requested,
    Wait,
    after_refusals,
    decide_claim,
    decide_takes,
    final_answer,
    order_takes,
    shares,
)
from services.payouts.steps import payments

POLL: Final = timedelta(seconds=1)  # while a transfer is under way
PATIENCE: Final = timedelta(minutes=1)  # while a journal is not there; it is looked at when one comes, too


async def request(tx: Tx, requests: Sequence[Requested], now: datetime) -> None:
    """Keep requests, and claim what they name before it is deducted from a payment."""
    wallets = {one.wallet for one in requests}
    await store.payees.know(tx, wallets)
    await store.payees.lock(tx, wallets)
    await store.clawbacks.request(tx, requests, now)
    await claim(tx, wallets, now)


async def claim(tx: Tx, wallets: Collection[str], now: datetime) -> None:
    """Claim the debts of requests that wait for them, those that are there by now."""
    for one in await store.clawbacks.lock(tx, wallets, "waiting"):
        await store.withholding.lock_unsent(tx, [one.wallet])
        debt = await store.clawbacks.debt(tx, one)
        match decide_claim(one, debt, now - one.requested_at):
            case Claim() as claimed:
                await store.clawbacks.claim(tx, one, claimed, now)
                await fault_point("payouts.debt_claimed")
            case Wait(sentence=sentence):
                again = now + (POLL if debt.known else PATIENCE)
                await store.clawbacks.wait(tx, one.settlement_id, sentence, again)
            case Answer() as answer:
                await _settle(tx, one, answer, now)


async def order(
    tx: Tx, settlement_id: UUID, wallet: str, available: Mapping[str, int], problem: str | None, now: datetime
) -> None:
    """Order what is taken back for a request, or answer it; what Stripe shows is noted already.

    available: Stripe account -> minor units, of the accounts that Stripe shows us; problem: what Stripe said
    of the others.
    """
    under_way = await store.clawbacks.lock(tx, [wallet], "claimed", "reversing")
    one = next((c for c in under_way if c.settlement_id == settlement_id and c.state == "claimed"), None)
    if one is None:
        return None  # another process was faster
    one = await _with_returns(tx, one, now, by_hand=True)
    if one.needs == 0:
        return await _settle(tx, one, Answer(reason=Reason.DONE, sentence=""), now)
    if any(c.state == "reversing" for c in under_way):
        return await _wait_for_others(tx, one, now)
    if (refusal := await store.clawbacks.last_refusal(tx, settlement_id)) and (
        answer := after_refusals(one, *refusal)
    ):
        return await _settle(tx, one, answer, now)
    sent = await store.returns.sent_money(tx, wallet, one.currency, one.paid_by, now)
    takes = decide_takes(one.needs, one.currency, sent, available, now)
    if isinstance(takes, Answer):
        refused = takes.reason is Reason.SHORT and problem
        answer = Answer(reason=Reason.REFUSED, sentence=str(problem)) if refused else takes
        return await _settle(tx, one, answer, now)
    orders = order_takes(one, takes, await store.clawbacks.count_ordered(tx, settlement_id))
    await store.operations.insert(tx, orders, now)
    asked = f"{format_minor(sum(t.amount for t in takes), one.currency)} {one.currency}"
    named = ", ".join(t.of.stripe_transfer_id for t in takes[:5])
    sentence = f"takes back {asked} of {named}"
    await store.clawbacks.order(tx, settlement_id, [o.id for o in orders], sentence)
    return await fault_point("payouts.reversals_ordered")


async def _wait_for_others(tx: Tx, one: Clawback, now: datetime) -> None:
    """One request of a payee has reversals at Stripe at a time: its balance says nothing while it changes."""
    if now - one.requested_at < GIVES_UP_AFTER:
        sentence = "waits for another request to the same payee"
        return await store.clawbacks.wait(tx, one.settlement_id, sentence, now + POLL)
    answer = Answer(reason=Reason.WINDOW_CLOSED, sentence="what was sent is older than 72 hours by now")
    return await _settle(tx, one, answer, now)


async def note_returns(tx: Tx, wallets: Collection[str], now: datetime) -> None:
    """Close debts with what came back for their requests, and go on with those that wait for nothing more."""
    for one in await store.clawbacks.lock(tx, wallets, "claimed", "reversing"):
        await _with_returns(tx, one, now, by_hand=False)
    reversing = await store.clawbacks.lock(tx, wallets, "reversing")
    unfinished = await store.clawbacks.with_open_parts(tx, [one.settlement_id for one in reversing])
    for one in reversing:
        if one.settlement_id in unfinished:
            continue
        if one.needs == 0:
            await _settle(tx, one, Answer(reason=Reason.DONE, sentence=""), now)
        else:
            await store.clawbacks.look_again(tx, one.settlement_id, now)


async def _with_returns(tx: Tx, one: Clawback, now: datetime, *, by_hand: bool) -> Clawback:
    free = await store.returns.free_reversals(tx, one, now, by_hand=by_hand)
    await store.returns.note_returned(tx, one.settlement_id, shares(one.needs, free))
    [again] = [
        c
        for c in await store.clawbacks.lock(tx, [one.wallet], one.state)
        if c.settlement_id == one.settlement_id
    ]
    return again


async def note_refused(tx: Tx, refused: Mapping[UUID, str], now: datetime) -> set[UUID]:
    """End refused reversals that requests led to; those of them. refused: operation -> Stripe's sentence.

    What they were to take back is taken otherwise, or a debt again: trying them again would take it twice.
    """
    parts = await store.clawbacks.parts_among(tx, refused)
    if parts:
        steps = [(i, "refused", None, refused[i]) for i in parts]
        steps += [
            (i, "closed", None, "the request is answered without it, or asks Stripe anew") for i in parts
        ]
        await store.stopped.note(tx, steps, now)
        await store.stopped.close(tx, parts, now)
        await store.clawbacks.count_refusal(tx, set(parts.values()))
    return set(parts)


async def give_up_late(tx: Tx, wallet: str, now: datetime) -> None:
    """Give up reversals of a payee that were not sent before their window closed."""
    await store.clawbacks.cancel_too_late(tx, wallet, now)
    await note_returns(tx, [wallet], now)


async def _settle(tx: Tx, one: Clawback, why: Answer, now: datetime) -> None:
    """Answer a request, once. What did not come back is deducted from what the payee is paid next."""
    reversals, transfers = await store.returns.returned(tx, one.settlement_id)
    answer = final_answer(one, why, transfers)
    settled = await store.clawbacks.settle(tx, one, answer, reversals, now)
    metrics.CLAWBACKS_SETTLED.labels(settled.reason).inc()
    await outbox.stage(tx, [wire.messages.reversal_settled(settled)])
    await fault_point("payouts.reversal_settled")
    await payments.pay(tx, [one.wallet], now)

"""Try again what Stripe refused, when its cause may have gone (decision 0192). The caller commits.

What concerns the whole school (a version of its book, another key, an account made) only sets a time: the
payees of refused operations are locked by the loop that runs `retry_due`, each in its own transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.database import Tx
from fleet.faults import fault_point
from services.payouts import store
from services.payouts.domain.accounts import AccountPolicy
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.retries import (
    TOLD_OF,
    Chance,
    Judgement,
    Occasion,
    StoppedOperation,
    ends_with,
    ends_with_the_account,
    judge,
)
from services.payouts.domain.transfers import Move, TransferState
from services.payouts.steps import payments

AGAIN_AFTER = timedelta(days=1)  # what cannot be tried when it is due: its payee is held, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A stopped operation and what became of it."""

    stopped: StoppedOperation
    judgement: Judgement


async def hasten(tx: Tx, occasion: Occasion, now: datetime) -> None:
    """Have what Stripe refused tried again now, if its cause may have gone by this for the whole school."""
    refused = await store.stopped.refused(tx)
    await store.stopped.hasten(tx, [one.id for one in refused if ends_with(one, occasion)], occasion, now)


async def note_access(tx: Tx, fingerprint: str, now: datetime) -> bool:
    """Note with which key and settings Stripe is called; when they are new, have refusals tried again."""
    news = await store.stopped.is_new_access(tx, fingerprint, now)
    if news:
        await hasten(tx, Occasion.KEY, now)
    return news


async def retry_due(tx: Tx, wallet: str, now: datetime, accounts: AccountPolicy) -> None:
    """Try again what is due of one wallet; put off what cannot be tried now, end what is over."""
    payee = next(iter(await store.payees.lock(tx, [wallet])), None)
    due = await store.stopped.lock(tx, [wallet], due=now)
    tried = [Tried(stopped=one, judgement=judge(one, payee, one.occasion)) for one in due]
    again = [t.stopped for t in _with(tried, Chance.RETRY)]
    await store.stopped.count_try(tx, [one.id for one in again if one.occasion is Occasion.DUE])
    later = {t.stopped.id: now + AGAIN_AFTER for t in _with(tried, Chance.WAIT)}
    never = {t.stopped.id: None for t in tried if t.stopped.id not in later}
    await store.stopped.put_off(tx, {**later, **never})
    await _apply(tx, tried, now)
    # A refused request for an account stays as it is: another follows it, for the payee's present card.
    for one in again:
        if _is_request(one):
            await payments.open_missing_accounts(tx, [wallet], now, one.trace, accounts)
    await fault_point("payouts.retried")


async def retry_enabled(tx: Tx, wallet: str, now: datetime) -> None:
    """Try again what Stripe refused because of a payee's account, which it has enabled."""
    [payee] = await store.payees.lock(tx, [wallet])
    stopped = [one for one in await store.stopped.lock(tx, [wallet]) if ends_with_the_account(one)]
    await _apply(
        tx,
        [Tried(stopped=one, judgement=judge(one, payee, Occasion.ENABLED)) for one in stopped],
        now,
        occasion=Occasion.ENABLED,
    )


async def retry_asked(
    tx: Tx,
    wallets: Sequence[str],
    wanted: Callable[[StoppedOperation], bool],
    now: datetime,
    *,
    actor: str,
    why: str,
) -> list[Tried]:
    """Try again, for a person, the refused operations of payees that are wanted; what became of each.

    Accounts are ordered by the loop, a moment later: it knows how they are made.
    """
    payees = {payee.wallet: payee for payee in await store.payees.lock(tx, wallets)}
    stopped = [
        one for one in await store.stopped.lock(tx, wallets) if one.state is State.REFUSED and wanted(one)
    ]
    tried = [
        Tried(stopped=one, judgement=judge(one, payees.get(one.wallet), Occasion.PERSON)) for one in stopped
    ]
    await _apply(tx, tried, now, occasion=Occasion.PERSON, actor=actor, why=why)
    requests = [t.stopped.id for t in _with(tried, Chance.RETRY) if _is_request(t.stopped)]
    await store.stopped.hasten(tx, requests, Occasion.PERSON, now)
    return tried


def _is_request(stopped: StoppedOperation) -> bool:
    return stopped.kind is Kind.ACCOUNT and stopped.state is State.REFUSED


def _with(tried: Sequence[Tried], chance: Chance) -> list[Tried]:
    return [one for one in tried if one.judgement.chance is chance]


async def _apply(
    tx: Tx,
    tried: Sequence[Tried],
    now: datetime,
    *,
    occasion: Occasion | None = None,
    actor: str = "payouts",
    why: str | None = None,
) -> None:
    """Write what was judged: operations that are due again, those that are over, and their history."""
    again, over = _with(tried, Chance.RETRY), _with(tried, Chance.OVER)
    parked = [t for t in again if t.stopped.state is State.PARKED]
    refused = [t for t in again if t.stopped.state is State.REFUSED]
    for one in parked:
        await store.operations.look_up_again(tx, one.stopped.id, now)
    sent = [t.stopped.id for t in refused if not _is_request(t.stopped)]
    await store.operations.start_new_generation(tx, sent, [State.REFUSED], now)
    over = [t for t in over if t.stopped.kind is not Kind.ACCOUNT]
    await store.stopped.close(tx, [t.stopped.id for t in over], now)
    steps = [(t.stopped.id, "looked_up", None, _because(t, occasion, why)) for t in parked]
    heard = [t for t in refused if occasion is not None or t.stopped.occasion is not Occasion.PERSON]
    steps += [(t.stopped.id, "retried", None, _because(t, occasion, why)) for t in heard]
    steps += [(t.stopped.id, "closed", None, t.judgement.why) for t in over]
    await store.stopped.note(tx, steps, now, actor)
    for one in again:
        if one.stopped.kind is Kind.TRANSFER and one.stopped.transfer_id is not None:
            move = Move(transfer_id=one.stopped.transfer_id, to=TransferState.PENDING)
            note = f"{'looked up' if one in parked else 'sent'} again: {_because(one, occasion, why)}"
            await store.transfers.move(tx, [move], now, actor, note=note)
    if again or over:
        await payments.pay(tx, {t.stopped.wallet for t in [*again, *over]}, now)


def _because(tried: Tried, occasion: Occasion | None, why: str | None) -> str:
    return why or TOLD_OF[occasion or tried.stopped.occasion]


async def put_off(tx: Tx, wallet: str, now: datetime) -> None:
    """Leave what is due of one payee for a day, because it could not be tried again."""
    await store.payees.lock(tx, [wallet])
    due = await store.stopped.lock(tx, [wallet], due=now)
    await store.stopped.put_off(tx, {one.id: now + AGAIN_AFTER for one in due})

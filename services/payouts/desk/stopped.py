"""What a person may decide about operations that Stripe refused, of whatever kind."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.money import format_minor
from services.payouts import store
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.retries import Chance, RefusedOperation
from services.payouts.steps import retries
from services.payouts.steps.retries import Tried

MOST: Final = 500  # of one decision: their payees are locked until it commits
EVERYTHING: Final = "refused"  # the decision's object: whatever stands refused
CANNOT_CLOSE: Final = {
    Kind.ACCOUNT: "take the payee out of the school's book, or have its account made",
    Kind.TRANSFER: "`hobbs transfers cancel` gives a transfer up",
}


async def retry_refused(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Try again what Stripe refused and nobody dealt with, oldest first, at most MOST. Object: EVERYTHING.

    Parameters `kind`, `reason`, `wallet`: only those.
    """
    standing = [one for one in await store.stopped.refused(tx) if _is_meant(one, decision)]
    if not standing:
        return refused("nothing of that kind stands refused")
    now_tried = {one.id for one in standing[:MOST]}
    tried = await retries.retry_asked(
        tx,
        sorted({one.wallet for one in standing[:MOST]}),
        lambda stopped: stopped.id in now_tried,
        now,
        actor=f"operator:{decision.who.name}",
        why=decision.why,
    )
    again = [one for one in tried if one.judgement.chance is Chance.RETRY]
    if not again:
        return refused(_not_tried(tried))
    sentence = f"{len(again)} of {len(standing)} refused operations are tried again: {_counted(again)}"
    if len(again) < len(tried):
        sentence += f"; not: {_not_tried(tried)}"
    if len(standing) > MOST:
        sentence += f"; {len(standing) - MOST} are left for the next time"
    return Ruling(done=True, sentence=sentence, effects=tuple(_effect(one) for one in tried))


def _is_meant(one: RefusedOperation, decision: Decision) -> bool:
    wanted = decision.parameters
    there = {"kind": str(one.kind), "reason": one.reason, "wallet": one.wallet}
    return all(wanted.get(name) in (None, value) for name, value in there.items())


def _counted(tried: Sequence[Tried]) -> str:
    """How many of each kind, and their sums by currency: `2 account, 1 transfer (12.00 USD)`."""
    kinds = Counter(one.stopped.kind for one in tried)
    return ", ".join(f"{n} {kind}{_sums(tried, kind)}" for kind, n in sorted(kinds.items()))


def _sums(tried: Sequence[Tried], kind: Kind) -> str:
    sums: Counter[str] = Counter()
    for one in tried:
        if one.stopped.kind is kind and one.stopped.currency is not None:
            sums[one.stopped.currency] += one.stopped.amount or 0
    shown = ", ".join(
        f"{format_minor(amount, currency)} {currency}" for currency, amount in sorted(sums.items())
    )
    return f" ({shown})" if shown else ""


def _not_tried(tried: Sequence[Tried]) -> str:
    whys = Counter(one.judgement.why for one in tried if one.judgement.chance is not Chance.RETRY)
    return "; ".join(f"{n} because {why}" if n > 1 else why for why, n in sorted(whys.items()))[:1500]


def _effect(tried: Tried) -> dict[str, Any]:
    stopped = tried.stopped
    return {
        "operation_id": str(stopped.id),
        "kind": str(stopped.kind),
        "wallet": stopped.wallet,
        "amount": stopped.amount,
        "currency": stopped.currency,
        "reason": stopped.reason,
        "becomes": "tried again" if tried.judgement.chance is Chance.RETRY else tried.judgement.why[:300],
    }


async def close_refused(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """End a refused instant payout or reversal that is not wanted any more. Object: the operation's id."""
    try:
        wanted = UUID(decision.object)
    except ValueError:
        return refused(f"{decision.object} is no operation's id")
    wallets = await store.operations.wallets_of(tx, [wanted])
    await store.payees.lock(tx, wallets)
    stopped = next((one for one in await store.stopped.lock(tx, wallets) if one.id == wanted), None)
    if stopped is None or stopped.state is not State.REFUSED:
        return refused(f"no refused operation {wanted} waits for a decision")
    if stopped.kind in CANNOT_CLOSE:
        return refused(f"{wanted} is of kind {stopped.kind}: {CANNOT_CLOSE[stopped.kind]}")
    await store.stopped.close(tx, [wanted], now)
    step = (wanted, "closed", None, decision.why)
    await store.stopped.note(tx, [step], now, f"operator:{decision.who.name}")
    return Ruling(
        done=True, sentence=f"{stopped.kind} {wanted} of {stopped.wallet} is closed ({stopped.sentence})"
    )

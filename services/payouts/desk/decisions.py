"""What a person may decide about transfers and payees. A judge acts in the transaction of its decision.

None of them calls Stripe, and nothing is sent again without proof: a parked operation is looked up once more
first, unless the person says that they looked at Stripe (`checked`). Locks are taken in the usual order:
payee, operation, transfer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from fleet.database import Tx
from fleet.decisions import RUNNERS, Action, Decision, Judge, Ruling, refused
from fleet.money import format_minor
from services.payouts import store
from services.payouts.desk import backfills, forced, persons, stopped, student_links
from services.payouts.desk.by_two import by_two
from services.payouts.domain.adoption import FoundEffect, PaidPayable, unpaid
from services.payouts.domain.existing_accounts import AdoptionRequest, is_account_id
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.payees import hold_sentence, payee_hold
from services.payouts.domain.transfers import HoldReason, LockedTransfer, Move, TransferState
from services.payouts.steps import payments

RELEASABLE: Final = frozenset({HoldReason.HOLD_PERIOD, HoldReason.ACCOUNT_CHANGED})
CANNOT_RELEASE: Final = "only what a hold period or a changed account holds can be released"
CANNOT_RETRY: Final = "only a refused or parked transfer can be retried"
CANNOT_CANCEL: Final = (
    "only what was not sent can be cancelled; a parked transfer with --checked, after looking at Stripe"
)
# The transfer's own sentence names the new transfer, whose id is another one in each preview.
MERGED: Final = "merged into another transfer, where what the payee owes is taken off"
LINK_KINDS: Final = ("onboarding", "dashboard")


async def release(tx: Tx, decision: Decision, now: datetime, *, by_one_up_to: int | None = None) -> Ruling:
    """Send a held transfer although its hold period runs, or its payee's account changed. Object: its id.

    by_one_up_to: as in desk/forced.py, here and below.
    """
    transfer = await _locked(tx, decision)
    if isinstance(transfer, Ruling):
        return transfer
    if transfer.state is not TransferState.HELD or transfer.reason not in RELEASABLE:
        return _cannot(transfer, CANNOT_RELEASE)
    waits = await forced.unless_two_agree(
        tx, decision, "release", transfer.id, now, by_one_up_to=by_one_up_to
    )
    if waits is not None:
        return waits
    held = Move(
        transfer_id=transfer.id, to=TransferState.HELD, reason=transfer.reason, sentence=transfer.sentence
    )
    await store.transfers.move(tx, [held], now, _actor(decision), note=f"released: {decision.why}")
    await store.transfers.waive(tx, transfer.id)
    await payments.pay(tx, [transfer.wallet], now)
    return await _became(tx, transfer.id, "released")


async def retry(tx: Tx, decision: Decision, now: datetime, *, by_one_up_to: int | None = None) -> Ruling:
    """Send a refused transfer under a new key; look a parked one up again. Object: the transfer's id.

    Parameter `checked`: the person looked at Stripe and vouches that a parked transfer is not there; then it
    is sent under a new key too.
    """
    checked = _checked(decision)
    transfer = await _locked(tx, decision)
    if isinstance(transfer, Ruling):
        return transfer
    return await _retry(tx, transfer, decision, now, checked=checked, by_one_up_to=by_one_up_to)


async def _retry(
    tx: Tx,
    transfer: LockedTransfer,
    decision: Decision,
    now: datetime,
    *,
    checked: bool,
    by_one_up_to: int | None,
) -> Ruling:
    if transfer.state is TransferState.REFUSED:
        return await _retry_refused(tx, transfer, decision, now)
    if transfer.state is not TransferState.PARKED:
        return _cannot(transfer, CANNOT_RETRY)
    if checked and (
        waits := await forced.unless_two_agree(
            tx, decision, "vouch", transfer.id, now, by_one_up_to=by_one_up_to
        )
    ):
        return waits
    return await _retry_parked(tx, transfer, decision, now, checked=checked)


async def _retry_refused(tx: Tx, transfer: LockedTransfer, decision: Decision, now: datetime) -> Ruling:
    [payee] = await store.payees.lock(tx, [transfer.wallet])
    hold = payee_hold(payee)
    if hold is not None:
        return refused(f"{transfer.wallet} cannot be paid now: {hold_sentence(payee, hold)}")
    await store.operations.start_new_generation(tx, [_operation_of(transfer)], [State.REFUSED], now)
    return await _send(tx, transfer, decision, now, "retried")


async def _retry_parked(
    tx: Tx, transfer: LockedTransfer, decision: Decision, now: datetime, *, checked: bool
) -> Ruling:
    if checked:
        await store.operations.start_new_generation(tx, [_operation_of(transfer)], [State.PARKED], now)
        return await _send(tx, transfer, decision, now, "retried, vouched that Stripe has nothing")
    await store.operations.look_up_again(tx, _operation_of(transfer), now)
    return await _send(tx, transfer, decision, now, "looked up again")


async def _send(tx: Tx, transfer: LockedTransfer, decision: Decision, now: datetime, verb: str) -> Ruling:
    pending = Move(transfer_id=transfer.id, to=TransferState.PENDING)
    await store.transfers.move(tx, [pending], now, _actor(decision), note=f"{verb}: {decision.why}")
    await payments.pay(tx, [transfer.wallet], now)
    return await _became(tx, transfer.id, verb)


async def unpark(tx: Tx, decision: Decision, now: datetime, *, by_one_up_to: int | None = None) -> Ruling:
    """Decide on the operation that blocks a payee, whatever its kind, as `retry` does. Object: the wallet."""
    checked, wallet = _checked(decision), decision.object
    await store.payees.lock(tx, [wallet])
    parked = await store.operations.lock_parked(tx, wallet)
    if parked is None:
        return refused(f"nothing of {wallet} is parked")
    if parked.kind is Kind.TRANSFER and parked.transfer_id is not None:
        transfer = await store.transfers.lock(tx, parked.transfer_id)
        return await _retry(tx, transfer, decision, now, checked=checked, by_one_up_to=by_one_up_to)
    if checked:
        waits = await forced.unless_two_agree(
            tx, decision, "vouch", parked.id, now, by_one_up_to=by_one_up_to
        )
        if waits is not None:
            return waits
        await store.operations.start_new_generation(tx, [parked.id], [State.PARKED], now)
    else:
        await store.operations.look_up_again(tx, parked.id, now)
    step = (parked.id, "retried" if checked else "looked_up", None, decision.why)
    await store.stopped.note(tx, [step], now, _actor(decision))
    await payments.pay(tx, [wallet], now)
    verb = "is sent under a new key" if checked else "is looked up again"
    effect = {"operation_id": str(parked.id), "kind": str(parked.kind), "wallet": wallet}
    return Ruling(done=True, sentence=f"{parked.kind} {parked.id} of {wallet} {verb}", effects=(effect,))


async def cancel(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Give up a transfer that was not sent. Object: its id. Parameter `checked`: as for `retry`.

    Its payables stay in it: the payee is owed the money until an adjustment says otherwise.
    """
    checked = _checked(decision)
    transfer = await _locked(tx, decision)
    if isinstance(transfer, Ruling):
        return transfer
    sentence = f"cancelled by {decision.who.name}: {decision.why}"
    cancelled = await store.operations.cancel(tx, [transfer.id], sentence, now, vouched=checked)
    never_ordered = transfer.state is TransferState.HELD and transfer.operation_id is None
    if not cancelled and not never_ordered:
        return _cannot(transfer, CANNOT_CANCEL)
    move = Move(transfer_id=transfer.id, to=TransferState.CANCELLED, reason="cancelled", sentence=sentence)
    await store.transfers.move(tx, [move], now, _actor(decision))
    await payments.pay(tx, [transfer.wallet], now)
    return await _became(tx, transfer.id, "cancelled")


async def link(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Have a link to Stripe made for a payee. Object: the wallet. Parameter `kind`: one of LINK_KINDS.

    The URL is in no topic: who may read `payouts_public.links` finds it there under the decision's id.
    """
    kind, wallet = decision.parameters.get("kind"), decision.object
    if kind not in LINK_KINDS:
        return refused(f"a link is of kind {' or '.join(LINK_KINDS)}")
    if not await store.payees.lock(tx, [wallet]):
        return refused(f"there is no payee {wallet}")
    await store.links.request(tx, decision.decision_id, wallet, str(kind), now)
    return Ruling(done=True, sentence=f"a link to Stripe's {kind} is made for {wallet}")


async def adopt(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Take an account that exists at Stripe for a payee. Object: the wallet. Parameter `account`: its id.

    It is read from Stripe and taken a moment later (stripe/existing_accounts.py): the outcome is in
    `payouts_public.account_adoptions` under the decision's id. A payee keeps an account that it has.
    """
    wallet, account = decision.object, decision.parameters.get("account")
    if not is_account_id(account):
        return refused("name an account as Stripe does: acct_…")
    payees = await store.payees.lock(tx, [wallet])
    if not payees:
        return refused(f"there is no payee {wallet}")
    if payees[0].stripe_account is not None:
        return refused(f"{wallet} has {payees[0].stripe_account} already")
    if other := await store.payees.wallet_of_account(tx, str(account)):
        return refused(f"{account} is the account of {other}")
    asked = AdoptionRequest(id=decision.decision_id, wallet=wallet, stripe_account=str(account))
    await store.account_adoptions.request(tx, asked, who=decision.who.name, why=decision.why, now=now)
    return Ruling(done=True, sentence=f"{account} is read from Stripe and taken for {wallet}")


async def close_odd(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Close an object of Stripe's that could not be read: a person dealt with it. Object: its id.

    It opens again when Stripe shows it differently and it still cannot be read.
    """
    closed = await store.odd_objects.close(tx, decision.object, f"{_actor(decision)}: {decision.why}", now)
    if not closed:
        return refused(f"no odd object {decision.object} is open")
    return Ruling(done=True, sentence=f"{decision.object} is closed ({'; '.join(closed)})")


async def settle(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Have a transfer that Stripe made written with what is known of it. Object: its id at Stripe.

    It pays the journals it names that are here and that nothing else paid. What it paid more is taken off
    what the payee is paid next; what it paid less is added (decision 0150).
    """
    wallet = await store.adoption.wallet_of(tx, decision.object)
    if wallet is None or not await store.payees.lock(tx, [wallet]):
        return refused(f"no effect {decision.object} of a payee waits to be adopted")
    found = await store.adoption.lock(tx, decision.object)
    if found is None or found.kind is not Kind.TRANSFER or found.amount is None or found.currency is None:
        return refused(f"{decision.object} is no transfer that waits: accounts are adopted by themselves")
    pays = unpaid(await store.adoption.paid_by(tx, found, now))
    rest = found.amount - sum(payable.amount for payable in pays)
    await store.adoption.settle(tx, found.stripe_id, f"{_actor(decision)}: {decision.why}")
    effect = {
        "stripe_id": found.stripe_id,
        "wallet": wallet,
        "currency": found.currency,
        "amount": found.amount,
        "pays": [payable.source for payable in pays],
        "taken_off": rest,
    }
    return Ruling(done=True, sentence=_settled(found, wallet, pays, rest), effects=(effect,))


def _settled(found: FoundEffect, wallet: str, pays: Sequence[PaidPayable], rest: int) -> str:
    assert found.amount is not None
    assert found.currency is not None
    money = f"{format_minor(found.amount, found.currency)} {found.currency}"
    names = f"{len(pays)} journals" if pays else "no journal"
    sentence = f"{found.stripe_id} of {money} to {wallet} is written as paying {names} known here"
    if rest:
        later = f"{format_minor(abs(rest), found.currency)} {found.currency}"
        sentence += f"; {later} is {'taken off' if rest > 0 else 'added to'} what the payee is paid next"
    return sentence


async def close_movement(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Close a row of Stripe's balance that is not explained: a person dealt with it. Object: its id."""
    actor = f"{_actor(decision)}: {decision.why}"
    closed = await store.movements.close(tx, decision.object, actor, now)
    if closed is None:
        return refused(f"no movement {decision.object} is unexplained and open")
    net, currency, sentence = closed
    told = f"{decision.object} ({format_minor(net, currency)} {currency}) is closed ({sentence})"
    return Ruling(done=True, sentence=told)


def _with_a_reason(judge: Judge) -> Judge:
    """Refuse a decision that says no why: it stays in the history of what it changes."""

    async def judged(tx: Tx, decision: Decision, now: datetime) -> Ruling:
        if not decision.why.strip():
            return refused("say why: it stays in the history")
        return await judge(tx, decision, now)

    return judged


ACTIONS: Final[Mapping[str, Action]] = {
    "release": Action(judge=_with_a_reason(release), roles=RUNNERS),
    "retry": Action(judge=_with_a_reason(retry), roles=RUNNERS),
    "cancel": Action(judge=_with_a_reason(cancel), roles=RUNNERS),
    "unpark": Action(judge=_with_a_reason(unpark), roles=RUNNERS),
    "link": Action(judge=link, holder=str),
    "student_link": Action(judge=student_links.make, holder=str),
    "adopt_customer": Action(judge=_with_a_reason(student_links.adopt_customer)),
    "settle": Action(judge=_with_a_reason(settle)),
    "adopt": Action(judge=_with_a_reason(adopt)),
    "retry_refused": Action(judge=_with_a_reason(stopped.retry_refused)),
    "close_refused": Action(judge=_with_a_reason(stopped.close_refused)),
    "close_odd": Action(judge=_with_a_reason(close_odd)),
    "backfill_movements": Action(judge=backfills.backfill_movements),
    "close_movement": Action(judge=_with_a_reason(close_movement)),
    "erase": Action(judge=persons.erase),
}


def actions(by_one_up_to: int | None, *, accounts_by_two: bool = False) -> Mapping[str, Action]:
    """What may be decided where one person may have so much sent to a payee in a day; None: any amount.

    accounts_by_two: two persons say whose account is whose (by_two.py).
    """
    sending: Mapping[str, Judge] = {
        "release": partial(release, by_one_up_to=by_one_up_to),
        "retry": partial(retry, by_one_up_to=by_one_up_to),
        "unpark": partial(unpark, by_one_up_to=by_one_up_to),
    }
    named: Mapping[str, Judge] = {
        "adopt": _with_a_reason(by_two(adopt, "adopt")),
        "link": by_two(link, "link"),
    }
    judges = {name: _with_a_reason(judge) for name, judge in sending.items()}
    judges |= named if accounts_by_two else {}
    return {**ACTIONS, **{name: replace(ACTIONS[name], judge=judge) for name, judge in judges.items()}}


def _actor(decision: Decision) -> str:
    return f"operator:{decision.who.name}"


def _checked(decision: Decision) -> bool:
    """Anything but JSON's true is no."""
    return decision.parameters.get("checked") is True


async def _locked(tx: Tx, decision: Decision) -> LockedTransfer | Ruling:
    """Lock the transfer that a decision names, and its payee before it; the refusal when there is none."""
    try:
        transfer_id = UUID(decision.object)
    except ValueError:
        return refused(f"{decision.object} is no transfer's id")
    wallet = await store.transfers.wallet_of(tx, transfer_id)
    if wallet is None:
        return refused(f"there is no transfer {transfer_id}")
    await store.payees.lock(tx, [wallet])
    return await store.transfers.lock(tx, transfer_id)


def _operation_of(transfer: LockedTransfer) -> UUID:
    assert transfer.operation_id is not None, "what was refused or parked has an operation"
    return transfer.operation_id


async def _became(tx: Tx, transfer_id: UUID, verb: str) -> Ruling:
    transfer = await store.transfers.lock(tx, transfer_id)
    shown = MERGED if transfer.reason == HoldReason.OFFSET and _is_over(transfer) else transfer.sentence
    why = f" ({shown})" if shown else ""
    effect: dict[str, Any] = {"transfer_id": str(transfer_id), "state": str(transfer.state)}
    sentence = f"transfer {transfer_id} {verb}: it is {transfer.state}{why}"
    return Ruling(done=True, sentence=sentence, effects=(effect,))


def _is_over(transfer: LockedTransfer) -> bool:
    return transfer.state is TransferState.CANCELLED


def _cannot(transfer: LockedTransfer, rule: str) -> Ruling:
    why = f", {transfer.sentence}" if transfer.sentence else ""
    return refused(f"transfer {transfer.id} is {transfer.state}{why}: {rule}")

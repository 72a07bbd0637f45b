"""What people may decide about payments by hand: record, agree, clear, bounce, revert; and deposits."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID

from fleet.database import Tx
from fleet.decisions import Decision, Ruling, refused
from fleet.money import format_minor
from fleet.persons import same_person
from fleet.zones import local_date, time_zone
from schemas.fields import MINOR_UNITS_MAX
from schemas.identifiers import identifier_problem
from services.receivables import steps, store
from services.receivables.desk import named_bills
from services.receivables.desk.known import unless_known
from services.receivables.domain.account_notes import cheque_fee
from services.receivables.domain.charges import Posting
from services.receivables.domain.recorded_payments import (
    METHODS,
    OLDEST,
    PAYMENTS_MOST,
    Deposit,
    Method,
    RecordedPayment,
    What,
    begun,
    moved,
)

NUMBER_CHARS_MAX = 60
DAY = timedelta(days=1)


async def record(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Write down a payment that came. object: the student whose it is.

    parameters: method (cash, cheque, bank_transfer), number (receipt, cheque, the bank's reference), paid_on,
    amount in minor units; bill, the flight that it pays first, where it names one. Above the book's
    `recorded_by_one_up_to` a second person has to agree; what single persons recorded for the student within
    a day counts. A number is recorded once for a student and method.
    """
    if unknown := await unless_known(tx, decision.object):
        return unknown
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return refused("the school's book names no currency yet")
    said = _said(decision.parameters, local_date(now, zone))
    if isinstance(said, str):
        return refused(said)
    method, number, paid_on, amount = said
    await store.recorded_payments.lock_student(tx, decision.object)
    if there := await store.recorded_payments.same(tx, decision.object, method, number):
        return refused(
            f"{METHODS[method]} {number} of {decision.object} is recorded already, on "
            f"{local_date(there.recorded_at, zone)} as {there.id}, {format_minor(there.amount, currency)} "
            f"{currency}, {there.state}: revert that one if it is wrong, or take another number"
        )
    policy = await store.recorded_payments.policy(tx, local_date(now, zone))
    alone = amount + await store.recorded_payments.recorded_by_one(tx, decision.object, now - DAY)
    one = RecordedPayment(
        id=decision.decision_id,
        student=decision.object,
        method=method,
        number=number,
        paid_on=paid_on,
        amount=amount,
        currency=currency,
        when_cleared=method == "cheque" and policy.cheques_count == "when_cleared",
        needs_second=policy.by_one_up_to is not None and alone > policy.by_one_up_to,
        state="waits",
        recorded_by=decision.who.name,
        recorded_at=now,
    )
    if not one.needs_second:
        one = replace(one, state=begun(one))
    due = await steps.recorded_payments.record(tx, one, why=decision.why, at=_came(one, zone, now))
    named = await named_bills.name_at_once(tx, decision, f"recorded:{one.id}", one.currency, now)
    ruling = _ruling(one, due)
    return replace(ruling, sentence=f"{ruling.sentence}{named}")


async def approve(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Agree to a payment that needs a second person. object: its id."""
    one = await _locked(tx, decision.object)
    if one is None:
        return _unknown(decision.object)
    after = moved(one, "approved")
    if isinstance(after, str):
        return refused(after)
    if same_person(one.recorded_by, decision.who.name):
        return refused(f"{decision.who.name} recorded this payment: another person has to agree")
    zone, _ = await store.credit.school(tx)
    after = replace(after, approved_by=decision.who.name)
    due = await steps.recorded_payments.change(
        tx,
        one,
        after,
        "approved",
        who=decision.who.name,
        why=decision.why,
        now=now,
        at=_came(one, zone, now),
    )
    return _ruling(after, due)


async def clear(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """The bank paid a cheque: it is the student's from now on. object: its id."""
    return await _say(tx, decision, "cleared", now)


async def bounce(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """The bank returned a cheque: what it paid is owed again. object: its id. A reason is needed."""
    return await _say(tx, decision, "bounced", now)


async def revert(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """A payment was recorded by mistake: the opposite is posted. object: its id. A reason is needed."""
    return await _say(tx, decision, "reverted", now)


async def deposit(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Write down that cash and cheques were brought to the bank together. object: the number of the slip.

    parameters: deposited_on; payments, a list of ids, or nothing for all that are in no deposit.
    """
    number = decision.object
    if problem := identifier_problem(number):
        return refused(f"number: {problem}")
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return refused("the school's book names no currency yet")
    on = _past_day(decision.parameters.get("deposited_on"), local_date(now, zone))
    if on is None:
        return refused(
            f"deposited_on is a day such as 2026-12-31, not after today, within {OLDEST.days} days"
        )
    await store.recorded_payments.lock_deposits(tx)
    if await store.recorded_payments.same_deposit(tx, number):
        return refused(f"deposit {number} is recorded already: revert that one if it is wrong")
    ids = await _named(tx, decision.parameters.get("payments"))
    if isinstance(ids, str):
        return refused(ids)
    payments = await store.recorded_payments.lock(tx, ids)
    held = _into(payments, ids, decision.decision_id)
    if isinstance(held, str):
        return refused(held)
    made = Deposit(
        id=decision.decision_id,
        number=number,
        deposited_on=on,
        currency=currency,
        total=sum(one.amount for one in payments),
        made_by=decision.who.name,
        made_at=now,
    )
    due = await steps.recorded_payments.deposit(tx, made, held, why=decision.why)
    total = f"{format_minor(made.total, currency)} {currency}"
    return Ruling(
        done=True,
        sentence=f"deposit {number} holds {len(payments)} payments, {total}",
        effects=(*_entries(due), *(_payment(one) for one in payments)),
    )


async def revert_deposit(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """A deposit was recorded by mistake: its payments are in none again. object: its id."""
    if not decision.why.strip():
        return refused("reverting a deposit needs a reason (--why)")
    id = _uuid(decision.object)
    found = await store.recorded_payments.lock_deposit(tx, id) if id else None
    if found is None or found.reverted_by is not None:
        return refused(f"no deposit {decision.object} stands; hobbs payments deposits shows all")
    payments = await store.recorded_payments.lock(tx, await store.recorded_payments.held_by(tx, found.id))
    if bounced := [one for one in payments if one.state == "bounced"]:
        return refused(f"deposit {found.number} was at the bank: {bounced[0].in_words()}, bounced")
    out = [(one, replace(one, deposit_id=None)) for one in payments]
    reverted = replace(found, reverted_by=decision.who.name)
    due = await steps.recorded_payments.revert_deposit(tx, reverted, out, why=decision.why, now=now)
    return Ruling(done=True, sentence=f"deposit {found.number} is reverted", effects=tuple(_entries(due)))


async def _say(tx: Tx, decision: Decision, what: What, now: datetime) -> Ruling:
    if what != "cleared" and not decision.why.strip():
        return refused("this needs a reason (--why)")
    one = await _locked(tx, decision.object)
    if one is None:
        return _unknown(decision.object)
    after = moved(one, what)
    if isinstance(after, str):
        return refused(after)
    due = await steps.recorded_payments.change(
        tx, one, after, what, who=decision.who.name, why=decision.why, now=now
    )
    ruling = _ruling(after, due)
    return await _with_fee(tx, ruling, after, decision, now) if what == "bounced" else ruling


async def _with_fee(
    tx: Tx, ruling: Ruling, bounced: RecordedPayment, decision: Decision, now: datetime
) -> Ruling:
    """Charge the student what the book says that a bounced cheque costs."""
    zone, _ = await store.credit.school(tx)
    fee = (await store.recorded_payments.policy(tx, local_date(now, zone))).bounced_cheque_fee
    if fee == 0:
        return ruling
    note = cheque_fee(bounced, fee, decision.who.name, now)
    due = await steps.account_notes.keep(tx, note, now)
    return replace(
        ruling,
        sentence=f"{ruling.sentence}; the {note.in_words()}, is charged",
        effects=(*ruling.effects, *(_entries(due) if due else ())),
    )


def _said(told: Mapping[str, Any], today: date) -> tuple[Method, str, date, int] | str:
    """Method, number, day and amount; or a sentence which of them cannot be."""
    method, number, amount = told.get("method"), told.get("number"), told.get("amount")
    if method not in METHODS:
        return f"method is {method!r}; it is one of {', '.join(METHODS)}"
    if not isinstance(number, str) or not number or len(number) > NUMBER_CHARS_MAX:
        return f"number is that of a receipt or cheque, or the bank's: 1 to {NUMBER_CHARS_MAX} characters"
    if problem := identifier_problem(number):
        return f"number: {problem}"
    if type(amount) is not int or not 0 < amount <= MINOR_UNITS_MAX:
        return "a payment has an amount above zero"
    paid_on = _past_day(told.get("paid_on"), today)
    if paid_on is None:
        return f"paid_on is a day such as 2026-12-31, not after today, within {OLDEST.days} days"
    return cast("Method", method), number, paid_on, amount


def _past_day(value: object, today: date) -> date | None:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return None
    return day if today - OLDEST <= day <= today else None


def _came(one: RecordedPayment, zone: str, now: datetime) -> datetime:
    """When the money came, for the books: noon of its day at the school, or now if that is earlier."""
    return min(datetime.combine(one.paid_on, time(12), time_zone(zone)).astimezone(UTC), now)


async def _named(tx: Tx, said: object) -> list[UUID] | str:
    """The payments that are named, or all that are in no deposit; a sentence where they cannot be."""
    if said in (None, []):
        kept = await store.recorded_payments.kept(tx, PAYMENTS_MOST + 1)
        if not kept:
            return "no cash and no cheque is kept that is in no deposit"
        ids: Sequence[UUID | None] = kept
    else:
        texts = said if isinstance(said, list) else [said]
        ids = [_uuid(str(text)) for text in texts]
        if None in ids:
            return f"{texts[ids.index(None)]!r} is no id of a payment; hobbs payments recorded shows them"
    found = sorted({id for id in ids if id is not None})
    if len(found) > PAYMENTS_MOST:
        return f"a deposit holds at most {PAYMENTS_MOST} payments: name them"
    return found


def _into(
    payments: Sequence[RecordedPayment], ids: Sequence[UUID], deposit_id: UUID
) -> list[tuple[RecordedPayment, RecordedPayment]] | str:
    """Payments before and after they are in a deposit; a sentence where one cannot be."""
    if missing := set(ids) - {one.id for one in payments}:
        return f"no payment {min(missing)} is recorded; hobbs payments recorded shows them"
    held = []
    for one in payments:
        if isinstance(problem := moved(one, "deposited"), str):
            return problem
        held.append((one, replace(problem, deposit_id=deposit_id)))
    if len({one.currency for one in payments}) > 1:
        return "a deposit is of one currency"
    return held


async def _locked(tx: Tx, named: str) -> RecordedPayment | None:
    id = _uuid(named)
    found = await store.recorded_payments.lock(tx, [id]) if id else []
    return found[0] if found else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _unknown(named: str) -> Ruling:
    return refused(f"no payment {named} is recorded; hobbs payments recorded shows them")


_THEN = {
    "waits": "a second person has to agree: hobbs payments recorded shows its id",
    "held": "it counts once the bank cleared it",
    "received": "it counts as paid",
    "bounced": "it does not count, and what it paid is owed again",
    "reverted": "it is reverted",
}


def _ruling(one: RecordedPayment, due: Posting | None) -> Ruling:
    """A preview has another id, so neither sentence nor effects have one."""
    return Ruling(
        done=True,
        sentence=f"{one.in_words()}: {_THEN[one.state]}",
        effects=tuple(_entries(due)) if due else (),
    )


def _entries(due: Posting) -> list[dict[str, Any]]:
    name = due.source.partition(":")[0]  # its id is another one in a preview
    return [
        {"source": name, "wallet": entry.wallet, "amount": entry.amount, "currency": due.currency}
        for entry in due.entries
    ]


def _payment(one: RecordedPayment) -> dict[str, Any]:
    return {
        "source": str(one.id),
        "wallet": f"student:{one.student}",
        "amount": one.amount,
        "currency": one.currency,
    }

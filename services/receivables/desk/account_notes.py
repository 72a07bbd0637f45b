"""What people may decide about a student's account: refund what is overpaid, credit or write off a bill."""

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
from services.receivables.desk.known import unless_known
from services.receivables.domain.account_notes import KINDS, WAYS, Kind, Note, Said, Way, begun, moved
from services.receivables.domain.charges import Posting

DAY = timedelta(days=1)
OLDEST = timedelta(days=366)
NUMBER_CHARS_MAX = 60


async def refund(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Give a student back what is overpaid. object: the student.

    parameters: amount in minor units; way: card (Stripe gives it back, the newest payment first), or
    cash, cheque, bank_transfer, with number and paid_on. Never more than the student's credit: what is posted
    less holds, disputes and refunds under way. Above the book's `given_by_one_up_to`, counting what single
    persons gave the student within a day, a second person agrees.
    """
    if unknown := await unless_known(tx, decision.object):
        return unknown
    zone, currency = await store.credit.school(tx)
    if currency is None:
        return refused("the school's book names no currency yet")
    today = local_date(now, zone)
    said = _paid_out(decision.parameters, today)
    if isinstance(said, str):
        return refused(said)
    amount, way, number, paid_on = said
    await store.account_notes.lock_student(tx, decision.object)
    if problem := await _overpaid(tx, decision.object, currency, amount, today):
        return problem
    note = await _note(tx, decision, "refund", decision.object, currency, amount, today, now)
    if isinstance(note, Ruling):
        return note
    note = replace(note, way=way, number=number, paid_on=paid_on)
    return await _begin(tx, note, zone, now)


async def credit(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Credit so much of a bill. object: the flight. parameters: amount, or none for what is open of it."""
    return await _against_bill(tx, decision, "credit_note", now)


async def write_off(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Write off what a student will not pay of a bill. object: the flight. parameters: as of credit."""
    return await _against_bill(tx, decision, "write_off", now)


async def approve(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Agree to what another person asked for. object: its id."""
    return await _say(tx, decision, "approve", now)


async def refuse(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Leave it. object: its id. A reason is needed."""
    return await _say(tx, decision, "refuse", now)


async def revert(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """It was a mistake: the opposite is posted. object: its id. A reason is needed."""
    return await _say(tx, decision, "revert", now)


async def _overpaid(
    tx: Tx, student: str, currency: str, amount: int, today: date, promised: int = 0
) -> Ruling | None:
    """Why so much cannot be refunded; promised: what is kept for this refund already."""
    # Read first: what is posted meanwhile then counts twice, and not never.
    kept = await store.account_notes.promised(tx, student)
    stands = await store.credit.of_student(tx, student, today)
    free = stands.available - stands.disputed if stands else 0
    free -= kept - promised
    if amount <= free:
        return None
    left = f"{format_minor(max(free, 0), currency)} {currency}"
    return refused(f"{student} has a credit of {left}, less than is to be refunded")


async def _against_bill(tx: Tx, decision: Decision, kind: Kind, now: datetime) -> Ruling:
    zone, currency = await store.credit.school(tx)
    today = local_date(now, zone)
    bill = await store.open_items.find_bill(tx, decision.object, "")
    if bill is None or bill.currency != currency:
        return refused(f"nobody was billed for {decision.object}, or nothing is left of the bill")
    await store.account_notes.lock_student(tx, bill.student)
    left = await store.account_notes.bill_left(tx, bill.student, bill.currency, bill.document)
    if left is None:
        raise AssertionError(f"the item {bill.document} is gone")
    asked = decision.parameters.get("amount")
    amount = left.open if asked is None else asked
    if type(amount) is not int or not 0 < amount <= MINOR_UNITS_MAX:
        return refused(f"nothing is open of {bill.document}: say how much of it (--amount)")
    most = left.open if kind == "write_off" else left.amount
    if amount > most:
        return refused(_at_most(bill.document, kind, most, bill.currency))
    note = await _note(tx, decision, kind, bill.student, bill.currency, amount, today, now)
    if isinstance(note, Ruling):
        return note
    return await _begin(tx, replace(note, bill=bill.document), zone, now)


_DONE = {"credit_note": "credited", "write_off": "written off"}


def _at_most(bill: str | None, kind: Kind, most: int, currency: str) -> str:
    return f"at most {format_minor(max(most, 0), currency)} {currency} of {bill} can be {_DONE[kind]}"


async def _note(
    tx: Tx,
    decision: Decision,
    kind: Kind,
    student: str,
    currency: str,
    amount: int,
    today: date,
    now: datetime,
) -> Note | Ruling:
    if not decision.why.strip():
        return refused(f"a {KINDS[kind]} needs a reason (--why)")
    alone = amount + await store.account_notes.given_by_one(tx, student, now - DAY)
    second = alone > (await store.recorded_payments.policy(tx, today)).given_by_one_up_to
    return Note(
        id=decision.decision_id,
        kind=kind,
        student=student,
        currency=currency,
        amount=amount,
        needs_second=second,
        state="waits",
        asked_by=decision.who.name,
        asked_at=now,
        why=decision.why,
    )


async def _begin(tx: Tx, note: Note, zone: str, now: datetime) -> Ruling:
    if not note.needs_second:
        note = replace(note, state=begun(note))
    return _ruling(note, await steps.account_notes.keep(tx, note, _happened(note, zone, now)))


async def _say(tx: Tx, decision: Decision, said: Said, now: datetime) -> Ruling:
    if said != "approve" and not decision.why.strip():
        return refused("this needs a reason (--why)")
    note = await _locked(tx, decision.object)
    if note is None:
        return refused(f"nothing has the id {decision.object}; hobbs payments notes shows all")
    if said == "approve" and same_person(note.asked_by, decision.who.name):
        return refused(f"{decision.who.name} asked for it: another person has to agree")
    after = moved(note, said)
    if isinstance(after, str):
        return refused(after)
    zone, _ = await store.credit.school(tx)
    if said == "approve" and (problem := await _no_longer(tx, note, local_date(now, zone))):
        return problem
    at = _happened(note, zone, now) if said == "approve" else now
    due = await steps.account_notes.change(tx, after, who=decision.who.name, why=decision.why, now=at)
    return _ruling(after, due)


async def _no_longer(tx: Tx, note: Note, today: date) -> Ruling | None:
    """Why what waited cannot be any more: the credit was used, the bill was paid, corrected or cancelled."""
    await store.account_notes.lock_student(tx, note.student)
    if note.kind == "refund":
        return await _overpaid(tx, note.student, note.currency, note.amount, today, note.amount)
    left = await store.account_notes.bill_left(tx, note.student, note.currency, str(note.bill))
    free = (left.open if note.kind == "write_off" else left.amount) if left else -note.amount
    if free >= 0:  # less what waits, and so less this one
        return None
    most = _at_most(note.bill, note.kind, free + note.amount, note.currency)
    return refused(f"{most} now: refuse it, and ask anew")


async def _locked(tx: Tx, named: str) -> Note | None:
    try:
        return await store.account_notes.lock(tx, UUID(named))
    except ValueError:
        return None


def _paid_out(told: Any, today: date) -> tuple[int, Way, str | None, date | None] | str:
    """Amount, way, number and day; or a sentence which of them cannot be."""
    amount, way, number = told.get("amount"), told.get("way"), told.get("number")
    if type(amount) is not int or not 0 < amount <= MINOR_UNITS_MAX:
        return "a refund has an amount above zero"
    if way not in WAYS:
        return f"way is {way!r}; it is one of {', '.join(WAYS)}"
    if way == "card":
        return amount, "card", None, None
    if not isinstance(number, str) or not 0 < len(number) <= NUMBER_CHARS_MAX or identifier_problem(number):
        return f"number is that of a receipt or cheque, or the bank's: 1 to {NUMBER_CHARS_MAX} characters"
    try:
        day = date.fromisoformat(str(told.get("paid_on")))
    except ValueError:
        day = date.min
    if not today - OLDEST <= day <= today:
        return f"paid_on is a day such as 2026-12-31, not after today, within {OLDEST.days} days"
    return amount, cast("Way", way), number, day


def _happened(note: Note, zone: str, now: datetime) -> datetime:
    """When it happened, for the books: noon of the day of a payment, or now if that is earlier."""
    if note.paid_on is None:
        return now
    return min(datetime.combine(note.paid_on, time(12), time_zone(zone)).astimezone(UTC), now)


_THEN = {
    "waits": "a second person has to agree: hobbs payments notes shows its id",
    "asked": "Stripe is asked; hobbs payments notes shows what went back",
    "posted": "it is posted",
    "refused": "it is refused",
    "reverted": "it is reverted",
}


def _ruling(note: Note, due: Posting | None) -> Ruling:
    """A preview has another id, so neither sentence nor effects have one."""
    sentence = f"{note.in_words()}: {_THEN[note.state]}"
    if due is None:
        return Ruling(done=True, sentence=sentence)
    name, currency = due.source.partition(":")[0], due.currency
    entries = [
        {"source": name, "wallet": one.wallet, "amount": one.amount, "currency": currency}
        for one in due.entries
    ]
    return Ruling(done=True, sentence=sentence, effects=tuple(entries))

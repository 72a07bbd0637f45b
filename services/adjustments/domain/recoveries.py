"""What instructors and owners give back of flights whose payment a bank took back for good. Pure.

A recovery is an adjustment of its own, named `<dispute>/<flight>`: its first bill is what stands of the
flight, its second revision leaves the payees without their share of what the payment paid, and its third,
when the dispute is won after all, gives it back (decision 0226). Amounts are minor units.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.money import format_minor
from services.adjustments.domain.adjustments import PREFIX, Adjustment, Amounts
from services.adjustments.domain.flights import FirstBill, Revision
from services.adjustments.domain.settlements import is_payee

SCHOOL: Final = "platform:school"
MADE_BY: Final = "policy"
RECOVERED, GIVEN_BACK = 2, 3  # the revisions of a recovery
_FLIGHT: Final = "flight:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A dispute that was lost: the student owes `amount` again. version: of that entry on the wallet."""

    dispute_id: str
    student: str
    currency: str
    amount: int
    version: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """A dispute that was won, also after it was lost."""

    dispute_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entry on a student's wallet: the journal's source, and its signed amount."""

    source: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """A flight as it stands: its first bill's source, when it was flown, what stands on each wallet."""

    flight_id: str
    source: str
    flown_on: date
    standing: Amounts


def of_charge(charge_id: str, lines: Iterable[Line]) -> set[str]:
    """The sources by which a payment came to the student: received, allocated or moved."""
    named, moved = {f"charge:{charge_id}", f"allocation:{charge_id}"}, f"payment-moved:{charge_id}:"
    return {line.source for line in lines if line.source in named or line.source.startswith(moved)}


def paid_with(lines: Sequence[Line], payment: Collection[str], lost: int) -> dict[str, int]:
    """How much of each flight the lost part of a payment paid, by flight id.

    lines: the student's entries in the order of the ledger. Oldest first on both sides: the first money pays
    the first bill. What was lost is the end of the payment: its earlier money paid the earlier bills.
    """
    spans = _ends(_spans((line for line in lines if line.amount > 0), payment), lost)
    found: dict[str, int] = {}
    at = 0
    for line in lines:
        if line.amount < 0:
            begin, at = at, at - line.amount
            paid = sum(max(min(at, end) - max(begin, start), 0) for start, end in spans)
            flight = flight_of(line.source)
            if paid and flight is not None:
                found[flight] = found.get(flight, 0) + paid
    return found


def _spans(credits: Iterable[Line], payment: Collection[str]) -> list[tuple[int, int]]:
    """Where a payment's money lies in all that the student paid: from and to."""
    spans, at = [], 0
    for line in credits:
        if line.source in payment:
            spans.append((at, at + line.amount))
        at += line.amount
    return spans


def _ends(spans: Sequence[tuple[int, int]], amount: int) -> list[tuple[int, int]]:
    """The last `amount` of these spans."""
    found = []
    for begin, end in reversed(spans):
        if (taken := min(amount, end - begin)) > 0:
            found.append((end - taken, end))
            amount -= taken
    return found


def flight_of(source: str) -> str | None:
    """The flight that a bill or an adjustment is about; None for every other journal."""
    prefix = next((prefix for prefix in (_FLIGHT, PREFIX) if source.startswith(prefix)), None)
    return None if prefix is None else source.removeprefix(prefix).rpartition(":")[0]


def is_bill(line: Line) -> bool:
    """Whether an entry is a flight's own bill."""
    return line.source.startswith(_FLIGHT)


def shares(standing: Amounts, student: str, paid: int) -> dict[str, int]:
    """What each payee got of so much of a flight's charge; fractions of a cent stay with the payee."""
    charge = -standing.get(student, 0)
    if charge <= 0:
        return {}
    of = min(paid, charge)
    found = {wallet: amount * of // charge for wallet, amount in standing.items() if is_payee(wallet)}
    return {wallet: share for wallet, share in found.items() if share > 0}


def recover(lost: Lost, flight: Billed, paid: int) -> Revision | None:
    """Propose that the payees of a flight bear their share of what was lost; None when there is none."""
    taken = shares(flight.standing, lost.student, paid)
    if not taken:
        return None
    entries = dict(flight.standing)
    for wallet, share in taken.items():
        entries[wallet] -= share
        entries[SCHOOL] = entries.get(SCHOOL, 0) + share
    name, student = f"{lost.dispute_id}/{flight.flight_id}", lost.student.partition(":")[2]
    money = f"{format_minor(paid, lost.currency)} {lost.currency}"
    return Revision(
        flight_id=name,
        revision=RECOVERED,
        kind="recovered",
        bill_id=_bill(name, RECOVERED),
        first=FirstBill(
            currency=lost.currency, source=flight.source, entries=_without_zeros(flight.standing)
        ),
        entries=_without_zeros(entries),
        student_before=student,
        student=student,
        flown_on=flight.flown_on,
        occurred_at=lost.occurred_at,
        priced_by="bill",
        reason=f"dispute {lost.dispute_id} was lost: {money} of flight {flight.flight_id} was paid with it",
        made_by=MADE_BY,
    )


def give_back(won: Won, first: FirstBill, recovered: Adjustment) -> Revision:
    """Propose that the payees get back what was recovered: the dispute was won after all."""
    return Revision(
        flight_id=recovered.flight_id,
        revision=GIVEN_BACK,
        kind="recovered",
        bill_id=_bill(recovered.flight_id, GIVEN_BACK),
        first=first,
        entries=first.entries,
        student_before=recovered.student,
        student=recovered.student,
        flown_on=recovered.flown_on,
        occurred_at=won.occurred_at,
        priced_by="bill",
        reason=f"dispute {won.dispute_id} was won after all",
        made_by=MADE_BY,
    )


def _bill(name: str, revision: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"hobbs:recovery:{name}:{revision}")


def _without_zeros(amounts: Mapping[str, int]) -> dict[str, int]:
    return {wallet: amount for wallet, amount in sorted(amounts.items()) if amount}

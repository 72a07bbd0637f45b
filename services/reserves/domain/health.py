"""How the school's money at Stripe stands to its reserve, and how much payouts may let out. Pure.

Amounts are minor units of one currency. What must stay is the largest of three minimums; what is free is what
can be sent now less what payouts has let out and Stripe may not have taken yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from fleet.money import format_minor
from services.reserves.domain.policy import Policy
from services.reserves.domain.positions import Owed

HEALTHY, WARNING, CRITICAL, UNKNOWN = "healthy", "warning", "critical", "unknown"
HEALTHS: Final = (HEALTHY, WARNING, CRITICAL, UNKNOWN)
OPEN, CLOSED, OFF = "open", "closed", "off"
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A reading of the balance at Stripe, see schemas/stripe_balance.py."""

    currency: str
    number: int
    read_at: datetime
    available: int
    pending: int
    connect_reserved: int
    under_way: int
    allowed_until_now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of the sum: negative must be covered; counts: it is in what is free, or is the minimum."""

    name: str
    amount: int
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How the reserve stands. ceiling: what payouts may have let out in all; None: the balance is unknown.

    gate_sentence: why the gate stands so, by the balance that was read: it changes with readings only.
    """

    health: str
    gate: str
    free: int
    minimum: int
    ceiling: int | None
    blocks_transfers: bool
    terms: tuple[Term, ...]
    sentence: str
    valid_until: datetime | None
    gate_sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the reserve was judged last. read_at: when the balance was read, None: never."""

    health: str
    blocks_transfers: bool
    free: int
    minimum: int
    read_at: datetime | None


def judge(
    policy: Policy,
    balance: Balance | None,
    owed: Owed,
    payouts: int,
    *,
    gate: str,
    now: datetime,
    opened: int = 0,
    let_out: int = 0,
) -> Judgement:
    """Judge the reserve.

    gate: how it stood before; payouts: what went out in the days measured; opened: how much less must stay
    because people opened the gate, which makes the health no better; let_out: what payouts let out since the
    balance was read. The ceiling counts that already, so only the health goes by it.
    """
    minimums = _minimums(policy, owed, payouts)
    minimum = max(term.amount for term in minimums)
    largest = next(term for term in minimums if term.amount == minimum)
    terms = (
        *_of_balance(balance),
        *_of_transfers(let_out),
        *_of_owed(policy, owed),
        *_marked(minimums, largest),
        *_opened(opened),
    )
    if balance is None or balance.read_at + policy.stale_after <= now:
        return _unknown(policy, balance, minimum, terms, gate)
    free = balance.available - balance.under_way
    must_stay = max(minimum - opened, 0)
    stands = _gate(policy, balance, must_stay, gate)
    return Judgement(
        health=_health(policy, free - let_out, minimum),
        gate=stands,
        free=free - let_out,
        minimum=minimum,
        ceiling=balance.allowed_until_now + free - must_stay,
        blocks_transfers=stands == CLOSED,
        terms=terms,
        sentence=_sentence(balance.currency, free - let_out, minimum, largest, stands),
        gate_sentence=_sentence(balance.currency, free, minimum, largest, stands),
        valid_until=balance.read_at + policy.stale_after,
    )


def _minimums(policy: Policy, owed: Owed, payouts: int) -> tuple[Term, ...]:
    return (
        Term(name="minimum_amount", amount=policy.minimum),
        Term(
            name="minimum_payout_days",
            amount=_up(payouts * policy.minimum_payout_days, policy.payout_days_measured),
        ),
        Term(name="minimum_share", amount=_up(_counted(policy, owed) * policy.minimum_share_ppm, MILLION)),
    )


def _counted(policy: Policy, owed: Owed) -> int:
    """What is owed, as far as the policy counts it."""
    return (
        owed.payees
        + policy.count_student_deposits * (owed.students + owed.unallocated)
        + policy.count_tax * owed.tax
        + policy.count_aircraft_reserves * owed.aircraft_reserves
    )


def _up(amount: int, by: int) -> int:
    """The quotient, rounded up: what must stay is never too little."""
    return -(-amount // by)


def _marked(minimums: Sequence[Term], largest: Term) -> tuple[Term, ...]:
    return tuple(replace(term, amount=-term.amount, counts=term is largest) for term in minimums)


def _opened(amount: int) -> tuple[Term, ...]:
    return (Term(name="opened_by_people", amount=amount),) if amount else ()


def _of_balance(balance: Balance | None) -> tuple[Term, ...]:
    if balance is None:
        return ()
    return (
        Term(name="available", amount=balance.available),
        Term(name="under_way", amount=-balance.under_way),
        Term(name="pending", amount=balance.pending, counts=False),
        Term(name="connect_reserved", amount=balance.connect_reserved, counts=False),
    )


def _of_transfers(let_out: int) -> tuple[Term, ...]:
    return (Term(name="let_out_since", amount=-let_out),) if let_out else ()


def _of_owed(policy: Policy, owed: Owed) -> tuple[Term, ...]:
    """What is owed is beside the sum: a share of it may be the minimum."""
    return (
        Term(name="owed_to_payees", amount=-owed.payees, counts=False),
        Term(name="student_deposits", amount=-owed.students, counts=False),
        Term(name="unallocated", amount=-owed.unallocated, counts=False),
        Term(name="tax", amount=-owed.tax, counts=False),
        Term(name="aircraft_reserves", amount=-owed.aircraft_reserves, counts=False),
        Term(name="disputes", amount=-owed.disputes, counts=False),
    )


def _health(policy: Policy, free: int, minimum: int) -> str:
    if free < minimum:
        return CRITICAL
    return WARNING if free * 100 < minimum * policy.warning_percent else HEALTHY


def _gate(policy: Policy, balance: Balance, minimum: int, gate: str) -> str:
    """Open while the minimum is there; once closed, only when more is there, so that it does not flap.

    What is under way may have left before the balance was read, and is taken off twice then: that alone lets
    nothing more out, but closes no gate, which would stay closed when the money was there all the time.
    """
    if gate == CLOSED:
        free = balance.available - balance.under_way
        return OPEN if free >= minimum and free * 100 >= minimum * policy.reopen_percent else CLOSED
    return OPEN if balance.available >= minimum else CLOSED


def _unknown(
    policy: Policy, balance: Balance | None, minimum: int, terms: tuple[Term, ...], gate: str
) -> Judgement:
    since = "never" if balance is None else f"last at {balance.read_at:%Y-%m-%d %H:%M} UTC"
    goes = "nothing new is sent" if policy.when_stale == CLOSED else "transfers are sent all the same"
    return Judgement(
        health=UNKNOWN,
        gate=OPEN if gate == OFF else gate,
        free=0 if balance is None else balance.available - balance.under_way,
        minimum=minimum,
        ceiling=None,
        blocks_transfers=policy.when_stale == CLOSED,
        terms=terms,
        sentence=f"the balance at Stripe was read {since}, which is not believed any more: {goes}",
        valid_until=None,
    )


_BECAUSE: Final = {
    "minimum_amount": "the amount that the policy names",
    "minimum_payout_days": "the days of payouts that the policy names",
    "minimum_share": "the share of what is owed that the policy names",
}


def _sentence(currency: str, free: int, minimum: int, largest: Term, gate: str) -> str:
    closed = "; new transfers wait" if gate == CLOSED else ""
    return (
        f"{format_minor(free, currency)} {currency} are free at Stripe, {format_minor(minimum, currency)} "
        f"must stay: {_BECAUSE[largest.name]}{closed}"
    )

"""How each party's difference of a posted adjustment is settled: methods, states, who may change what. Pure.

The difference stands in the books once it is posted; a settlement says how the money follows. Amounts are
signed minor units as in the ledger: above zero the party is owed, below zero the party owes. The settlements
in force of a wallet always sum to the adjustment's difference of it, so no cent is settled by two of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from fleet.money import format_minor

PREFIX: Final = "settlement:"
PAYEE_KINDS: Final = frozenset({"instructor", "aircraft_owner"})
FORGIVEN_WALLET: Final = "platform:forgiven"
WRITTEN_OFF_WALLET: Final = "platform:written-off"
BANK_WALLET: Final = "external:bank"


class Method(StrEnum):
    BOOKS = "books"
    CREDIT = "credit"
    CHARGE = "charge"
    PAYOUT = "payout"
    REFUND = "refund"
    FUTURE_PAYOUT_OFFSET = "future_payout_offset"
    STRIPE_REVERSAL = "stripe_reversal"
    MANUAL_CHECK = "manual_check"
    FORGIVEN = "forgiven"
    WRITTEN_OFF = "written_off"


class SettlementState(StrEnum):
    WAITING = "waiting"  # for a transfer of payouts
    ASKED = "asked"  # payouts for a reversal or a refund, or the ledger for a journal
    SETTLED = "settled"
    FAILED = "failed"  # another one of the same amount took its place
    REPLACED = "replaced"  # a person chose another way


_M, _S = Method, SettlementState
OPEN: Final = frozenset({_S.WAITING, _S.ASKED})
IN_FORCE: Final = OPEN | {_S.SETTLED}
# from (None: it is new) -> what may follow. The database holds the same: settlement_step_is_in_the_table.
TRANSITIONS: Final[Mapping[SettlementState | None, frozenset[SettlementState]]] = {
    None: frozenset({_S.WAITING, _S.ASKED, _S.SETTLED}),
    _S.WAITING: frozenset({_S.SETTLED, _S.REPLACED}),
    _S.ASKED: frozenset({_S.SETTLED, _S.FAILED}),
    _S.SETTLED: frozenset({_S.REPLACED}),
    _S.FAILED: frozenset(),
    _S.REPLACED: frozenset(),
}
BY_JOURNAL: Final = frozenset({_M.MANUAL_CHECK, _M.FORGIVEN, _M.WRITTEN_OFF})
AT_STRIPE: Final = frozenset({_M.STRIPE_REVERSAL, _M.REFUND})
BY_TRANSFER: Final = frozenset({_M.PAYOUT, _M.FUTURE_PAYOUT_OFFSET})
# These cost somebody money that was theirs already: whoever made the correction may not decide on them.
FOUR_EYES: Final = frozenset({_M.STRIPE_REVERSAL, _M.FORGIVEN, _M.WRITTEN_OFF})
# What a person may choose -> what it takes the place of, in the order tried, and where that one stands then.
_INSTEAD_OF: Final[Mapping[Method, tuple[tuple[Method, SettlementState], ...]]] = {
    _M.MANUAL_CHECK: (
        (_M.FUTURE_PAYOUT_OFFSET, _S.WAITING),
        (_M.PAYOUT, _S.WAITING),
        (_M.CHARGE, _S.SETTLED),
        (_M.CREDIT, _S.SETTLED),
        (_M.WRITTEN_OFF, _S.SETTLED),
    ),
    _M.FORGIVEN: ((_M.FUTURE_PAYOUT_OFFSET, _S.WAITING), (_M.CHARGE, _S.SETTLED)),
    _M.WRITTEN_OFF: ((_M.FUTURE_PAYOUT_OFFSET, _S.WAITING), (_M.CHARGE, _S.SETTLED)),
    _M.STRIPE_REVERSAL: ((_M.FUTURE_PAYOUT_OFFSET, _S.WAITING),),
    _M.REFUND: ((_M.CREDIT, _S.SETTLED),),
}
CHOSEN: Final = frozenset(_INSTEAD_OF)
# By whether the party is owed the money.
WRONG_WAY: Final[Mapping[bool, str]] = {
    True: "the party is owed the money: the school pays it to them",
    False: "the party owes the money: it comes from them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheque:
    """Money that went past Stripe: a cheque's number, or a receipt's for cash, and its date."""

    number: str
    paid_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """One way in which one wallet's difference, or a part of it, is settled.

    number: of the wallet's settlements in this adjustment, from 1. instead_of: the method of those whose
    place it took. decided_by: the person who chose it, None when the policy did. proof: what shows that it is
    settled: a transfer's id, ids of reversals or refunds at Stripe, or the source of a journal.
    """

    id: UUID
    adjustment_id: UUID
    number: int
    wallet: str
    currency: str
    amount: int
    method: Method
    state: SettlementState
    instead_of: Method | None = None
    decided_by: str | None = None
    cheque: Cheque | None = None
    proof: str | None = None

    @property
    def source(self) -> str:
        """The source of its journal, when it is settled by one."""
        return f"settlement:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of an adjustment decides how it is settled.

    source: of its journal. approved_by: a person who approved it and did not make it, None when the policy
    let it pass.
    """

    adjustment_id: UUID
    source: str
    currency: str
    differences: Mapping[str, int]
    waterfall: Sequence[str]
    approved_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person wants instead. amount: of it, above zero; None: all of it. paid_to_party: the direction
    in which the person says the cheque went, None when they said none."""

    method: Method
    decided_by: str
    cheque: Cheque | None = None
    amount: int | None = None
    paid_to_party: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """Payouts' answer to a reversal or a refund: minor units, not negative; Stripe's ids; a sentence."""

    amount: int
    proof: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A settlement's next state; `amount` is what it settles from then on. proof: of what is settled."""

    settlement: Settlement
    to: SettlementState
    amount: int
    sentence: str
    proof: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Settlements that move on, and those that begin in their place."""

    steps: tuple[Step, ...] = ()
    begun: tuple[Settlement, ...] = ()


def settlement_id(adjustment_id: UUID, wallet: str, number: int) -> UUID:
    """What is decided again, after a restore, has the same id: the ledger and payouts do it once."""
    return uuid5(adjustment_id, f"{wallet}:{number}")


def is_payee(wallet: str) -> bool:
    return wallet.partition(":")[0] in PAYEE_KINDS


def is_student(wallet: str) -> bool:
    return wallet.partition(":")[0] == "student"


def begin(terms: Terms, transferred: Mapping[str, str]) -> list[Settlement]:
    """The first settlement of each wallet that has a difference.

    transferred: wallets for which a transfer already carried this adjustment, with the transfer's id.
    """
    return [
        _first(wallet, amount, terms, transferred.get(wallet))
        for wallet, amount in sorted(terms.differences.items())
        if amount
    ]


def _first(wallet: str, amount: int, terms: Terms, transfer: str | None) -> Settlement:
    method = _first_method(wallet, amount, terms)
    state, proof = start(method, transfer if is_payee(wallet) else terms.source)
    return Settlement(
        id=settlement_id(terms.adjustment_id, wallet, 1),
        adjustment_id=terms.adjustment_id,
        number=1,
        wallet=wallet,
        currency=terms.currency,
        amount=amount,
        method=method,
        state=state,
        decided_by=terms.approved_by if method in FOUR_EYES else None,
        proof=proof,
    )


def _first_method(wallet: str, amount: int, terms: Terms) -> Method:
    """How a wallet's difference is settled unless somebody decides otherwise.

    The waterfall claws nothing back that no person approved: then it goes on with its next way. Its last
    way is always the offset, because payouts deducts what a payee owes whatever we write here.
    """
    if is_student(wallet):
        return _M.CREDIT if amount > 0 else _M.CHARGE
    if not is_payee(wallet):
        return _M.BOOKS
    if amount > 0:
        return _M.PAYOUT
    may_reverse = next(iter(terms.waterfall), None) == _M.STRIPE_REVERSAL and terms.approved_by is not None
    return _M.STRIPE_REVERSAL if may_reverse else _M.FUTURE_PAYOUT_OFFSET


def start(method: Method, proof: str | None) -> tuple[SettlementState, str | None]:
    """Where a settlement of this method begins, with what proves already that it is settled."""
    if method in BY_JOURNAL | AT_STRIPE:
        return _S.ASKED, None
    return (_S.WAITING, None) if proof is None else (_S.SETTLED, proof)


def choose(rows: Sequence[Settlement], choice: Choice) -> Changes | str:
    """What follows when a person settles a wallet's difference in another way; or why they cannot.

    rows: every settlement of the wallet in this adjustment, at least one.
    """
    old = replaceable(rows, choice.method)
    if not old:
        return f"{choice.method} cannot take the place of what there is: {describe(rows)}"
    total = sum(row.amount for row in old)
    if problem := _problem(total, old[0].currency, choice):
        return problem
    part = abs(total) if choice.amount is None else choice.amount
    number = next_number(rows)
    chosen = replace(
        part_of(old[0], part if total > 0 else -part, number),
        method=choice.method,
        state=_S.ASKED,
        instead_of=old[0].method,
        decided_by=choice.decided_by,
        cheque=choice.cheque,
        proof=None,
    )
    rest = total - chosen.amount
    left = (replace(part_of(old[0], rest, number + 1), instead_of=old[0].method),) if rest else ()
    steps = tuple(
        Step(settlement=row, to=_S.REPLACED, amount=row.amount, sentence=f"{choice.method} takes its place")
        for row in old
    )
    return Changes(steps=steps, begun=(chosen, *left))


def applied(rows: Sequence[Settlement], changes: Changes) -> list[Settlement]:
    """The settlements as they are after these changes."""
    steps = {step.settlement.id: step for step in changes.steps}
    moved = [
        replace(row, state=step.to, amount=step.amount, proof=step.proof or row.proof)
        if (step := steps.get(row.id)) is not None
        else row
        for row in rows
    ]
    return [*moved, *changes.begun]


def together(decided: Sequence[Changes]) -> Changes:
    """What was decided one after the other, as one: what begins and moves on at once begins where it ends."""
    steps: list[Step] = []
    begun: dict[UUID, Settlement] = {}
    for one in decided:
        for step in one.steps:
            if (new := begun.get(step.settlement.id)) is None:
                steps.append(step)
            else:
                begun[new.id] = replace(new, state=step.to, amount=step.amount, proof=step.proof)
        begun |= {row.id: row for row in one.begun}
    return Changes(steps=tuple(steps), begun=tuple(begun.values()))


def part_of(old: Settlement, amount: int, number: int) -> Settlement:
    """Another settlement like an old one, of another amount."""
    identity = settlement_id(old.adjustment_id, old.wallet, number)
    return replace(old, id=identity, number=number, amount=amount)


def next_number(rows: Sequence[Settlement]) -> int:
    return max(row.number for row in rows) + 1


def replaceable(rows: Iterable[Settlement], method: Method) -> list[Settlement]:
    """Those of the first kind that there is: what is left of one difference is settled in one step."""
    found = [row for row in rows if row.state in IN_FORCE]
    for old, state in _INSTEAD_OF[method]:
        if same := [row for row in found if (row.method, row.state) == (old, state)]:
            return same
    return []


def _problem(total: int, currency: str, choice: Choice) -> str | None:
    if choice.method is _M.MANUAL_CHECK and choice.cheque is None:
        return "say the cheque's number, or the receipt's, and the date on which it was paid"
    if choice.method is not _M.MANUAL_CHECK and choice.cheque is not None:
        return f"{choice.method} has no cheque: leave number and date out"
    if choice.paid_to_party is not None and choice.paid_to_party is not (total > 0):
        return WRONG_WAY[total > 0]
    if choice.amount is not None and not 0 < choice.amount <= abs(total):
        most = format_minor(abs(total), currency)
        return f"the amount has to be above zero and at most what is left, {most} {currency}"
    return None


def journal_entries(settlement: Settlement) -> dict[str, int]:
    """What a settlement by journal puts on each wallet.

    The party's debt, or claim, ends, and a wallet of the school's bears it. What was written off has no debt
    left: when the money comes after all, the write-off is made good instead.
    """
    against = {
        _M.MANUAL_CHECK: BANK_WALLET,
        _M.FORGIVEN: FORGIVEN_WALLET,
        _M.WRITTEN_OFF: WRITTEN_OFF_WALLET,
    }[settlement.method]
    ended = WRITTEN_OFF_WALLET if settlement.instead_of is _M.WRITTEN_OFF else settlement.wallet
    return {ended: -settlement.amount, against: settlement.amount}


def describe(rows: Iterable[Settlement]) -> str:
    """What there is of one wallet, for a person: methods and states of what is in force."""
    found = [row for row in rows if row.state in IN_FORCE]
    if len(found) == 1:
        return f"{found[0].method} is {found[0].state}"
    parts = (f"{row.method} of {format_minor(abs(row.amount), row.currency)} is {row.state}" for row in found)
    return ", ".join(parts) or "nothing is in force"

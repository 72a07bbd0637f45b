"""How each party's difference of a posted adjustment is settled: methods, states, who may change what. Pure.

The difference stands in the books once it is posted; a settlement says how the money follows. Amounts are
signed minor units as in the ledger: above zero the party is owed, below zero the party owes. The settlements
in force of a wallet always sum to the adjustment's difference of it, so no cent is settled by two of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

PAYEE_KINDS: Final = frozenset({"instructor", "aircraft_owner"})
FORGIVEN_WALLET: Final = "platform:forgiven"
WRITTEN_OFF_WALLET: Final = "platform:written-off"
BANK_WALLET: Final = "external:bank"


class Method(StrEnum):
    BOOKS = "books"
    CREDIT = "credit"
    CHARGE = "charge"
    PAYOUT = "payout"
    FUTURE_PAYOUT_OFFSET = "future_payout_offset"
    STRIPE_REVERSAL = "stripe_reversal"
    MANUAL_CHECK = "manual_check"
    FORGIVEN = "forgiven"
    WRITTEN_OFF = "written_off"


class SettlementState(StrEnum):
    WAITING = "waiting"  # for a transfer of payouts
    ASKED = "asked"  # payouts for a reversal, or the ledger for a journal
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
    place it took. decided_by: the person who chose it, None when the policy did.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What of an adjustment decides how it is settled.

    approved_by: a person who approved it and did not make it, None when the policy let it pass.
    """

    adjustment_id: UUID
    currency: str
    differences: Mapping[str, int]
    waterfall: Sequence[Method]
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
class Step:
    """A settlement's next state; `amount` is what it settles from then on."""

    settlement: Settlement
    to: SettlementState
    amount: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Settlements that move on, and those that begin in their place."""

    steps: tuple[Step, ...] = ()
    begun: tuple[Settlement, ...] = ()


def settlement_id(adjustment_id: UUID, wallet: str, number: int) -> UUID:
    """What is decided again, after a restore, has the same id: the ledger and payouts do it once."""
    return uuid5(adjustment_id, f"settlement:{wallet}:{number}")


def is_payee(wallet: str) -> bool:
    return wallet.partition(":")[0] in PAYEE_KINDS


def is_student(wallet: str) -> bool:
    return wallet.partition(":")[0] == "student"


def begin(terms: Terms, transferred: Collection[str]) -> list[Settlement]:
    """The first settlement of each wallet that has a difference.

    transferred: wallets of which a transfer already carried this adjustment.
    """
    return [
        _begun(terms.adjustment_id, 1, wallet, terms.currency, amount, method, wallet in transferred, by=by)
        for wallet, amount in sorted(terms.differences.items())
        if amount
        for method, by in [_first(wallet, amount, terms)]
    ]


def _first(wallet: str, amount: int, terms: Terms) -> tuple[Method, str | None]:
    """How a wallet's difference is settled unless somebody decides otherwise, and who chose it.

    The waterfall claws nothing back that no person approved: then it goes on with its next way. Its last
    way is always the offset, because payouts deducts what a payee owes whatever we write here.
    """
    if is_student(wallet):
        return (_M.CREDIT if amount > 0 else _M.CHARGE), None
    if not is_payee(wallet):
        return _M.BOOKS, None
    if amount > 0:
        return _M.PAYOUT, None
    if next(iter(terms.waterfall), None) is _M.STRIPE_REVERSAL and terms.approved_by is not None:
        return _M.STRIPE_REVERSAL, terms.approved_by
    return _M.FUTURE_PAYOUT_OFFSET, None


def _begun(
    adjustment_id: UUID,
    number: int,
    wallet: str,
    currency: str,
    amount: int,
    method: Method,
    transferred: bool,
    *,
    by: str | None = None,
    instead_of: Method | None = None,
    cheque: Cheque | None = None,
) -> Settlement:
    return Settlement(
        id=settlement_id(adjustment_id, wallet, number),
        adjustment_id=adjustment_id,
        number=number,
        wallet=wallet,
        currency=currency,
        amount=amount,
        method=method,
        state=_first_state(method, transferred),
        instead_of=instead_of,
        decided_by=by,
        cheque=cheque,
    )


def _first_state(method: Method, transferred: bool) -> SettlementState:
    if method in BY_JOURNAL or method is _M.STRIPE_REVERSAL:
        return _S.ASKED
    return _S.WAITING if method in BY_TRANSFER and not transferred else _S.SETTLED


def after_reversal(
    asked: Settlement, rows: Sequence[Settlement], came_back: int, said: str, transferred: bool
) -> Changes:
    """What follows from payouts' answer: what came back is settled, the rest becomes an offset by itself.

    rows: every settlement of the wallet in this adjustment. came_back: minor units, not negative.
    """
    owed = -asked.amount
    back = min(came_back, owed)
    if back == owed:
        return Changes(steps=(Step(settlement=asked, to=_S.SETTLED, amount=asked.amount, sentence=said),))
    rest = _begun(
        asked.adjustment_id,
        _next_number(rows),
        asked.wallet,
        asked.currency,
        back - owed,
        _M.FUTURE_PAYOUT_OFFSET,
        transferred,
        instead_of=_M.STRIPE_REVERSAL,
    )
    settled = Step(settlement=asked, to=_S.SETTLED, amount=-back, sentence=said)
    failed = Step(settlement=asked, to=_S.FAILED, amount=asked.amount, sentence=said)
    return Changes(steps=(settled if back else failed,), begun=(rest,))


def after_refused_journal(
    asked: Settlement, rows: Sequence[Settlement], said: str, transferred: bool
) -> Changes:
    """The ledger refused a settlement's journal: what it took the place of is in force again.

    rows: every settlement of the wallet in this adjustment.
    """
    old = max(
        (row for row in rows if row.method is asked.instead_of and row.state is _S.REPLACED),
        key=lambda row: row.number,
    )
    state = _first_state(old.method, transferred) if old.method in BY_TRANSFER else _S.SETTLED
    again = replace(_part(old, asked.amount, _next_number(rows)), instead_of=asked.method, state=state)
    step = Step(settlement=asked, to=_S.FAILED, amount=asked.amount, sentence=said)
    return Changes(steps=(step,), begun=(again,))


def choose(rows: Sequence[Settlement], choice: Choice) -> Changes | str:
    """What follows when a person settles a wallet's difference in another way; or why they cannot.

    rows: every settlement of the wallet in this adjustment, at least one.
    """
    old = _replaceable(rows, choice.method)
    if not old:
        return f"{choice.method} cannot take the place of what there is: {describe(rows)}"
    total = sum(row.amount for row in old)
    if problem := _problem(total, choice):
        return problem
    part = abs(total) if choice.amount is None else choice.amount
    number = _next_number(rows)
    chosen = _begun(
        old[0].adjustment_id,
        number,
        old[0].wallet,
        old[0].currency,
        part if total > 0 else -part,
        choice.method,
        False,
        by=choice.decided_by,
        instead_of=old[0].method,
        cheque=choice.cheque,
    )
    rest = total - chosen.amount
    left = (replace(_part(old[0], rest, number + 1), instead_of=old[0].method),) if rest else ()
    steps = tuple(
        Step(settlement=row, to=_S.REPLACED, amount=row.amount, sentence=f"{choice.method} takes its place")
        for row in old
    )
    return Changes(steps=steps, begun=(chosen, *left))


def _part(old: Settlement, amount: int, number: int) -> Settlement:
    """Another settlement like an old one, of another amount."""
    identity = settlement_id(old.adjustment_id, old.wallet, number)
    return replace(old, id=identity, number=number, amount=amount)


def _next_number(rows: Sequence[Settlement]) -> int:
    return max(row.number for row in rows) + 1


def _replaceable(rows: Iterable[Settlement], method: Method) -> list[Settlement]:
    """Those of the first kind that there is: what is left of one difference is settled in one step."""
    found = [row for row in rows if row.state in IN_FORCE]
    for old, state in _INSTEAD_OF[method]:
        if same := [row for row in found if (row.method, row.state) == (old, state)]:
            return same
    return []


def _problem(total: int, choice: Choice) -> str | None:
    if choice.method is _M.MANUAL_CHECK and choice.cheque is None:
        return "say the cheque's number, or the receipt's, and the date on which it was paid"
    if choice.method is not _M.MANUAL_CHECK and choice.cheque is not None:
        return f"{choice.method} has no cheque: leave number and date out"
    if choice.paid_to_party is not None and choice.paid_to_party is not (total > 0):
        return WRONG_WAY[total > 0]
    if choice.amount is not None and not 0 < choice.amount <= abs(total):
        return f"the amount has to be above zero and at most what is left, {abs(total)} minor units"
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
    parts = [f"{row.method} is {row.state}" for row in rows if row.state in IN_FORCE]
    return ", ".join(parts) or "nothing is in force"

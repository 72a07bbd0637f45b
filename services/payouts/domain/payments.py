"""Who is paid what, and when: payables become transfers. Pure.

`now` is handed in; a transfer's id follows from its payee and what it pays. Amounts are minor units;
positive is what the school owes the payee.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from fleet.cause import Cause
from fleet.stripe_amounts import least_sendable, sendable
from services.payouts.domain.offsets import WHOLE, Part, Rest, Share, Touch, deduct
from services.payouts.domain.orders import transfer_id
from services.payouts.domain.payees import Payee, hold_sentence, payee_hold
from services.payouts.domain.transfers import HoldReason

PAYABLE_EVENT_TYPES = frozenset({"flight", "adjustment", "settlement", "opening"})
REVERT_EVENT_TYPE = "revert"
CARRIED = "carried"  # not a journal's: what the transfer before could not send, by Stripe's currency rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Payable:
    """One journal's amount for one payee. A negative one is deducted from what is paid next.

    capped_as: the source of the correction's journal that it is, or stands for; None: of no correction.
    """

    id: int
    wallet: str
    currency: str
    amount: int
    source: str
    accrued_at: datetime
    stripe_account: str | None
    trace: Cause
    carried: bool = False
    capped_as: str | None = None

    @property
    def is_capped(self) -> bool:
        """Whether it is a debt of a correction, of which the policy takes a share of each payment only."""
        return self.amount < 0 and self.capped_as is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldTransfer:
    """A held transfer that may be due, with the payables in it and the accounts they were earned for.

    ordered: it has an operation that will be sent without another decision, unless this one withholds it.
    Such a transfer is only looked at when its payee owes something. deducted: what was taken off it already
    for debts of corrections.
    """

    id: UUID
    wallet: str
    currency: str
    amount: int
    cause: str
    reason: str
    due_at: datetime | None
    waived: bool
    payables: tuple[int, ...]
    sources: tuple[str, ...]
    accounts: frozenset[str]
    trace: Cause
    ordered: bool = False
    sentence: str | None = None
    deducted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """A transfer to insert. `hold` None: an operation is written with it; else `sentence` says why not.

    `amount` is what Stripe can send; `carried` of its payables goes to the payee's next transfer: the new one
    `carried_to`, else the one that comes next. `rest`: of a debt of which it takes a part.
    """

    id: UUID
    wallet: str
    currency: str
    amount: int
    cause: str
    payables: tuple[int, ...]
    sources: tuple[str, ...]
    trace: Cause
    hold: HoldReason | None = None
    sentence: str | None = None
    due_at: datetime | None = None
    carried: int = 0
    carried_to: UUID | None = None
    rest: Rest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayeeMoney:
    """Everything of one payee that may be paid now."""

    payee: Payee
    payables: tuple[Payable, ...] = ()
    waiting: tuple[HeldTransfer, ...] = ()
    share: Share = WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Payments:
    """What to write: new transfers, held ones to send, held ones with another reason, held ones merged."""

    new: tuple[NewTransfer, ...] = ()
    released: tuple[HeldTransfer, ...] = ()
    held: tuple[tuple[HeldTransfer, HoldReason], ...] = ()
    dissolved: tuple[tuple[HeldTransfer, UUID], ...] = ()

    def __add__(self, other: "Payments") -> "Payments":
        return Payments(
            new=self.new + other.new,
            released=self.released + other.released,
            held=self.held + other.held,
            dissolved=self.dissolved + other.dissolved,
        )


def decide_payments(accounts: Iterable[PayeeMoney], now: datetime, *, period: str | None = None) -> Payments:
    """Decide what each payee is paid now.

    `period` names the day or week that closes ("daily:2026-05-22"): then all open payables become one
    transfer. Without it payees on a schedule wait, and others get one transfer per flight.
    """
    total = Payments()
    for account in accounts:
        for currency in _currencies(account):
            payments = _Decision(_only(account, currency), now, period, currency).payments()
            total += replace(payments, new=_carried_on(payments.new))
    return total


def _carried_on(transfers: Sequence[NewTransfer]) -> tuple[NewTransfer, ...]:
    """Leave out of each transfer what Stripe cannot send in its currency, and add that to the next one."""
    carried_in, carried_on = 0, list[NewTransfer]()
    for place, transfer in enumerate(transfers):
        whole = transfer.amount + carried_in
        carried_in = whole - sendable(whole, transfer.currency)
        to = transfers[place + 1].id if carried_in and place + 1 < len(transfers) else None
        carried_on.append(replace(transfer, amount=whole - carried_in, carried=carried_in, carried_to=to))
    return tuple(carried_on)


def _currencies(account: PayeeMoney) -> list[str]:
    return sorted({p.currency for p in account.payables} | {w.currency for w in account.waiting})


def _only(account: PayeeMoney, currency: str) -> PayeeMoney:
    return replace(
        account,
        payables=tuple(p for p in account.payables if p.currency == currency),
        waiting=tuple(w for w in account.waiting if w.currency == currency),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Open payables that would be one transfer."""

    cause: str
    payables: tuple[Payable, ...]
    due_at: datetime
    amount: int = field(default=0)

    @property
    def accounts(self) -> frozenset[str]:
        return frozenset(p.stripe_account for p in self.payables if p.stripe_account)


@dataclass(frozen=True, slots=True)
class _Decision:
    account: PayeeMoney
    now: datetime
    period: str | None
    currency: str

    def payments(self) -> Payments:
        payee = self.account.payee
        blocked = payee_hold(payee)
        groups = self._groups()
        if blocked is not None:
            new = tuple(self._transfer(g, blocked) for g in groups)
            return Payments(new=new, held=self._relabelled(blocked))
        early = tuple(self._transfer(g, hold) for g in groups if (hold := self._own_hold(g)))
        fresh = [g for g in groups if not self._own_hold(g)]
        changed = tuple((w, HoldReason.ACCOUNT_CHANGED) for w in self.account.waiting if self._changed(w))
        due = [w for w in self.account.waiting if not self._changed(w) and self._is_due(w)]
        still = tuple((w, HoldReason.HOLD_PERIOD) for w in self.account.waiting if not self._is_due(w))
        relabelled = tuple((w, hold) for w, hold in changed + still if w.reason != hold)
        return Payments(new=early, held=relabelled) + self._set_off(due, fresh)

    # Open payables are grouped; each group would be one transfer.

    def _groups(self) -> list[_Group]:
        payee, credits = self.account.payee, [p for p in self.account.payables if p.amount > 0]
        if self.period is not None:
            return self._enough([p for p in credits if self._free_at(p) <= self.now], self.period)
        if payee.schedule != "per_flight" and payee.configured:
            return []
        single = [p for p in credits if p.amount >= self._least()]
        small = [p for p in credits if p.amount < self._least()]
        if not single:
            return self._enough(small, small[0].source) if small else []
        carried = [p for p in small if p.carried]
        small = [p for p in small if not p.carried]
        return [
            self._group([single[0], *carried], single[0].source),
            *(self._group([p], p.source) for p in single[1:]),
            *(self._enough(small, small[0].source) if small else []),
        ]

    def _enough(self, payables: Sequence[Payable], cause: str) -> list[_Group]:
        enough = sum(p.amount for p in payables) >= self._least()
        return [self._group(payables, cause)] if enough else []

    def _least(self) -> int:
        """The least that is worth a transfer: the payee's minimum, and what Stripe can send at all."""
        return max(self.account.payee.minimum_amount, least_sendable(self.currency))

    def _group(self, payables: Sequence[Payable], cause: str) -> _Group:
        return _Group(
            cause=cause,
            payables=tuple(payables),
            due_at=max(self._free_at(p) for p in payables),
            amount=sum(p.amount for p in payables),
        )

    def _free_at(self, payable: Payable) -> datetime:
        return payable.accrued_at + self.account.payee.hold

    # Reasons to hold one transfer although its payee can be paid.

    def _own_hold(self, group: _Group) -> HoldReason | None:
        if group.accounts - {self.account.payee.stripe_account}:
            return HoldReason.ACCOUNT_CHANGED
        return HoldReason.HOLD_PERIOD if group.due_at > self.now else None

    def _changed(self, waiting: HeldTransfer) -> bool:
        return not (waiting.waived or waiting.ordered) and bool(
            waiting.accounts - {self.account.payee.stripe_account}
        )

    def _is_due(self, waiting: HeldTransfer) -> bool:
        return waiting.waived or waiting.ordered or waiting.due_at is None or waiting.due_at <= self.now

    def _relabelled(self, hold: HoldReason) -> tuple[tuple[HeldTransfer, HoldReason], ...]:
        sentence = hold_sentence(self.account.payee, hold)
        return tuple((w, hold) for w in self.account.waiting if (w.reason, w.sentence) != (hold, sentence))

    # What the payee owes is deducted from the oldest money first.

    def _set_off(self, due: Sequence[HeldTransfer], fresh: Sequence[_Group]) -> Payments:
        debits = tuple(p for p in self.account.payables if p.amount < 0)
        if not self.account.share.is_whole and (capped := [p for p in debits if p.is_capped]):
            if len(capped) == len(debits):
                return self._take_share(due, fresh, sorted(capped, key=lambda p: (p.accrued_at, p.id)))
            debits = tuple(p for p in debits if not p.is_capped)  # the others' turn comes with what is next
        debt = -sum(p.amount for p in debits)
        if not debits:
            return Payments(released=tuple(due), new=tuple(self._transfer(g, None) for g in fresh))
        least = self._least()
        taken, gathered = 0, 0
        queue: list[HeldTransfer | _Group] = [*sorted(due, key=lambda w: w.payables), *fresh]
        while taken < len(queue) and gathered - debt < least:
            gathered += queue[taken].amount
            taken += 1
        if gathered - debt < least:
            return Payments(held=tuple((w, HoldReason.OFFSET) for w in due if w.reason != HoldReason.OFFSET))
        merged = self._merged(queue[:taken], debits, gathered - debt)
        rest = queue[taken:]
        return Payments(
            new=(merged, *(self._transfer(g, None) for g in rest if isinstance(g, _Group))),
            released=tuple(w for w in rest if isinstance(w, HeldTransfer) and not w.ordered),
            dissolved=tuple((w, merged.id) for w in queue[:taken] if isinstance(w, HeldTransfer)),
        )

    def _take_share(
        self, due: Sequence[HeldTransfer], fresh: Sequence[_Group], debts: Sequence[Payable]
    ) -> Payments:
        """Take at most the policy's share off each payment, the oldest debt first."""
        queue: list[HeldTransfer | _Group] = [*sorted(due, key=lambda w: w.payables), *fresh]
        parts = [Part(amount=p.amount, deducted=_deducted(p)) for p in queue]
        touched = deduct(parts, [-d.amount for d in debts], self.account.share, self._least())
        done, after = Payments(), None
        for part, touches in reversed(list(zip(queue, touched, strict=True))):
            if touches:
                less = self._less(part, touches, debts, after)
                after = less.id
                merged = ((part, less.id),) if isinstance(part, HeldTransfer) else ()
                done = Payments(new=(less,), dissolved=merged) + done
            elif isinstance(part, _Group):
                done = Payments(new=(self._transfer(part, None),)) + done
            elif not part.ordered:
                done = Payments(released=(part,)) + done
        return done

    def _less(
        self,
        part: HeldTransfer | _Group,
        touches: Sequence[Touch],
        debts: Sequence[Payable],
        after: UUID | None,
    ) -> NewTransfer:
        """A payment less what is taken off it. after: the next payment that something is taken off."""
        taken, first, last = [debts[touch.debt] for touch in touches], touches[0], touches[-1]
        amount = part.amount - sum(touch.amount for touch in touches)
        goes_on = first.amount + first.rest < -taken[0].amount  # it is the rest of the payment before
        debt, whole = taken[-1], self._merged([part], taken[goes_on:], amount, named=taken)
        rest = Rest(source=str(debt.capped_as), amount=last.rest, accrued_at=debt.accrued_at, to=after)
        return replace(whole, rest=rest) if last.rest else whole

    def _merged(
        self,
        parts: Sequence[HeldTransfer | _Group],
        debits: Sequence[Payable],
        amount: int,
        named: Sequence[Payable] | None = None,
    ) -> NewTransfer:
        """named: the debts that tell it from another transfer of the same money; the debits unless told."""
        payables = [p for part in parts for p in _payable_ids(part)] + [p.id for p in debits]
        sources = (*(s for part in parts for s in _sources(part)), *_sources_of(debits))
        wallet, currency, cause = self.account.payee.wallet, self.currency, parts[0].cause
        unnamed = [p.source for p in (debits if named is None else named) if p.source not in sources]
        return NewTransfer(
            id=transfer_id(wallet, currency, cause, (*sources, *unnamed)),
            wallet=wallet,
            currency=currency,
            amount=amount,
            cause=cause,
            payables=tuple(payables),
            sources=sources,
            trace=_trace(parts[0]),
        )

    def _transfer(self, group: _Group, hold: HoldReason | None) -> NewTransfer:
        wallet, currency, sources = self.account.payee.wallet, group.payables[0].currency, _sources(group)
        return NewTransfer(
            id=transfer_id(wallet, currency, group.cause, sources),
            wallet=wallet,
            currency=currency,
            amount=group.amount,
            cause=group.cause,
            payables=tuple(p.id for p in group.payables),
            sources=sources,
            trace=_trace(group),
            hold=hold,
            sentence=None if hold is None else hold_sentence(self.account.payee, hold),
            due_at=group.due_at if group.due_at > self.now else None,
        )


def _deducted(part: HeldTransfer | _Group) -> int:
    return part.deducted if isinstance(part, HeldTransfer) else 0


def _payable_ids(part: HeldTransfer | _Group) -> tuple[int, ...]:
    return part.payables if isinstance(part, HeldTransfer) else tuple(p.id for p in part.payables)


def _sources(part: HeldTransfer | _Group) -> tuple[str, ...]:
    return part.sources if isinstance(part, HeldTransfer) else _sources_of(part.payables)


def _sources_of(payables: Sequence[Payable]) -> tuple[str, ...]:
    """Of journals: what was carried from one transfer to the next is not read again after a restore."""
    return tuple(p.source for p in payables if not p.carried)


def _trace(part: HeldTransfer | _Group) -> Cause:
    return part.trace if isinstance(part, HeldTransfer) else part.payables[0].trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Accrual:
    """A journal's amount for one payee, before it is kept as a payable.

    reverts: the id of the journal that it reverts. What a payable owes, a revert of its journal takes back.
    """

    journal_id: UUID
    wallet: str
    currency: str
    amount: int
    source: str
    event_type: str
    occurred_at: datetime
    trace: Cause
    reverts: UUID | None = None

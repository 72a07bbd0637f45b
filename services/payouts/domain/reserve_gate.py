"""Which transfers may be sent while the school keeps a reserve. Pure; amounts are minor units.

Reserves says a ceiling: how much may have been let out in all, ever. Payouts counts what it lets out under
the lock of one row, so that no two relays let out the same money (decision 0240).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from fleet.money import format_minor

CLOSED, OPEN, OFF = "closed", "open", "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservePolicy:
    """A dated policy of the school's book; minutes None: the card is withdrawn."""

    effective_from: date
    version: int
    stale_after_minutes: int | None
    when_stale: str | None

    @property
    def stale_after(self) -> timedelta:
        return timedelta(minutes=self.stale_after_minutes or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardGate:
    """A gate as reserves published it; see schemas/reserves.py."""

    currency: str
    number: int
    state: str
    ceiling: int
    balance_number: int
    exempt_below: int
    exempt_wallets: tuple[str, ...]
    sentence: str
    valid_until: datetime
    when_over: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The last gate, and what was let out in all. watched: the book has a reserve today."""

    currency: str
    watched: bool
    allowed_total: int
    state: str
    ceiling: int
    exempt_below: int
    exempt_wallets: frozenset[str]
    sentence: str
    valid_until: datetime
    when_over: str

    def is_stale(self, now: datetime) -> bool:
        return now >= self.valid_until

    def lets_all_out(self, now: datetime) -> bool:
        """Whether nothing is held: no reserve, or a stale picture that the policy takes for good."""
        if not self.watched or self.state == OFF:
            return not self.watched or not self.is_stale(now) or self.when_over == OPEN
        return self.is_stale(now) and self.when_over == OPEN

    def lets_nothing_out(self, now: datetime) -> bool:
        """Whether only what is exempt goes."""
        return not self.lets_all_out(now) and (self.state == CLOSED or self.is_stale(now))

    def exempts(self, wallet: str, amount: int) -> bool:
        return amount < self.exempt_below or wallet.partition(":")[0] in self.exempt_wallets


@dataclass(frozen=True, slots=True, kw_only=True)
class GateNews:
    """What a look at a gate shows. due: transfers wait to be let out; held: some are held for the reserve."""

    currency: str
    number: int
    is_stale: bool
    watched: bool
    due: bool
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunReading:
    """A reading of the balance that begins: what was let out in all, and what of it is under way."""

    number: int
    currency: str
    allowed_total: int
    under_way: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTransfer:
    """A transfer that was not let out yet. held: it is held for the reserve already."""

    operation_id: UUID
    transfer_id: UUID
    wallet: str
    amount: int
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LetOut:
    """What is let out, and what is held from now on; `sentence` says why."""

    out: tuple[WaitingTransfer, ...]
    held: tuple[WaitingTransfer, ...]
    sentence: str

    @property
    def amount(self) -> int:
        return sum(one.amount for one in self.out)


def decide_let_out(gate: Gate, waiting: Sequence[WaitingTransfer], now: datetime) -> LetOut:
    """Let out the oldest first, as many as fit; behind the first that does not fit only exempt ones go."""
    out: list[WaitingTransfer] = []
    held: list[WaitingTransfer] = []
    total, every, shut = gate.allowed_total, gate.lets_all_out(now), gate.lets_nothing_out(now)
    sentence = _why_shut(gate, now) if shut else ""
    for transfer in waiting:
        fits = not shut and total + transfer.amount <= gate.ceiling
        if every or fits or gate.exempts(transfer.wallet, transfer.amount):
            out.append(transfer)
            total += transfer.amount
            continue
        if not shut:
            shut, sentence = True, _does_not_fit(gate, transfer.amount, total)
        held.append(transfer)
    return LetOut(out=tuple(out), held=tuple(one for one in held if not one.held), sentence=sentence)


def _why_shut(gate: Gate, now: datetime) -> str:
    if gate.is_stale(now):
        return (
            "the school keeps a reserve at Stripe, and what Stripe holds was last judged too long ago: "
            f"nothing new is sent since {gate.valid_until:%Y-%m-%d %H:%M} UTC; it is sent by itself once "
            "the balance is known again"
        )
    return f"the school's reserve at Stripe is short ({gate.sentence}); it is sent by itself once it is not"


def _does_not_fit(gate: Gate, amount: int, total: int) -> str:
    room = format_minor(max(gate.ceiling - total, 0), gate.currency)
    return (
        f"the school keeps a reserve at Stripe: {room} {gate.currency} more may be sent, and the oldest "
        f"transfer that waits is of {format_minor(amount, gate.currency)}; it is sent by itself once there "
        "is more"
    )

"""Rows of the platform's Stripe balance, and what each means for the books. Pure.

A row is either one that the books have or will have by themselves (`expected`: the sources of the journals
that move Stripe's cash by the row's net), or one whose meaning is certain and that nothing else tells of
(`booking`: the journal to ask for, then expected too), or neither: `sentence` says why nobody can book it.

Types: `stripe.BalanceTransaction.type` of the library (API 2026-10-28), and `network_cost`, which accounts
priced by the network's cost show. docs.stripe.com/reports/balance-transaction-types, /reporting-categories.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

EXTERNAL_STRIPE: Final = "external:stripe"
EXTERNAL_BANK: Final = "external:bank"
SCHOOL: Final = "platform:school"
PAYMENTS: Final = "payments"

MovementEventType = Literal["stripe_account_fee", "stripe_payout", "stripe_topup"]

FAILED_DEBIT: Final = "payment_failure_refund"
FEES: Final = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"})
# type -> the sign that its amount must have
BANK: Final[Mapping[str, tuple[MovementEventType, int]]] = {
    "payout": ("stripe_payout", -1),
    "payout_cancel": ("stripe_payout", 1),
    "payout_failure": ("stripe_payout", 1),
    "topup": ("stripe_topup", 1),
    "topup_reversal": ("stripe_topup", -1),
}
DESCRIBED_BY_STRIPE: Final = FEES | BANK.keys() | {"adjustment"}
PREFIXES: Final = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund-failed",
    FAILED_DEBIT: "payment-failed",
    "transfer_refund": "reversal",
}
ADJUSTMENTS: Final = {
    "dispute": "dispute",
    "dispute_reversal": "dispute-won",
    "refund_failure": "refund-failed",
}
SENTENCES: Final = {
    "adjustment": "an adjustment by Stripe that names no dispute and no refund",
    "advance": "an advance of money by Stripe",
    "application_fee": "a fee that the platform took from a connected account's payment; Hobbs asks for none",
    "connect_collection_transfer": "Stripe took a connected account's negative balance from the platform's",
    "contribution": "a contribution to Stripe Climate",
    "payment_network_reserve_hold": "a reserve that a payment network holds back",
    "payment_network_reserve_release": "a reserve that a payment network gave back",
    "payout_minimum_balance_hold": "money kept back as the minimum balance of payouts",
    "payout_minimum_balance_release": "money released from the minimum balance of payouts",
    "reserve_hold": "a reserve that Stripe holds back",
    "reserve_release": "a reserve that Stripe gave back",
    "reserve_transaction": "a reserve for the negative balances of connected accounts",
    "reserved_funds": "money that Stripe holds back",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A balance transaction of the platform's, in minor units: amount less fee is net; + comes in."""

    transaction_id: str
    type: str
    category: str | None
    balance_type: str
    amount: int
    fee: int
    net: int
    currency: str
    source_id: str | None
    description: str | None
    made_at: datetime
    available_at: datetime

    @property
    def content(self) -> str:
        """All that Stripe may show differently later, and books or dates would have to follow."""
        parts = (
            self.type,
            self.category or "",
            self.balance_type,
            self.amount,
            self.fee,
            self.net,
            self.currency,
            self.source_id or "",
            self.available_at.isoformat(),
        )
        return "|".join(str(part) for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMovement:
    """A row in one of the versions that Stripe showed, as others hear of it."""

    movement: Movement
    version: int
    expected: tuple[str, ...]
    standing: Literal["before", "waiting", "explained", "unexplained"]
    sentence: str | None
    noted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """What Stripe held of a currency before the oldest row that was listed, told as a row of its own."""

    currency: str
    version: int
    amount: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """The journal that a row needs: wallets and amounts that add up to zero."""

    event_type: MovementEventType
    entries: tuple[tuple[str, int], ...]
    memo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row and what it means. A transfer's journal is named by our own transfer, not in `expected`."""

    movement: Movement
    expected: tuple[str, ...] = ()
    booking: Booking | None = None
    sentence: str | None = None

    @property
    def standing(self) -> Literal["explained", "waiting", "unexplained"]:
        """Where the row stands when it is first read; one that moves nothing needs no journal."""
        if self.sentence is not None:
            return "unexplained"
        return "waiting" if self.movement.amount or self.movement.fee else "explained"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementListing:
    """A listing under way: rows made since `listed_until`, newest first, after row `page_after`.

    No row made before `opened_after` is listed: it is in the opening. Both are Stripe's time, which may not
    be ours; `begun_at` is ours.
    """

    opened_after: datetime
    listed_until: datetime
    begun_at: datetime
    page_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashJournal:
    """A posted journal that moves Stripe's cash in the books; amount: its sum on `external:stripe`.

    at_stripe: a service asked for it because of what happened at Stripe, so that a row must be there.
    """

    source: str
    currency: str
    event_type: str
    amount: int
    at_stripe: bool
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueMovement:
    """A row for which the books have no journals, or (`booked`: their sum at Stripe) others than it needs."""

    type: str
    expected: Sequence[str]
    source_id: str | None
    booked: int | None

    @property
    def lost_payment(self) -> str | None:
        """The charge that the row is of, when the books know nothing of the payment."""
        is_payment = self.booked is None and PREFIXES.get(self.type) in ("charge", "payment-failed")
        return self.source_id if is_payment else None


def decide_movement(movement: Movement) -> Judged:
    """What a row means. What is not certain is unexplained; nothing is guessed."""
    if movement.balance_type != PAYMENTS:
        why = f"it is of Stripe's balance {movement.balance_type}, which the books do not have"
        return Judged(movement=movement, sentence=why)
    if not movement.amount and not movement.fee:
        return Judged(movement=movement)
    if booking := _booking(movement):
        others = _expected(movement) if movement.type == FAILED_DEBIT else ()
        return Judged(movement=movement, expected=(*others, source_of(movement)), booking=booking)
    if movement.type == "transfer" and movement.net < 0 and movement.source_id:
        return Judged(movement=movement)
    if expected := _expected(movement):
        return Judged(movement=movement, expected=expected)
    known = SENTENCES.get(movement.type, f"a row of type {movement.type}, which Hobbs does not know")
    return Judged(movement=movement, sentence=f"{known}; no webhook tells what it is for")


def source_of(movement: Movement) -> str:
    return f"stripe:{movement.transaction_id}"


def _booking(movement: Movement) -> Booking | None:
    """The journal of a row that is certain by its type, its sign and its parts."""
    amount, fee, net = movement.amount, movement.fee, movement.net
    what = movement.description or f"Stripe's {movement.type}"
    entries: tuple[tuple[str, int], ...]
    if movement.type == FAILED_DEBIT and fee and movement.source_id:
        # The money itself is receivables' to post; no webhook tells what of the fee comes back.
        entries = ((SCHOOL, -fee), (EXTERNAL_STRIPE, fee))
        return Booking(event_type="stripe_account_fee", entries=entries, memo=_memo(what, movement))
    is_fee = movement.type in FEES or (
        (movement.type, movement.category, movement.source_id) == ("adjustment", "fee", None)
    )
    if is_fee and net:
        entries = ((SCHOOL, net), (EXTERNAL_STRIPE, -net))
        return Booking(event_type="stripe_account_fee", entries=entries, memo=_memo(what, movement))
    if movement.type in BANK:
        event_type, sign = BANK[movement.type]
        if amount * sign > 0 and net:
            parts = [(EXTERNAL_BANK, amount), (SCHOOL, -fee), (EXTERNAL_STRIPE, -net)]
            entries = tuple((wallet, moved) for wallet, moved in parts if moved)
            return Booking(event_type=event_type, entries=entries, memo=_memo(what, movement))
    return None


def _memo(what: str, movement: Movement) -> str:
    return f"{what} ({movement.type} {movement.source_id or movement.transaction_id})"


def _expected(movement: Movement) -> tuple[str, ...]:
    """The journals that other rows of ours and receivables post for what the row's source says."""
    named, transaction = movement.source_id, movement.transaction_id
    if named is None:
        return ()
    if movement.type in ("charge", "payment"):
        return (f"charge:{named}", f"charge-fee:{transaction}")
    if prefix := PREFIXES.get(movement.type):
        return (f"{prefix}:{named}",)
    if movement.type == "adjustment" and (prefix := ADJUSTMENTS.get(movement.category or "")):
        return (f"{prefix}:{named}", f"dispute-fee:{transaction}")
    return ()


def overdue_sentence(overdue: OverdueMovement) -> str:
    """Why a row that the books should have is shown to a person."""
    if overdue.booked is not None:
        return f"the journals {' and '.join(overdue.expected)} move another amount at Stripe than this row"
    if overdue.type == "transfer":
        return f"no transfer of Hobbs is {overdue.source_id}"
    return f"the books have no journal {overdue.expected[0] if overdue.expected else overdue.source_id}"

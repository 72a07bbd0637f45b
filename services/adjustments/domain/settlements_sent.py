"""What payouts and the ledger tell of settlements. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.adjustments.domain.settlements import CameBack


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A transfer that paid an adjustment to a payee, or took it off. source: of the adjustment's journal."""

    source: str
    wallet: str
    transfer_id: UUID
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCarried(Carried):
    """A transfer that took so much of a debt off. amount: minor units, above zero."""

    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A transfer of which money can be taken back until then. sources: of the journals that it paid."""

    transfer_id: UUID
    wallet: str
    currency: str
    amount: int
    sources: tuple[str, ...]
    clawback_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The ledger posted a settlement's journal. entries: wallet -> minor units."""

    settlement_id: UUID
    entries: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The ledger did not post a settlement's journal; the sentence says why."""

    settlement_id: UUID
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedRefund:
    """A refund at Stripe that a bank sent back. source: of the journal by which the ledger gave it back."""

    refund: str
    amount: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """Payouts' answer to a settlement by refund. asked: minor units. refunds: their ids at Stripe."""

    settlement_id: UUID
    asked: int
    came_back: CameBack
    refunds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """Payouts' answer to a settlement by reversal. asked: minor units, above zero."""

    settlement_id: UUID
    asked: int
    came_back: CameBack

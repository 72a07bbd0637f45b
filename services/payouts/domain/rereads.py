"""Stripe's objects that are read again, because a webhook only says that they changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fleet.cause import Cause


class RereadKind(StrEnum):
    ACCOUNT = "account"
    CHARGE_FEE = "charge_fee"
    PAYMENT = "payment"
    PAYOUT_FEE = "payout_fee"
    REVERSALS = "reversals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """An object to read now. `token`: the lease under which what was read may be written.

    `asked_at`: when somebody last said that it may have changed.
    """

    kind: RereadKind
    object_id: str
    stripe_account: str | None
    attempts: int
    token: UUID
    asked_at: datetime
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class RereadRequest:
    """A request to read an object again, not before `after`."""

    kind: RereadKind
    object_id: str
    trace: Cause
    after: datetime
    stripe_account: str | None = None

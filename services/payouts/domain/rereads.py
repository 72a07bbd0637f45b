"""Stripe's objects that are read again, because a webhook only says that they changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fleet.cause import Cause


class RereadKind(StrEnum):
    ACCOUNT = "account"
    CHARGE_FEE = "charge_fee"
    PAYOUT_FEE = "payout_fee"
    REVERSALS = "reversals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """One object to read again. `token` is the lease under which the answer may be written."""

    kind: RereadKind
    object_id: str
    stripe_account: str | None
    attempts: int
    token: UUID
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class RereadRequest:
    """An object that something hinted at. `after`: not before; asked again, the earlier time counts."""

    kind: RereadKind
    object_id: str
    trace: Cause
    after: datetime
    stripe_account: str | None = None

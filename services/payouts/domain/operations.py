"""An operation at Stripe: what was decided, and how an effect is compared with it. Pure.

The parameters are frozen when the operation is decided. Only the generation may change, and the idempotency
key with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from fleet.cause import Cause
from fleet.stripe_amounts import to_stripe


class Kind(StrEnum):
    ACCOUNT = "account"
    TRANSFER = "transfer"
    REVERSAL = "reversal"
    INSTANT_PAYOUT = "instant_payout"
    REFUND = "refund"
    CHARGE = "charge"


class State(StrEnum):
    DUE = "due"
    IN_FLIGHT = "in_flight"
    HELD = "held"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    PARKED = "parked"
    CANCELLED = "cancelled"


STOPPED = frozenset({State.REFUSED, State.PARKED})  # where an operation waits for a cause to go, or a person


class Phase(StrEnum):
    SEND = "send"
    LOOK_UP = "look_up"


class Decided(Protocol):
    """What was decided, as far as an effect can be compared with it."""

    @property
    def kind(self) -> Kind: ...
    @property
    def params(self) -> Mapping[str, Any]: ...
    @property
    def amount(self) -> int | None: ...
    @property
    def currency(self) -> str | None: ...
    @property
    def parent_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation as claimed.

    `stripe_account`: the account that the call is made for; `parent_id`: the transfer that is reversed or the
    payment that is refunded; `tries`: how often it was tried again by the clock, or for an account the
    payee's requests before it; `not_after`: from then on it is looked up, and not sent. `email`: the payee's
    address as it was known at the claim, for an account; nothing keeps it with the operation.
    """

    id: UUID
    kind: Kind
    wallet: str
    transfer_id: UUID | None
    params: Mapping[str, Any]
    amount: int | None
    currency: str | None
    stripe_account: str | None
    parent_id: str | None
    phase: Phase
    generation: int
    attempts: int
    server_errors: int
    lookups: int
    clean_lookups: int
    first_sent_at: datetime
    lease_token: UUID
    lease_until: datetime
    trace: Cause
    tries: int = 0
    not_after: datetime | None = None
    email: str | None = None

    @property
    def idempotency_key(self) -> str:
        return f"op:{self.id}:{self.generation}"


def names_operation(effect: Mapping[str, Any]) -> str | None:
    """Read which of our operations made a Stripe object, None when it is not one of ours."""
    metadata = effect.get("metadata")
    return metadata.get("hobbs_operation_id") if isinstance(metadata, Mapping) else None


def difference(operation: Decided, effect: Mapping[str, Any]) -> str | None:
    """Compare an effect with what was decided; a sentence about the difference, None without one."""
    wanted: dict[str, Any] = {}
    if operation.amount is not None and operation.currency is not None:
        amount = to_stripe(operation.amount, operation.currency)
        wanted = {"amount": amount, "currency": operation.currency.lower()}
    match operation.kind:
        case Kind.TRANSFER:
            wanted["destination"] = operation.params["destination"]
        case Kind.REVERSAL:
            wanted["transfer"] = operation.parent_id
        case Kind.REFUND:
            wanted["charge"] = operation.parent_id
        case Kind.CHARGE:
            wanted["customer"] = operation.params["customer"]
        case Kind.INSTANT_PAYOUT:
            wanted["method"] = "instant"  # an automatic payout of the same amount is another one
        case Kind.ACCOUNT:
            pass
    for name, value in wanted.items():
        if _plain(effect.get(name)) != value:
            return f"{effect.get('id')}: {name} is {_plain(effect.get(name))}, decided was {value}"
    return None


def _plain(value: object) -> object:
    """An expanded object stands for its id."""
    return value.get("id") if isinstance(value, Mapping) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOperation:
    """An operation in its present state, whether or not a relay has claimed it."""

    id: UUID
    kind: Kind
    wallet: str
    transfer_id: UUID | None
    params: Mapping[str, Any]
    amount: int | None
    currency: str | None
    stripe_account: str | None
    parent_id: str | None
    state: State
    stripe_id: str | None
    trace: Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedOperation:
    """An operation that waits for a person because nothing proves what became of it."""

    id: UUID
    kind: Kind
    transfer_id: UUID | None

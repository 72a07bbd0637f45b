"""An adjustment: what one revision of a flight changes in the ledger, and its life. Pure.

Amounts are minor units of `currency`, credit positive, by wallet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from fleet.cause import Cause

Amounts = Mapping[str, int]
# recovered: after a lost dispute (recoveries.py); manual: of a flight that other software billed (manual.py).
Kind = Literal["corrected", "cancelled", "recovered", "manual"]
PricedBy = Literal["bill", "book"]

PREFIX: Final = "adjustment:"
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "hobbs:adjustment")


class State(StrEnum):
    """Where an adjustment stands.

    proposed: an earlier journal of the flight is under way, so what stands is not known yet.
    """

    PROPOSED = "proposed"
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    POSTED = "posted"
    SETTLING = "settling"
    SETTLED = "settled"
    FAILED = "failed"


_S = State
# from (None: it is new) -> what may follow. The database holds the same: adjustment_step_is_in_the_table.
# What leads to `posted` from elsewhere than `approved` is a restore: the ledger had posted it before.
TRANSITIONS: Final[Mapping[State | None, frozenset[State]]] = {
    None: frozenset({_S.PROPOSED, _S.WAITING, _S.APPROVED, _S.POSTED, _S.SETTLED, _S.SUPERSEDED}),
    _S.PROPOSED: frozenset({_S.WAITING, _S.APPROVED, _S.POSTED, _S.SETTLED, _S.SUPERSEDED}),
    _S.WAITING: frozenset({_S.PROPOSED, _S.APPROVED, _S.REJECTED, _S.EXPIRED, _S.SUPERSEDED, _S.POSTED}),
    _S.APPROVED: frozenset({_S.POSTED, _S.FAILED}),
    _S.REJECTED: frozenset({_S.POSTED}),
    _S.EXPIRED: frozenset({_S.POSTED}),
    _S.SUPERSEDED: frozenset({_S.POSTED}),
    _S.FAILED: frozenset({_S.APPROVED, _S.REJECTED, _S.POSTED, _S.SUPERSEDED}),
    _S.POSTED: frozenset({_S.SETTLING, _S.SETTLED}),
    _S.SETTLING: frozenset({_S.SETTLED}),
    _S.SETTLED: frozenset({_S.SETTLING}),  # a person settles a part of it in another way
}
STANDING: Final = frozenset({_S.APPROVED, _S.POSTED, _S.SETTLING, _S.SETTLED})
UNDECIDED: Final = frozenset({_S.PROPOSED, _S.WAITING, _S.FAILED})  # a later revision supersedes these


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """One revision of a flight against what stands in the ledger.

    entries: what the whole revision leaves on each wallet. differences: those against what stood when they
    were computed, without zeros. paid_by: sources of the journals that stood then, the first bill's first.
    makers: whoever made a revision that this one covers. needs: why a person must approve. content_hash:
    hexadecimal, the database's.
    """

    id: UUID
    flight_id: str
    revision: int
    kind: Kind
    bill_id: UUID
    currency: str
    entries: Amounts
    differences: Amounts
    paid_by: tuple[str, ...]
    student_before: str
    student: str
    flown_on: date
    occurred_at: datetime
    priced_by: PricedBy
    reason: str
    made_by: str
    makers: tuple[str, ...]
    state: State
    sentence: str
    needs: tuple[str, ...]
    approvals_needed: int
    approve_above: int
    second_approver_above: int
    content_hash: str
    proposed_at: datetime
    expires_at: datetime
    trace: Cause
    journal_id: UUID | None = None

    @property
    def name(self) -> str:
        """What people and decisions call it: F123:2."""
        return f"{self.flight_id}:{self.revision}"

    @property
    def flight(self) -> str:
        """The flight as people know it: a recovery is named after its dispute too."""
        return self.flight_id.partition("/")[2] if self.kind == "recovered" else self.flight_id

    @property
    def source(self) -> str:
        """The source of its journal."""
        return PREFIX + self.name

    @property
    def largest(self) -> int:
        """The largest absolute difference of any one party."""
        return max(map(abs, self.differences.values()), default=0)

    def before(self, wallet: str) -> int:
        """What stood on a wallet for this flight before."""
        return self.entries.get(wallet, 0) - self.differences.get(wallet, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An adjustment's next state: who brought it there, and why, as a sentence.

    through: a step to the state that `adjustment` has, when that is written together with this one.
    """

    adjustment: Adjustment
    to: State
    who: str
    why: str
    through: "Through | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """A state that is left again in the transaction that reached it, and who reached it why."""

    state: State
    who: str
    why: str


def adjustment_id(flight_id: str, revision: int) -> UUID:
    """The id of a flight's revision, the same whenever it is decided."""
    return uuid5(_NAMESPACE, f"{flight_id}:{revision}")

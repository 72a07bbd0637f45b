"""Opening balances: lines of the books kept before. Amounts are minor units, credit positive."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from fleet.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedLine:
    """A line that was posted, and whether it stands. amount: what it put on the wallet."""

    as_of: date
    kind: str
    key: str
    reference: str
    currency: str
    attempt: int
    source: str
    wallet: str
    amount: int
    stands: bool
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """A kind's or wallet's sum. had: what the school has or is owed; owes: what it owes. Minor units."""

    as_of: date
    kind: str
    lines: int
    had: int | None
    owes: int | None
    currency: str


_LINES: Final = """
    SELECT as_of, kind, key, reference, currency, attempt, source, wallet, amount, stands, recorded_at
    FROM ledger_public.opening_lines
    WHERE (CAST(:as_of AS date) IS NULL OR as_of = :as_of)
    ORDER BY as_of, kind, key, reference, currency, attempt
"""


async def lines(tx: Tx, as_of: date | None) -> list[PostedLine]:
    """Every line that was posted, those that were reverted too."""
    return [PostedLine(**row._mapping) for row in await tx.all(_LINES, as_of=as_of)]


_TRIAL: Final = """
    SELECT as_of, kind, count(*) AS lines,
           CAST(-sum(amount) FILTER (WHERE amount < 0) AS bigint) AS had,
           CAST(sum(amount) FILTER (WHERE amount > 0) AS bigint) AS owes, currency
    FROM ledger_public.opening_lines
    WHERE stands AND (CAST(:as_of AS date) IS NULL OR as_of = :as_of)
    GROUP BY as_of, kind, currency ORDER BY as_of, currency, kind
"""


async def trial_balance(tx: Tx, as_of: date | None) -> list[TrialRow]:
    """What stands, by kind: its sums on both sides."""
    return [TrialRow(**row._mapping) for row in await tx.all(_TRIAL, as_of=as_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOpening:
    """Who signed or reopened an opening, and why."""

    as_of: date
    action: str
    who: str
    why: str
    recorded_at: datetime


_SIGNATURES: Final = """
    SELECT as_of, action, who, why, recorded_at FROM ledger_public.opening_signatures
    WHERE (CAST(:as_of AS date) IS NULL OR as_of = :as_of) ORDER BY id
"""


async def signatures(tx: Tx, as_of: date | None) -> list[SignedOpening]:
    """Every signature and reopening, newest last."""
    return [SignedOpening(**row._mapping) for row in await tx.all(_SIGNATURES, as_of=as_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPayee:
    """A payee, and what the opening lines that stand say is owed. Minor units."""

    wallet: str
    currency: str
    amount: int


_PAYEES: Final = """
    SELECT wallet, currency, CAST(sum(amount) AS bigint) AS amount FROM ledger_public.opening_lines
    WHERE stands AND kind IN ('instructor', 'owner') GROUP BY wallet, currency ORDER BY wallet, currency
"""


async def payees(tx: Tx) -> list[OpeningPayee]:
    """The payees of opening lines that stand."""
    return [OpeningPayee(**row._mapping) for row in await tx.all(_PAYEES)]

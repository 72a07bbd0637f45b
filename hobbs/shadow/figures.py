"""What one system says of a flight: an amount for each party, and what it was made of. Pure.

Amounts are integer minor units, positive as the party sees them: a student pays, everybody else gets. Hours
are integer tenths, rates minor units per hour.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

STUDENT: Final = "student"
# What a wallet's address begins with, and the word a file uses for it.
ROLES: Final = {
    "student": STUDENT,
    "instructor": "instructor",
    "aircraft_owner": "owner",
    "liability:tax": "tax",
    "liability:reserve": "reserve",
    "platform": "school",
}
PARTIES: Final = tuple(ROLES.values())


class Part(NamedTuple):
    """One line of an amount: `rate` for an hour times `tenths`; fees have neither. tax_ppm: on this line."""

    kind: str
    amount: int
    tenths: int | None = None
    rate: int | None = None
    tax_ppm: int = 0


class Figure(NamedTuple):
    """An amount of a flight. party: a role, or `role:id` when the file names who; None is not known."""

    party: str
    amount: int
    tenths: int | None = None
    rate: int | None = None
    tax: int | None = None


class FlightFigures(NamedTuple):
    """All figures of a flight. day: as YYYY-MM-DD; empty when it is not known.

    parts: what a party's amount is made of; rates: those that the book had for a part of a party's amount.
    Both are asked only where there is a difference.
    """

    flight_id: str
    day: str
    figures: Sequence[Figure]
    parts: Callable[[str], Sequence[Part]] | None = None
    rates: Callable[[str, str], Iterable[int]] | None = None


@lru_cache(maxsize=65_536)
def role_of(party: str) -> str:
    """The role of a party that may be named."""
    return party.partition(":")[0]


@lru_cache(maxsize=65_536)
def party_of(wallet: str, *, named: bool) -> str:
    """The party of a wallet: `instructor:instructor-01`, or `instructor` where nobody is named."""
    kind, _, key = wallet.partition(":")
    if kind == "liability":
        return "tax" if key == "tax" else "reserve"
    role = ROLES.get(kind, kind)
    return f"{role}:{key}" if named and role not in ("school",) else role

"""What the school owes, by whom it owes it, as the journals add up. Pure; amounts are minor units."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

PAYEE_KINDS: Final = frozenset({"instructor", "aircraft_owner"})
TRANSFER: Final = "transfer"  # the type of journals that money sent to payees has
TAX, UNALLOCATED, DISPUTES = "liability:tax", "liability:unallocated", "liability:disputes"
AIRCRAFT_RESERVE: Final = "liability:reserve-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A posted journal: what it put on each wallet. day: of the school's calendar."""

    journal_id: UUID
    event_type: str
    currency: str
    day: date
    entries: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """What the school owes, by kind; what wallets owe the school is not taken off."""

    payees: int = 0
    students: int = 0
    tax: int = 0
    aircraft_reserves: int = 0
    disputes: int = 0
    unallocated: int = 0


def kind_of(wallet: str) -> str:
    """Whose money a wallet holds, as a field of Owed; empty when nobody outside is owed it."""
    if wallet.partition(":")[0] in PAYEE_KINDS:
        return "payees"
    if wallet.startswith("student:"):
        return "students"
    if wallet.startswith(AIRCRAFT_RESERVE):
        return "aircraft_reserves"
    return {TAX: "tax", UNALLOCATED: "unallocated", DISPUTES: "disputes"}.get(wallet, "")


def moved(journals: Iterable[Taken]) -> dict[tuple[str, str], int]:
    """(wallet, currency) -> what the journals put on it."""
    sums: dict[tuple[str, str], int] = {}
    for journal in journals:
        for wallet, amount in journal.entries:
            sums[wallet, journal.currency] = sums.get((wallet, journal.currency), 0) + amount
    return sums


def paid_out(journals: Iterable[Taken]) -> dict[tuple[date, str], int]:
    """(day, currency) -> what was sent to payees."""
    sums: dict[tuple[date, str], int] = {}
    for journal in journals:
        if journal.event_type != TRANSFER:
            continue
        sent = -sum(amount for wallet, amount in journal.entries if kind_of(wallet) == "payees")
        sums[journal.day, journal.currency] = sums.get((journal.day, journal.currency), 0) + sent
    return sums


def owed(positions: Mapping[str, int]) -> Owed:
    """What is owed by kind; positions: wallet -> amount of one currency."""
    sums: dict[str, int] = {}
    for wallet, amount in positions.items():
        if (kind := kind_of(wallet)) and amount > 0:
            sums[kind] = sums.get(kind, 0) + amount
    return Owed(**sums)

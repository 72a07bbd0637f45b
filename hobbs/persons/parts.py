"""Which wallets are one person's: the book says which student is an instructor and owner too. Pure."""

from collections.abc import Iterable
from typing import Final

from schemas.school import PEOPLE
from services.payouts.domain.contacts import is_person

_ALSO: Final = {"also_instructor": "instructor", "also_owner": "aircraft_owner"}


class NoPerson(ValueError):
    """A text that names no person; the message says how one is named."""


def wallet_of(text: str) -> str:
    """Read a person as somebody types them, such as owner:robin; the wallet. Raises NoPerson."""
    kind, _, key = text.strip().partition(":")
    wallet = f"{PEOPLE.get(kind, kind)}:{key}"
    if not is_person(wallet):
        raise NoPerson(f"{text!r} names no person; write student:ID, instructor:ID or owner:ID")
    return wallet


def parts_of(wallet: str, students: Iterable[tuple[str, dict[str, object]]]) -> list[str]:
    """The person's wallets, `wallet` among them. students: id and card of each student, of any date."""
    groups = [
        {f"student:{key}", *(f"{kind}:{card[also]}" for also, kind in _ALSO.items() if card.get(also))}
        for key, card in students
    ]
    found, grown = {wallet}, True
    while grown:
        reached = found.union(*(group for group in groups if group & found))
        grown, found = reached != found, reached
    return sorted(found)

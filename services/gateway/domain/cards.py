"""Cards of the school's book that priced planned flights, kept as long as the book stands at their version.

Pure. Whoever prices by them asks, together with the answer, at which version the book stands.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

NAMES_MAX: Final = 20_000
Row = Mapping[str, Any]  # a card as the database gives it: book, kind, key, effective_from, version, card
Card = Any  # as billing reads it
Name = tuple[str, str]  # a card's kind and key
_Asked = tuple[str, str | None]  # what it is in the flight, and its id
_SCHOOL: Final = ("school", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Billing's two functions that price a planned flight.

    read: a card as it prices by it. estimate: what a planned flight would be billed, by cards and the version
    of the book.
    """

    read: Callable[[Row], Card]
    estimate: Callable[[Any, Sequence[Card], int], Any]


class KnownCards:
    """The cards by what they were asked for: the school's, a student's, an aircraft's, an instructor's."""

    def __init__(self) -> None:
        self._book = -1
        self._cards: dict[_Asked, list[Card]] = {}

    def of(self, student: str, aircraft: str | None, instructor: str | None) -> tuple[int, list[Card]] | None:
        """The book's version and the cards that may price the flight; None when some are not known."""
        found: list[Card] = []
        for name in _names(student, aircraft, instructor):
            cards = self._cards.get(name)
            if cards is None:
                return None
            found += cards
        return self._book, found

    def forget(self) -> None:
        """The book stands at another version than the cards."""
        self._cards = {}

    def keep(
        self,
        student: str,
        aircraft: str | None,
        instructor: str | None,
        book: int,
        cards: Sequence[tuple[Name, Card]],
    ) -> None:
        """Keep the cards, by kind and key, that may price the flight; none of another version."""
        if book != self._book:
            self._book, self._cards = book, {}
        for name in _names(student, aircraft, instructor):
            if len(self._cards) >= NAMES_MAX:  # who asks may name what is not there
                del self._cards[next(iter(self._cards))]
            self._cards[name] = [card for (kind, key), card in cards if _is_of(kind, key, *name)]


def _names(student: str, aircraft: str | None, instructor: str | None) -> list[_Asked]:
    named = [("student", student), ("aircraft", aircraft), ("instructor", instructor)]
    return [_SCHOOL, *(name for name in named if name[1] is not None)]


def _is_of(kind: str, key: str, what: str, name: str | None) -> bool:
    if what == "school":
        return kind in ("school", "tax") or (kind, key) == ("student_rate", "default")
    if kind == "owner":  # only the owners of the aircraft are among the cards of a flight
        return what == "aircraft"
    return (kind, key) in ((what, name), ("student_rate", f"{what}:{name}"))

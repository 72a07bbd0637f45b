"""The live books beside what somebody else says of the same flights: a file, another book, a shadow's books.

Most flights are alike: their amounts are compared as they come, and only the others become figures, with all
that a cause needs.
"""

from collections.abc import Callable, Iterator
from itertools import islice, repeat
from typing import Final

from hobbs.shadow.books import Amounts, filed, repriced
from hobbs.shadow.compare import AT_ONCE, Difference, differences, side_by_side
from hobbs.shadow.figures import PARTIES
from hobbs.shadow.figures_file import FiguresFile, Told
from hobbs.shadow.live import Books
from services.billing.desk.reads.in_order import FiledFlight
from services.billing.domain.rates import Book

ALL: Final = frozenset(PARTIES)


def by_a_file(told: Iterator[Told], books: Books, found: FiguresFile) -> Iterator[Difference | None]:
    """What another system's file says: there is the file, here are the live books; of its roles only.

    A flight that was billed there before the school came has no amounts here: it is left out, and counted.
    """
    roles, named = found.roles & ALL, found.named
    amounts = Amounts(roles, named=named)
    pairs: Iterator[tuple[Told | None, FiledFlight | None]] = side_by_side(told, books.flights)
    while some := list(islice(pairs, AT_ONCE)):
        unlike = [
            (left, right)
            for left, right in some
            if left is None or right is None or left.amounts != amounts(right)
        ]
        yield from repeat(None, len(some) - len(unlike))
        not_here = [left.flight_id for left, right in unlike if left is not None and right is None]
        elsewhere = books.billed_elsewhere(not_here) if not_here else frozenset()
        found.elsewhere += len(elsewhere)
        rights = [right for _, right in unlike if right is not None]
        books.details.expect([right.flight_id for right in rights])
        yield from differences(
            [left.figures() for left, _ in unlike if left is not None and left.flight_id not in elsewhere],
            filed(rights, books.rates, books.details.of, named=named),
            roles,
        )


def by_another_book(books: Books, book: Book) -> Iterator[Difference | None]:
    """What another book would change: there are the live books, here is the other one."""
    details, rates = books.details.of, books.rates
    while some := list(islice(books.flights, AT_ONCE)):
        books.details.expect([flight.flight_id for flight in some])
        there = filed(some, rates, details, named=True)
        here = repriced(some, book, rates, details, named=True)
        yield from differences(there, here, ALL)


def of_another_deployment(
    there: Books, here: Books, underway: Callable[[str], bool]
) -> Iterator[Difference | None]:
    """What another deployment made of the same flights: there are the live books, here are the shadow's.

    underway: of a flight that differs, whether one side handled it after both were asked how far they are.
    Such a flight is left out: the other side may not have read it.
    """
    pairs = side_by_side(there.flights, here.flights)
    while some := list(islice(pairs, AT_ONCE)):
        unlike = [pair for pair in some if pair[0] != pair[1]]
        yield from repeat(None, len(some) - len(unlike))
        lefts = [left for left, _ in unlike if left is not None and not underway(left.flight_id)]
        rights = [right for _, right in unlike if right is not None and not underway(right.flight_id)]
        there.details.expect([flight.flight_id for flight in lefts])
        here.details.expect([flight.flight_id for flight in rights])
        yield from differences(
            filed(lefts, there.rates, there.details.of, named=True),
            filed(rights, here.rates, here.details.of, named=True),
            ALL,
        )

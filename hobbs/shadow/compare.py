"""Walks through two systems' flights side by side and yields each difference once. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Set
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeVar

from hobbs.shadow.causes import MISSING_HERE, MISSING_THERE, SEVERAL, Cause, cause_between, cause_of
from hobbs.shadow.figures import STUDENT, Figure, FlightFigures, role_of

OPEN: Final = ""
DERIVED: Final = ("tax", "school")
AT_ONCE: Final = 1_000  # flights that are in memory


class HasFlight(Protocol):
    """What a flight's id is known of."""

    @property
    def flight_id(self) -> str: ...


F = TypeVar("F", bound=HasFlight)
G = TypeVar("G", bound=HasFlight)


class Difference(NamedTuple):
    """One party's amount of one flight that is not the same in both. amount: here less there."""

    flight_id: str
    day: str
    party: str
    there: int | None
    here: int | None
    amount: int
    cause: str
    detail: str
    accepted_by: str = OPEN


def differences(
    there: Iterable[FlightFigures],
    here: Iterable[FlightFigures],
    roles: Set[str],
) -> Iterator[Difference | None]:
    """For each flight its differences and then None. Both sides are in the order of the flights' ids.

    roles: what the other system says anything of; of other parties nothing is compared.
    """
    for left, right in side_by_side(iter(there), iter(here)):
        pair = _Pair(left, right, roles)
        yield from _of_flight(pair) if pair.parties else ()
        yield None


def side_by_side(there: Iterator[F], here: Iterator[G]) -> Iterator[tuple[F | None, G | None]]:
    """The flights of both sides, which are in the order of their ids, in pairs."""
    left, right = next(there, None), next(here, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left.flight_id < right.flight_id):
            yield left, None
            left = _next(there, left)
        elif left is None or right.flight_id < left.flight_id:
            yield None, right
            right = _next(here, right)
        else:
            yield left, right
            left, right = _next(there, left), _next(here, right)


def _next(side: Iterator[F], last: F | None) -> F | None:
    following = next(side, None)
    if following is not None and last is not None and following.flight_id <= last.flight_id:
        raise AssertionError(f"flight {following.flight_id} comes after {last.flight_id}")
    return following


class _Pair:
    """A flight on both sides, and the parties whose amounts differ."""

    __slots__ = ("here", "left", "parties", "right", "there")

    def __init__(self, left: FlightFigures | None, right: FlightFigures | None, roles: Set[str]) -> None:
        self.left, self.right = left, right
        self.there, self.here = _by_party(left, roles), _by_party(right, roles)
        self.parties = _differing(self.there, self.here)

    @property
    def flight(self) -> FlightFigures:
        """As it is here, if it is."""
        flight = self.right or self.left
        assert flight is not None
        return flight


def _of_flight(pair: _Pair) -> Iterator[Difference]:
    left, right, flight = pair.left, pair.right, pair.flight
    day = flight.day or (left.day if left else "")
    found: dict[str, Difference] = {}
    for party in sorted(pair.parties, key=lambda party: role_of(party) in DERIVED):
        one, other = pair.there.get(party), pair.here.get(party)
        cause = _inherited(party, one, other, found) or _cause(left, right, one, other)
        found[party] = Difference(
            flight_id=flight.flight_id,
            day=day,
            party=party,
            there=one.amount if one else None,
            here=other.amount if other else None,
            amount=(other.amount if other else 0) - (one.amount if one else 0),
            cause=cause.name,
            detail=cause.detail,
        )
    yield from found.values()


def _differing(there: Mapping[str, Figure], here: Mapping[str, Figure]) -> list[str]:
    """The parties whose amounts differ; who is in one of them only has 0 in the other."""
    if there.keys() == here.keys():
        return [party for party, one in there.items() if one.amount != here[party].amount]
    amounts = {party: (there[party].amount if party in there else 0) for party in {**there, **here}}
    return [party for party, one in amounts.items() if one != (here[party].amount if party in here else 0)]


def _inherited(
    party: str, there: Figure | None, here: Figure | None, found: Mapping[str, Difference]
) -> Cause | None:
    """Tax is a part of the student's bill, and the school takes what is left: they differ with the others."""
    if role_of(party) not in DERIVED or there is None or here is None:
        return None
    causes = {one.cause for one in found.values()}
    if role_of(party) == "tax":
        causes = {one.cause for one in found.values() if role_of(one.party) == STUDENT}
    if not causes:
        return None
    whose = ", ".join(role_of(one) for one in found)
    return Cause(causes.pop() if len(causes) == 1 else SEVERAL, f"follows from: {whose}")


def _by_party(flight: FlightFigures | None, roles: Set[str]) -> Mapping[str, Figure]:
    figures = flight.figures if flight else ()
    return {figure.party: figure for figure in figures if role_of(figure.party) in roles}


def _cause(
    left: FlightFigures | None, right: FlightFigures | None, there: Figure | None, here: Figure | None
) -> Cause:
    if there is None or left is None:
        what = "the flight is not there" if left is None else "the party has nothing there"
        return Cause(MISSING_THERE, what)
    if here is None or right is None:
        what = "the flight is not here" if right is None else "the party has nothing here"
        return Cause(MISSING_HERE, what)
    parts = right.parts(here.party) if right.parts else ()
    if left.parts is not None:
        return cause_between(left.parts(there.party), parts)
    if parts:  # the first one is what the hours and the rate of a figure are about
        here = here._replace(tenths=parts[0].tenths, rate=parts[0].rate)
    others = partial(right.rates, role_of(here.party)) if right.rates else _no_rates
    return cause_of(there, here, parts, others)


def _no_rates(kind: str) -> Iterable[int]:
    return ()

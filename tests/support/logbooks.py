"""A logbook and the corrections of it, made up from a seed: what is delivered when, by which door, how often.

Whatever the order, the money must end where the last revision of each flight that can be priced says.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tests.checker.flight_rules import CANCELLED, CORRECTED, TOPIC, wallets_of
from tests.support.corrections import RECENT, Published, cancellation, correction, lesson

MAKERS: Final = ("dispatch", "ann")
STUDENTS: Final = ("student-01", "student-01", "student-02")
INSTRUCTORS: Final = tuple(f"instructor-0{number}" for number in range(1, 6))
OWNED: Final = ("N695SP", "N740SP")
WITH_OWNER: Final = ("N364MA", "N989SP", "N842SA", "N172TP", "N124ME")
AIRCRAFT: Final = (*OWNED, *WITH_OWNER)
UNKNOWN: Final = "N0SUCH"
DATES: Final = (
    RECENT,
    RECENT,
    RECENT,
    "2025-06-30",
    "2025-07-02",
    "2025-11-02",
)  # the tax changed in between
TWICE, LATE_FLIGHT, RIVAL, UNPRICED, CANCELS = 0.25, 0.2, 0.15, 0.1, 0.2  # shares of the records
CHUNK_MAX: Final = 7

Book = Mapping[str, Any]


class Door(StrEnum):
    """How records come in: as a file by the command line, by the gateway, or straight to Kafka."""

    FILE = "file"
    GATEWAY = "gateway"
    KAFKA = "kafka"


class Then(StrEnum):
    """What people do after a delivery."""

    NOTHING = "nothing"
    WAIT = "wait"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Records that come together. at_rest: what came before was handled, so that it came first for sure."""

    parts: Sequence[tuple[Door, Sequence[Published]]]
    at_rest: bool
    then: Then


@dataclass(slots=True, kw_only=True)
class Logbook:
    """Flights that are flown first, and deliveries of what follows: corrections, and flights that come late.

    last: of each flight the record that counts in the end. makers: of each flight, who corrected it.
    """

    flown: list[Published] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    last: dict[str, Published] = field(default_factory=dict)
    makers: dict[str, set[str]] = field(default_factory=dict)

    def wallets(self, book: Book) -> dict[str, int]:
        """What the last records leave on each wallet, in cents; none of zero."""
        totals: dict[str, int] = {}
        for record in self.last.values():
            for wallet, amount in (price(book, record) or {}).items():
                totals[wallet] = totals.get(wallet, 0) + amount
        return {wallet: amount for wallet, amount in totals.items() if amount}


def price(book: Book, record: Published) -> Mapping[str, int] | None:
    """What a record costs each wallet by itself; None when it cannot be priced."""
    topic, body = record
    return {} if topic == CANCELLED else wallets_of(book, body)


def make_logbook(chance: random.Random, book: Book, *, flights: int, prefix: str) -> Logbook:
    """Make up a logbook. book: the school's, to know which records count."""
    made = Logbook()
    later: list[Published] = []
    rivals: list[Published] = []
    for number in range(flights):
        flight = _flight(chance, f"{prefix}-{number:03d}")
        revisions = list(_revisions(chance, flight))
        (later if chance.random() < LATE_FLIGHT else made.flown).append(flight)
        later += revisions
        rivals += [_rival(chance, r) for r in revisions if price(book, r) and chance.random() < RIVAL]
        made.makers[flight[1]["flight_id"]] = {_maker(revision) for revision in revisions}
        counting = [record for record in (flight, *revisions) if price(book, record) is not None]
        if counting:
            made.last[flight[1]["flight_id"]] = counting[-1]
    made.deliveries = list(_deliveries(chance, later, rivals))
    return made


def earnings(prefix: str, *, times: int) -> list[Published]:
    """Long flights of every payee, which earn more than what was paid too much before."""
    return [
        lesson(
            f"{prefix}-more-{number}-{turn}",
            instructor=instructor,
            aircraft=aircraft,
            hobbs_in="1020.0",
            flight_hours="20.0",
            dual_hours="20.0",
        )
        for turn in range(times)
        for number, (instructor, aircraft) in enumerate(zip(INSTRUCTORS, WITH_OWNER, strict=True))
    ]


def _flight(chance: random.Random, flight_id: str) -> Published:
    facts = {**_hours(chance), "aircraft": chance.choice(AIRCRAFT), "date": chance.choice(DATES)}
    if chance.random() < UNPRICED:
        facts["aircraft"] = UNKNOWN
    return lesson(flight_id, student=chance.choice(STUDENTS), instructor=chance.choice(INSTRUCTORS), **facts)


def _hours(chance: random.Random) -> dict[str, str]:
    tenths = chance.randrange(1, 35)
    return {
        "hobbs_in": f"{(10_000 + tenths) / 10}",
        "flight_hours": f"{tenths / 10}",
        "dual_hours": f"{chance.choice((0, tenths, tenths)) / 10}",
        "ground_hours": f"{chance.randrange(0, 12) / 10}",
    }


def _revisions(chance: random.Random, flight: Published) -> Iterator[Published]:
    """The next revisions of a flight, each whole; a cancelled one may come back."""
    facts = flight
    for number in range(2, 2 + chance.choice((0, 1, 1, 2, 3))):
        maker = chance.choice(MAKERS)
        if chance.random() < CANCELS:
            topic, body = cancellation(facts, number)
            yield topic, {**body, "cancelled_by": maker}
        else:
            change = chance.choice(_CHANGES)(chance)
            facts = correction(facts, number, **{**change, "corrected_by": maker})
            yield facts


_CHANGES: Final[Sequence[Callable[[random.Random], dict[str, str]]]] = (
    _hours,
    _hours,
    lambda chance: {"instructor": chance.choice(INSTRUCTORS)},
    lambda chance: {"instructor": chance.choice(INSTRUCTORS)},
    lambda chance: {"student": chance.choice(STUDENTS)},
    lambda chance: {"aircraft": chance.choice(AIRCRAFT)},
    lambda chance: {"aircraft": chance.choice(AIRCRAFT)},
    lambda chance: {"date": chance.choice(DATES)},
    lambda _: {"aircraft": UNKNOWN},
    lambda _: {"hobbs_in": "1000.0", "flight_hours": "0.0", "dual_hours": "0.0", "ground_hours": "0.0"},
    lambda _: {},
)


def _rival(chance: random.Random, record: Published) -> Published:
    """The same revision with other content."""
    if chance.random() < CANCELS:
        return cancellation(record, record[1]["revision"])
    return CORRECTED, {**record[1], **_hours(chance), "ground_hours": "5.5"}


def _maker(record: Published) -> str:
    return str(record[1].get("corrected_by") or record[1].get("cancelled_by"))


def _deliveries(
    chance: random.Random, records: Sequence[Published], rivals: Sequence[Published]
) -> Iterator[Delivery]:
    """All records in any order, some twice; then, at rest, the rivals, which come too late."""
    order = [record for record in records for _ in range(1 + (chance.random() < TWICE))]
    chance.shuffle(order)
    while order:
        size = chance.randint(1, CHUNK_MAX)
        some, order = order[:size], order[size:]
        then = chance.choice((Then.NOTHING, Then.NOTHING, Then.WAIT, Then.APPROVE))
        told = {_name(record) for record in records} - {_name(record) for record in order}
        late = [rival for rival in rivals if _name(rival) in told - {_name(r) for r in some}]
        rivals = [rival for rival in rivals if rival not in late]
        if late:
            yield Delivery(parts=_parts(chance, late), at_rest=True, then=Then.WAIT)
        yield Delivery(parts=_parts(chance, some), at_rest=False, then=then)
    if rivals:
        yield Delivery(parts=_parts(chance, rivals), at_rest=True, then=Then.WAIT)


def _name(record: Published) -> tuple[str, int]:
    return record[1]["flight_id"], record[1]["revision"]


def _parts(chance: random.Random, records: Sequence[Published]) -> Sequence[tuple[Door, Sequence[Published]]]:
    """The records by doors, and by what a door takes at once: flights apart from what follows them."""
    parts: dict[tuple[Door, bool], list[Published]] = {}
    for record in records:
        parts.setdefault((chance.choice(list(Door)), record[0] == TOPIC), []).append(record)
    return [(door, some) for (door, _), some in parts.items()]

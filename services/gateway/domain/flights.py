"""Which event a flight is, and whether a flight that is sent again has the same content. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

_FLIGHT_EVENTS: Final = uuid5(NAMESPACE_URL, "hobbs:flight-event")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightOffered:
    """One flight that a scheduler asks to publish: its event's identity and the hash of its content."""

    event_id: UUID
    topic: str
    flight_id: str
    revision: int
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What becomes of the flights of one request, by their places in it.

    differing: accepted before, with other content.
    """

    new: tuple[int, ...]
    repeated: tuple[int, ...]
    differing: tuple[int, ...]


def flight_event_id(topic: str, flight_id: str, revision: int) -> UUID:
    """Name the event of a flight's revision. It is the same however the flight is published.

    The source is the school's schedule, one in a deployment, whoever carries the flight here; so a flight
    published from a file and posted by a scheduler is one event too.
    """
    return uuid5(_FLIGHT_EVENTS, "\x1f".join((topic, flight_id, str(revision))))


def decide_reception(offered: Sequence[FlightOffered], known: Mapping[UUID, bytes]) -> Reception:
    """Sort flights into new ones, repeats, and ones whose content differs from what was accepted.

    known: content hash of every event accepted before. A flight twice in one request is a repeat.
    """
    said = dict(known)
    new, repeated, differing = [], [], []
    for place, flight in enumerate(offered):
        if flight.event_id not in said:
            said[flight.event_id] = flight.content_hash
            new.append(place)
        elif said[flight.event_id] == flight.content_hash:
            repeated.append(place)
        else:
            differing.append(place)
    return Reception(new=tuple(new), repeated=tuple(repeated), differing=tuple(differing))

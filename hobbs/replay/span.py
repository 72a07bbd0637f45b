"""From where to where a topic is read again: offsets, times or words; both ends are known at the start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import TopicPartition

from fleet.reader import Reader

BEGINNING: Final = "beginning"
NOW: Final = "now"
OFFSET_DIGITS_MAX: Final = 18


class NoSpan(ValueError):
    """The range cannot be read as it was asked for; the sentence says what to ask for."""


Edge = int | datetime | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of one partition: the first offset, and the one behind the last."""

    place: TopicPartition
    begin: int
    end: int


def edge(text: str, option: str, word: str) -> Edge:
    """Read `1234`, `2026-11-01T06:00Z` or the word that this end may be."""
    if text == word:
        return word
    if text.isascii() and text.isdigit() and len(text) <= OFFSET_DIGITS_MAX:
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise NoSpan(
            f"{option} {text!r} is neither an offset, a time such as 2026-11-01T06:00Z, nor {word}"
        ) from None
    if instant.tzinfo is None:
        raise NoSpan(f"{option} {text} says no time zone; add Z or an offset")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise NoSpan(f"{option} {text} is no instant between the years 1 and 9999 in UTC") from None


async def parts(
    reader: Reader, topic: str, begin: Edge, end: Edge, *, partition: int | None, now: datetime
) -> list[Part]:
    """The range as offsets, partition by partition. Raises NoSpan when it is open, gone, or not one range."""
    ends = await reader.ends_of(topic)
    if not ends:
        raise NoSpan(f"there is no topic {topic}")
    if partition is not None and partition not in ends:
        raise NoSpan(f"{topic} has no partition {partition}: it has {len(ends)}")
    places = [TopicPartition(topic, n) for n in sorted(ends) if partition in (None, n)]
    if len(places) > 1 and (isinstance(begin, int) or isinstance(end, int)):
        raise NoSpan(
            f"{topic} has {len(places)} partitions, and an offset belongs to one: say --partition, or a time"
        )
    if isinstance(end, datetime) and end > now:
        raise NoSpan(f"--to {end.isoformat()} is still to come: a range that is replayed has an end")
    if isinstance(begin, datetime) and isinstance(end, datetime) and begin > end:
        raise NoSpan(f"--from {begin.isoformat()} is behind --to {end.isoformat()}")
    firsts = await reader.beginning_offsets(places)
    lasts = {place: ends[place.partition] for place in places}
    begins = await _offsets(reader, begin, firsts, lasts)
    stops = await _offsets(reader, end, firsts, lasts)
    found = [Part(place=place, begin=begins[place], end=stops[place]) for place in places]
    for part in found:
        _check(part, firsts[part.place], lasts[part.place], told=isinstance(begin, int))
    return [part for part in found if part.begin < part.end]


async def _offsets(
    reader: Reader, one: Edge, firsts: Mapping[Any, int], lasts: Mapping[Any, int]
) -> Mapping[Any, int]:
    """Of each partition. A time is the first record that was stamped then or later."""
    if one == BEGINNING:
        return firsts
    if one == NOW:
        return lasts
    if isinstance(one, int):
        return dict.fromkeys(firsts, one)
    assert isinstance(one, datetime)
    milliseconds = max(int(one.timestamp() * 1000), 0)  # Kafka stamps nothing before 1970
    found = await reader.offsets_for_times(dict.fromkeys(firsts, milliseconds))
    return {place: min(at.offset, lasts[place]) if at else lasts[place] for place, at in found.items()}


def _check(part: Part, first: int, last: int, *, told: bool) -> None:
    name = f"{part.place.topic} partition {part.place.partition}"
    if told and part.begin < first:
        raise NoSpan(f"{name} begins with offset {first}: what was before is gone")
    if part.end > last:
        raise NoSpan(f"{name} ends before offset {last}: {part.end} is still to come")
    if part.begin > part.end:
        raise NoSpan(f"{name}: --from is behind --to")

"""Why two systems differ about one amount: the first cause that explains it to the cent. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple

from fleet.money import half_up
from hobbs.shadow.figures import Figure, Part, role_of

MISSING_HERE: Final = "missing here"
MISSING_THERE: Final = "missing there"
HOURS: Final = "hours"
RATE: Final = "rate version"
TAX: Final = "tax"
ROUNDING: Final = "rounding"
SEVERAL: Final = "several"
UNKNOWN: Final = "unknown"
CAUSES: Final = (HOURS, RATE, ROUNDING, TAX, MISSING_HERE, MISSING_THERE, SEVERAL, UNKNOWN)

TENTHS_MAX: Final = 240
LESSONS: Final = ("instruction", "ground")  # kinds of parts whose hours are not the aircraft's


class Cause(NamedTuple):
    """A cause, and what shows it, for a person."""

    name: str
    detail: str


# Rates that the book had or has for a line of this kind, in minor units per hour.
OtherRates = Callable[[str], Iterable[int]]


def cause_of(
    there: Figure, here: Figure, parts: Sequence[Part], others: OtherRates = lambda kind: ()
) -> Cause:
    """The cause of a difference. parts: what the amount here is made of; empty: nobody knows.

    Each part was rounded once and so was its tax: that many minor units are rounding. What the other system
    says of hours, rate and tax is believed; what it does not say is inferred where one thing explains it.
    """
    difference = here.amount - there.amount
    slack = max(len(parts) + sum(1 for part in parts if part.tax_ppm), 1)
    told = list(_told(there, here, parts))
    for name, alone, detail in told:
        if any(abs(difference - by) <= slack for by in alone):
            return Cause(name, detail)
    if len(told) > 1 and any(
        abs(difference - sum(together)) <= 2 * slack for together in product(*(by for _, by, _ in told))
    ):
        return Cause(SEVERAL, "; ".join(detail for _, _, detail in told))
    if found := _told_and_one_more(there, here, parts, others, slack):
        return found
    if told:
        return Cause(UNKNOWN, "; ".join(detail for _, _, detail in told) + ", which explains another amount")
    if abs(difference) <= slack:
        return Cause(ROUNDING, f"{slack} amounts are rounded here")
    return _inferred(difference, there, here, parts, others)


def cause_between(there: Sequence[Part], here: Sequence[Part]) -> Cause:
    """The cause of a difference between two amounts of which both sides' parts are known."""
    left, right = _by_kind(there), _by_kind(here)
    found: dict[str, str] = {}
    for place in {**left, **right}:
        for name, detail in _differing(place[0], left.get(place), right.get(place)):
            found.setdefault(name, detail)
    if len(found) == 1:
        return Cause(*next(iter(found.items())))
    detail = "; ".join(found.values())
    return Cause(SEVERAL, detail) if found else Cause(ROUNDING, "the same hours, rates and taxes")


def _by_kind(parts: Sequence[Part]) -> dict[tuple[str, int], Part]:
    """The parts by kind; of several of a kind, such as fees, the first is compared with the first."""
    seen: Counter[str] = Counter()
    found: dict[tuple[str, int], Part] = {}
    for part in parts:
        found[part.kind, seen[part.kind]] = part
        seen[part.kind] += 1
    return found


def _differing(kind: str, there: Part | None, here: Part | None) -> Iterator[tuple[str, str]]:
    if there is None or here is None:
        yield RATE, f"{kind}: only {'here' if there is None else 'there'}"
        return
    if there.tenths != here.tenths:
        yield HOURS, f"{kind}: {_hours(there.tenths or 0)} h there, {_hours(here.tenths or 0)} h here"
    if there.rate != here.rate:
        yield RATE, f"{kind}: {there.rate} an hour there, {here.rate} here"
    elif there.rate is None and there.amount != here.amount:
        yield RATE, f"{kind}: {there.amount} there, {here.amount} here"
    if there.tax_ppm != here.tax_ppm:
        yield TAX, f"{kind}: tax of {there.tax_ppm} ppm there, {here.tax_ppm} here"


def _told(there: Figure, here: Figure, parts: Sequence[Part]) -> Iterator[tuple[str, Sequence[int], str]]:
    """What both sides say and differ about: the cause, the differences that it alone may make, and what.

    Where the aircraft flew as long as the lesson was, the other hours may be of both or of the aircraft only.
    """
    if there.tenths is not None and here.tenths is not None and there.tenths != here.tenths:
        all_of_them = _by(parts, here)
        ways = (all_of_them, [part for part in all_of_them if part.kind not in LESSONS])
        by = [
            sum(_gross(p, p.rate, here.tenths) - _gross(p, p.rate, there.tenths) for p in way) for way in ways
        ]
        yield HOURS, by, f"{_hours(there.tenths)} h there, {_hours(here.tenths)} h here"
    if there.rate is not None and here.rate is not None and there.rate != here.rate:
        part = next((p for p in parts if p.rate == here.rate), None)
        if part is not None:
            hours = there.tenths if there.tenths is not None and part.tenths == here.tenths else part.tenths
            changed = _gross(part, here.rate, hours) - _gross(part, there.rate, hours)
            yield RATE, [changed], f"{there.rate} an hour there, {here.rate} here"
    if there.tax is None or here.tax is None or there.tax == here.tax:
        return
    if abs((here.amount - here.tax) - (there.amount - there.tax)) <= max(len(parts), 1):
        yield TAX, [here.tax - there.tax], f"tax of {there.tax} there, {here.tax} here"


def _told_and_one_more(
    there: Figure, here: Figure, parts: Sequence[Part], others: OtherRates, slack: int
) -> Cause | None:
    """What the other system says, and one thing more that makes up the rest to the cent: tax, or a lesson."""
    for names, said, as_there in _as_told(there, here, parts):
        rest = here.amount - there.amount - (_sum(parts) - _sum(as_there))
        untaxed = Cause(TAX, f"tax of {there.tax or 0} there, {here.tax} here")
        tax = (here.tax or 0) - (there.tax or 0) - (_tax(parts) - _tax(as_there))
        taxed_otherwise = here.tax is not None and abs(tax) > slack
        if names and taxed_otherwise and abs(rest - tax) <= slack:
            return Cause(SEVERAL, "; ".join((*said, untaxed.detail)))
        if taxed_otherwise and there.tax is not None:
            names, said, rest = [*names, TAX], [*said, untaxed.detail], rest - tax
            as_there = [part._replace(tax_ppm=0) for part in as_there]
        if not names or abs(rest) <= slack:
            continue
        more = _one_more(rest, here, as_there, others)
        if more is not None:
            alike = {*names, more.name} == {HOURS}
            return Cause(HOURS if alike else SEVERAL, "; ".join((*said, more.detail)))
    return None


def _as_told(
    there: Figure, here: Figure, parts: Sequence[Part]
) -> Iterator[tuple[list[str], list[str], list[Part]]]:
    """The parts with the hours and the rate that the other system says: which causes these are, and how."""
    names, said = list[str](), list[str]()
    hours, rate = there.tenths, there.rate
    if hours is not None and here.tenths is not None and hours != here.tenths:
        names.append(HOURS)
        said.append(f"{_hours(hours)} h there, {_hours(here.tenths)} h here")
    if rate is not None and here.rate is not None and rate != here.rate:
        names.append(RATE)
        said.append(f"{rate} an hour there, {here.rate} here")
    own = _by(parts, here)
    ways = (own, [part for part in own if part.kind not in LESSONS]) if HOURS in names else ([],)
    for way in ways:
        changed = [part._replace(tenths=hours) if part in way else part for part in parts]
        if RATE in names:
            place = next((n for n, part in enumerate(parts) if part.rate == here.rate), None)
            if place is None:
                return
            changed[place] = changed[place]._replace(rate=rate)
        yield names, said, changed


def _one_more(rest: int, here: Figure, parts: Sequence[Part], others: OtherRates) -> Cause | None:
    """A lesson's rate of another version of the book, or its hours."""
    lessons = [part for part in parts if part.kind in LESSONS]
    for part in lessons:
        for rate in others(part.kind):
            if rate != part.rate and _explains(part, rate, part.tenths, rest):
                return Cause(RATE, f"{part.kind}: {rate} an hour would be what is there, {part.rate} is here")
    for part in lessons:
        found = [tenths for tenths in range(TENTHS_MAX + 1) if _all_explain([part], tenths, rest)]
        if part.rate and len(found) == 1:
            hours = f"{_hours(found[0])} h would be what is there, {_hours(part.tenths or 0)} h is here"
            return Cause(HOURS, f"{part.kind}: {hours}")
    return None


def _sum(parts: Iterable[Part]) -> int:
    """Of what is by the hour: fees do not change with it."""
    return sum(_gross(part, part.rate, part.tenths) for part in parts if part.tenths is not None)


def _tax(parts: Iterable[Part]) -> int:
    return sum(
        _gross(part, part.rate, part.tenths) - half_up((part.rate or 0) * part.tenths, 10)
        for part in parts
        if part.tenths is not None
    )


def _inferred(
    difference: int, there: Figure, here: Figure, parts: Sequence[Part], others: OtherRates
) -> Cause:
    if here.tax and abs(difference - here.tax) <= 1 and there.tax in (None, 0):
        return Cause(TAX, f"tax of {here.tax} here, none there")
    for part in parts:
        for rate in others(part.kind):
            if rate != part.rate and _explains(part, rate, part.tenths, difference):
                return Cause(RATE, f"{part.kind}: {rate} an hour would be what is there, {part.rate} is here")
    for way in _timed_together(there, here, parts):
        found = [tenths for tenths in range(TENTHS_MAX + 1) if _all_explain(way, tenths, difference)]
        if len(found) == 1:
            hours = f"{_hours(found[0])} h would be what is there, {_hours(way[0].tenths or 0)} h is here"
            return Cause(HOURS, f"{way[0].kind}: {hours}")
    if role_of(here.party) == "tax":
        return Cause(TAX, f"tax of {there.amount} there, {here.amount} here")
    return Cause(UNKNOWN, "neither hours, a rate of the book, tax nor rounding alone explains it")


def _timed_together(there: Figure, here: Figure, parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """Parts that may have other hours there: those of the flight's hours, the aircraft's, each lesson's.

    Of the flight's own hours the other system's word counts where it says any.
    """
    timed = [part for part in parts if part.rate and part.tenths is not None]
    if there.tenths is None:
        yield _by(timed, here)
        yield [part for part in timed if part.kind not in LESSONS]
    for kind in LESSONS:
        yield [part for part in timed if part.kind == kind]


def _by(parts: Sequence[Part], here: Figure) -> list[Part]:
    """The parts that are made of the flight's own hours."""
    return [part for part in parts if part.tenths is not None and part.tenths == here.tenths]


def _gross(part: Part, rate: int | None, tenths: int | None) -> int:
    net = half_up((rate or 0) * (tenths or 0), 10)
    return net + half_up(net * part.tax_ppm, 1_000_000)


def _explains(part: Part, rate: int, tenths: int | None, difference: int) -> bool:
    if part.tenths is None or tenths is None:
        return False
    return abs(_gross(part, part.rate, part.tenths) - _gross(part, rate, tenths) - difference) <= 1


def _all_explain(parts: Sequence[Part], tenths: int, difference: int) -> bool:
    by = sum(_gross(part, part.rate, part.tenths) - _gross(part, part.rate, tenths) for part in parts)
    return bool(by) and abs(by - difference) <= len(parts)


def _hours(tenths: int) -> str:
    return f"{tenths // 10}.{tenths % 10}"

"""The facts of a flight as published, before any price. Pure; hours and readings are integer tenths."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal, Protocol
from zoneinfo import ZoneInfo

MeterName = Literal["hobbs", "tach"]
DIGITS_MIN = 3


class Named(Protocol):
    """Whatever is one revision of a flight: its facts, their correction, or a cancellation."""

    @property
    def flight_id(self) -> str: ...

    @property
    def revision(self) -> int: ...

    @property
    def name(self) -> str: ...


def name_of(flight_id: str, revision: int) -> str:
    """The natural key of a flight's revision: a journal's source, a dead letter's subject."""
    return f"flight:{flight_id}:{revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Readings of one meter before and after a flight; either may not have been written down."""

    out: int | None = None
    in_: int | None = None

    @property
    def is_unread(self) -> bool:
        """Nobody read it: no reading at all, or 0.0 twice, which is how exports write an empty field."""
        return (self.out or 0) == (self.in_ or 0) == 0 and (self.out is None) == (self.in_ is None)

    @property
    def runs_backwards(self) -> bool:
        """It shows less after the flight than before it: it rolled over, or a reading is wrong."""
        return self.out is not None and self.in_ is not None and self.in_ < self.out

    @property
    def digits(self) -> int:
        """Figures before the decimal point, of the smallest meter that can show `out`; at least 3."""
        return max(len(hours_text(self.out or 0)) - 2, DIGITS_MIN)

    def continued(self) -> "Meter":
        """The readings as if the meter had one figure more: past 9999.9 it goes on to 10000.0."""
        if self.in_ is None or not self.runs_backwards:
            return self
        return Meter(out=self.out, in_=self.in_ + 10 * 10**self.digits)

    def difference(self) -> int | None:
        """Tenths run, when both readings are there; of a meter that shows less than before, past its end."""
        read = self.continued()
        return None if read.out is None or read.in_ is None else read.in_ - read.out


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """The facts of one completed flight or lesson, as published.

    `not_tenths` names the figures that had more than one decimal ("hobbs_in 1254.95"); they are None here.
    `billed_by`: the other software that billed it (elsewhere.py). `zero_is_a_reading`: of a bill that is
    older than the rule that 0.0 twice is no reading.
    """

    flight_id: str
    revision: int
    student: str
    given_date: date | None = None
    departed_at: datetime | None = None
    arrived_at: datetime | None = None
    aircraft: str | None = None
    instructor: str | None = None
    hobbs: Meter = Meter()
    tach: Meter = Meter()
    logged: int | None = None
    dual: int = 0
    ground: int = 0
    not_tenths: tuple[str, ...] = ()
    zero_is_a_reading: bool = False
    billed_by: str | None = None

    def meter(self, name: MeterName) -> Meter:
        """The readings of a meter that count: none when nobody read it."""
        meter = self.hobbs if name == "hobbs" else self.tach
        return Meter() if meter.is_unread and not self.zero_is_a_reading else meter

    @property
    def name(self) -> str:
        """The flight's natural key: a journal's source, a dead letter's subject."""
        return name_of(self.flight_id, self.revision)

    def facts(self) -> dict[str, Any]:
        """The inputs a bill keeps, as JSON values."""
        elsewhere = {} if self.billed_by is None else {"billed_by": self.billed_by}
        return elsewhere | {
            "flight_id": self.flight_id,
            "revision": self.revision,
            "student": self.student,
            "date": self.given_date.isoformat() if self.given_date else None,
            "departed_at": _instant_text(self.departed_at),
            "arrived_at": _instant_text(self.arrived_at),
            "aircraft": self.aircraft,
            "instructor": self.instructor,
            "hobbs_out": self.hobbs.out,
            "hobbs_in": self.hobbs.in_,
            "tach_out": self.tach.out,
            "tach_in": self.tach.in_,
            "logged": self.logged,
            "dual": self.dual,
            "ground": self.ground,
        }

    def fingerprint(self) -> str:
        """SHA-256 of the facts, in hexadecimal: a repeat has the same, other content has another."""
        text = json.dumps(self.facts(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def local_date(self, zone: ZoneInfo) -> date:
        """The school-local date the flight is billed on; the given date when no time of day is known."""
        if self.departed_at is not None:
            return self.departed_at.astimezone(zone).date()
        if self.given_date is None:
            raise AssertionError("a flight without date and departure was admitted")
        return self.given_date

    def occurred_at(self, zone: ZoneInfo) -> datetime:
        """When it was over: arrival, else departure, else noon of the school-local date."""
        known = self.arrived_at or self.departed_at
        noon = datetime.combine(self.local_date(zone), time(12), tzinfo=zone)
        return (known or noon).astimezone(UTC)


def flight_from_facts(facts: Mapping[str, Any], *, hours_from: str | None = None) -> Flight:
    """Read back what a bill kept (`Flight.facts`), to price it again. `hours_from`: the bill's."""
    return Flight(
        flight_id=facts["flight_id"],
        revision=facts["revision"],
        student=facts["student"],
        given_date=date.fromisoformat(facts["date"]) if facts["date"] else None,
        departed_at=_instant(facts["departed_at"]),
        arrived_at=_instant(facts["arrived_at"]),
        aircraft=facts["aircraft"],
        instructor=facts["instructor"],
        hobbs=Meter(out=facts["hobbs_out"], in_=facts["hobbs_in"]),
        tach=Meter(out=facts["tach_out"], in_=facts["tach_in"]),
        logged=facts["logged"],
        dual=facts["dual"],
        ground=facts["ground"],
        zero_is_a_reading=hours_from in ("hobbs", "tach"),
        billed_by=facts.get("billed_by"),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _instant_text(instant: datetime | None) -> str | None:
    return instant.astimezone(UTC).isoformat() if instant else None


# What a bill's facts call the hours, and what the event calls them.
HOURS_OF_FACTS: Final = {
    "hobbs_out": "hobbs_out",
    "hobbs_in": "hobbs_in",
    "tach_out": "tach_out",
    "tach_in": "tach_in",
    "logged": "flight_hours",
    "dual": "dual_hours",
    "ground": "ground_hours",
}


def hours_text(tenths: int) -> str:
    """Write tenths for people: 13 is "1.3", -2 is "-0.2"."""
    sign = "-" if tenths < 0 else ""
    whole, tenth = divmod(abs(tenths), 10)
    return f"{sign}{whole}.{tenth}"

"""No flight that the schema lets in can raise: a raising record would stop its partition for good."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.envelope import first_cause, uuid7
from schemas.card import RATE_MAX
from schemas.fields import FIRST_YEAR, LAST_YEAR
from schemas.flights import FlightCompleted
from schemas.topics import TOPICS
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill, FlightRefusal
from services.billing.domain.rates import (
    LINE_KINDS,
    AircraftCard,
    AirportFee,
    Book,
    BookCard,
    InstructorCard,
    OwnerCard,
    SchoolCard,
    StudentCard,
    StudentRateCard,
    TaxCard,
)
from services.billing.wire.events import flight_from_event, messages
from tests.unit.billing.given import dated

FIRST, LAST = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, 23, 59, 59, tzinfo=UTC)
ZONES = ("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York", "Asia/Kathmandu")
identifiers = st.sampled_from(["a", "x" * 80, "✈" * 80, "éü", "a:b:c", "%s", "{0}", "'; --"])
hours = st.none() | st.sampled_from(
    ["0", "0.0", "-0.0", "1.3", "24", "24.1", "-5", "1.55", "1e3", "999999.9"]
)
edges = st.sampled_from([FIRST, LAST, FIRST + timedelta(hours=20), LAST - timedelta(hours=20)])
instants = st.none() | edges | st.datetimes(
    min_value=FIRST.replace(tzinfo=None), max_value=LAST.replace(tzinfo=None), timezones=st.just(UTC)
).map(lambda at: at.astimezone(timezone(timedelta(hours=3))) if at.year < LAST_YEAR else at)  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> FlightCompleted:
    return FlightCompleted(
        flight_id=draw(identifiers),
        revision=draw(st.sampled_from([1, 2, 10_000])),
        date=draw(st.sampled_from([date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31), date(2026, 5, 22)])),
        departed_at=draw(instants),
        arrived_at=draw(instants),
        aircraft=draw(st.none() | st.just("N1")),
        student="s",
        instructor=draw(st.none() | st.just("i")),
        **{
            name: None if figure is None else Decimal(figure)
            for name in ("hobbs_out", "hobbs_in", "tach_out", "tach_in", "flight_hours")
            for figure in [draw(hours)]
        },
        dual_hours=Decimal(draw(hours) or 0),
        ground_hours=Decimal(draw(hours) or 0),
    )


def dearest(zone: str) -> Book:
    """The largest rates that a card may have."""
    fees = tuple(AirportFee(name="f" * 200, amount=RATE_MAX) for _ in range(20))
    cards: dict[tuple[str, str], BookCard] = {
        ("school", "school"): SchoolCard(name="S", time_zone=zone, currency="USD"),
        ("student", "s"): StudentCard(),
        ("owner", "o"): OwnerCard(),
        ("instructor", "i"): InstructorCard(flight_per_hour=RATE_MAX, ground_per_hour=RATE_MAX),
        ("student_rate", "default"): StudentRateCard(flight_per_hour=RATE_MAX, ground_per_hour=RATE_MAX),
        ("aircraft", "N1"): AircraftCard(
            model="owned",
            meter="hobbs",
            rate_per_hour=RATE_MAX,
            owner="o",
            owner_share_per_hour=RATE_MAX,
            owner_minimum_per_flight=RATE_MAX,
            surcharge_per_hour=RATE_MAX,
            reserve_per_hour=RATE_MAX,
            airport_fees=fees,
        ),
    }
    cards |= {("tax", line): TaxCard(tax_ppm=1_000_000) for line in LINE_KINDS}
    return Book([dated(kind, key, card) for (kind, key), card in cards.items()], version=1)


@settings(max_examples=1500, deadline=None)
@given(event=events(), zone=st.sampled_from(ZONES))
def test_every_flight_that_can_be_read_is_billed_or_refused_and_its_events_can_be_written(
    event: FlightCompleted, zone: str
) -> None:
    result = decide_bill(flight_from_event(event), dearest(zone))
    if isinstance(result, Bill):
        for message in messages([(uuid7(), result, first_cause())]):
            TOPICS[message.topic].model.model_validate_json(message.body)
    else:
        assert len(result.sentence) < 1000


@pytest.mark.parametrize("day", [date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)])
def test_a_flight_at_the_edge_of_the_calendar_is_refused(day: date) -> None:
    event = FlightCompleted(flight_id="f", date=day, student="s", aircraft="N1", flight_hours=Decimal(1))
    result = decide_bill(flight_from_event(event), dearest("Etc/GMT+12"))
    assert isinstance(result, FlightRefusal)
    assert result.reason == "date_out_of_range"

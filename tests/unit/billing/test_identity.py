"""The identity of money, for any rates and hours."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill
from services.billing.domain.flights import Flight, Meter
from services.billing.domain.rates import (
    LINE_KINDS,
    AircraftCard,
    AirportFee,
    BookCard,
    InstructorCard,
    StudentRateCard,
    TaxCard,
    aircraft_problems,
)
from tests.unit.billing.given import book

rate = st.integers(0, 100_000)
ppm = st.integers(0, 1_000_000)
tenths = st.integers(0, 240)
optional_rate = st.none() | rate


@st.composite
def owner_share(draw: st.DrawFn) -> dict[str, object]:
    if not draw(st.booleans()):
        return {}
    share = "owner_share_ppm" if draw(st.booleans()) else "owner_share_per_hour"
    return {
        "owner": "owner-01",
        share: draw(ppm if share == "owner_share_ppm" else rate),
        "owner_minimum_per_hour": draw(optional_rate),
        "owner_minimum_per_flight": draw(optional_rate),
    }


@st.composite
def prices(draw: st.DrawFn) -> dict[str, object]:
    match draw(st.sampled_from(["owned", "leased", "third_party", "passthrough", "bundled"])):
        case "owned":
            return {"model": "owned", "rate_per_hour": draw(rate)} | draw(owner_share())
        case "leased":
            return {
                "model": "leased",
                "cost_per_hour": draw(rate),
                "margin_per_hour": draw(rate),
                "owner": "owner-01",
                "owner_minimum_per_flight": draw(optional_rate),
            }
        case "third_party":
            fee = draw(
                st.sampled_from(
                    ["convenience_fee_per_flight", "convenience_fee_per_hour", "convenience_fee_ppm"]
                )
            )
            return {"model": "third_party", "rate_per_hour": draw(rate), "owner": "owner-01", fee: draw(rate)}
        case "passthrough":
            owner = draw(st.sampled_from([None, "owner-01"]))
            return {"model": "passthrough", "cost_per_hour": draw(rate), "owner": owner}
        case _:
            parts = [draw(rate), draw(rate), draw(rate)]
            return {
                "model": "bundled",
                "bundle_per_hour": sum(parts),
                "aircraft_per_hour": parts[0],
                "instruction_per_hour": parts[1],
                "fuel_per_hour": parts[2],
            } | draw(owner_share())


@st.composite
def aircraft_cards(draw: st.DrawFn) -> AircraftCard:
    card = AircraftCard(
        meter=draw(st.sampled_from(["hobbs", "tach", "none"])),
        surcharge_per_hour=draw(rate),
        reserve_per_hour=draw(rate),
        airport_fees=tuple(AirportFee(name="fee", amount=a) for a in draw(st.lists(rate, max_size=2))),
        tax=draw(st.dictionaries(st.sampled_from(LINE_KINDS), ppm, max_size=2)),
        **draw(prices()),  # type: ignore[arg-type]
    )
    assert aircraft_problems(card) == []
    return card


@st.composite
def books(draw: st.DrawFn) -> dict[tuple[str, str], BookCard]:
    taxes = draw(st.dictionaries(st.sampled_from(LINE_KINDS), ppm, max_size=4))
    cards: dict[tuple[str, str], BookCard] = {("tax", k): TaxCard(tax_ppm=v) for k, v in taxes.items()}
    return cards | {
        ("student_rate", "default"): StudentRateCard(flight_per_hour=draw(rate), ground_per_hour=draw(rate)),
        ("instructor", "instructor-01"): InstructorCard(
            flight_per_hour=draw(rate), ground_per_hour=draw(rate)
        ),
        ("aircraft", "N364MA"): draw(aircraft_cards()),
    }


@st.composite
def flights(draw: st.DrawFn) -> Flight:
    solo, has_meter = draw(st.booleans()), draw(st.booleans())
    out, run = draw(st.integers(0, 99_999)), draw(tenths)
    meter = Meter(out=out, in_=out + run) if has_meter else Meter()
    return Flight(
        flight_id="F1",
        revision=1,
        student="student-01",
        given_date=date(2026, 5, 22),
        aircraft="N364MA",
        instructor=None if solo else "instructor-01",
        hobbs=meter,
        tach=meter,
        logged=draw(tenths),
        dual=0 if solo else draw(tenths),
        ground=0 if solo else draw(tenths),
    )


@settings(max_examples=1000, deadline=None)
@given(flight=flights(), cards=books())
def test_charge_less_every_leg_is_the_margin_and_the_journal_sums_to_zero(
    flight: Flight, cards: dict[tuple[str, str], BookCard]
) -> None:
    bill = decide_bill(flight, book(cards))
    assert isinstance(bill, Bill)
    entries = bill.entries()
    wallets = dict(entries)
    assert len(wallets) == len(entries)
    assert sum(amount for _, amount in entries) == 0
    assert all(amount for _, amount in entries)
    assert len(entries) != 1
    assert -wallets.get("student:student-01", 0) == bill.charge == sum(line.amount for line in bill.lines)
    others = sum(v for k, v in wallets.items() if k not in ("student:student-01", "platform:school"))
    assert bill.charge - others == bill.margin == wallets.get("platform:school", 0)
    assert all(line.amount > 0 for line in bill.lines)
    assert all(leg.amount > 0 for leg in bill.legs)


@settings(max_examples=300, deadline=None)
@given(flight=flights(), cards=books())
def test_a_bundles_parts_sum_to_its_line_and_third_party_rent_goes_to_the_owner_whole(
    flight: Flight, cards: dict[tuple[str, str], BookCard]
) -> None:
    bill = decide_bill(flight, book(cards))
    assert isinstance(bill, Bill)
    for line in bill.lines:
        if line.parts:
            assert sum(amount for _, amount in line.parts) == line.amount
            assert all(amount >= 0 for _, amount in line.parts)
    card = cards[("aircraft", "N364MA")]
    assert isinstance(card, AircraftCard)
    if card.model == "third_party":
        rent = sum(line.amount for line in bill.lines if line.kind == "rental")
        assert sum(leg.amount for leg in bill.legs if leg.kind == "owner") == rent


@given(flight=flights(), cards=books())
def test_the_same_flight_and_book_always_give_the_same_bill(
    flight: Flight, cards: dict[tuple[str, str], BookCard]
) -> None:
    assert decide_bill(flight, book(cards)) == decide_bill(flight, book(dict(reversed(cards.items()))))

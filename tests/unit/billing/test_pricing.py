"""What a flight costs, and who gets what of it."""

from dataclasses import replace

import pytest

from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill
from services.billing.domain.flights import Flight, Meter
from services.billing.domain.rates import (
    AircraftCard,
    AirportFee,
    Book,
    InstructorCard,
    StudentCard,
    StudentRateCard,
    TaxCard,
)
from tests.unit.billing.given import OWNED, aircraft, book, flight, solo


def billed(flight: Flight, book: Book) -> Bill:
    bill = decide_bill(flight, book)
    assert isinstance(bill, Bill), bill
    return bill


def lines(bill: Bill) -> list[tuple[str, int]]:
    return [(line.kind, line.amount) for line in bill.lines]


def test_the_worked_example_of_the_design_is_billed_to_the_cent() -> None:
    bill = billed(flight(), book())
    assert lines(bill) == [("rental", 21450), ("instruction", 10500), ("ground", 3000), ("tax", 1201)]
    assert (bill.charge, bill.margin) == (36151, 10600)
    assert bill.entries() == [
        ("student:student-01", -36151),
        ("instructor:instructor-01", 8750),
        ("aircraft_owner:owner-01", 15600),
        ("liability:tax", 1201),
        ("platform:school", 10600),
    ]
    assert (bill.hours.source, bill.hours.billed, bill.currency) == ("hobbs", 13, "USD")


LEASED = AircraftCard(
    model="leased", meter="hobbs", cost_per_hour=11005, margin_per_hour=4505, owner="owner-01"
)
THIRD_PARTY = AircraftCard(
    model="third_party",
    meter="hobbs",
    rate_per_hour=14005,
    owner="owner-01",
    convenience_fee_per_flight=1000,
)
BUNDLED = AircraftCard(
    model="bundled",
    meter="hobbs",
    bundle_per_hour=26001,
    aircraft_per_hour=14000,
    instruction_per_hour=7500,
    fuel_per_hour=4501,
    owner="owner-01",
    owner_share_ppm=700_000,
)
SHARE = replace(OWNED, rate_per_hour=15000, owner_share_per_hour=None, owner_share_ppm=625_000)
# card, tenths -> student pays (tax apart), owner gets, tax at 5.6 % on rental
TABLE = [
    pytest.param(replace(OWNED, owner=None, owner_share_per_hour=None), 13, 21450, 0, 1201, id="owned"),
    pytest.param(OWNED, 13, 21450, 15600, 1201, id="owned, share per hour"),
    pytest.param(SHARE, 13, 19500, 12188, 1092, id="owned, share in percent: 12187.5 is 12188"),
    pytest.param(replace(SHARE, owner_share_ppm=0), 13, 19500, 0, 1092, id="owned, no share at all"),
    pytest.param(
        replace(SHARE, owner_minimum_per_hour=9501), 13, 19500, 12351, 1092, id="a minimum per hour"
    ),
    pytest.param(replace(SHARE, owner_minimum_per_flight=15000), 13, 19500, 15000, 1092, id="per flight"),
    pytest.param(
        replace(SHARE, owner_minimum_per_flight=25000), 13, 19500, 25000, 1092, id="over the charge"
    ),
    pytest.param(replace(SHARE, owner_minimum_per_flight=25000), 0, 0, 0, 0, id="no hours, no minimum"),
    pytest.param(LEASED, 13, 20163, 14307, 1129, id="leased: 20163.0 from one rate, cost 14306.5 is 14307"),
    pytest.param(THIRD_PARTY, 13, 18207 + 1000, 18207, 1020, id="third party: 18206.5 in full"),
    pytest.param(
        replace(THIRD_PARTY, convenience_fee_per_flight=None, convenience_fee_ppm=25_000),
        13,
        18207 + 455,
        18207,
        1020,
        id="a fee in percent of the rounded rent: 455.175",
    ),
    pytest.param(
        replace(THIRD_PARTY, convenience_fee_per_flight=None, convenience_fee_per_hour=335),
        13,
        18207 + 436,
        18207,
        1020,
        id="a fee per hour: 435.5 is 436",
    ),
    pytest.param(THIRD_PARTY, 0, 0, 0, 0, id="no hours, no fee"),
    pytest.param(
        AircraftCard(model="passthrough", meter="hobbs", cost_per_hour=9505, owner="owner-01"),
        13,
        12357,
        12357,
        692,
        id="passthrough to an owner",
    ),
    pytest.param(
        AircraftCard(model="passthrough", meter="hobbs", cost_per_hour=9505),
        13,
        12357,
        0,
        692,
        id="passthrough, school bears the cost",
    ),
    pytest.param(
        replace(OWNED, surcharge_per_hour=855, airport_fees=(AirportFee(name="landing", amount=1200),)),
        13,
        21450 + 1112 + 1200,
        15600,
        1201,
        id="surcharge 1111.5 is 1112, and a landing fee",
    ),
]


@pytest.mark.parametrize(("card", "tenths", "pays", "owner", "tax"), TABLE)
def test_each_model_charges_and_shares_as_stated(
    card: AircraftCard, tenths: int, pays: int, owner: int, tax: int
) -> None:
    bill = billed(solo(tenths), aircraft(card))
    legs = {leg.kind: leg.amount for leg in bill.legs}
    assert bill.charge - legs.get("tax", 0) == pays
    assert legs.get("owner", 0) == owner
    assert legs.get("tax", 0) == tax
    assert bill.margin == pays - owner


def test_a_bundle_is_one_line_whose_parts_are_split_by_largest_remainder() -> None:
    bill = billed(flight(ground=0), aircraft(BUNDLED))
    bundle = bill.lines[0]
    assert (bundle.kind, bundle.amount, bundle.rate) == ("bundle", 33801, 26001)
    assert bundle.parts == (("rental", 18200), ("instruction", 9750), ("fuel", 5851))
    assert lines(bill) == [("bundle", 33801), ("tax", 1019)]
    assert {leg.kind: leg.amount for leg in bill.legs} == {"instruction": 6750, "owner": 12740, "tax": 1019}


def test_ground_hours_are_not_in_the_bundle() -> None:
    assert ("ground", 3000) in lines(billed(flight(), aircraft(BUNDLED)))


def test_a_solo_flight_in_a_bundled_aircraft_leaves_the_instruction_part_out() -> None:
    bill = billed(solo(13), aircraft(BUNDLED))
    assert lines(bill)[0] == ("bundle", 24051)
    assert dict(bill.lines[0].parts) == {"rental": 18200, "instruction": 0, "fuel": 5851}


def test_every_taxed_line_has_its_own_tax_rounded_once() -> None:
    changed = {
        ("tax", "instruction"): TaxCard(tax_ppm=12_345),
        ("tax", "ground"): TaxCard(tax_ppm=1),
        ("aircraft", "N364MA"): replace(OWNED, surcharge_per_hour=100, tax={"surcharge": 500_000}),
    }
    bill = billed(flight(), book(changed))
    assert [amount for kind, amount in lines(bill) if kind == "tax"] == [1201, 130, 65]
    assert dict(bill.entries())["liability:tax"] == 1396


def test_an_aircrafts_own_tax_goes_before_the_schools() -> None:
    bill = billed(solo(13), aircraft(replace(OWNED, tax={"rental": 0})))
    assert lines(bill) == [("rental", 21450)]
    assert not [entry for entry in bill.named if entry.kind == "tax"]


def test_the_reserve_comes_out_of_the_schools_margin() -> None:
    bill = billed(solo(13), aircraft(replace(OWNED, reserve_per_hour=1505)))
    assert dict(bill.entries())["liability:reserve-N364MA"] == 1957
    assert bill.margin == 21450 - 15600 - 1957


@pytest.mark.parametrize(
    ("rates", "flight_rate", "ground_rate"),
    [
        ({}, 7000, 6000),
        ({"instructor:instructor-01": StudentRateCard(flight_per_hour=9500)}, 9500, 6000),
        ({"student:student-01": StudentRateCard(flight_per_hour=5000, ground_per_hour=4000)}, 5000, 4000),
        (
            {
                "student:student-01": StudentRateCard(ground_per_hour=4000),
                "instructor:instructor-01": StudentRateCard(flight_per_hour=9500, ground_per_hour=9000),
            },
            9500,
            4000,
        ),
        ({"instructor:other": StudentRateCard(flight_per_hour=1, ground_per_hour=1)}, 7000, 6000),
        ({"student:student-01": StudentRateCard(flight_per_hour=0, ground_per_hour=0)}, 0, 0),
    ],
)
def test_the_most_specific_student_rate_is_charged(
    rates: dict[str, StudentRateCard], flight_rate: int, ground_rate: int
) -> None:
    bill = billed(flight(dual=10, ground=10), book({("student_rate", k): v for k, v in rates.items()}))
    charged = dict(lines(bill))
    assert charged.get("instruction", 0) == flight_rate
    assert charged.get("ground", 0) == ground_rate


def test_a_negative_margin_is_billed_and_flagged() -> None:
    bill = billed(solo(10), aircraft(replace(OWNED, owner_share_per_hour=20000)))
    assert bill.margin == -3500
    assert [flag.kind for flag in bill.flags] == ["negative_margin"]
    assert ("platform:school", -3500) in bill.entries()


def test_a_flight_without_hours_makes_a_bill_and_no_journal() -> None:
    card = replace(OWNED, owner_minimum_per_flight=100, airport_fees=(AirportFee(name="fee", amount=5),))
    bill = billed(solo(0), aircraft(card))
    assert (bill.charge, bill.margin, bill.lines, bill.legs, bill.entries()) == (0, 0, (), (), [])
    assert bill.flags == ()


def test_a_free_lesson_still_pays_the_instructor() -> None:
    free = {("student_rate", "default"): StudentRateCard(flight_per_hour=0, ground_per_hour=0)}
    bill = billed(flight(aircraft=None, hobbs=Meter(), logged=None, dual=0, ground=10), book(free))
    assert bill.entries() == [("instructor:instructor-01", 4000), ("platform:school", -4000)]


def test_a_ground_lesson_needs_no_aircraft() -> None:
    bill = billed(flight(aircraft=None, hobbs=Meter(), logged=None, dual=0, ground=20), book())
    assert lines(bill) == [("ground", 12000)]
    assert bill.hours.source == "none"


def test_an_instructor_aboard_without_dual_hours_costs_and_earns_nothing() -> None:
    bill = billed(flight(dual=0, ground=0), book())
    assert "instructor:instructor-01" not in dict(bill.entries())


def test_an_owner_who_flies_is_billed_like_any_student_and_flagged() -> None:
    mine = {("student", "student-01"): StudentCard(also_owner="owner-01")}
    bill = billed(flight(), book(mine))
    assert bill.entries() == billed(flight(), book()).entries()
    assert [flag.kind for flag in bill.flags] == ["owner_flies_own_aircraft"]


def test_a_student_who_also_teaches_is_billed_like_any_student() -> None:
    also = {
        ("student", "student-01"): StudentCard(also_instructor="instructor-02"),
        ("instructor", "instructor-02"): InstructorCard(flight_per_hour=1, ground_per_hour=1),
    }
    assert billed(flight(), book(also)).charge == 36151


@pytest.mark.parametrize(
    ("meter", "hobbs", "tach", "logged", "expected"),
    [
        ("hobbs", (100, 113), (50, 61), 12, (13, "hobbs")),
        ("tach", (100, 113), (50, 61), 12, (11, "tach")),
        ("hobbs", (100, None), (50, 61), 12, (12, "logged")),
        ("hobbs", (None, 113), (None, None), 12, (12, "logged")),
        ("tach", (100, 113), (None, None), 12, (12, "logged")),
        ("none", (100, 113), (50, 61), 12, (12, "logged")),
        ("hobbs", (100, 100), (None, None), 12, (0, "hobbs")),
    ],
)
def test_hours_are_the_billing_meters_or_the_logged_ones(
    meter: str,
    hobbs: tuple[int | None, int | None],
    tach: tuple[int | None, int | None],
    logged: int,
    expected: tuple[int, str],
) -> None:
    flown = solo(
        0, hobbs=Meter(out=hobbs[0], in_=hobbs[1]), tach=Meter(out=tach[0], in_=tach[1]), logged=logged
    )
    bill = billed(flown, aircraft(replace(OWNED, meter=meter)))
    assert (bill.hours.billed, bill.hours.source) == expected


@pytest.mark.parametrize(
    ("meter", "hobbs", "logged", "flags"),
    [
        ("hobbs", Meter(out=100, in_=113), 13, []),
        ("hobbs", Meter(out=100, in_=113), 16, ["meter_mismatch"]),
        ("hobbs", Meter(out=100, in_=113), None, []),
        ("hobbs", Meter(), 16, []),
        ("hobbs", Meter(out=100), 16, ["reading_missing"]),
        ("hobbs", Meter(in_=100), 16, ["reading_missing"]),
        ("none", Meter(out=100, in_=113), 16, []),
        ("tach", Meter(out=100, in_=113), 16, []),
    ],
)
def test_a_meter_that_disagrees_with_the_log_is_flagged_and_billed_as_read(
    meter: str, hobbs: Meter, logged: int | None, flags: list[str]
) -> None:
    bill = billed(solo(0, hobbs=hobbs, logged=logged or 0), aircraft(replace(OWNED, meter=meter)))
    if logged is None:
        bill = billed(solo(0, hobbs=hobbs, logged=None), aircraft(replace(OWNED, meter=meter)))
    assert [flag.kind for flag in bill.flags] == flags


def test_a_bill_says_by_which_hours_it_was_made() -> None:
    assert "by Hobbs" in billed(solo(13), book()).lines[0].description
    assert "by logged hours" in billed(solo(13, hobbs=Meter()), book()).lines[0].description


def test_a_bill_names_the_versions_it_used_and_no_others() -> None:
    names = {(entry.kind, entry.key) for entry in billed(flight(), book()).named}
    assert names == {
        ("school", "school"),
        ("tax", "rental"),
        ("student_rate", "default"),
        ("student", "student-01"),
        ("instructor", "instructor-01"),
        ("aircraft", "N364MA"),
        ("owner", "owner-01"),
    }

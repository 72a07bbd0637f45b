"""Exports of other programs are read as they are: the shapes are theirs, the people are invented."""

from datetime import date
from decimal import Decimal

import pytest

from hobbs.flights.exports import DATES_VARY, EXPORTS, Told, read_export
from hobbs.flights.file import FlightsFile
from hobbs.flights.people import read_people
from hobbs.flights.unreadable import FileUnreadable
from schemas.flights import FlightCompleted

PEOPLE = read_people(b"name,id\nIda Example,instructor-01\nSam Sample,student-02\n")

FOREFLIGHT = (
    "ForeFlight Logbook Import,This row is required for importing into ForeFlight. Do not delete.\r\n"
    ",,,\r\nAircraft Table,,,\r\n"
    "AircraftID,EquipmentType,TypeCode,Year,Make,Model,Category,Class,GearType,EngineType,Complex,TAA\r\n"
    "N364MA,aircraft,C172,1999,Cessna,172S,airplane,airplane_single_engine_land,fixed_tricycle,Piston,,\r\n"
    ",,,\r\nFlights Table,,,\r\n"
    "Date,AircraftID,From,To,Route,TimeOut,TimeOff,TimeOn,TimeIn,TotalTime,PIC,Solo,HobbsStart,HobbsEnd,"
    "TachStart,TachEnd,DualGiven,DualReceived,GroundTraining,InstructorName,PilotComments\r\n"
    '2026-05-22,N364MA,KLOU,KLOU,"T41, K20",1110,,,1228,1.3,0.0,0.0,1253.60,1254.90,0.00,0.00,0.0,1.5,0.5,'
    "Ida  Example,\r\n"
    "2026-05-22,N364MA,KLOU,KFFT,,,,,,1:20,0.0,1:20,0.00,0.00,0.00,0.00,0.0,0.0,0.0,,\r\n"
    "2026-05-23,N364MA,KLOU,KLOU,,,,,,1.25,0.0,0.0,0.00,0.00,0.00,0.00,0.0,0.0,0.0,,\r\n"
)
MYFLIGHTBOOK = (
    "Date,Flight ID,Model,ICAO Model,Tail Number,Display Tail,Aircraft ID,Landings,Dual Received,CFI,PIC,"
    "Total Flight Time,CFI Time (HH:MM),Total Flight Time (HH:MM),Route,Hobbs Start,Hobbs End,CFI Name\n"
    "22.05.2026,90817,C-172 S,C172,N364MA,N364MA,5521,3,1.5,0,0,1.3,0:00,1:18,KLOU,1253.6,1254.9,"
    "Ida Example\n"
)
LOGTEN = (
    "Date\tAircraft ID\tAircraft Type\tFrom\tRoute\tTo\tOut\tIn\tTotal Time\tPIC\tDual Rcvd\tGround\t"
    "PIC/P1 Crew\tStudent\tInstructor\tDay Ldg\tRemarks\tFlight Review\t\n"
    "5/22/26\tN364MA\tC172\tKLOU\t\tKLOU\t\t\t1:18\t\t1:30\t0:30\tSelf\tSam Sample\tIda Example\t3\t\t\t\n"
)
FLYLOG = (
    "DATE,DEPARTURE_AIRPORT,ARRIVAL_AIRPORT,AIRCRAFT_TYPE,AIRCRAFT_REGISTRATION,DURATION_BLOCK,LDGS_DAY,"
    "DURATION_PIC,DURATION_DUAL,REMARKS,NAME_PIC,NAME_STUDENT,NAME_INSTRUCTOR\n"
    "2026-05-22,EDDS,EDDS,C172,D-EXYZ,01:18,3,00:00,01:30,,Ida Example,Sam Sample,Ida Example\n"
)
LOGBOOK_PRO = (
    "DATE,AIRCRAFT MAKE & MODEL,AIRCRAFT IDENT,ROUTE OF FLIGHT,DURATION,INSTRUCTOR,LANDINGS DAY,DUAL,"
    "REMARKS\n"
    "05/22/2026,CE-172,N364MA,KLOU KLOU,1.3,Ida Example,3,1.5,\n"
    "Totals,,,,1.3,,3,1.5,\n"
)
SHAPES = {
    "foreflight": (FOREFLIGHT, None),
    "myflightbook": (MYFLIGHTBOOK, "%d.%m.%Y"),
    "logten": (LOGTEN, "%m/%d/%y"),
    "flylog": (FLYLOG, "%Y-%m-%d"),
    "logbook-pro": (LOGBOOK_PRO, "%m/%d/%Y"),
}


def read(name: str, text: str, **told: object) -> FlightsFile[FlightCompleted]:
    given = {"student": "student-01", "people": PEOPLE, "date_format": SHAPES[name][1], **told}
    return read_export(text.encode(), name, Told(**given))  # type: ignore[arg-type]


def test_each_export_has_its_shape_here() -> None:
    assert set(SHAPES) == set(EXPORTS)


@pytest.mark.parametrize("name", EXPORTS)
def test_the_same_lesson_is_read_from_each_export(name: str) -> None:
    flight = read(name, SHAPES[name][0]).flights[0].flight
    assert (flight.date, flight.instructor) == (date(2026, 5, 22), "instructor-01")
    assert (flight.flight_hours, flight.dual_hours) == (Decimal("1.3"), Decimal("1.5"))
    assert flight.aircraft == ("D-EXYZ" if name == "flylog" else "N364MA")
    assert flight.student == ("student-02" if name in ("logten", "flylog") else "student-01")
    assert flight.departed_at is None, "local times without a zone are no instants"


def test_meters_are_read_where_they_were_written_down() -> None:
    first, second, third = (one.flight for one in read("foreflight", FOREFLIGHT).flights)
    assert (first.hobbs_out, first.hobbs_in) == (Decimal("1253.60"), Decimal("1254.90"))
    assert second.flight_hours == Decimal("1.3"), "1:20 is nearest to 1.3"
    assert third.flight_hours == Decimal("1.25"), "more decimals than one: billing refuses it by name"
    assert [one.flight_id for one in (first, second, third)] == [
        "2026-05-22-N364MA-student-01-1",
        "2026-05-22-N364MA-student-01-2",
        "2026-05-23-N364MA-student-01-1",
    ]


def test_a_row_of_totals_is_no_flight() -> None:
    found = read("logbook-pro", LOGBOOK_PRO)
    assert ([row.line for row in found.rejected], len(found.flights)) == ([3], 1)


def test_an_id_that_the_export_has_is_kept() -> None:
    assert read("myflightbook", MYFLIGHTBOOK).flights[0].flight.flight_id == "90817"


@pytest.mark.parametrize("name", DATES_VARY)
def test_what_stands_first_in_a_date_is_told_and_never_guessed(name: str) -> None:
    with pytest.raises(FileUnreadable, match="--date-format"):
        read(name, SHAPES[name][0], date_format=None)


def test_a_decimal_comma_and_semicolons_are_read_when_told() -> None:
    text = LOGBOOK_PRO.replace(",", ";").replace("1.3", "1,3").replace("1.5", "1,5")
    flight = read("logbook-pro", text, decimals="comma").flights[0].flight
    assert (flight.flight_hours, flight.dual_hours) == (Decimal("1.3"), Decimal("1.5"))
    assert read("logbook-pro", text).rejected


@pytest.mark.parametrize("name", EXPORTS)
def test_another_programs_file_is_not_taken_for_this_ones(name: str) -> None:
    for other, (text, _) in SHAPES.items():
        if other != name:
            with pytest.raises(FileUnreadable, match="is no export of"):
                read(name, text)


def test_a_row_without_a_student_says_what_is_missing() -> None:
    (row,) = read("flylog", FLYLOG.replace("Sam Sample", ""), student=None).rejected
    assert (row.line, "--student" in row.sentence) == (2, True)
    broken = FOREFLIGHT.replace("1:20", "1:90")
    assert [row.line for row in read("foreflight", broken).rejected] == [10], (
        "as the file's lines are counted"
    )


def test_two_people_of_one_name_are_refused() -> None:
    with pytest.raises(FileUnreadable, match="somebody else"):
        read_people(b"Ida Example,instructor-01\nida  example,instructor-02\n")
    with pytest.raises(FileUnreadable, match="NAME,ID"):
        read_people(b"Ida Example\n")


@pytest.mark.parametrize(
    ("written", "tenths"),
    [("0:00", "0.0"), ("0:02", "0.0"), ("0:03", "0.1"), ("1:33", "1.6"), ("12:57", "13.0")],
)
def test_minutes_become_the_nearest_tenth(written: str, tenths: str) -> None:
    text = FLYLOG.replace("01:18", written)
    assert read("flylog", text).flights[0].flight.flight_hours == Decimal(tenths)

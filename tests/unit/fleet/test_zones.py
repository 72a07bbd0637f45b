"""Time zones are those of the pinned package, whatever the host and the environment have."""

import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from fleet.zones import UnknownZone, local_date, offset_s, time_zone
from services.billing.domain.billing import decide_bill
from services.billing.domain.bills import Bill
from services.billing.domain.rates import SchoolCard
from tests.unit.billing.given import book, solo

ROOT = Path(__file__).resolve().parents[3]
# Rules of 2026, from the tzdata package 2026.6; hosts and PostgreSQL 18.6 are older in part.
NEW_RULES = [
    ("America/Vancouver", "2026-12-01T07:30:00+00:00", date(2026, 12, 1), -7),
    ("America/Edmonton", "2026-12-01T06:30:00+00:00", date(2026, 12, 1), -6),
    ("America/Winnipeg", "2026-12-01T05:30:00+00:00", date(2026, 12, 1), -5),
    ("Africa/Casablanca", "2026-11-30T23:30:00+00:00", date(2026, 11, 30), 0),
    ("America/New_York", "2026-12-01T04:30:00+00:00", date(2026, 11, 30), -5),
]
ENTRIES = ("services.payouts.app", "hobbs.cli", "tests.checker.__main__")


@pytest.mark.parametrize(("zone", "at", "day", "ahead_h"), NEW_RULES)
def test_a_flight_is_billed_on_the_date_by_this_years_rules(
    zone: str, at: str, day: date, ahead_h: int
) -> None:
    instant = datetime.fromisoformat(at)
    assert (local_date(instant, zone), offset_s(instant, zone)) == (day, ahead_h * 3600)
    school = {("school", "school"): SchoolCard(name="S", time_zone=zone, currency="USD")}
    bill = decide_bill(solo(10, departed_at=instant, arrived_at=None), book(school))
    assert isinstance(bill, Bill)
    assert bill.billed_on == day


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_point_reads_the_package_and_not_the_host(entry: str, tmp_path: Path) -> None:
    """A host whose files say that Vancouver is UTC."""
    (tmp_path / "America").mkdir()
    utc = Path(str(_package()), "zoneinfo", "UTC").read_bytes()
    (tmp_path / "America" / "Vancouver").write_bytes(utc)
    code = (
        f"import importlib, zoneinfo, datetime; importlib.import_module({entry!r}); "
        "print(datetime.datetime(2026, 12, 1, 7, 30, tzinfo=datetime.UTC)"
        ".astimezone(zoneinfo.ZoneInfo('America/Vancouver')).date())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["2026-12-01"]


def _package() -> Path:
    import tzdata  # type: ignore[import-untyped]

    return Path(tzdata.__file__).parent


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "America",
        "america/new_york",
        "/etc/localtime",
        "../UTC",
        "zone.tab",
        "a\0b",
        "x" * 300,
        "Ü/x",
    ],
)
def test_what_is_no_zone_is_said(name: str) -> None:
    with pytest.raises(UnknownZone, match="is not in the IANA database"):
        time_zone(name)

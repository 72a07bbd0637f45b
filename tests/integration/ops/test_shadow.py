"""`hobbs shadow diff`: every seeded difference is found, to the cent and with its cause; none is invented."""

import json
import re
import shlex
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleet.database import Database
from hobbs.shadow import log
from hobbs.shadow.report import Report
from services.billing.handlers import bill_flights, configure_school
from tests.conftest import OpenDatabase
from tests.integration.billing.given import CHANGES, completed, configured
from tests.integration.ops.conftest import Hobbs

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations" / "shadow.md"
HEADER = "flight_id,date,student,instructor,owner,tax,hours,rate\n"
# As billing makes them of 1.3 h Hobbs at 165.00, taxed 5.6 %, 1.5 h of instruction and 0.5 h on the ground.
SAME = "361.51,87.50,156.00,12.01,1.3,165"
DAY = "2026-05-22"


@pytest.fixture
async def billing(open_db: OpenDatabase) -> Database:
    """Eight flights alike, F1 to F8, and one that was cancelled."""
    database = open_db("billing")
    older = [dict(one) for one in CHANGES]
    older[-1] = older[-1] | {"new": older[-1]["new"] | {"rate_per_hour": 15_900}}
    await configure_school(database, [configured(1, older)])
    await configure_school(database, [configured(2, [CHANGES[-1]])])
    await bill_flights(database, [completed(flight_id=f"F{n}") for n in range(1, 9)])
    return database


def old_system(tmp_path: Path, *rows: str) -> str:
    """The other system's figures: flights alike where nothing else is said."""
    said = {row.split(",")[0]: row for row in rows}
    lines = [said.pop(f"F{n}", f"F{n},{DAY},{SAME}") for n in range(1, 9)]
    file = tmp_path / "old.csv"
    file.write_text(HEADER + "\n".join([line for line in lines if "gone" not in line] + list(said.values())))
    return str(file)


async def diff(hobbs: Hobbs, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    result = await hobbs("shadow", "diff", *arguments, "-o", "json")
    return result.exit_code, json.loads(result.stdout), result.stderr


@pytest.mark.usefixtures("billing")
async def test_systems_that_agree_have_no_difference(hobbs: Hobbs, tmp_path: Path) -> None:
    code, rows, said = await diff(hobbs, old_system(tmp_path))
    assert (code, rows) == (0, []), said
    assert "8 flights compared, 0 differ" in said


@pytest.mark.usefixtures("billing")
async def test_each_seeded_difference_is_found_with_its_cause_and_no_other(
    hobbs: Hobbs, tmp_path: Path
) -> None:
    file = old_system(
        tmp_path,
        f"F1,{DAY},344.09,87.50,144.00,11.09,1.2,165",  # a tenth less
        f"F2,{DAY},353.28,87.50,156.00,11.58,1.3,159",  # the rate before
        f"F3,{DAY},349.50,87.50,156.00,0,1.3,165",  # no tax
        f"F4,{DAY},361.50,87.50,156.00,12.01,1.3,165",  # a cent
        "F5,gone",
        f"F9,{DAY},100.00,,,,,",  # is not here
    )
    code, rows, _ = await diff(hobbs, file)
    assert code == 1
    found = {(row["flight_id"], row["party"]): (row["amount"], row["cause"]) for row in rows}
    assert found == {
        ("F1", "student"): (1_742, "hours"),
        ("F1", "owner"): (1_200, "hours"),
        ("F1", "tax"): (92, "hours"),
        ("F2", "student"): (823, "rate version"),
        ("F2", "tax"): (43, "rate version"),
        ("F3", "student"): (1_201, "tax"),
        ("F3", "tax"): (1_201, "tax"),
        ("F4", "student"): (1, "rounding"),
        ("F5", "student"): (36_151, "missing there"),
        ("F5", "instructor"): (8_750, "missing there"),
        ("F5", "owner"): (15_600, "missing there"),
        ("F5", "tax"): (1_201, "missing there"),
        ("F9", "student"): (-10_000, "missing here"),
    }
    assert [abs(row["amount"]) for row in rows] == sorted((abs(r["amount"]) for r in rows), reverse=True)


@pytest.mark.usefixtures("billing")
async def test_causes_are_inferred_where_the_other_system_says_amounts_only(
    hobbs: Hobbs, tmp_path: Path
) -> None:
    file = old_system(
        tmp_path,
        f"F1,{DAY},344.09,,,,,",
        f"F2,{DAY},353.28,,,,,",
        f"F3,{DAY},349.50,,,,,",
        f"F4,{DAY},361.50,,,,,",
    )
    _, rows, _ = await diff(hobbs, file)
    students = {row["flight_id"]: row["cause"] for row in rows if row["party"] == "student"}
    assert students == {"F1": "hours", "F2": "rate version", "F3": "tax", "F4": "rounding"}


@pytest.mark.usefixtures("billing")
async def test_a_rule_accepts_what_it_names_until_it_ends_and_is_counted(
    hobbs: Hobbs, tmp_path: Path
) -> None:
    file = old_system(tmp_path, f"F4,{DAY},361.50,87.50,156.00,12.01,1.3,165")
    rules, today = tmp_path / "accepted.toml", datetime.now(UTC).date()

    def rule(until: date, **more: str) -> None:
        said = {"name": "cents", "cause": "rounding", "most": "0.01", "why": "it rounds to even", **more}
        lines = "".join(f'{name} = "{value}"\n' for name, value in said.items())
        rules.write_text(f"[[accept]]\n{lines}until = {until}\n")

    rule(today)
    code, rows, said = await diff(hobbs, file, "--rules", str(rules))
    assert (code, [row["accepted_by"] for row in rows]) == (0, ["cents"])
    assert "rule 'cents' accepts 1" in said
    rule(today - timedelta(days=1))
    code, rows, said = await diff(hobbs, file, "--rules", str(rules))
    assert (code, [row["accepted_by"] for row in rows]) == (1, [""])
    assert "it ended on" in said
    for narrower in ({"most": "0.00"}, {"party": "owner"}, {"cause": "hours"}, {"flight_id": "F5"}):
        rule(today, **narrower)
        assert (await diff(hobbs, file, "--rules", str(rules)))[0] == 1
    rule(today, cause="luck")
    assert (await hobbs("shadow", "diff", file, "--rules", str(rules))).exit_code == 2


async def test_another_rate_card_is_compared_with_the_live_books(
    billing: Database, hobbs: Hobbs, tmp_path: Path
) -> None:
    school = tmp_path / "school.toml"
    school.write_text(SCHOOL)
    code, rows, _ = await diff(hobbs, "--rates", str(school))
    assert code == 1
    assert {(row["party"], row["amount"], row["cause"]) for row in rows if row["flight_id"] == "F1"} == {
        ("student:student-01", 1_373, "rate version"),
        ("tax", 73, "rate version"),
        ("school", 1_300, "rate version"),
    }
    sums = await hobbs("shadow", "diff", "--rates", str(school), "--by-month", "-o", "json")
    by = {(s["month"], s["party"], s["cause"]): s["net"] for s in json.loads(sums.stdout)}
    assert by["2026-05", "student", "rate version"] == 8 * 1_373


SCHOOL = """
[school]
name = "S"
time_zone = "America/New_York"
currency = "USD"

[[tax]]
line = "rental"
percent = 5.6

[[student_rate]]
flight_per_hour = 70
ground_per_hour = 60

[[instructor]]
id = "instructor-01"
name = "Instructor 1"
email = "instructor-01@example.org"
flight_per_hour = 45
ground_per_hour = 40

[[owner]]
id = "owner-01"
name = "Owner 1"
email = "owner-01@example.org"

[[student]]
id = "student-01"
name = "Student 1"
email = "student-01@example.org"

[[aircraft]]
tail = "N364MA"
model = "owned"
meter = "hobbs"
rate_per_hour = 175
owner = "owner-01"
owner_share_per_hour = 120
"""


async def test_a_flight_that_the_old_software_billed_is_compared_with_nobody(
    billing: Database, hobbs: Hobbs, tmp_path: Path
) -> None:
    """And it is explained, and breaks no invariant."""
    await bill_flights(billing, [completed(flight_id="F0", billed_by="Old Planner")])
    for old in (old_system(tmp_path), old_system(tmp_path, f"F0,{DAY},99.00,,,,,")):
        code, rows, said = await diff(hobbs, old)
        assert (code, rows) == (0, []), said
        assert "8 flights compared, 0 differ" in said
    assert "1 flights are here as billed there" in said
    explained = await hobbs("explain", "flight", "F0", "-o", "json")
    assert json.loads(explained.stdout)["findings"] == []
    checked = json.loads((await hobbs("check", "-o", "json")).stdout)
    broken = [row for row in checked if "F0" in json.dumps(row)]
    assert broken == []


def test_it_is_signed_after_enough_days_without_an_open_difference(tmp_path: Path) -> None:
    file, now = tmp_path / "shadow.jsonl", datetime(2026, 11, 29, 12, tzinfo=UTC)

    def ran(days_ago: int, open_: int, *, faulty: int = 0) -> None:
        report = Report(rules=[], today=now.date(), most=0, flights=5, open=open_)
        log.note(file, report, faulty=faulty, now=now - timedelta(days=days_ago))

    def sign(days: int) -> log.Said:
        return log.signed(file, days=days, now=now, who="ann", why="seen")

    ran(3, 2)
    ran(2, 0)
    ran(0, 4)
    ran(0, 0)  # later on the same day
    assert "2026-11-28 has no comparison" in sign(2).sentence
    ran(1, 0, faulty=1)
    assert "1 differences were open on 2026-11-28" in sign(2).sentence
    ran(1, 0)
    assert "2 differences were open on 2026-11-26" in sign(4).sentence
    assert log.last_signature(file) is None
    assert sign(3).signed
    assert log.last_signature(file) is not None
    ran(0, 1)
    assert log.last_signature(file) is None


@pytest.mark.usefixtures("billing")
async def test_the_page_says_what_can_be_typed(
    hobbs: Hobbs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file names three of the eight flights: the others are added, as they are here."""
    page = PAGE.read_text()
    blocks = dict(re.findall(r"^```(csv|toml)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    others = "".join(f"F{n},{DAY},{SAME}\n" for n in range(4, 9))
    (tmp_path / "old.csv").write_text(blocks["csv"] + others)
    (tmp_path / "accepted.toml").write_text(blocks["toml"])
    (tmp_path / "school.toml").write_text(SCHOOL)
    monkeypatch.chdir(tmp_path)
    codes = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            result = await hobbs(*shlex.split(line)[1:])
            codes.append(result.exit_code)
    assert codes == [1, 1, 1, 1, 0, 0, 1], "open until the rules accept them, and by other prices"
    assert len((tmp_path / "differences.csv").read_text().splitlines()) == 1 + 4

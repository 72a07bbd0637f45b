"""Statements are issued once a month, say what the ledger says, and are the same on the page and on paper."""

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from openpyxl import load_workbook

from console.fault_points import POINTS
from console.issuing import issue, issue_part, overdue
from fleet import faults
from fleet.database import Database
from fleet.envelope import Record
from schemas.journals import EntryRequest, JournalRequested
from services.ledger.handlers import post_journals
from services.ledger.wire.journals import REQUESTED
from tests.conftest import OpenDatabase
from tests.integration.billing.given import SCHOOL, given_school, rows
from tests.integration.console.conftest import Desk
from tests.support.records import record

WALLETS = [f"student:s{n:03}" for n in range(7)]


@pytest.fixture
async def console_db(open_db: OpenDatabase) -> Database:
    """Seven students who were billed in a month that is over."""
    await given_school(
        open_db("billing"), *({"kind": "student", "key": w.partition(":")[2], "new": {}} for w in WALLETS)
    )
    for number, wallet in enumerate(WALLETS):
        await post_journals(open_db("ledger"), [flown_now(number, wallet)])
    return open_db("console", pool_size=4)


def flown_now(number: int, wallet: str) -> Record:
    legs = ((wallet, -100_00 - number), ("platform:school", 100_00 + number))
    event = JournalRequested(
        source=f"flight:F{number}:1",
        event_type="flight",
        currency="USD",
        occurred_at=datetime.now(UTC),
        memo="",
        entries=[EntryRequest(wallet=address, amount=amount) for address, amount in legs],
    )
    return record(REQUESTED, event, key=event.source)


def now_there() -> datetime:
    """Now, on the school's clock: its month is another one for hours at each end of a month in UTC."""
    return datetime.now(ZoneInfo(SCHOOL["time_zone"]))


def later(months: int = 1) -> datetime:
    """When the statements of the month that runs are due, of a month after it, or (0) of the one before."""
    day = now_there().replace(day=1)
    for _ in range(months):
        day = (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=4)


async def kept(db: Database) -> list[tuple[str, int, int]]:
    found = await rows(db, "SELECT wallet, closing, lines FROM issued_statement ORDER BY month, wallet")
    return [(row["wallet"], row["closing"], row["lines"]) for row in found]


async def test_every_wallet_s_month_is_issued_once_whoever_dies_or_comes_too(console_db: Database) -> None:
    await issue(console_db, later(0))
    assert await kept(console_db) == [], "nothing was in the month before"
    assert await issue_part(console_db, later(), most=3)
    assert len(await kept(console_db)) == 3  # here one dies; the others go on, at once
    await asyncio.gather(*(issue(console_db, later()) for _ in range(3)))
    expected = [(wallet, -100_00 - number, 1) for number, wallet in enumerate(WALLETS)]
    assert await kept(console_db) == expected
    await issue(console_db, later())
    assert await kept(console_db) == expected
    await issue(console_db, later(2))
    assert [one[2] for one in await kept(console_db)] == [1] * 7 + [0] * 7, (
        "a balance is stated without lines"
    )


@pytest.mark.parametrize("point", POINTS)
async def test_a_death_while_statements_are_issued_leaves_whole_parts(
    console_db: Database, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(faults, "_plan", faults.Plan(faults.parse_plan(f"{point}=raise@2"), None))
    assert await issue_part(console_db, later(), most=3)
    with pytest.raises(faults.InjectedFault):
        await issue_part(console_db, later(), most=3)
    assert len(await kept(console_db)) == 3
    assert await overdue(console_db, later()) > timedelta(hours=1)
    await issue(console_db, later())
    assert len(await kept(console_db)) == len(WALLETS)
    assert await overdue(console_db, later()) == timedelta()


async def test_what_was_issued_is_never_changed(console_db: Database) -> None:
    await issue(console_db, later())
    for statement in ("UPDATE issued_statement SET closing = 0", "DELETE FROM issued_statement"):
        async with console_db.transaction() as tx:
            with pytest.raises(Exception, match="permission denied"):
                await tx.execute(statement)


async def test_a_statement_that_is_no_longer_what_was_issued_is_said_first(
    desk: Desk, console_db: Database, database_url: str
) -> None:
    await issue(console_db, later())
    ann = await desk.browser("ann")
    desk.console.clock = later
    address = f"/statements/{WALLETS[0]}?month={now_there():%Y-%m}"
    page = (await ann.get(address)).text
    assert "What was issued is kept" in page
    assert "This is not what was issued" not in page
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE console.issued_statement SET content_hash = repeat('0', 64), closing = 1")
    await owner.close()
    page = (await ann.get(address)).text
    assert "This is not what was issued" in page
    assert "it ended with 0.01 USD" in page


async def test_page_paper_and_files_are_of_one_wallet_and_say_the_same(
    desk: Desk, console_db: Database
) -> None:
    wallet, month = WALLETS[3], f"{now_there():%Y-%m}"
    ann, holder = await desk.browser("ann"), await desk.browser("s003")
    office, own = f"/statements/{wallet}?month={month}", f"/own/statements?month={month}"
    assert "-100.03" in (await ann.get(office)).text
    paper = await ann.get(f"{office}&as=pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF-")
    assert "attachment" in paper.headers["content-disposition"]
    assert (await holder.get(f"{own}&as=pdf")).content.startswith(b"%PDF-")
    file = list(csv.reader(io.StringIO((await holder.get(f"{own}&as=csv")).text)))
    sheet = load_workbook(io.BytesIO((await holder.get(f"{own}&as=xlsx")).content)).worksheets[0]
    book = list(sheet.iter_rows(values_only=True))
    assert [row[4] for row in file[1:]] == ["" if row[4] is None else f"{row[4]:.2f}" for row in book[1:]]
    assert file[-1][5] == "-100.03"
    for path in ("pdf", "csv", "xlsx"):
        assert (await holder.get(f"{office}&as={path}")).status_code == 403

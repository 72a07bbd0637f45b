"""`hobbs explain`: bills are recomputed and compared with the recorded ones; a difference is a finding."""

import asyncio

import asyncpg
import pytest

from fleet.database import Database
from services.ledger.handlers import post_journals
from services.ledger.wire.journals import REQUESTED
from services.payouts.handlers import record_payables
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed, given_school
from tests.integration.ledger.books import Hobbs, ask, requested, rows, told
from tests.support.records import record

WORKED = {
    "student:student-01": -36151,
    "instructor:instructor-01": 8750,
    "aircraft_owner:owner-01": 15600,
    "liability:tax": 1201,
    "platform:school": 10600,
}


@pytest.fixture
async def flown(ledger: Database, open_db: OpenDatabase) -> Database:
    """The design's worked flight, billed and posted."""
    billing = open_db("billing")
    await given_school(billing)
    await given_billed(billing, completed())
    async with billing.transaction() as tx:
        asked = await tx.all("SELECT key, value FROM outbox WHERE topic = 'journal.requested'")
    await post_journals(ledger, [record(REQUESTED, row.value, key=row.key.decode()) for row in asked])
    return ledger


@pytest.fixture
async def tampering(owner: asyncpg.Connection) -> asyncpg.Connection:
    """A superuser whom no trigger stops."""
    await owner.execute("SET session_replication_role = replica")
    for table in ("journal", "entry", "balance", "billing.bill", "payouts.payable"):
        await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    return owner


async def test_a_flight_is_priced_again_and_each_leg_compared(flown: Database, hobbs: Hobbs) -> None:
    found = rows(await hobbs("explain", "flight", "F123", "-o", "json"))
    assert {side["wallet"]: side["recomputed"] for side in found["wallets"]} == WORKED
    assert all(side["recomputed"] == side["billed"] == side["posted"] for side in found["wallets"])
    assert (found["charge"], found["legs_total"], found["remainder"]) == (36151, 25551, 10600)
    assert (found["readings"]["hobbs_out"], found["readings"]["hobbs_in"]) == (12536, 12549)
    assert found["hours"] == {"billed_tenths": 13, "from": "hobbs"}
    versions = {f"{rate['kind']} {rate['key']}": rate["version"] for rate in found["rates"]}
    assert set(versions.values()) == {1}
    assert {"aircraft N364MA", "instructor instructor-01", "tax rental"} <= versions.keys()
    rental = next(line for line in found["lines"] if line["kind"] == "rental")
    assert (rental["tenths"], rental["rate"], rental["amount"], rental["rounding_tenths"]) == (
        13,
        16500,
        21450,
        0,
    )
    assert found["findings"] == []


async def test_for_people_it_is_tables(flown: Database, hobbs: Hobbs) -> None:
    shown = (await hobbs("explain", "flight", "F123")).stdout
    assert "361.51" in shown
    assert "recomputed and compared" in shown
    assert "106.00" in (await hobbs("explain", "journal", "flight:F123:1")).stdout


async def test_a_flights_journal_is_explained_with_its_bill(flown: Database, hobbs: Hobbs) -> None:
    found = rows(await hobbs("explain", "journal", "flight:F123:1", "-o", "json"))
    assert found["flight"]["remainder"] == 10600
    assert found["findings"] == []


async def test_an_entry_is_explained_between_its_balances(flown: Database, hobbs: Hobbs) -> None:
    await ask(flown, requested("manual:1", (("student:student-01", -9), ("platform:school", 9))))
    found = rows(await hobbs("explain", "entry", "student:student-01", "2", "-o", "json"))
    entry = found["entry"]
    assert (entry["balance_before"], entry["amount"], entry["balance_after"]) == (-36151, -9, -36160)
    assert found["journal"]["source"] == "manual:1"
    first = rows(await hobbs("explain", "entry", "student:student-01", "1", "-o", "json"))
    assert first["journal"]["flight"]["charge"] == 36151
    assert (await hobbs("explain", "entry", "student:student-01", "3")).exit_code == 1
    for_people = (await hobbs("explain", "entry", "student:student-01", "2")).stdout
    assert "-361.51" in for_people
    assert "-36151" not in for_people


async def test_an_entry_is_explained_in_the_currency_its_wallet_holds(flown: Database, hobbs: Hobbs) -> None:
    abroad = (("student:abroad", -900), ("platform:school", 900))
    await ask(flown, requested("manual:1", abroad, currency="JPY"))
    shown = await hobbs("explain", "entry", "student:abroad", "1")
    assert (shown.exit_code, "-900" in shown.stdout) == (0, True)
    assert (await hobbs("explain", "entry", "platform:school", "1")).exit_code == 2
    assert (await hobbs("explain", "entry", "platform:school", "1", "--currency", "JPY")).exit_code == 0
    assert (await hobbs("explain", "entry", "student:nobody", "1")).exit_code == 1


async def test_a_wallet_is_added_up_again(flown: Database, hobbs: Hobbs) -> None:
    [found] = rows(await hobbs("explain", "wallet", "platform:school", "-o", "json"))
    assert (found["balance"], found["recomputed"], found["findings"]) == (10600, 10600, [])
    assert [(kind["event_type"], kind["amount"]) for kind in found["by_event_type"]] == [("flight", 10600)]
    assert "106.00" in (await hobbs("explain", "wallet", "platform:school")).stdout
    assert (await hobbs("explain", "wallet", "student:nobody")).exit_code == 1


@pytest.mark.parametrize(
    ("tamper", "mend", "finding"),
    [
        (
            "UPDATE billing.bill SET facts = jsonb_set(facts, '{dual}', '16')",
            "UPDATE billing.bill SET facts = jsonb_set(facts, '{dual}', '15')",
            "instructor:instructor-01 gets 9200 recomputed, 8750 on the bill, 8750 in the ledger",
        ),
        (
            "UPDATE entry SET amount = amount + 1 WHERE position = 2",
            "UPDATE entry SET amount = amount - 1 WHERE position = 2",
            "8750 recomputed, 8750 on the bill, 8751 in the ledger",
        ),
        (
            "UPDATE billing.bill SET legs = jsonb_set(legs, '{0,amount}', '6751')",
            "UPDATE billing.bill SET legs = jsonb_set(legs, '{0,amount}', '6750')",
            "its legs are not what its facts and rates give",
        ),
    ],
)
async def test_what_disagrees_is_a_finding(
    flown: Database, hobbs: Hobbs, tampering: asyncpg.Connection, tamper: str, mend: str, finding: str
) -> None:
    await tampering.execute(tamper)
    result = await hobbs("explain", "flight", "F123")
    assert result.exit_code == 1
    assert finding in result.stderr
    assert (await hobbs("explain", "journal", "flight:F123:1")).exit_code == 1
    await tampering.execute(mend)
    assert (await hobbs("explain", "flight", "F123")).exit_code == 0


@pytest.mark.parametrize(
    ("column", "value", "finding"),
    [
        ("facts", "'{}'", "cannot be priced again: its facts cannot be read: KeyError"),
        ("rates", "'[]'", "cannot be priced again"),
        ("legs", "'[{\"amount\": 1}]'", "its legs are not what its facts and rates give"),
        ("lines", "'[{}]'", "its lines are not what its facts and rates give"),
        ("currency", "'EUR'", "the currency: EUR on the bill and USD recomputed"),
        ("billed_on", "billed_on + 1", "the date: 2026-05-23 on the bill and 2026-05-22 recomputed"),
        ("hours_from", "'logged'", "the hours' source: logged on the bill and hobbs recomputed"),
        ("instructor", "'instructor-02'", "the instructor: instructor-02 on the bill"),
        ("aircraft", "'N1'", "the aircraft: N1 on the bill"),
    ],
)
async def test_whatever_was_changed_on_a_bill_is_a_finding_and_no_traceback(
    flown: Database, hobbs: Hobbs, tampering: asyncpg.Connection, column: str, value: str, finding: str
) -> None:
    await tampering.execute(f"UPDATE billing.bill SET {column} = {value}")  # noqa: S608 - a test's own words
    for what in (["flight", "F123"], ["journal", "flight:F123:1"], ["entry", "platform:school", "1"]):
        result = await hobbs("explain", *what)
        assert (result.exit_code, finding in result.stderr) == (1, True), result.stderr


async def test_a_card_that_cannot_be_read_is_a_finding(
    flown: Database, hobbs: Hobbs, tampering: asyncpg.Connection
) -> None:
    await tampering.execute("UPDATE billing.card_version SET new = '{\"x\": 1}' WHERE kind = 'aircraft'")
    result = await hobbs("explain", "flight", "F123")
    assert (result.exit_code, "its cards cannot be read" in result.stderr) == (1, True)


async def test_a_journal_that_only_looks_like_a_flights_is_explained_by_itself(
    flown: Database, hobbs: Hobbs, owner: asyncpg.Connection
) -> None:
    for source in ("flight:F123:01", "flight:F123:99999999999"):
        await ask(flown, requested(source))
        found = rows(await hobbs("explain", "journal", source, "-o", "json"))
        assert (found["source"], found["flight"]) == (source, None)
    await owner.execute("ALTER TABLE entry DISABLE TRIGGER USER")
    spoil = (
        "UPDATE entry SET amount = amount {} 2"
        " WHERE journal_id = (SELECT id FROM journal WHERE source = 'flight:F123:01')"
    )
    await owner.execute(spoil.format("*"))
    result = await hobbs("explain", "journal", "flight:F123:01")
    assert (result.exit_code, "its content no longer has its hash" in result.stderr) == (1, True)
    await owner.execute(spoil.format("/"))
    assert (await hobbs("explain", "flight", "F123", "--revision", "99999999999")).exit_code == 2
    assert (await hobbs("explain", "entry", "platform:school", str(2**63))).exit_code == 2


async def test_a_running_balance_that_breaks_in_a_journal_is_a_finding(
    flown: Database, hobbs: Hobbs, tampering: asyncpg.Connection
) -> None:
    spoil = "UPDATE entry SET balance_after = balance_after + {} WHERE position = 2"
    await tampering.execute(spoil.format(5))
    result = await hobbs("explain", "journal", "flight:F123:1")
    assert result.exit_code == 1
    assert "instructor:instructor-01 version 1: 0 and 8750 are not 8755" in result.stderr
    await tampering.execute(spoil.format(-5))


async def test_a_wallet_is_added_up_in_one_snapshot(
    flown: Database, owner: asyncpg.Connection, hobbs: Hobbs
) -> None:
    cent = '[{"wallet": "student:student-01", "amount": -1}, {"wallet": "platform:school", "amount": 1}]'

    async def post_on() -> None:
        for number in range(400):
            await owner.execute(
                "SELECT post_journal_with_locks(uuidv7(), 'm', $1, 'USD', $2)", str(number), cent
            )

    posting = asyncio.create_task(post_on())
    asked = 0
    while not posting.done():
        assert rows(await hobbs("explain", "wallet", "platform:school", "-o", "json"))[0]["findings"] == []
        asked += 1
    await posting
    assert asked


async def test_a_wallet_that_does_not_add_up_is_a_finding(
    flown: Database, hobbs: Hobbs, tampering: asyncpg.Connection
) -> None:
    await tampering.execute("UPDATE balance SET amount = amount + 5 WHERE wallet_id = 1")
    address = await tampering.fetchval("SELECT address FROM wallet WHERE id = 1")
    result = await hobbs("explain", "wallet", address)
    assert (result.exit_code, "but its entries sum to" in result.stderr) == (1, True)
    await tampering.execute("UPDATE balance SET amount = amount - 5 WHERE wallet_id = 1")


async def test_a_flight_that_is_billed_and_not_posted_is_a_finding(
    ledger: Database, open_db: OpenDatabase, hobbs: Hobbs
) -> None:
    billing = open_db("billing")
    await given_school(billing)
    await given_billed(billing, completed())
    result = await hobbs("explain", "flight", "F123")
    assert (result.exit_code, "is billed and not posted" in result.stderr) == (1, True)
    assert (await hobbs("explain", "flight", "F999")).exit_code == 1


async def handed_on(ledger: Database, open_db: OpenDatabase) -> None:
    """Hand every journal that the ledger announced to payouts."""
    posted = [record("journal.posted", one.value, key=one.key) for one in await told(ledger)]
    await record_payables(open_db("payouts"), [one for one in posted if one.topic == "journal.posted"])


async def test_a_reverted_flight_is_explained_with_its_reverts_and_what_payees_are_owed(
    flown: Database, open_db: OpenDatabase, hobbs: Hobbs
) -> None:
    await handed_on(flown, open_db)
    before = rows(await hobbs("explain", "flight", "F123", "-o", "json"))
    assert before["reverts"] == []
    assert {one["wallet"]: one["amount"] for one in before["payables"]} == {
        "instructor:instructor-01": 8750,
        "aircraft_owner:owner-01": 15600,
    }
    assert {one["state"] for one in before["payables"]} == {"held"}
    done = rows(await hobbs("revert", "flight:F123:1", "--why", "wrong", "--yes", "-o", "json"))
    [preview] = rows(await hobbs("revert", "flight:F123:1", "--why", "x", "--dry-run", "-o", "json"))[
        "journals"
    ]
    assert preview["outcome"] == "repeated"
    await handed_on(flown, open_db)
    after = rows(await hobbs("explain", "flight", "F123", "-o", "json"))
    assert after["reverts"] == [done["journals"][0]["source"]]
    assert sum(one["amount"] for one in after["payables"]) == 0
    assert len(after["payables"]) == 4
    table = await hobbs("explain", "flight", "F123")
    assert (table.exit_code, "-87.50" in table.stdout) == (0, True)


async def test_a_payable_that_differs_from_the_ledger_is_found(
    flown: Database, open_db: OpenDatabase, hobbs: Hobbs, tampering: asyncpg.Connection
) -> None:
    await handed_on(flown, open_db)
    await tampering.execute("UPDATE payouts.payable SET amount = 1 WHERE wallet LIKE 'instructor%'")
    result = await hobbs("explain", "flight", "F123", "-o", "json")
    assert result.exit_code == 1
    assert "the ledger owes instructor:instructor-01 87.50 USD, payouts 0.01" in result.stderr

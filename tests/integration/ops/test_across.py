"""Invariants across services: bills, transfers and payments stand in the ledger as they were decided."""

from collections.abc import Sequence
from typing import Any

import pytest

from fleet.database import Database
from fleet.envelope import Record
from fleet.invariants import Outcome, ask_all
from hobbs.check.invariants import across_services
from schemas.journals import EntryRequest, JournalRequested
from services.ledger.handlers import post_journals
from tests.conftest import OpenDatabase
from tests.integration.billing.given import completed, given_billed, given_school
from tests.support.records import RECEIVED_AT, record


async def broken(reader: Database) -> dict[str, list[dict[str, Any]]]:
    outcomes: list[Outcome] = await ask_all(reader, across_services())
    assert [outcome.failure for outcome in outcomes if outcome.failure] == []
    return {outcome.invariant.name: outcome.examples for outcome in outcomes if outcome.rows}


async def relayed(database: Database) -> list[Record]:
    """The journal requests that wait in a service's outbox, as the ledger will read them."""
    async with database.transaction() as tx:
        rows = await tx.all(
            "SELECT value, event_id FROM outbox WHERE topic = 'journal.requested' ORDER BY id"
        )
    return [record("journal.requested", bytes(row.value), ce_id=row.event_id) for row in rows]


@pytest.fixture
async def billed(open_db: OpenDatabase) -> Database:
    """The worked flight and a second one, billed and posted."""
    billing = open_db("billing")
    await given_school(billing)
    await given_billed(billing, completed())
    await given_billed(billing, completed(flight_id="F124", hobbs_out="1254.9", hobbs_in="1256.0"))
    await post_journals(open_db("ledger"), await relayed(billing))
    return billing


@pytest.mark.usefixtures("billed")
async def test_what_is_billed_and_posted_breaks_nothing(open_db: OpenDatabase) -> None:
    assert await broken(open_db("operator")) == {}


async def test_a_bill_on_its_way_breaks_nothing_yet_but_counts_after_ten_minutes(
    open_db: OpenDatabase, owner: Database
) -> None:
    await given_school(open_db("billing"))
    await given_billed(open_db("billing"), completed())
    assert await broken(open_db("operator")) == {}
    await spoil(owner, "billing.bill", "UPDATE billing.bill SET billed_at = now() - interval '11 minutes'")
    rows = (await broken(open_db("operator")))["bills_are_posted_as_billed"]
    assert {row["wallet"] for row in rows} >= {"student:student-01", "platform:school"}


@pytest.mark.usefixtures("billed")
async def test_a_cent_between_bill_and_ledger_is_found(open_db: OpenDatabase, owner: Database) -> None:
    await spoil(
        owner,
        "billing.bill",
        "UPDATE billing.bill SET margin = margin + 1, charge = charge + 1 WHERE flight_id = 'F124'",
    )
    rows = (await broken(open_db("operator")))["bills_are_posted_as_billed"]
    assert sorted((row["source"], row["wallet"], row["billed"] - row["posted"]) for row in rows) == [
        ("flight:F124:1", "platform:school", 1),
        ("flight:F124:1", "student:student-01", -1),
    ]


@pytest.mark.parametrize(
    ("source", "event_type", "wallets", "invariants"),
    [
        (
            "flight:F999:1",
            "flight",
            ("student:student-01", "platform:school"),
            {"bills_are_posted_as_billed"},
        ),
        (
            "transfer:01a22124-5bba-71f3-9f90-0756f1ed26cd",
            "transfer",
            ("instructor:i1", "external:stripe"),
            {"sent_transfers_are_posted"},
        ),
        (
            "charge:ch_1",
            "payment",
            ("external:stripe", "student:student-01"),
            {"payments_are_posted", "payments_stand_where_receivables_put_them"},
        ),
        (
            "allocation:ch_1",
            "allocation",
            ("liability:unallocated", "student:student-01"),
            {"payments_stand_where_receivables_put_them"},
        ),
    ],
)
async def test_a_journal_nobody_decided_is_found(
    open_db: OpenDatabase, source: str, event_type: str, wallets: Sequence[str], invariants: set[str]
) -> None:
    entries = [EntryRequest(wallet=wallets[0], amount=-500), EntryRequest(wallet=wallets[1], amount=500)]
    request = JournalRequested(
        source=source, event_type=event_type, currency="USD", occurred_at=RECEIVED_AT, entries=entries
    )
    await post_journals(open_db("ledger"), [record("journal.requested", request)])
    assert (await broken(open_db("operator"))).keys() == invariants


@pytest.mark.parametrize(
    ("noted", "minutes", "found"),
    [(None, 9, False), (None, 11, True), (499, 9, True), (500, 11, False)],
)
async def test_a_journal_that_moves_cash_and_is_compared_with_no_row_is_found(
    open_db: OpenDatabase, owner: Database, noted: int | None, minutes: int, found: bool
) -> None:
    entries = [
        EntryRequest(wallet="external:stripe", amount=500),
        EntryRequest(wallet="platform:school", amount=-500),
    ]
    request = JournalRequested(
        source="m:1", event_type="m", currency="USD", occurred_at=RECEIVED_AT, entries=entries
    )
    await post_journals(open_db("ledger"), [record("journal.requested", request)])
    recorded = f"now() - interval '{minutes} minutes'"
    await spoil(owner, "ledger.journal", f"UPDATE ledger.journal SET recorded_at = {recorded}")  # noqa: S608
    hour = "now() - interval '1 hour'"
    sql = "UPDATE payouts.movement_listing SET"
    sql += f" (opened_at, opened_after, listed_until) = ({hour}, {hour}, {hour})"
    await spoil(owner, "payouts.movement_listing", sql)
    if noted is not None:
        values = f"('m:1', 'USD', 'm', {noted}, false, now(), {recorded})"
        columns = "source, currency, event_type, amount, at_stripe, occurred_at, recorded_at"
        sql = f"INSERT INTO payouts.cash_journal ({columns}) VALUES {values}"  # noqa: S608
        await spoil(owner, "payouts.cash_journal", sql)
    assert ("cash_journals_are_the_ledgers" in await broken(open_db("operator"))) is found


@pytest.mark.parametrize("amount", [500, -500])
async def test_what_a_payee_s_wallet_shows_and_nobody_pays_is_found(
    open_db: OpenDatabase, owner: Database, amount: int
) -> None:
    async def post(number: int, by: int) -> None:
        entries = [
            EntryRequest(wallet="instructor:i1", amount=by),
            EntryRequest(wallet="external:bank", amount=-by),
        ]
        request = JournalRequested(
            source=f"manual:{number}",
            event_type="manual",
            currency="USD",
            occurred_at=RECEIVED_AT,
            entries=entries,
        )
        await post_journals(open_db("ledger"), [record("journal.requested", request)])

    await post(1, amount)
    [row] = (await broken(open_db("operator")))["payees_balances_are_paid"]
    assert (row["wallet"], row["in_the_ledger"], row["in_payables"]) == ("instructor:i1", amount, 0)
    await post(2, -amount)  # taken back by hand
    assert await broken(open_db("operator")) == {}


@pytest.mark.usefixtures("billed")
async def test_a_flight_of_which_payouts_hears_nothing_is_found_after_ten_minutes(
    open_db: OpenDatabase, owner: Database
) -> None:
    assert await broken(open_db("operator")) == {}
    await spoil(
        owner, "ledger.journal", "UPDATE ledger.journal SET recorded_at = now() - interval '11 minutes'"
    )
    wallets = {row["wallet"] for row in (await broken(open_db("operator")))["payees_balances_are_paid"]}
    assert wallets == {"instructor:instructor-01", "aircraft_owner:owner-01"}


_REVISED = """
    INSERT INTO billing.bill
    SELECT (jsonb_populate_record(bill, jsonb_build_object(
        'id', uuidv7(), 'revision', 2, 'corrects', id, 'kind', 'corrected', 'reason', 'x', 'made_by', 'x',
        'priced_by', 'bill', 'charge', charge - 500, 'margin', margin - 500))).*
    FROM billing.bill WHERE flight_id = 'F124'
"""


@pytest.mark.usefixtures("billed")
@pytest.mark.parametrize(("posted", "found"), [(500, 0), (501, 2)])
async def test_a_corrected_flight_stands_in_the_ledger_as_its_newest_revision_is_billed(
    open_db: OpenDatabase, owner: Database, posted: int, found: int
) -> None:
    await spoil(owner, "billing.bill", _REVISED)
    assert await broken(open_db("operator")) == {}, "it is not posted yet"
    entries = [
        EntryRequest(wallet="student:student-01", amount=posted),
        EntryRequest(wallet="platform:school", amount=-posted),
    ]
    request = JournalRequested(
        source="adjustment:F124:2", event_type="adjustment", currency="USD", occurred_at=RECEIVED_AT,
        entries=entries,
    )  # fmt: skip
    await post_journals(open_db("ledger"), [record("journal.requested", request)])
    rows = (await broken(open_db("operator"))).get("bills_in_force_stand_in_the_ledger", [])
    assert len(rows) == found
    assert all(abs(row["billed"] - row["posted"]) == 1 for row in rows)


async def spoil(owner: Database, table: str, statement: str) -> None:
    """Do what the database refuses."""
    async with owner.transaction() as tx:
        await tx.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        await tx.execute("ALTER TABLE billing.bill DROP CONSTRAINT IF EXISTS charge_less_legs_is_margin")
        await tx.execute(statement)
        await tx.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

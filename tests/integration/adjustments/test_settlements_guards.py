"""What the database refuses the service's own role: settled twice, by the maker, out of its states."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.database import Database
from services.adjustments.domain.adjustments import TRANSITIONS as ADJUSTMENT_TRANSITIONS
from services.adjustments.domain.settlements import TRANSITIONS
from tests.integration.adjustments.settle_stories import ANNA, INES, given_posted, send, sent, settle

# Beside the settlements of F1:2: ines owes 17.50, which waits; anna is owed 40.00; the school bears 22.50.
INSERT = """
    INSERT INTO settlement (id, adjustment_id, number, wallet, currency, amount, method, state, sentence,
        proof, decided_by, begun_at, changed_at)
    SELECT gen_random_uuid(), id, :number, :wallet, 'USD', :amount, :method, :state, '', :proof,
        :decided_by, now(), now()
    FROM adjustment
"""
OFFSET, REVERSAL, FORGIVEN = "future_payout_offset", "stripe_reversal", "forgiven"


async def refusal(db: Database, statement: str, **values: Any) -> str:
    """The constraint that refuses this statement, or the server's sentence; fails when nothing does."""
    with pytest.raises(DBAPIError) as caught:
        await _run(db, statement, values)
    assert caught.value.orig is not None
    return getattr(caught.value.orig.__cause__, "constraint_name", None) or str(caught.value.orig)


async def _run(db: Database, statement: str, values: Mapping[str, Any]) -> None:
    async with db.transaction() as tx:
        await tx.execute(statement, **values)


@pytest.mark.parametrize(
    ("wallet", "amount", "method", "state", "more", "constraint"),
    [
        (INES, -1, OFFSET, "waiting", {}, "settlements_sum_to_the_difference"),
        (INES, -1_750, REVERSAL, "asked", {"decided_by": "bob"}, "settlements_sum_to_the_difference"),
        ("instructor:x", -1, OFFSET, "waiting", {}, "settlements_sum_to_the_difference"),
        (INES, -1_750, FORGIVEN, "asked", {"decided_by": " Dispatch"}, "settler_is_not_the_maker"),
        (INES, -1_750, "written_off", "asked", {"decided_by": "dispatch"}, "settler_is_not_the_maker"),
        (INES, -1_750, REVERSAL, "asked", {"decided_by": "DISPATCH"}, "settler_is_not_the_maker"),
        (INES, -1_750, FORGIVEN, "asked", {}, "costly_settlement_says_who_decided"),
        (INES, 1_750, FORGIVEN, "asked", {"decided_by": "bob"}, "method_goes_the_way_of_the_money"),
        (INES, -1_750, "payout", "waiting", {}, "method_goes_the_way_of_the_money"),
        (ANNA, -4_000, REVERSAL, "asked", {"decided_by": "bob"}, "method_is_one_of_its_party"),
        (INES, -1_750, "books", "settled", {"proof": "x"}, "method_is_one_of_its_party"),
        (INES, -1_750, "manual_check", "asked", {"decided_by": "bob"}, "cheque_has_number_and_date"),
        (INES, -1_750, OFFSET, "settled", {}, "settled_settlement_has_a_proof"),
        (INES, -1_750, OFFSET, "waiting", {"number": 1}, "settlements_of_a_wallet_are_numbered"),
    ],
)
async def test_no_settlement_begins_against_the_rules(
    db: Database, wallet: str, amount: int, method: str, state: str, more: dict[str, Any], constraint: str
) -> None:
    await given_posted(db)
    values = {"wallet": wallet, "amount": amount, "method": method, "state": state}
    usual = {"number": 2, "proof": None, "decided_by": None}
    assert await refusal(db, INSERT, **values, **(usual | more)) == constraint


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            "UPDATE settlement SET state = 'replaced' WHERE state = 'waiting'",
            "settlements_sum_to_the_difference",
        ),
        ("UPDATE settlement SET amount = amount + 1", "settlement_is_frozen"),
        ("UPDATE settlement SET wallet = 'instructor:x'", "settlement_is_frozen"),
        ("UPDATE settlement SET proof = 'x' WHERE state = 'waiting'", "settlement_is_frozen"),
        ("UPDATE settlement SET state = 'asked' WHERE state = 'waiting'", "settlement_step_is_in_the_table"),
        (
            "UPDATE settlement SET state = 'waiting' WHERE state = 'settled'",
            "settlement_step_is_in_the_table",
        ),
        (
            "UPDATE settlement SET state = 'replaced' WHERE method = 'books'",
            "settlement_step_is_in_the_table",
        ),
        (
            "UPDATE settlement SET state = 'settled' WHERE state = 'waiting'",
            "settled_settlement_has_a_proof",
        ),
        ("UPDATE adjustment SET state = 'settled'", "settled_adjustment_waits_for_nothing"),
    ],
)
async def test_no_settlement_changes_against_the_rules(db: Database, statement: str, constraint: str) -> None:
    await given_posted(db)
    assert await refusal(db, statement) == constraint


async def test_what_a_transfer_settled_is_settled_by_nothing_else(db: Database) -> None:
    await given_posted(db)
    await send(db, sent("adjustment:F1:2"))
    replaced = "UPDATE settlement SET state = 'replaced' WHERE wallet = 'instructor:ines'"
    assert await refusal(db, replaced) == "settlement_step_is_in_the_table"
    forgiven = {"wallet": INES, "amount": -1_750, "method": FORGIVEN, "state": "asked", "decided_by": "bob"}
    assert await refusal(db, INSERT, **forgiven, number=2, proof=None) == "settlements_sum_to_the_difference"
    assert (await settle(db, "claw_back")).outcome == "refused"
    assert (await settle(db, method=FORGIVEN)).outcome == "refused"


@pytest.mark.parametrize(
    ("amount", "constraint"), [(-1_751, "settlement_is_frozen"), (-1, "settlements_sum_to_the_difference")]
)
async def test_a_reversal_settles_what_came_back_and_leaves_no_cent_out(
    db: Database, amount: int, constraint: str
) -> None:
    await send(db, sent("flight:F1:1"))
    await given_posted(db)
    assert (await settle(db, "claw_back")).outcome == "done"
    settled = (
        "UPDATE settlement SET state = 'settled', proof = 'trr_1', amount = :amount"
        " WHERE method = 'stripe_reversal'"
    )
    assert await refusal(db, settled, amount=amount) == constraint


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM settlement",
        "DELETE FROM settlement_history",
        "UPDATE settlement_history SET who = 'somebody else'",
        "DELETE FROM carried_adjustment",
        "UPDATE carried_adjustment SET wallet = 'instructor:x'",
        "DELETE FROM settlement_told",
    ],
)
async def test_history_is_only_added_to(db: Database, statement: str) -> None:
    await given_posted(db)
    assert "permission denied" in await refusal(db, statement)


@pytest.mark.parametrize(
    ("table", "constraint", "transitions"),
    [
        ("settlement_history", "settlement_step_is_in_the_table", TRANSITIONS),
        ("adjustment_history", "adjustment_step_is_in_the_table", ADJUSTMENT_TRANSITIONS),
    ],
)
async def test_code_and_database_have_one_table_of_states(
    db: Database, table: str, constraint: str, transitions: Mapping[str | None, frozenset[str]]
) -> None:
    async with db.transaction() as tx:
        row = await tx.one(
            "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint"
            " WHERE conname = :constraint AND conrelid = to_regclass(:table)",
            constraint=constraint,
            table=table,
        )
    written = {part for part in row.text.split("'") if ">" in part and part.strip(">")}
    assert written == {f"{old or 'new'}>{new}" for old, after in transitions.items() for new in after}

"""Money that is sent on a person's word: above the school's amount a second person says the same."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from fleet.decisions import take_decisions
from fleet.envelope import Record
from schemas.decisions import DecisionTaken
from services.payouts.desk import reads
from services.payouts.desk.decisions import actions
from tests.integration.payouts.test_decisions import asked, given_held, only
from tests.integration.payouts.world import World

UP_TO = 5_000


async def taken(world: World, sent: Record, by_one_up_to: int | None = UP_TO) -> DecisionTaken:
    await take_decisions(world.db, actions(by_one_up_to), [sent])
    [answer] = [
        DecisionTaken.model_validate(body)
        for body in await world.published("decision.taken")
        if body["decision_id"] == sent.headers["ce_id"]
    ]
    return answer


async def test_one_person_alone_releases_no_more_than_the_school_lets_them(world: World) -> None:
    transfer = await given_held(world)
    preview = await taken(world, asked("release", transfer, dry_run=True))
    first = await taken(world, asked("release", transfer, preview_hash=preview.preview_hash))
    assert (first.outcome, first.sentence) == (
        "done",
        "87.50 USD to instructor:i1 is released when another person than ann does the same within a day: "
        "one alone may have 50.00 USD sent to a payee in a day",
    )
    again = await taken(world, asked("release", transfer, who=" ANN"))
    assert (again.outcome, await world.states()) == ("refused", ["held"])
    second = await taken(world, asked("release", transfer, who="bob"))
    assert (second.outcome, await world.states()) == ("done", ["pending"])
    assert await world.history(UUID(transfer)) == ["held", "held", "pending"]
    async with world.db.transaction() as tx:
        whole = await reads.whole_transfer(tx, UUID(transfer))
    assert whole is not None
    assert [(one["asked_by"], one["why"], one["approved_by"]) for one in whole["on_a_word"]] == [
        ("ann", "because", "bob")
    ]
    await world.work()
    assert world.paid() == [8750]


async def test_small_amounts_add_up_for_a_payee_within_a_day(world: World) -> None:
    world.control.fund(100_000)
    await world.payee("i1", payout_hold_hours=24)
    answers = []
    for amount in (3_000, 2_500):
        await world.earned("i1", amount)
        held = [one for one in await world.transfers() if one.state == "held"]
        answers.append((await taken(world, asked("release", str(held[-1].id)))).effects[0].get("waits_for"))
    assert answers == [None, "a second person"]


async def test_a_word_that_is_a_day_old_waits_for_nobody(world: World) -> None:
    transfer = await given_held(world)
    await world.rows(
        "INSERT INTO forced_act (id, act, subject, wallet, currency, amount, needs_second, asked_by,"
        " asked_at, why) SELECT uuidv7(), 'release', id, wallet, currency, amount, true, 'ann',"
        " now() - interval '25 hours', ''"
        " FROM transfer RETURNING id"
    )
    answer = await taken(world, asked("release", transfer, who="bob"))
    assert "another person than bob" in answer.sentence
    assert await world.states() == ["held"]


@pytest.mark.parametrize("action", ["retry", "unpark"])
async def test_who_vouches_for_what_is_parked_is_two_persons(world: World, action: str) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.park("before")
    about = "instructor:i1" if action == "unpark" else await only(world)
    vouched = {"checked": True}
    first = await taken(world, asked(action, about, parameters=vouched))
    assert (first.outcome, await world.states()) == ("done", ["parked"])
    assert "is sent once more when another person than ann" in first.sentence
    assert (await taken(world, asked(action, about, parameters=vouched))).outcome == "refused"
    assert (await taken(world, asked(action, about, who="bob", parameters=vouched))).outcome == "done"
    await world.work()
    assert world.paid() == [8750]


async def test_where_the_school_says_no_amount_one_person_is_enough(world: World) -> None:
    answer = await taken(world, asked("release", await given_held(world)), by_one_up_to=None)
    assert (answer.outcome, await world.states()) == ("done", ["pending"])
    [kept] = await world.rows("SELECT asked_by, needs_second FROM forced_act")
    assert tuple(kept) == ("ann", False)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE forced_act SET approved_by = ' Ann', approved_at = now()", "a_second_person_agrees"),
        ("UPDATE forced_act SET approved_by = 'bob'", "agreed_says_when"),
        ("UPDATE forced_act SET amount = 1", "permission denied"),
        ("DELETE FROM forced_act", "permission denied"),
        ("INSERT INTO forced_act SELECT uuidv7(), act, subject, wallet, currency, 0, false, 'ann', now(), '' "
         "FROM forced_act", "forced_amount_is_positive"),
    ],
)  # fmt: skip
async def test_the_services_own_role_makes_no_second_person_of_the_first(
    world: World, statement: str, rule: str
) -> None:
    await taken(world, asked("release", await given_held(world)))
    with pytest.raises((DBAPIError, PostgresError), match=rule):
        async with world.db.transaction() as tx:
            await tx.execute(statement)


async def test_what_somebody_agreed_to_stands(world: World) -> None:
    transfer = await given_held(world)
    for who in ("ann", "bob"):
        await taken(world, asked("release", transfer, who=who))
    with pytest.raises((DBAPIError, PostgresError), match="forced_act is refused"):
        async with world.db.transaction() as tx:
            await tx.execute("UPDATE forced_act SET approved_by = 'carl', approved_at = :now",
                             now=datetime.now(UTC))  # fmt: skip

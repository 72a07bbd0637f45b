"""Where the school wants it, two people say whose account a payee's money goes to."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from fleet.decisions import take_decisions
from fleet.envelope import Record
from schemas.decisions import DecisionTaken
from services.payouts.desk.decisions import actions
from tests.integration.payouts.test_decisions import asked
from tests.integration.payouts.world import World

I1 = "instructor:i1"
ADOPT = {"account": "acct_thief"}
LINK = {"kind": "onboarding"}


async def taken(world: World, sent: Record) -> tuple[str, str]:
    await take_decisions(world.db, actions(None, accounts_by_two=True), [sent])
    [answer] = [
        DecisionTaken.model_validate(body)
        for body in await world.published("decision.taken")
        if body["decision_id"] == sent.headers["ce_id"]
    ]
    return answer.outcome, answer.sentence


async def requests(world: World) -> list[tuple[str, str]]:
    return [
        (row.wallet, row.about)
        for row in await world.rows(
            "SELECT wallet, stripe_account AS about FROM account_adoption"
            " UNION ALL SELECT wallet, kind FROM link_request"
        )
    ]


@pytest.mark.parametrize(("action", "parameters"), [("adopt", ADOPT), ("link", LINK)])
async def test_one_person_names_no_account_for_a_payee(
    world: World, action: str, parameters: dict[str, str]
) -> None:
    await (world.configured("i1") if action == "adopt" else world.payees("i1"))
    first = await taken(world, asked(action, I1, parameters=parameters))
    assert first[0] == "done"
    assert "when another person than ann does the same within a day" in first[1]
    assert await taken(world, asked(action, I1, parameters=parameters, who=" ANN")) == (
        "refused",
        " ANN asked for this already: another person has to do the same",
    )
    assert await requests(world) == []
    other = (
        {name: value + "x" for name, value in parameters.items()}
        if action == "adopt"
        else {"kind": "dashboard"}
    )
    await taken(world, asked(action, I1, parameters=other, who="bob"))
    assert await requests(world) == [], "bob asked for something else"
    assert (await taken(world, asked(action, I1, parameters=parameters, who="bob")))[0] == "done"
    assert await requests(world) == [(I1, *parameters.values())]
    words = await world.rows("SELECT asked_by, agreed_by FROM payouts_public.account_words ORDER BY asked_at")
    assert [tuple(row) for row in words] == [("ann", "bob"), ("bob", None)]
    for forgery in (
        "UPDATE account_word SET agreed_by = 'ann' WHERE agreed_by IS NULL",
        "DELETE FROM account_word",
    ):
        with pytest.raises(DBAPIError):
            await world.rows(f"{forgery} RETURNING id")


async def test_what_could_not_be_done_waits_for_nobody(world: World) -> None:
    outcome, sentence = await taken(world, asked("adopt", "instructor:nobody", parameters=ADOPT))
    assert (outcome, sentence) == ("refused", "there is no payee instructor:nobody")
    assert await world.rows("SELECT id FROM account_word") == []


async def test_of_two_second_persons_at_once_one_agrees(world: World) -> None:
    await world.payee("i1")
    await taken(world, asked("link", I1, parameters=LINK))
    both = [asked("link", I1, parameters=LINK, who=who) for who in ("bob", "cid")]
    await asyncio.gather(
        *(take_decisions(world.db, actions(None, accounts_by_two=True), [one]) for one in both)
    )
    assert len(await requests(world)) == 1

"""A person's decision about payouts: done once, only as it was shown, or refused with a sentence."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import ProgrammingError

from fleet.database import Database
from fleet.decisions import REQUESTED, take_decisions
from fleet.envelope import Record, uuid7
from fleet.grants import OPERATOR, READER
from schemas.decisions import DecisionRequested, DecisionTaken, Who
from services.payouts.desk import reads
from services.payouts.desk.decisions import ACTIONS
from tests.integration.payouts.world import World
from tests.support.databases import service_url
from tests.support.records import record


def asked(
    action: str,
    about: str,
    *,
    who: str = "ann",
    why: str = "because",
    parameters: Mapping[str, Any] | None = None,
    preview_hash: str | None = None,
    dry_run: bool = False,
) -> Record:
    now = datetime.now(UTC)
    event = DecisionRequested(
        decision_id=uuid7(),
        service="payouts",
        action=action,
        object=about,
        parameters=dict(parameters or {}),
        who=Who(name=who, roles=["operator"], channel="test"),
        why=why,
        preview_hash=preview_hash,
        dry_run=dry_run,
        requested_at=now,
        valid_until=now + timedelta(minutes=1),
    )
    return record(REQUESTED, event, key=f"payouts/{about}", ce_id=event.decision_id)


async def taken(world: World, sent: Record) -> DecisionTaken:
    """Let the service take a decision; its answer."""
    await take_decisions(world.db, ACTIONS, [sent])
    answers = [
        DecisionTaken.model_validate(body)
        for body in await world.published("decision.taken")
        if body["decision_id"] == sent.headers["ce_id"]
    ]
    [answer] = answers
    return answer


async def given_held(world: World) -> str:
    """A transfer in its hold period; its id."""
    world.control.fund(100_000)
    await world.payee("i1", payout_hold_hours=24)
    await world.earned("i1", 8750)
    return await only(world)


async def only(world: World) -> str:
    [transfer] = await world.transfers()
    return str(transfer.id)


async def test_a_decision_that_comes_again_is_done_once(world: World) -> None:
    sent = asked("release", await given_held(world))
    answer = await taken(world, sent)
    assert answer.outcome == "done"
    assert answer.effects == [{"transfer_id": answer.object, "state": "pending"}]
    again = await taken(world, sent)
    assert again == answer
    assert await world.history(UUID(answer.object)) == ["held", "held", "pending"]
    await world.work()
    assert world.paid() == [8750]


async def test_of_two_people_who_decide_at_once_one_is_told_that_it_is_done_already(world: World) -> None:
    transfer = await given_held(world)
    preview = await taken(world, asked("release", transfer, dry_run=True))
    assert (preview.outcome, await world.states()) == ("previewed", ["held"])
    both = [asked("release", transfer, who=who, preview_hash=preview.preview_hash) for who in ("ann", "bob")]
    answers = await asyncio.gather(*(taken(world, one) for one in both))
    assert sorted(answer.outcome for answer in answers) == ["done", "refused"]
    [refused] = [answer for answer in answers if answer.outcome == "refused"]
    assert refused.sentence == (
        f"transfer {transfer} is pending: only what a hold period or a changed account holds can be released"
    )
    await world.work()
    assert world.paid() == [8750]


async def test_what_would_no_longer_do_what_was_shown_is_refused(world: World) -> None:
    transfer = await given_held(world)
    preview = await taken(world, asked("release", transfer, dry_run=True))
    await world.rows("UPDATE payee SET ready = false RETURNING wallet")
    answer = await taken(world, asked("release", transfer, preview_hash=preview.preview_hash))
    assert answer.outcome == "refused"
    assert "it would no longer do what was shown; now: " in answer.sentence
    assert f"transfer {transfer} released: it is held" in answer.sentence
    assert await world.states() == ["held"]


async def test_a_release_that_merges_a_transfer_does_what_its_preview_showed(world: World) -> None:
    """The merged transfer's id is another one in each preview: the preview must not name it."""
    transfer = await given_held(world)
    await world.journal("instructor:i1", -1000, event_type="adjustment")
    preview = await taken(world, asked("release", transfer, dry_run=True))
    assert "merged into another transfer" in preview.sentence
    answer = await taken(world, asked("release", transfer, preview_hash=preview.preview_hash))
    assert answer.outcome == "done", answer.sentence
    await world.work()
    assert world.paid() == [7750]


NOBODY = "aa428650-b058-40c1-bf59-a1a64e0ba7b8"


@pytest.mark.parametrize(
    ("action", "about", "sentence"),
    [
        ("release", NOBODY, f"there is no transfer {NOBODY}"),
        ("retry", NOBODY, f"there is no transfer {NOBODY}"),
        ("cancel", NOBODY, f"there is no transfer {NOBODY}"),
        ("cancel", "F1", "F1 is no transfer's id"),
        ("unpark", "instructor:i1", "nothing of instructor:i1 is parked"),
        ("link", "instructor:nobody", "a link is of kind onboarding or dashboard"),
        ("close_odd", "po_1", "no odd object po_1 is open"),
    ],
)
async def test_what_is_not_there_is_refused(world: World, action: str, about: str, sentence: str) -> None:
    answer = await taken(world, asked(action, about, parameters={"kind": [], "checked": "yes"}))
    assert (answer.outcome, answer.sentence) == ("refused", sentence)


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ("release", "only what a hold period or a changed account holds can be released"),
        ("retry", "only a refused or parked transfer can be retried"),
        (
            "cancel",
            "only what was not sent can be cancelled;"
            " a parked transfer with --checked, after looking at Stripe",
        ),
    ],
)
async def test_what_was_sent_can_neither_be_released_retried_nor_cancelled(
    world: World, action: str, rule: str
) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.work()
    transfer = await only(world)
    answer = await taken(world, asked(action, transfer, parameters={"checked": True}))
    assert (answer.outcome, answer.sentence) == ("refused", f"transfer {transfer} is sent: {rule}")
    assert await world.states() == ["sent"]


@pytest.mark.parametrize("action", ["release", "retry", "cancel", "unpark"])
async def test_a_decision_says_why(world: World, action: str) -> None:
    answer = await taken(world, asked(action, NOBODY, why=" "))
    assert (answer.outcome, answer.sentence) == ("refused", "say why: it stays in the history")


async def test_a_link_for_nobody_is_refused(world: World) -> None:
    sent = asked("link", "instructor:nobody", parameters={"kind": "dashboard"})
    answer = await taken(world, sent)
    assert (answer.outcome, answer.sentence) == ("refused", "there is no payee instructor:nobody")


@pytest.mark.parametrize("checked", ["true", 1, None])
async def test_only_a_plain_yes_vouches_for_a_parked_transfer(world: World, checked: object) -> None:
    world.control.fund(100_000)
    await world.payee("i1")
    await world.earned("i1", 8750)
    await world.park("after")
    answer = await taken(world, asked("retry", await only(world), parameters={"checked": checked}))
    assert "looked up again" in answer.sentence
    await world.work()
    assert world.paid() == [8750]


async def test_a_link_is_shown_to_operators_only_and_only_while_it_lives(
    world: World, owner_url: str
) -> None:
    await world.payee("i1")
    sent = asked("link", "instructor:i1", parameters={"kind": "onboarding"})
    assert (await taken(world, sent)).outcome == "done"
    link = UUID(sent.headers["ce_id"])
    login = service_url(owner_url, "operator")
    operator, reader = (
        Database(login, schema="public", pool_size=1, role=role) for role in (OPERATOR, READER)
    )
    try:
        async with operator.transaction() as tx:
            assert await reads.find_link(tx, link) is None  # Stripe was not asked yet
        await answered(world, link, timedelta(minutes=5))
        async with operator.transaction() as tx:
            shown = await reads.find_link(tx, link)
        assert shown is not None
        assert shown["url"] == "https://example.com/secret"
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with reader.transaction() as tx:
                await reads.find_link(tx, link)
        await answered(world, link, timedelta(minutes=-1))
        async with operator.transaction() as tx:
            assert await reads.find_link(tx, link) is None
    finally:
        await operator.close()
        await reader.close()


async def answered(world: World, link: UUID, lives: timedelta) -> None:
    await world.rows(
        "UPDATE link_request SET answered_at = now(), url = 'https://example.com/secret',"
        " expires_at = now() + CAST(:lives AS interval) WHERE id = :id RETURNING id",
        id=link,
        lives=lives,
    )


async def test_an_unparked_account_keeps_who_decided(world: World) -> None:
    world.control.add_fault("server_error", when="after", path="/v2/core/accounts", count=3)
    world.control.add_fault("unavailable", method="GET", path="/v2/core/accounts")
    world.policy = replace(world.policy, lookup_gap=timedelta(milliseconds=1), lookups_max=1)
    await world.configured("i1")
    await world.work()
    answer = await taken(world, asked("unpark", "instructor:i1"))
    assert answer.outcome == "done"
    [operation] = await world.operations("account")
    assert operation.state == "due"
    steps = await world.rows("SELECT what, actor, sentence FROM operation_history ORDER BY id")
    assert [s.what for s in steps] == ["parked", "looked_up"]
    assert (steps[-1].actor, steps[-1].sentence) == ("operator:ann", "because")

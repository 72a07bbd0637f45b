"""A restored database has forgotten decisions; the answers, read again, settle what is decided again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from prometheus_client import REGISTRY

from fleet.database import Database
from fleet.envelope import Record
from services.adjustments.desk.reads import whole
from services.adjustments.handlers import hear_early, measure_settlements, remind_of_settlements, take_posted
from tests.integration.adjustments.settle_stories import (
    ANNA,
    INES,
    answer_refunds,
    answer_reversals,
    answer_settlements,
    asked_refunds,
    asked_reversals,
    given_posted,
    refund,
    reversal,
    send,
    sent,
    settle,
    settlements,
    told,
    where,
)
from tests.integration.adjustments.stories import (
    NOW,
    given_policy,
    journals,
    posted,
    propose,
    revised,
    states,
)
from tests.integration.payouts.snapshots import Backup

CHEQUE = {"method": "manual_check", "wallet": INES, "number": "1042", "paid_on": "2026-01-02"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision whose answer comes from outside. method: of what it begins; ends: how that stands then."""

    action: str
    parameters: dict[str, Any]
    wallet: str
    ends: list[tuple[str, str, int]]


REVERSED = Decided(
    action="claw_back",
    parameters={},
    wallet=INES,
    ends=[("future_payout_offset", "replaced", -1_750), ("stripe_reversal", "settled", -1_750)],
)
DECISIONS = {
    "stripe_reversal": REVERSED,
    "refund": Decided(
        action="settle",
        parameters={"method": "refund"},
        wallet=ANNA,
        ends=[("credit", "replaced", 4_000), ("refund", "settled", 4_000)],
    ),
    **{
        method: Decided(
            action="settle",
            parameters=parameters,
            wallet=INES,
            ends=[("future_payout_offset", "replaced", -1_750), (method, "settled", -1_750)],
        )
        for method, parameters in {
            "manual_check": CHEQUE,
            "forgiven": {"method": "forgiven", "wallet": INES},
            "written_off": {"method": "written_off", "wallet": INES},
        }.items()
    },
}


async def decide_it(db: Database, decided: Decided) -> None:
    taken = await settle(db, decided.action, **decided.parameters)
    assert taken.outcome == "done", taken.sentence


async def answer_it(db: Database, decided: Decided) -> Record:
    """What payouts or the ledger says of the decision, which is heard here too."""
    if asked := await asked_reversals(db):
        record = reversal(asked[-1]["settlement_id"], 1_750)
    elif asked := await asked_refunds(db):
        record = refund(asked[-1]["settlement_id"], 4_000)
    else:
        [(source, entries)] = [one for one in (await journals(db)).items() if "settlement:" in one[0]]
        record = posted(source, entries)
    await hear(db, record)
    return record


async def hear(db: Database, record: Record) -> None:
    if record.topic == "reversal.settled":
        await answer_reversals(db, record)
    elif record.topic == "refund.settled":
        await answer_refunds(db, record)
    else:
        await take_posted(db, [record], clock=lambda: NOW)


async def forgotten(db: Database, database_url: str, decided: Decided) -> Record:
    """A database that was restored to before the decision; its answer, which is not read again yet."""
    await send(db, sent("flight:F1:1", transfer="T0"))
    await given_posted(db)
    backup = Backup(database_url, "adjustments")
    await backup.make()
    await decide_it(db, decided)
    answer = await answer_it(db, decided)
    assert await settlements(db, decided.wallet) == decided.ends
    await backup.restore()
    assert len(await settlements(db, decided.wallet)) == 1
    return answer


async def kept(db: Database) -> int:
    async with db.transaction() as tx:
        return int((await tx.one("SELECT count(*) AS n FROM early_answer")).n)


@pytest.mark.parametrize("method", list(DECISIONS))
async def test_an_answer_read_again_settles_what_is_decided_again(
    db: Database, database_url: str, method: str
) -> None:
    """Nobody answers twice, and nobody is asked twice."""
    decided = DECISIONS[method]
    answer = await forgotten(db, database_url, decided)
    await hear(db, answer)
    await decide_it(db, decided)
    assert await settlements(db, decided.wallet) == decided.ends
    assert (await asked_reversals(db), await asked_refunds(db), await answer_settlements(db)) == ([], [], 0)
    assert await kept(db) == 0


@pytest.mark.parametrize("method", list(DECISIONS))
async def test_an_answer_that_is_read_again_after_it_was_decided_again_settles_it(
    db: Database, database_url: str, method: str
) -> None:
    decided = DECISIONS[method]
    answer = await forgotten(db, database_url, decided)
    await decide_it(db, decided)
    await hear(db, answer)
    assert await settlements(db, decided.wallet) == decided.ends
    assert await kept(db) == 0


async def test_the_rest_of_a_short_reversal_can_be_clawed_back_again(db: Database, database_url: str) -> None:
    """Two decisions are forgotten; each is decided again and has its own answer."""
    await send(db, sent("flight:F1:1", transfer="T0"))
    await given_posted(db)
    backup, answers = Backup(database_url, "adjustments"), []
    await backup.make()
    for asked, back in ((1_750, 1_000), (750, 750)):
        await decide_it(db, REVERSED)
        answers.append(reversal((await asked_reversals(db))[-1]["settlement_id"], back, asked=asked))
        await answer_reversals(db, answers[-1])
    before = await settlements(db)
    await backup.restore()
    await answer_reversals(db, *answers)
    await decide_it(db, REVERSED)
    await decide_it(db, REVERSED)
    assert await settlements(db) == before
    assert await asked_reversals(db) == []
    assert await where(db) == {"F1:2": "settled"}


@pytest.mark.parametrize("back", [1_750, 1_200])
@pytest.mark.parametrize("answer_first", [True, False])
async def test_a_reversal_whose_approval_is_forgotten_settles_the_debt(
    db: Database, database_url: str, answer_first: bool, back: int
) -> None:
    """The policy's waterfall asked for it; after the restore the ledger alone says that it was approved."""
    await given_policy(db, approve_above=1_000, waterfall=["stripe_reversal", "future_payout_offset"])
    await send(db, sent("flight:F1:1", transfer="T0"))
    await propose(db, revised())
    backup = Backup(database_url, "adjustments")
    await backup.make()
    await given_posted(db, approver="ann")
    [asked] = await asked_reversals(db)
    answer = reversal(asked["settlement_id"], back)
    journal = posted("adjustment:F1:2", (await journals(db))["adjustment:F1:2"])
    await backup.restore()
    assert await states(db) == {"F1:2": "waiting"}
    heard: list[Callable[[], Any]] = [
        lambda: answer_reversals(db, answer),
        lambda: take_posted(db, [journal], clock=lambda: NOW),
    ]
    for one in heard if answer_first else reversed(heard):
        await one()
    rest = [("future_payout_offset", "waiting", back - 1_750)] if back < 1_750 else []
    assert await settlements(db) == [
        ("future_payout_offset", "replaced", -1_750),
        ("stripe_reversal", "settled", -back),
        *rest,
    ]
    assert (await asked_reversals(db), await kept(db)) == ([], 0)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("stripe_reversal", DECISIONS["forgiven"].parameters),
        ("stripe_reversal", {**CHEQUE, "amount": 750}),
        ("manual_check", DECISIONS["forgiven"].parameters),
        ("manual_check", {**CHEQUE, "amount": 750}),
    ],
)
async def test_what_was_answered_cannot_be_decided_otherwise(
    db: Database, database_url: str, before: str, now: dict[str, Any]
) -> None:
    """The money came back, or the journal stands: settled in another way it would be settled twice."""
    decided = DECISIONS[before]
    await hear(db, await forgotten(db, database_url, decided))
    taken = await settle(db, **now)
    assert taken.outcome == "refused"
    assert "before the database was restored it was settled otherwise" in taken.sentence
    await decide_it(db, decided)
    assert await settlements(db, decided.wallet) == decided.ends


async def test_an_answer_that_is_kept_while_its_settlement_begins_is_heard_soon(
    db: Database, database_url: str
) -> None:
    """Two processes at the same moment: neither sees what the other wrote."""
    answer = await forgotten(db, database_url, REVERSED)
    await decide_it(db, REVERSED)
    settlement_id = (await asked_reversals(db))[-1]["settlement_id"]
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO early_answer (settlement_id, answer, document, sentence, heard_at) VALUES"
            " (CAST(:id AS uuid), 'reversal', jsonb_build_object('asked', 1750, 'amount', 1750,"
            " 'proof', 'trr_1', 'sentence', 'it came back'), 'it came back', now())",
            id=settlement_id,
        )
    assert answer.topic == "reversal.settled"
    await hear_early(db, clock=lambda: NOW)
    assert await settlements(db) == REVERSED.ends


async def test_finance_hears_once_of_an_answer_to_what_nobody_decided(
    db: Database, database_url: str
) -> None:
    await hear(db, await forgotten(db, database_url, REVERSED))
    for hours in (0, 2, 4):
        clock = partial(NOW.__add__, timedelta(hours=hours))
        await remind_of_settlements(db, clock=clock)
        await measure_settlements(db, clock=clock)
        late = REGISTRY.get_sample_value("adjustments_settlements_late", {"what": "forgotten"})
        assert late == (hours > 0)
    kinds = [kind for kind, _ in await told(db, "finance") if kind == "settlement_forgotten"]
    assert len(kinds) == 1


async def test_show_says_what_was_answered_before(db: Database, database_url: str) -> None:
    await hear(db, await forgotten(db, database_url, REVERSED))
    async with db.transaction() as tx:
        found = await whole(tx, "F1:2")
    assert found is not None
    assert [(one["wallet"], one["answer"]) for one in found["forgotten"]] == [(INES, "reversal")]

"""A person's decision: judged, done and answered in one transaction; undone when it is not what was shown."""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from fleet import decisions
from fleet.database import Database, Tx
from fleet.decisions import COMMON_ACTIONS, REQUESTED, Action, Decision, Ruling, take_decisions
from fleet.envelope import Record, uuid7
from fleet.kafka_client import TopicPlan, create_topics
from fleet.settings import Settings
from fleet.worker import Worker
from hobbs.shell.connections import Unreachable
from hobbs.shell.decisions import Question, ask
from schemas.decisions import DecisionRequested, DecisionTaken, Who
from tests.integration.fleet.sample import Thing, effects, letters, record_things
from tests.support.records import record


async def add(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Make the object's effect happen once more; refuse what is called "no"."""
    await tx.execute(
        "INSERT INTO effect (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET times = effect.times + 1",
        name=decision.object,
    )
    if decision.object == "odd":
        raise LookupError("nobody foresaw this")
    if decision.object == "away":
        raise ConnectionError("the database is away")
    if decision.object == "no":
        return decisions.refused("no is not a thing")
    row = await tx.one("SELECT times FROM effect WHERE name = :name", name=decision.object)
    return Ruling(done=True, sentence=f"{decision.object} happened {row.times} times")


ACTIONS = {**COMMON_ACTIONS, "add": Action(judge=add, roles=frozenset({"finance"}))}


def asked(
    name: str = "a",
    *,
    action: str = "add",
    service: str = "sample",
    roles: Sequence[str] = ("finance",),
    parameters: Mapping[str, Any] | None = None,
    why: str = "because",
    preview_hash: str | None = None,
    dry_run: bool = False,
    seconds: float = 60,
) -> DecisionRequested:
    now = datetime.now(UTC)
    return DecisionRequested(
        decision_id=uuid7(),
        service=service,
        action=action,
        object=name,
        parameters=dict(parameters or {}),
        who=Who(name="ann", roles=list(roles), channel="test"),
        why=why,
        preview_hash=preview_hash,
        dry_run=dry_run,
        requested_at=now,
        valid_until=now + timedelta(seconds=seconds),
    )


def requested(event: DecisionRequested, *, key: str | None = None, ce_id: UUID | None = None) -> Record:
    key = f"{event.service}/{event.object}" if key is None else key
    return record(REQUESTED, event, key=key, ce_id=ce_id or event.decision_id)


async def taken(database: Database) -> list[DecisionTaken]:
    """The answers that are staged, in their order; each is as its topic's model says."""
    async with database.transaction() as tx:
        rows = await tx.all("SELECT value FROM outbox WHERE topic = 'decision.taken' ORDER BY id")
    return [DecisionTaken.model_validate_json(row.value) for row in rows]


async def answer_to(
    database: Database, event: DecisionRequested, actions: Mapping[str, Action] = ACTIONS
) -> DecisionTaken:
    await take_decisions(database, actions, [requested(event)])
    [answer] = [one for one in await taken(database) if one.decision_id == event.decision_id]
    return answer


async def test_a_decision_is_done_once_however_often_it_comes(database: Database) -> None:
    event = asked()
    await take_decisions(database, ACTIONS, [requested(event), requested(event)])
    await take_decisions(database, ACTIONS, [requested(event)])
    assert await effects(database) == {"a": 1}
    [answer] = await taken(database)
    assert (answer.outcome, answer.sentence) == ("done", "a happened 1 times")


async def test_a_preview_says_what_would_happen_and_leaves_nothing(database: Database) -> None:
    answer = await answer_to(database, asked(dry_run=True))
    assert (answer.outcome, answer.sentence) == ("previewed", "a happened 1 times")
    assert answer.preview_hash is not None
    assert await effects(database) == {}


async def test_what_was_shown_is_done_and_anything_else_is_refused(database: Database) -> None:
    preview = await answer_to(database, asked(dry_run=True))
    first = await answer_to(database, asked(preview_hash=preview.preview_hash))
    assert first.outcome == "done"
    second = await answer_to(database, asked(preview_hash=preview.preview_hash))
    assert second.outcome == "refused"
    assert "no longer do what was shown; now: a happened 2 times" in second.sentence
    assert await effects(database) == {"a": 1}


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"name": "no"}, "no is not a thing"),
        ({"name": "odd"}, "add broke (LookupError) and changed nothing"),
        ({"action": "sing"}, "sample knows no action sing; it knows add, discard, forget, redrive"),
        ({"roles": ("student",)}, "add needs one of the roles finance"),
        ({"seconds": -1}, "it is later: ask again"),
        ({"action": "redrive", "parameters": {}}, "name the letters: parameters.ids"),
        ({"action": "redrive", "parameters": {"ids": ["x"]}}, "an id in parameters.ids is no UUID"),
        ({"action": "redrive", "parameters": {"ids": [str(uuid7())]}}, "none of these letters"),
        ({"action": "discard", "why": "", "parameters": {"ids": [str(uuid7())]}}, "say why"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_refusal_says_why_and_leaves_nothing(
    database: Database, question: Mapping[str, Any], sentence: str
) -> None:
    answer = await answer_to(database, asked(**question))
    assert answer.outcome == "refused"
    assert sentence in answer.sentence
    assert await effects(database) == {}


async def test_an_outage_is_no_refusal_the_decision_is_read_again(database: Database) -> None:
    with pytest.raises(ConnectionError):
        await answer_to(database, asked("away"))
    assert await effects(database) == {}
    assert await taken(database) == []


async def test_a_decision_is_known_by_its_own_id_and_key_only(database: Database) -> None:
    """Else the same decision under another event id would be done twice, or out of its object's order."""
    await take_decisions(
        database, ACTIONS, [requested(asked(), ce_id=uuid7()), requested(asked(), key="sample/b")]
    )
    assert [reason for reason, _, _ in await letters(database)] == ["not_its_own_id", "not_its_own_key"]
    assert await effects(database) == {}


async def test_each_service_takes_its_own_and_one_buries_what_names_no_service(database: Database) -> None:
    other, stray = requested(asked(service="ledger")), record(REQUESTED, b"nonsense", key="nobody")
    await take_decisions(database, ACTIONS, [other, stray])
    assert await letters(database) == []
    await take_decisions(database, ACTIONS, [other, stray], strays_of=("sample", "ledger"))
    assert await letters(database) == [("not_json", "open", 1)]
    assert await taken(database) == []


async def test_dead_letters_are_redriven_and_discarded_by_decision(database: Database) -> None:
    await record_things(database, [record("thing.happened", Thing(name=n, refused=True)) for n in "ab"])
    async with database.transaction() as tx:
        ids = [str(row.id) for row in await tx.all("SELECT id FROM dead_letter ORDER BY id")]
    gone = await answer_to(database, asked(action="discard", parameters={"ids": ids[:1]}))
    back = await answer_to(database, asked(action="redrive", parameters={"ids": [ids[1], str(UUID(int=7))]}))
    assert gone.sentence == "1 letters discarded"
    assert back.sentence.startswith("1 letters redriven; not there, or not to be redriven: 00000000")
    assert [state for _, state, _ in await letters(database)] == ["discarded", "redriven"]
    async with database.transaction() as tx:
        [row] = await tx.all("SELECT history FROM dead_letter WHERE state = 'discarded'")
    assert {"who": "ann", "why": "because"}.items() <= json.loads(json.dumps(row.history))[-1].items()


@pytest.fixture
async def settings(kafka: str, plain_url: str) -> Settings:
    settings = Settings(
        database_url=SecretStr(plain_url), kafka_bootstrap=kafka, topic_prefix=f"{secrets.token_hex(4)}."
    )
    names = (REQUESTED, decisions.TAKEN, "sample.dead")
    await create_topics(settings, [TopicPlan(name=name, partitions=1, retention_ms=-1) for name in names])
    return settings


def question(name: str = "a") -> Question:
    return Question(service="sample", action="add", object=name, who="ann", why="because")


async def test_a_command_asks_and_hears_the_answer(settings: Settings, database: Database) -> None:
    worker = Worker("sample", settings)
    worker.decide({"add": Action(judge=add)})
    running = asyncio.create_task(worker.run())
    try:
        preview = await ask(settings, question(), dry_run=True)
        answer = await ask(settings, question(), preview_hash=preview.preview_hash)
        late = await ask(settings, question(), preview_hash=preview.preview_hash)
    finally:
        worker._stopping.set()
        await asyncio.wait_for(running, 25)
    assert (preview.outcome, answer.outcome, late.outcome) == ("previewed", "done", "refused")
    assert await effects(database) == {"a": 1}


async def test_a_holder_may_ask_for_what_is_theirs_and_for_nothing_of_another(database: Database) -> None:
    actions = {"add": Action(judge=add, roles=frozenset({"finance"}), holder="student:{}".format)}
    assert (await answer_to(database, asked(roles=("student:a",)), actions)).outcome == "done"
    others: list[tuple[str, ...]] = [("student:b",), ("student",), ("a",), ("instructor:a",), ()]
    for roles in others:
        refused = await answer_to(database, asked(roles=roles), actions)
        assert (refused.outcome, "needs one of the roles finance" in refused.sentence) == ("refused", True)
    assert await effects(database) == {"a": 1}


async def test_a_worker_that_is_away_is_said_and_does_nothing_by_surprise_later(
    settings: Settings, database: Database
) -> None:
    with pytest.raises(Unreachable, match="the sample service did not answer within 1 s: is it running"):
        await ask(settings, question("b"), within_s=1)
    worker = Worker("sample", settings)
    worker.decide({"add": Action(judge=add)})
    running = asyncio.create_task(worker.run())
    try:
        assert (await ask(settings, question("c"))).outcome == "done"
    finally:
        worker._stopping.set()
        await asyncio.wait_for(running, 25)
    assert await effects(database) == {"c": 1}


def test_fleet_reads_and_writes_what_the_topics_models_say() -> None:
    assert set(decisions._Requested.model_fields) == set(DecisionRequested.model_fields)
    assert set(decisions.DecisionTaken.model_fields) == set(DecisionTaken.model_fields)

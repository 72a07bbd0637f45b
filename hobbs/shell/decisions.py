"""How a command has something decided: preview, agreement, decision, answer, all through Kafka.

The service that owns the object judges, and its answer is read from `decision.taken`. The database is told
which login asks (fleet/vouches.py), and nothing else. The web console asks the same way (fleet/decisions.py).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import typer
from aiokafka.errors import UnknownTopicOrPartitionError
from pydantic import ValidationError

from fleet import kafka_client
from fleet.database import Database
from fleet.decisions import REQUESTED, TAKEN, key_of
from fleet.envelope import Message, first_cause, uuid7
from fleet.reader import Reader
from fleet.settings import Settings
from fleet.vouches import vouch
from hobbs.shell.connections import DATABASE_ERRORS, Unreachable, run, settings_or_exit, why
from hobbs.shell.names import refuse_names
from hobbs.shell.output import EXIT_FINDINGS, agreed, say
from schemas.decisions import DecisionRequested, DecisionTaken

CHANNEL: Final = "command_line"
ROLES: Final = ("operator",)
ANSWER_WITHIN_S: Final = 20.0
ANSWER_TRAVELS_S: Final = 5.0  # from the commit of an answer to its topic
POLL_MS: Final = 200
LOOK_TIMES, LOOK_EVERY_S = 20, 0.1

Effects = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be decided, and by whom. `object`: what it is about, in the service's own naming."""

    service: str
    action: str
    object: str
    who: str
    why: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered; `sentence` is for people, `effects` is what followed or would."""

    decision_id: UUID
    outcome: Literal["done", "refused", "previewed"]
    sentence: str
    effects: Effects
    preview_hash: str | None


def decide_about(
    service: str,
    action: str,
    about: str,
    who: str,
    why: str,
    *,
    dry_run: bool,
    yes: bool,
    parameters: dict[str, Any] | None = None,
    show: Callable[[Effects], None] = lambda effects: None,
) -> None:
    """Decide one thing of a service; the person is asked by the action's name and what it is about.

    show: as of `decide`.
    """
    question = Question(
        service=service, action=action, object=about, who=who, why=why, parameters=parameters or {}
    )
    prompt = f"{action.replace('_', ' ')} {about}?"
    decide(question, dry_run=dry_run, yes=yes, prompt=prompt, show=show)


def decide(
    question: Question,
    *,
    dry_run: bool,
    yes: bool,
    prompt: str,
    show: Callable[[Effects], None] = lambda effects: None,
) -> Answer:
    """Preview, ask the person, decide; the answer. Exits 1 when it is refused or the person says no.

    prompt: the question to the person, in front of what the preview said. show: writes the effects, once.
    """
    settings = settings_or_exit(Settings)
    preview = run(ask(settings, question, dry_run=True))
    _exit_if_refused(preview)
    show(preview.effects)
    if dry_run:
        say(f"dry run, nothing changed: {preview.sentence}")
        return preview
    if not yes and not agreed(f"{prompt} Then {preview.sentence}."):
        say("nothing changed")
        raise typer.Exit(EXIT_FINDINGS)
    answer = run(ask(settings, question, preview_hash=preview.preview_hash))
    _exit_if_refused(answer)
    say(answer.sentence)
    return answer


def _exit_if_refused(answer: Answer) -> None:
    if answer.outcome == "refused":
        say(answer.sentence)
        raise typer.Exit(EXIT_FINDINGS)


async def ask(
    settings: Settings,
    question: Question,
    *,
    dry_run: bool = False,
    preview_hash: str | None = None,
    within_s: float | None = None,
) -> Answer:
    """Ask once and wait for the answer. Raises Unreachable when no worker answers in time, BadParameter for
    what no decision can hold, such as a reason of many pages, or one that names a person (names.py).

    A decision that nobody took in time is refused by the worker that comes later: `valid_until`. One that was
    taken in its last moment is still heard, within ANSWER_TRAVELS_S.
    """
    within_s = ANSWER_WITHIN_S if within_s is None else within_s
    if preview_hash is None:
        await refuse_names(settings, question.why)
    try:
        message = _request(question, dry_run=dry_run, preview_hash=preview_hash, within_s=within_s)
    except ValidationError as error:
        raise typer.BadParameter(_fault_of(error)) from error
    await vouch_for(settings, question.service, [message])
    silent = f"Kafka at {settings.kafka_bootstrap}"
    try:
        async with asyncio.timeout(within_s + ANSWER_TRAVELS_S), _answers(settings) as answers:
            await kafka_client.publish_once(settings, [message], service="operator")
            silent = f"the {question.service} service"
            return await _answer_to(message.event_id, answers)
    except UnknownTopicOrPartitionError as error:
        raise Unreachable("Kafka has no topics for decisions; `hobbs migrate` makes them") from error
    except TimeoutError as error:
        raise Unreachable(
            f"{silent} did not answer within {within_s:g} s: is it running? "
            "The decision was valid until then; a worker that reads it later refuses it"
        ) from error


async def leave(settings: Settings, questions: Sequence[Question], *, within_s: float) -> None:
    """Ask, in this order, and hear no answer: whoever takes them does so within that time."""
    for question in questions:
        await refuse_names(settings, question.why)
        message = _request(question, dry_run=False, preview_hash=None, within_s=within_s)
        await vouch_for(settings, question.service, [message])
        await kafka_client.publish_once(settings, [message], service="operator")


async def vouch_for(settings: Settings, service: str, messages: Sequence[Message]) -> None:
    """Say to the service's database who asks, where it answers: the service says when it needs that."""
    url = settings.database_url.get_secret_value()
    database = Database(url, schema=f"{service}_public", pool_size=1)
    try:
        async with database.transaction() as tx:
            for message in messages:
                await vouch(tx, message.event_id, message.body)
    except (OSError, *DATABASE_ERRORS) as error:
        say(f"no login vouches for this: {why(error)}")
    finally:
        await database.close()


def _request(question: Question, *, dry_run: bool, preview_hash: str | None, within_s: float) -> Message:
    decision_id, now = uuid7(), datetime.now(UTC)
    asked = DecisionRequested.model_validate(
        {
            "decision_id": decision_id,
            "service": question.service,
            "action": question.action,
            "object": question.object,
            "parameters": dict(question.parameters),
            "who": {"name": question.who, "roles": list(ROLES), "channel": CHANNEL},
            "why": question.why,
            "preview_hash": preview_hash,
            "dry_run": dry_run,
            "requested_at": now,
            "valid_until": now + timedelta(seconds=within_s),
        }
    )
    return Message(
        topic=REQUESTED,
        key=key_of(question.service, question.object),
        event=asked,
        cause=first_cause(),
        event_id=decision_id,
    )


def _fault_of(error: ValidationError) -> str:
    """What a decision cannot hold, without the value: `why: String should have at most 2000 characters`."""
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


@asynccontextmanager
async def _answers(settings: Settings) -> AsyncIterator[Reader]:
    """A reader of `decision.taken` from now on, in no group."""
    consumer = Reader(**kafka_client.connection(settings), enable_auto_commit=False)
    try:
        await consumer.start()
        topic = settings.topic_prefix + TAKEN
        await _known(consumer, topic)
        places = await consumer.places_of(topic)
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        for place in places:
            await consumer.position(place)  # the end is looked up now, not with the first record
        yield consumer
    finally:
        await consumer.stop()


async def _known(consumer: Reader, topic: str) -> None:
    """Wait until the broker knows the topic: one that was just made it knows a moment later."""
    for _ in range(LOOK_TIMES):
        if topic in await consumer.topics():
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise UnknownTopicOrPartitionError(topic)


async def _answer_to(decision_id: UUID, answers: Reader) -> Answer:
    while True:
        for records in (await answers.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                taken = _read(record.value)
                if taken is not None and taken.decision_id == decision_id:
                    return _answer(taken)


def _read(value: bytes | None) -> DecisionTaken | None:
    """An answer, to whomever; None for what is none, which is not ours to judge."""
    try:
        return DecisionTaken.model_validate_json(value or b"")
    except ValidationError:
        return None


def _answer(taken: DecisionTaken) -> Answer:
    return Answer(
        decision_id=taken.decision_id,
        outcome=taken.outcome,
        sentence=taken.sentence,
        effects=taken.effects,
        preview_hash=taken.preview_hash,
    )

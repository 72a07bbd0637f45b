"""A person's decision as a command event: asked for on `decision.requested`, answered on `decision.taken`.

The service that owns the object judges and acts in one transaction with its inbox. A preview is the same
judgement undone again; a decision that carries a preview's hash is taken only while it would still do what
that preview showed. Both topics are kept for ever: they are the audit, so no secret goes into either.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from fleet import dead_letters, inbox, outbox, vouches
from fleet.database import Database, Tx
from fleet.envelope import Message, Record, derived_key
from fleet.faults import fault_point
from fleet.inbox import Admitted, Unreadable
from fleet.metrics import DECISIONS
from fleet.outages import Blame, blame
from fleet.vouches import Vouched

REQUESTED: Final = "decision.requested"
TAKEN: Final = "decision.taken"
EFFECTS_MAX: Final = 1_000
SENTENCE_CHARS_MAX: Final = 2_000
LETTERS_MAX: Final = 500  # of one redrive or discard: their locks are held until it commits
ROLES: Final = frozenset({"operator", "finance"})
OTHER: Final = "other"  # how a decision about what the service does not know is counted
RUNNERS: Final = ROLES | {"operations"}  # who may let go on what stands still

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who decides, as far as it is proven (fleet/vouches.py). `channel`: "command_line" or "console"."""

    name: str
    roles: frozenset[str]
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person wants done with one object. `parameters` are JSON values from outside: trust none."""

    decision_id: UUID
    action: str
    object: str
    parameters: Mapping[str, Any]
    who: Person
    why: str
    dry_run: bool
    requested_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a judge did, or why it did not.

    `effects`: what followed, as JSON values, for a person to look at. The preview's hash is made of sentence
    and effects, so neither may hold anything random or the time of day.
    """

    done: bool
    sentence: str
    effects: tuple[Mapping[str, Any], ...] = ()


Judge = Callable[[Tx, Decision, datetime], Awaitable[Ruling]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing people may decide: who judges it, which roles may ask for it, whether it changes a table.

    changes_tables: one that a rebuild could not make or take over (hobbs/rebuild) counts.
    holder: the wallet whose holder may ask for it as well, made of the object: a holder's roles name their
    wallet. None: only the roles may.
    """

    judge: Judge
    roles: frozenset[str] = field(default=ROLES)
    holder: Callable[[str], str] | None = None
    changes_tables: bool = True


def refused(sentence: str) -> Ruling:
    """Say why a decision is not taken, in a sentence for the person who asked."""
    return Ruling(done=False, sentence=sentence)


class _Who(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    roles: list[str] = Field(max_length=20)
    channel: str = Field(min_length=1, max_length=100)


class _Requested(BaseModel):
    """As much of `decision.requested` as taking it needs; schemas/decisions.py describes it to others."""

    model_config = ConfigDict(hide_input_in_errors=True)

    decision_id: UUID
    service: str
    action: str
    object: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    who: _Who
    why: str = Field(max_length=SENTENCE_CHARS_MAX)
    preview_hash: str | None = None
    dry_run: bool = False
    requested_at: AwareDatetime
    valid_until: AwareDatetime


class DecisionTaken(BaseModel):
    """The body of `decision.taken`; schemas/decisions.py describes it to others."""

    decision_id: UUID
    service: str
    action: str
    object: str
    outcome: str
    sentence: str
    effects: list[dict[str, Any]]
    preview_hash: str | None
    taken_at: datetime
    who: str | None
    login: str | None


def key_of(service: str, object_name: str) -> str:
    """The key of both topics: one object's decisions are taken in the order they were asked for."""
    return f"{service}/{object_name}"


def preview_hash(ruling: Ruling) -> str:
    """Name what a preview shows; a decision carries the hash of the preview that its person saw."""
    shown = [ruling.sentence, [dict(effect) for effect in ruling.effects]]
    return sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


async def take_decisions(
    db: Database,
    actions: Mapping[str, Action],
    batch: Sequence[Record],
    *,
    strays_of: Sequence[str] | None = None,
) -> None:
    """Take the decisions of this service, each in a transaction of its own, in their order.

    strays_of: all services' names, for the one service that also buries what names none of them.
    """
    for record in batch:
        if _is_ours(record, db.schema, strays_of):
            counted: list[tuple[str, str]] = []
            async with db.transaction() as tx:
                for asked in await inbox.admit(tx, [record], _read):
                    outcome, answer = await _answer(tx, actions, asked)
                    await outbox.stage(tx, [answer])
                    counted.append((asked.event.action if asked.event.action in actions else OTHER, outcome))
            for action, outcome in counted:
                DECISIONS.labels(db.schema, action, outcome).inc()


def _is_ours(record: Record, service: str, strays_of: Sequence[str] | None) -> bool:
    named = (record.key or b"").decode("utf-8", "replace").partition("/")[0]
    return named == service or (strays_of is not None and named not in strays_of)


def _read(record: Record) -> _Requested:
    """Read a decision. Its id is its event's id, so that it is the same decision however often it comes."""
    asked = inbox.read(record, _Requested)
    if record.headers.get("ce_id") != str(asked.decision_id):
        raise Unreadable("not_its_own_id", "the event's id (ce_id) must be the decision's id")
    if key_of(asked.service, asked.object).encode() != record.key:
        raise Unreadable("not_its_own_key", "the record's key must be <service>/<object>, as its body says")
    return asked


async def _answer(tx: Tx, actions: Mapping[str, Action], asked: Admitted[_Requested]) -> tuple[str, Message]:
    """What became of a decision, as it is counted, and the answer to who asked."""
    now = datetime.now(UTC)
    said = asked.event.who
    body = asked.record.value or b""
    who = await vouches.who_asks(
        tx, asked.event.decision_id, body, name=said.name, roles=frozenset(said.roles)
    )
    outcome, ruling = await _rule(tx, actions, asked.event, who, now)
    await fault_point("decision.judged")
    event = DecisionTaken(
        decision_id=asked.event.decision_id,
        service=tx.service,
        action=asked.event.action,
        object=asked.event.object,
        outcome=outcome,
        sentence=ruling.sentence[:SENTENCE_CHARS_MAX],
        effects=[dict(effect) for effect in ruling.effects[:EFFECTS_MAX]],
        preview_hash=preview_hash(ruling) if outcome == "previewed" else None,
        taken_at=now,
        who=None if isinstance(who, str) else who.name,
        login=None if isinstance(who, str) else who.login,
    )
    key = key_of(tx.service, asked.event.object)
    event_id = derived_key(TAKEN, tx.service, str(asked.event.decision_id))
    counted = "not_allowed" if _not_allowed(actions, asked.event, who) else outcome
    return counted, Message(topic=TAKEN, key=key, event=event, cause=asked.cause, event_id=event_id)


class _Undo(Exception):
    """Leaves a judgement's savepoint, so that nothing it did stays."""


async def _rule(
    tx: Tx, actions: Mapping[str, Action], asked: _Requested, who: Vouched | str, now: datetime
) -> tuple[str, Ruling]:
    """Judge a decision; "done" keeps what the judge did, "previewed" and "refused" undo it."""
    objection = _objection(tx.service, actions, asked, who, now)
    if objection is not None or isinstance(who, str):  # the objection names who is not proven, too
        return "refused", refused(objection or str(who))
    ruling = refused("nothing was judged")
    try:
        async with tx.savepoint():
            ruling = await actions[asked.action].judge(tx, _decision(asked, who), now)
            if not ruling.done or asked.dry_run or _is_other(ruling, asked.preview_hash):
                raise _Undo
    except Exception as error:
        if not isinstance(error, _Undo):
            return "refused", _unforeseen(asked, error)
        if not ruling.done:
            return "refused", ruling
        if asked.dry_run:
            return "previewed", ruling
        said = f"it would no longer do what was shown; now: {ruling.sentence}. Look again, then decide."
        return "refused", refused(said)
    return "done", ruling


def _unforeseen(asked: _Requested, error: Exception) -> Ruling:
    """Answer whoever asked what broke on their decision; an outage is raised, and the record read again."""
    if blame(error) is not Blame.RECORD:
        raise error
    _log.error("a decision broke", exc_info=error, extra={"decision_id": str(asked.decision_id)})
    return refused(f"{asked.action} broke ({type(error).__name__}) and changed nothing; the log says where")


def _not_allowed(actions: Mapping[str, Action], asked: _Requested, who: Vouched | str) -> str | None:
    """Why who asks may not, None when they may, or when nobody may: there is no such action."""
    action = actions.get(asked.action)
    if isinstance(who, str) or action is None:
        return who if isinstance(who, str) else None
    holder = {action.holder(asked.object)} if action.holder else set[str]()
    if (action.roles | holder) & who.roles:
        return None
    return f"{asked.action} needs one of the roles {', '.join(sorted(action.roles))}"


def _objection(
    service: str, actions: Mapping[str, Action], asked: _Requested, who: Vouched | str, now: datetime
) -> str | None:
    """Why a decision is not even judged, None when it is."""
    action = actions.get(asked.action)
    if asked.service != service:
        return f"there is no service {asked.service}"
    if action is None:
        return f"{service} knows no action {asked.action}; it knows {', '.join(sorted(actions))}"
    if who_may_not := _not_allowed(actions, asked, who):
        return who_may_not
    if asked.valid_until < now:
        return f"it was to be taken by {asked.valid_until.isoformat()}, and it is later: ask again"
    return None


def _is_other(ruling: Ruling, shown: str | None) -> bool:
    return shown is not None and shown != preview_hash(ruling)


def _decision(asked: _Requested, who: Vouched) -> Decision:
    return Decision(
        decision_id=asked.decision_id,
        action=asked.action,
        object=asked.object,
        parameters=asked.parameters,
        who=Person(name=who.name, roles=who.roles, channel=asked.who.channel),
        why=asked.why,
        dry_run=asked.dry_run,
        requested_at=asked.requested_at,
    )


async def _redrive(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Send dead letters back to the topic they came from."""
    ids = _letters_named(decision)
    if isinstance(ids, str):
        return refused(ids)
    redriven = await dead_letters.redrive(tx, ids, who=decision.who.name)
    cut = await dead_letters.cut(tx, ids)
    why = (
        f"; too large or unreadable, so the letter cannot send it again: {', '.join(map(str, cut))}"
        if cut
        else ""
    )
    return _about_letters(ids, redriven, "redriven", why)


async def _discard(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Close dead letters without processing them; the reason stays with each."""
    return await _with_a_reason(tx, decision, dead_letters.discard, "discarded")


async def _forget(tx: Tx, decision: Decision, now: datetime) -> Ruling:
    """Take the content out of dead letters, because it tells of a person who is erased."""
    return await _with_a_reason(tx, decision, dead_letters.forget, "forgotten")


async def _with_a_reason(
    tx: Tx, decision: Decision, change: Callable[..., Awaitable[list[UUID]]], verb: str
) -> Ruling:
    ids = _letters_named(decision)
    if isinstance(ids, str):
        return refused(ids)
    if not decision.why:
        return refused("say why: the reason stays with the letters")
    changed = await change(tx, ids, who=decision.who.name, why=decision.why)
    return _about_letters(ids, changed, verb)


def _letters_named(decision: Decision) -> list[UUID] | str:
    named = decision.parameters.get("ids")
    if not isinstance(named, list) or not 1 <= len(named) <= LETTERS_MAX:
        return f"name the letters: parameters.ids, 1 to {LETTERS_MAX} of them"
    try:
        return [UUID(str(one)) for one in named]
    except ValueError:
        return "an id in parameters.ids is no UUID"


def _about_letters(asked: Sequence[UUID], changed: Sequence[UUID], verb: str, why: str = "") -> Ruling:
    if not changed:
        return refused(f"none of these letters can be {verb}{why}")
    left = sorted({str(one) for one in asked} - {str(one) for one in changed})
    rest = f"; not there, or not to be {verb}: {', '.join(left)}" if left else ""
    effects = tuple({"dead_letter_id": str(one)} for one in sorted(changed))
    return Ruling(done=True, sentence=f"{len(changed)} letters {verb}{rest}{why}", effects=effects)


# What every service's people may decide, whatever the service is.
COMMON_ACTIONS: Final[Mapping[str, Action]] = {
    "redrive": Action(judge=_redrive, roles=RUNNERS),
    "discard": Action(judge=_discard, roles=RUNNERS),
    "forget": Action(judge=_forget),
}

"""What each answer from Stripe makes of an operation. Pure.

A new generation starts only after an answer or two clean lookups proved that the one before had no effect.
When nothing proves what happened, the operation is parked for a person; no request is repeated under a new
key without such proof.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.payouts.domain import charges
from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify
from services.payouts.domain.operations import (
    STOPPED,
    Kind,
    Operation,
    Phase,
    State,
    difference,
    names_operation,
)
from services.payouts.domain.refusals import OUTCOME_UNKNOWN, next_try, told_as

KEY_TRUSTED_FOR = timedelta(hours=12)  # Stripe may prune a key after 24 h; the same key would then pay twice

CLOCK_SKEW = timedelta(hours=12)  # between our clocks and Stripe's: the other half of a key's 24 h


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and after what time the relay asks Stripe again."""

    backoff_first: timedelta
    backoff_max: timedelta
    server_errors_max: int = 3  # Stripe replays a saved 500, so that repeating the call proves nothing
    lookup_gap: timedelta
    lookups_max: int = 12


class EffectVerdict(StrEnum):
    """What a lookup, or the comparison of an effect with the decision, proves."""

    ADOPTED = "adopted"  # a lookup found the effect, as it was decided
    CLEAN = "clean"  # a lookup found no effect
    AMBIGUOUS = "ambiguous"  # a lookup found something that cannot be told apart
    MISMATCH = "mismatch"  # the effect differs from what was decided


OperationVerdict = StripeVerdict | EffectVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationOutcome:
    """The state that an operation moves to after a call.

    `effect`: Stripe's object when it succeeded; `retry_at`: when a stopped one is tried again by the clock;
    `told`: the cause that people are told, unless they were.
    """

    operation: Operation
    verdict: OperationVerdict
    answer: StripeAnswer
    answered_at: datetime
    state: State
    phase: Phase
    generation: int
    due_at: datetime
    first_sent_at: datetime | None
    server_errors: int = 0
    lookups: int = 0
    clean_lookups: int = 0
    reason: str | None = None
    sentence: str | None = None
    effect: Mapping[str, Any] | None = None
    retry_at: datetime | None = None
    told: str | None = None


def decide_outcome(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy
) -> OperationOutcome:
    """Decide what follows for an operation from one call to Stripe."""
    after = _after_lookup if operation.phase is Phase.LOOK_UP else _after_call
    outcome = after(operation, answer, now, policy)
    if outcome.state not in STOPPED:
        return outcome
    kind, state, reason = operation.kind, outcome.state, str(outcome.reason)
    return replace(
        outcome,
        retry_at=next_try(kind, state, reason, operation.tries, now),
        told=told_as(kind, state, reason, str(outcome.sentence)),
    )


def _after_call(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy
) -> OperationOutcome:
    verdict = _verdict(operation, answer)
    match verdict:
        case StripeVerdict.DONE if operation.kind is Kind.CHARGE:
            return _charged(operation, answer, answer.body, now, policy, verdict)
        case StripeVerdict.DONE:
            return _completed(operation, answer, answer.body, now, verdict)
        case StripeVerdict.UNKNOWN | StripeVerdict.NOT_NOW | StripeVerdict.SLOW_DOWN:
            return _again(operation, answer, now, policy, verdict)
        case StripeVerdict.SERVER_ERROR:
            return _after_server_error(operation, answer, now, policy)
        case StripeVerdict.INSUFFICIENT if operation.kind is Kind.TRANSFER:
            return _ended(
                operation, answer, now, verdict, State.HELD, "balance_insufficient", BALANCE_SENTENCE
            )
        case StripeVerdict.REFUSED if answer.status == 403 and operation.attempts > 1:
            return _look_up_next(operation, answer, now, policy, verdict)
        case StripeVerdict.INSUFFICIENT | StripeVerdict.REFUSED:
            return _ended(operation, answer, now, verdict, State.REFUSED, answer.refusal, answer.sentence)
        case StripeVerdict.MISUSED if operation.kind is Kind.ACCOUNT:  # the payee's address changed meanwhile
            return _look_up_next(operation, answer, now, policy, verdict)
        case StripeVerdict.MISUSED:
            return _ended(operation, answer, now, verdict, State.PARKED, "idempotency_error", answer.sentence)
        case StripeVerdict.MISCONFIGURED:
            return _again(operation, answer, now, policy, verdict)


def _verdict(operation: Operation, answer: StripeAnswer) -> StripeVerdict:
    """Read the answer table. A key that may pay and nothing else stops no transfer."""
    verdict = classify(answer)
    if (
        operation.kind in (Kind.ACCOUNT, Kind.REFUND, Kind.CHARGE)
        and answer.status == 403
        and verdict is StripeVerdict.MISCONFIGURED
    ):
        return StripeVerdict.REFUSED
    return verdict


def _after_lookup(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy
) -> OperationOutcome:
    verdict = classify(replace(answer, body={**answer.body, "id": "list"}))
    if verdict is StripeVerdict.MISCONFIGURED:
        return _again(operation, answer, now, policy, verdict)
    if verdict is not StripeVerdict.DONE:
        return _lookup_failed(operation, answer, now, policy, verdict)
    found = judge_candidates(operation, answer.body.get("data", ()))
    match found:
        case Mapping() if operation.kind is Kind.CHARGE:
            return _charged(operation, answer, found, now, policy, EffectVerdict.ADOPTED)
        case Mapping():
            return _completed(operation, answer, found, now, EffectVerdict.ADOPTED)
        case str():
            return _ended(
                operation, answer, now, EffectVerdict.AMBIGUOUS, State.PARKED, "effect_unclear", found
            )
        case None:
            return _found_nothing(operation, answer, now, policy)


def judge_candidates(
    operation: Operation, candidates: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | str | None:
    """Find the operation's effect in a list of Stripe's: the object, None, or why it cannot be told apart."""
    candidates = [c for c in candidates if isinstance(c, Mapping) and isinstance(c.get("id"), str)]
    ours = [c for c in candidates if names_operation(c) == str(operation.id)]
    if len(ours) > 1:
        return f"Stripe lists {len(ours)} objects for one operation: " + ", ".join(str(c["id"]) for c in ours)
    if ours:
        return ours[0]
    unnamed = [c for c in candidates if names_operation(c) is None and _could_be(operation, c)]
    if unnamed and operation.kind not in (Kind.ACCOUNT, Kind.CHARGE):
        return f"{unnamed[0]['id']} has the same amount and destination but names no operation"
    return None


def _could_be(operation: Operation, effect: Mapping[str, Any]) -> bool:
    made = effect.get("created")
    earliest = (operation.first_sent_at - CLOCK_SKEW).timestamp()
    # One that does not say when it was made may be ours.
    return not (type(made) is int and made < earliest) and difference(operation, effect) is None


def _completed(
    operation: Operation,
    answer: StripeAnswer,
    effect: Mapping[str, Any],
    now: datetime,
    verdict: OperationVerdict,
) -> OperationOutcome:
    if unlike := difference(operation, effect):
        return _ended(operation, answer, now, EffectVerdict.MISMATCH, State.PARKED, "effect_differs", unlike)
    return replace(_ended(operation, answer, now, verdict, State.SUCCEEDED, None, None), effect=effect)


def _charged(
    operation: Operation,
    answer: StripeAnswer,
    intent: Mapping[str, Any],
    now: datetime,
    policy: RetryPolicy,
    verdict: OperationVerdict,
) -> OperationOutcome:
    """A payment intent is there: that it took money, or that it was declined, is in its status."""
    if error := charges.refusal_in(intent):
        said = replace(answer, body={"error": {**error, "payment_intent": {"id": intent.get("id")}}})
        refused = StripeVerdict.REFUSED
        return _ended(operation, said, now, refused, State.REFUSED, said.refusal, said.sentence)
    if not charges.is_undecided(intent):
        return _completed(operation, answer, intent, now, verdict)
    if operation.phase is Phase.LOOK_UP:
        return _lookup_failed(operation, answer, now, policy, StripeVerdict.UNKNOWN)
    return _look_up_next(operation, answer, now, policy, StripeVerdict.UNKNOWN)


def _after_server_error(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy
) -> OperationOutcome:
    errors = operation.server_errors + 1
    ask = _again if errors < policy.server_errors_max else _look_up_next
    return replace(ask(operation, answer, now, policy, StripeVerdict.SERVER_ERROR), server_errors=errors)


def _look_up_next(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy, verdict: OperationVerdict
) -> OperationOutcome:
    """Look the effect up next: this answer says nothing of what earlier attempts did."""
    return replace(
        _again(operation, answer, now, policy, verdict),
        phase=Phase.LOOK_UP,
        due_at=now + policy.lookup_gap,
    )


def _found_nothing(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy
) -> OperationOutcome:
    """Start a new generation after the second clean lookup, which proves that the key had no effect."""
    again = _again(operation, answer, now, policy, EffectVerdict.CLEAN)
    if operation.clean_lookups + 1 < 2:
        return replace(
            again,
            clean_lookups=operation.clean_lookups + 1,
            due_at=now + policy.lookup_gap,
        )
    return replace(
        again,
        phase=Phase.SEND,
        generation=operation.generation + 1,
        first_sent_at=None,
        server_errors=0,
        lookups=0,
        clean_lookups=0,
        due_at=now,
    )


def _lookup_failed(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy, verdict: OperationVerdict
) -> OperationOutcome:
    if operation.lookups + 1 >= policy.lookups_max:
        sentence = f"nobody can tell whether the money moved: looking it up failed too ({answer.sentence})"
        return _ended(operation, answer, now, verdict, State.PARKED, OUTCOME_UNKNOWN, sentence)
    return _again(operation, answer, now, policy, verdict)


def _again(
    operation: Operation, answer: StripeAnswer, now: datetime, policy: RetryPolicy, verdict: OperationVerdict
) -> OperationOutcome:
    looking = operation.phase is Phase.LOOK_UP
    due_at = now + backoff(operation, policy)
    expired = due_at - operation.first_sent_at >= KEY_TRUSTED_FOR
    return OperationOutcome(
        operation=operation,
        verdict=verdict,
        answer=answer,
        answered_at=now,
        state=State.DUE,
        phase=Phase.LOOK_UP if looking or expired else Phase.SEND,
        generation=operation.generation,
        due_at=due_at,
        first_sent_at=operation.first_sent_at,
        server_errors=operation.server_errors,
        lookups=operation.lookups + looking,
        clean_lookups=operation.clean_lookups,
    )


def backoff(operation: Operation, policy: RetryPolicy) -> timedelta:
    """Double the wait with each attempt; spread operations that failed together by their ids."""
    wait = min(policy.backoff_first * (1 << min(max(operation.attempts - 1, 0), 20)), policy.backoff_max)
    return wait * (1500 + operation.id.int % 1000) // 2000  # 75 to 125 percent of it


def _ended(
    operation: Operation,
    answer: StripeAnswer,
    now: datetime,
    verdict: OperationVerdict,
    state: State,
    reason: str | None,
    sentence: str | None,
) -> OperationOutcome:
    return OperationOutcome(
        operation=operation,
        verdict=verdict,
        answer=answer,
        answered_at=now,
        state=state,
        phase=operation.phase,
        generation=operation.generation,
        due_at=now,
        first_sent_at=operation.first_sent_at,
        server_errors=operation.server_errors,
        lookups=operation.lookups,
        clean_lookups=operation.clean_lookups,
        reason=reason,
        sentence=sentence,
    )


BALANCE_SENTENCE = "the school's Stripe balance does not cover it yet; it is sent once it does"

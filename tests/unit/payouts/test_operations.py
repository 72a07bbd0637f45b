"""What each answer makes of an operation: nothing is sent under a new key without proof."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.cause import Cause
from services.payouts.domain.answers import StripeAnswer
from services.payouts.domain.balance import WaitingForBalance, decide_covered
from services.payouts.domain.operations import Kind, Operation, Phase, State, difference
from services.payouts.domain.outcomes import (
    KEY_TRUSTED_FOR,
    backoff,
    decide_outcome,
    judge_candidates,
)
from tests.support.payouts import SETTINGS

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
POLICY = SETTINGS.policy

OPERATION = Operation(
    id=ID,
    kind=Kind.TRANSFER,
    wallet="instructor:i1",
    transfer_id=ID,
    params={"destination": "acct_1"},
    amount=700,
    currency="USD",
    stripe_account=None,
    parent_id=None,
    phase=Phase.SEND,
    generation=1,
    attempts=1,
    server_errors=0,
    lookups=0,
    clean_lookups=0,
    first_sent_at=NOW,
    lease_token=ID,
    lease_until=NOW + timedelta(seconds=30),
    trace=Cause(correlation_id="c", traceparent="t", event_id=ID),
)
LOOKING = replace(OPERATION, phase=Phase.LOOK_UP, first_sent_at=NOW - timedelta(hours=13))
EFFECT: dict[str, Any] = {
    "id": "tr_1",
    "amount": 700,
    "currency": "usd",
    "destination": "acct_1",
    "created": int(NOW.timestamp()),
    "metadata": {"hobbs_operation_id": str(ID)},
}


def refusal(status: int, code: str, type: str = "invalid_request_error") -> StripeAnswer:
    return StripeAnswer(status=status, body={"error": {"code": code, "type": type, "message": "no"}})


UNKNOWN = StripeAnswer(status=None)
CLEAN = StripeAnswer(status=200, body={"data": []})


@pytest.mark.parametrize(
    ("operation", "answer", "state", "phase", "generation"),
    [
        (OPERATION, StripeAnswer(status=200, body=EFFECT), State.SUCCEEDED, Phase.SEND, 1),
        (OPERATION, StripeAnswer(status=200, body={**EFFECT, "amount": 701}), State.PARKED, Phase.SEND, 1),
        (OPERATION, UNKNOWN, State.DUE, Phase.SEND, 1),
        (OPERATION, StripeAnswer(status=503), State.DUE, Phase.SEND, 1),
        (OPERATION, StripeAnswer(status=500), State.DUE, Phase.SEND, 1),
        (replace(OPERATION, server_errors=2), StripeAnswer(status=500), State.DUE, Phase.LOOK_UP, 1),
        (OPERATION, refusal(400, "balance_insufficient"), State.HELD, Phase.SEND, 1),
        (OPERATION, refusal(400, "account_closed"), State.REFUSED, Phase.SEND, 1),
        (OPERATION, refusal(400, "x", "idempotency_error"), State.PARKED, Phase.SEND, 1),
        (OPERATION, refusal(401, "x"), State.DUE, Phase.SEND, 1),
        (OPERATION, refusal(403, "account_invalid"), State.REFUSED, Phase.SEND, 1),
        # Decided before Stripe reads the key: what an earlier attempt did is not known from it.
        (replace(OPERATION, attempts=2), refusal(403, "account_invalid"), State.DUE, Phase.LOOK_UP, 1),
        (LOOKING, CLEAN, State.DUE, Phase.LOOK_UP, 1),
        (replace(LOOKING, clean_lookups=1), CLEAN, State.DUE, Phase.SEND, 2),
        (LOOKING, StripeAnswer(status=200, body={"data": [EFFECT]}), State.SUCCEEDED, Phase.LOOK_UP, 1),
        (LOOKING, StripeAnswer(status=503), State.DUE, Phase.LOOK_UP, 1),
        (replace(LOOKING, lookups=11), StripeAnswer(status=503), State.PARKED, Phase.LOOK_UP, 1),
        (LOOKING, StripeAnswer(status=200, body={"data": [EFFECT, EFFECT]}), State.PARKED, Phase.LOOK_UP, 1),
    ],
)
def test_an_answer_makes_of_an_operation(
    operation: Operation, answer: StripeAnswer, state: State, phase: Phase, generation: int
) -> None:
    outcome = decide_outcome(operation, answer, NOW, POLICY)
    assert (outcome.state, outcome.phase, outcome.generation) == (state, phase, generation)


@pytest.mark.parametrize("kind", [Kind.INSTANT_PAYOUT, Kind.REVERSAL])
def test_only_a_transfer_waits_for_the_school_s_balance(kind: Kind) -> None:
    """Other kinds take from the payee's balance, which the school cannot fill."""
    operation = replace(OPERATION, kind=kind, parent_id="tr_1")
    assert decide_outcome(operation, refusal(400, "balance_insufficient"), NOW, POLICY).state is State.REFUSED


def test_the_key_changes_only_with_the_generation() -> None:
    outcome = decide_outcome(OPERATION, UNKNOWN, NOW, POLICY)
    again = replace(OPERATION, generation=outcome.generation, attempts=2)
    assert again.idempotency_key == OPERATION.idempotency_key == f"op:{ID}:1"
    assert replace(OPERATION, generation=2).idempotency_key == f"op:{ID}:2"


@given(st.integers(0, 40), st.floats(0, 20 * 3600), st.sampled_from([None, 409, 429, 500, 503]))
def test_a_key_older_than_12_hours_is_never_due_to_be_sent(
    attempts: int, age_s: float, status: int | None
) -> None:
    operation = replace(OPERATION, attempts=attempts, first_sent_at=NOW - timedelta(seconds=age_s))
    outcome = decide_outcome(operation, StripeAnswer(status=status), NOW, POLICY)
    assert outcome.generation == 1
    if outcome.due_at - operation.first_sent_at >= KEY_TRUSTED_FOR:
        assert outcome.phase is Phase.LOOK_UP


@given(st.lists(st.sampled_from(["clean", "failed"]), max_size=30))
def test_a_new_generation_needs_two_clean_lookups(answers: list[str]) -> None:
    operation, clean = LOOKING, 0
    for answer in answers:
        heard = CLEAN if answer == "clean" else StripeAnswer(status=503)
        clean += answer == "clean"
        outcome = decide_outcome(operation, heard, NOW, POLICY)
        assert (outcome.generation > 1) == (clean == 2)
        if outcome.generation > 1 or outcome.state is State.PARKED:
            return
        operation = replace(operation, lookups=outcome.lookups, clean_lookups=outcome.clean_lookups)


@pytest.mark.parametrize(
    ("candidates", "found"),
    [
        ([], None),
        ([EFFECT], "tr_1"),
        ([{**EFFECT, "id": "tr_0", "metadata": {"hobbs_operation_id": "another"}}], None),
        ([{**EFFECT, "metadata": {}, "amount": 1}], None),
        ([{**EFFECT, "metadata": {}, "created": 1}], None),
        ([None, "tr", {}, {"id": 5}, {"metadata": []}, EFFECT], "tr_1"),
        ([{**EFFECT, "metadata": None, "created": None, "amount": None}], None),
    ],
)
def test_an_effect_is_found_by_its_metadata(candidates: list[dict[str, Any]], found: str | None) -> None:
    judged = judge_candidates(LOOKING, candidates)
    assert (judged["id"] if isinstance(judged, dict) else judged) == found


def test_an_unnamed_effect_that_could_be_ours_is_for_a_person() -> None:
    assert isinstance(judge_candidates(OPERATION, [{**EFFECT, "metadata": {}}]), str)
    undated = {**EFFECT, "metadata": None, "created": None}
    assert isinstance(judge_candidates(OPERATION, [undated]), str)


@pytest.mark.parametrize(
    "change",
    [{"amount": 1}, {"currency": "eur"}, {"destination": "acct_2"}, {"destination": {"id": "acct_2"}}],
)
def test_an_effect_that_differs_from_what_was_decided_is_noticed(change: dict[str, Any]) -> None:
    assert difference(OPERATION, EFFECT) is None
    assert difference(OPERATION, {**EFFECT, "destination": {"id": "acct_1"}}) is None
    assert difference(OPERATION, {**EFFECT, **change}) is not None


def test_waiting_doubles_up_to_a_limit() -> None:
    waits = [backoff(replace(OPERATION, attempts=n), POLICY) for n in range(1, 30)]
    assert waits == sorted(waits)
    assert timedelta(milliseconds=750) <= waits[0] < timedelta(milliseconds=1250)
    assert waits[-1] <= POLICY.backoff_max * 5 // 4


@pytest.mark.parametrize(
    ("amounts", "available", "committed", "covered"),
    [
        ([500, 100], 400, 0, 0),  # the younger and smaller one does not overtake
        ([500, 100], 500, 0, 1),
        ([500, 100], 600, 0, 2),
        ([500, 100], 600, 100, 1),  # what is under way is spent already
        ([500], -20, 0, 0),
    ],
)
def test_the_balance_covers_the_oldest_first(
    amounts: list[int], available: int, committed: int, covered: int
) -> None:
    waiting = [
        WaitingForBalance(operation_id=UUID(int=n), amount=a, currency="USD") for n, a in enumerate(amounts)
    ]
    ids = decide_covered(waiting, {"USD": available}, {"USD": committed})
    assert ids == [w.operation_id for w in waiting[:covered]]


def test_money_of_another_currency_covers_nothing() -> None:
    waiting = [WaitingForBalance(operation_id=ID, amount=1, currency="EUR")]
    assert decide_covered(waiting, {"USD": 100}, {}) == []

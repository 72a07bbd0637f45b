"""What is known of a refusal, when it is tried again, and when it must not be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from fleet.cause import Cause
from services.payouts.domain.answers import ACCOUNT_REFUSALS, StripeAnswer
from services.payouts.domain.operations import Kind, State
from services.payouts.domain.payees import Payee, Stopped, hold_sentence, payee_hold
from services.payouts.domain.refusals import TRIES_MAX, Whose, advice, next_try, todo, told_as
from services.payouts.domain.retries import (
    Chance,
    Occasion,
    RefusedOperation,
    StoppedOperation,
    ends_with,
    ends_with_the_account,
    judge,
)
from services.payouts.domain.transfers import HoldReason, TransferState

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
READY = Payee(wallet="instructor:i1", stripe_account="acct_1", ready=True, instant=True)
STOPPED = StoppedOperation(
    id=ID,
    kind=Kind.TRANSFER,
    wallet=READY.wallet,
    state=State.REFUSED,
    reason="transfer_refused",
    sentence="No.",
    generation=1,
    trace=Cause(correlation_id="c", traceparent="t", event_id=ID),
    transfer_id=ID,
    transfer_state=TransferState.SENT,
    amount=500,
    currency="USD",
    left=500,
)


@pytest.mark.parametrize(
    ("kind", "reason", "sentence", "whose", "words"),
    [
        (
            Kind.ACCOUNT,
            "invalid_request_error",
            "You can only create new accounts if you've signed up for Connect, which you can do at …",
            Whose.PLATFORM,
            "sign the school's Stripe account up",
        ),
        (
            Kind.ACCOUNT,
            "invalid_request_error",
            "Please review the responsibilities of managing losses for connected accounts at …",
            Whose.PLATFORM,
            "platform profile",
        ),
        (
            Kind.ACCOUNT,
            "account_creation_liability_unacknowledged",
            "…",
            Whose.PLATFORM,
            "platform profile",
        ),
        (
            Kind.ACCOUNT,
            "invalid_request_error",
            "Use POST /v2/core/accounts, or enable Accounts v1 support: …/feat_accounts_v1_support",
            Whose.PLATFORM,
            "HOBBS_STRIPE_ACCOUNTS=v2",
        ),
        (
            Kind.ACCOUNT,
            "capability_not_available_without_other_capability",
            "…",
            Whose.PLATFORM,
            "card_payments",
        ),
        (Kind.ACCOUNT, "country_unsupported", "…", Whose.PAYEE, "country"),
        (Kind.ACCOUNT, "email_invalid", "…", Whose.PAYEE, "e-mail address"),
        (Kind.TRANSFER, "account_closed", "…", Whose.PAYEE, "put its Stripe account in order"),
        (Kind.INSTANT_PAYOUT, "instant_payouts_unsupported", "…", Whose.PAYEE, "the ordinary payout"),
        (Kind.INSTANT_PAYOUT, "balance_insufficient", "…", Whose.PAYEE, "the ordinary payout"),
        (Kind.REVERSAL, "balance_insufficient", "…", Whose.PAYEE, "balance covers it"),
        (Kind.TRANSFER, "a_new_code", "Something new.", Whose.UNKNOWN, "dashboard"),
    ],
)
def test_common_refusals_say_whose_they_are_and_what_to_do(
    kind: Kind, reason: str, sentence: str, whose: Whose, words: str
) -> None:
    known = advice(kind, reason, sentence)
    assert known.whose is whose
    assert words in known.todo


def test_the_clock_tries_after_a_day_two_days_and_weekly_and_then_no_more() -> None:
    waits = [next_try(Kind.ACCOUNT, State.REFUSED, "x", tries, NOW) for tries in range(TRIES_MAX + 1)]
    assert [at and (at - NOW).days for at in waits] == [1, 2, *[7] * (TRIES_MAX - 2), None]


@pytest.mark.parametrize(
    ("kind", "state", "reason", "wait"),
    [
        (Kind.TRANSFER, State.REFUSED, "x", timedelta(days=1)),
        (Kind.INSTANT_PAYOUT, State.REFUSED, "instant_payouts_unsupported", timedelta(days=1)),
        (Kind.REVERSAL, State.REFUSED, "balance_insufficient", timedelta(days=1)),
        (Kind.REVERSAL, State.REFUSED, "transfer_already_reversed", None),
        *[(kind, State.PARKED, "outcome_unknown", timedelta(hours=1)) for kind in Kind],
        *[(kind, State.PARKED, "effect_differs", None) for kind in Kind],
        *[(kind, State.PARKED, "idempotency_error", None) for kind in Kind],
        *[(kind, State.PARKED, "effect_unclear", None) for kind in Kind],
    ],
)
def test_only_what_proof_allows_is_tried_again_by_the_clock(
    kind: Kind, state: State, reason: str, wait: timedelta | None
) -> None:
    assert next_try(kind, state, reason, 0, NOW) == (wait and NOW + wait)


ALL = {Occasion.SCHOOL, Occasion.KEY, Occasion.ANOTHER_MADE}


@pytest.mark.parametrize(
    ("kind", "reason", "sentence", "occasions"),
    [
        (Kind.ACCOUNT, "invalid_request_error", "signed up for Connect", ALL),
        (Kind.ACCOUNT, "country_unsupported", "…", {Occasion.SCHOOL}),
        (Kind.ACCOUNT, "a_new_code", "…", {Occasion.SCHOOL, Occasion.KEY}),
        (Kind.TRANSFER, "a_new_code", "…", {Occasion.KEY}),
        (Kind.TRANSFER, "account_closed", "…", set()),
        (Kind.INSTANT_PAYOUT, "instant_payouts_unsupported", "…", set()),
        (Kind.REVERSAL, "balance_insufficient", "…", set()),
    ],
)
def test_what_concerns_the_whole_school_ends_only_such_causes(
    kind: Kind, reason: str, sentence: str, occasions: set[Occasion]
) -> None:
    refused = RefusedOperation(id=ID, kind=kind, wallet=READY.wallet, reason=reason, sentence=sentence)
    assert {occasion for occasion in Occasion if ends_with(refused, occasion)} == occasions


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({"reason": "account_closed"}, True),
        ({"reason": "account_closed", "generation": 5}, False),
        ({"reason": "a_new_code"}, False),
        ({"kind": Kind.INSTANT_PAYOUT, "reason": "payouts_not_allowed"}, True),
        ({"kind": Kind.INSTANT_PAYOUT, "reason": "balance_insufficient"}, False),
        ({"kind": Kind.REVERSAL, "reason": "balance_insufficient"}, True),
        ({"kind": Kind.ACCOUNT}, False),
        ({"reason": "account_closed", "state": State.PARKED}, False),
    ],
)
def test_an_enabled_account_ends_what_lay_with_the_account(changes: dict[str, Any], ends: bool) -> None:
    assert ends_with_the_account(replace(STOPPED, **changes)) is ends


@pytest.mark.parametrize(
    ("changes", "payee", "occasion", "chance"),
    [
        ({}, {}, Occasion.DUE, Chance.RETRY),
        ({}, {"ready": False}, Occasion.DUE, Chance.WAIT),
        ({}, {"parked": True}, Occasion.PERSON, Chance.WAIT),
        ({"state": State.PARKED, "reason": "outcome_unknown"}, {"ready": False}, Occasion.DUE, Chance.RETRY),
        ({"kind": Kind.ACCOUNT}, {"stripe_account": None}, Occasion.DUE, Chance.RETRY),
        ({"kind": Kind.ACCOUNT}, {}, Occasion.PERSON, Chance.OVER),
        ({"kind": Kind.ACCOUNT, "followed": True}, {"stripe_account": None}, Occasion.DUE, Chance.OVER),
        ({"kind": Kind.ACCOUNT}, {"stripe_account": None, "removed": True}, Occasion.DUE, Chance.OVER),
        ({"kind": Kind.INSTANT_PAYOUT}, {}, Occasion.DUE, Chance.RETRY),
        (
            {"kind": Kind.INSTANT_PAYOUT, "transfer_state": TransferState.IN_BANK},
            {},
            Occasion.PERSON,
            Chance.OVER,
        ),
        (
            {"kind": Kind.INSTANT_PAYOUT, "transfer_state": TransferState.PARTLY_REVERSED},
            {},
            Occasion.DUE,
            Chance.OVER,
        ),
        ({"kind": Kind.INSTANT_PAYOUT, "brought": True}, {}, Occasion.PERSON, Chance.OVER),
        ({"kind": Kind.INSTANT_PAYOUT, "on_its_way": True}, {}, Occasion.PERSON, Chance.WAIT),
        ({"kind": Kind.INSTANT_PAYOUT}, {"instant": False}, Occasion.DUE, Chance.OVER),
        ({"kind": Kind.REVERSAL}, {}, Occasion.DUE, Chance.RETRY),
        ({"kind": Kind.REVERSAL, "left": 499}, {}, Occasion.PERSON, Chance.WAIT),
        ({"kind": Kind.REVERSAL, "taken_back": True}, {}, Occasion.DUE, Chance.WAIT),
        ({"kind": Kind.REVERSAL, "taken_back": True}, {}, Occasion.PERSON, Chance.RETRY),
        ({"kind": Kind.REVERSAL}, {"ready": False}, Occasion.DUE, Chance.RETRY),
    ],
)
def test_money_is_moved_again_only_while_that_is_right(
    changes: dict[str, Any], payee: dict[str, Any], occasion: Occasion, chance: Chance
) -> None:
    judged = judge(replace(STOPPED, **changes), replace(READY, **payee), occasion)
    assert judged.chance is chance
    assert bool(judged.why) is (chance is not Chance.RETRY)


def test_ids_in_a_sentence_make_no_other_cause() -> None:
    said = "No such destination: 'acct_1A2b', see req_99"
    assert told_as(Kind.TRANSFER, State.REFUSED, "x", said) == told_as(
        Kind.TRANSFER, State.REFUSED, "x", said.replace("acct_1A2b", "acct_9Z").replace("req_99", "req_1")
    )
    assert told_as(Kind.TRANSFER, State.REFUSED, "x", said) != told_as(
        Kind.TRANSFER, State.REFUSED, "x", "No."
    )


def test_a_sentence_of_stripe_s_is_kept_without_the_address_that_it_quotes() -> None:
    answer = StripeAnswer(
        status=400, body={"error": {"message": "Invalid email address: jo.doe@example.org."}}
    )
    assert answer.sentence == "Invalid email address: (an address)"


def test_a_parked_request_for_an_account_is_not_called_under_way() -> None:
    stopped = Stopped(
        kind=Kind.ACCOUNT, state=State.PARKED, reason="outcome_unknown", sentence="Nobody knows."
    )
    payee = replace(READY, stripe_account=None, ready=False, parked=True, stopped=stopped)
    hold = payee_hold(payee)
    assert hold is HoldReason.PARKED_OPERATION
    assert "Nobody knows." in hold_sentence(payee, hold)
    assert todo(Kind.ACCOUNT, State.PARKED, "outcome_unknown", "") in hold_sentence(payee, hold)


@pytest.mark.parametrize("code", sorted(ACCOUNT_REFUSALS))
def test_what_ends_with_the_account_is_not_called_the_platform_s(code: str) -> None:
    assert advice(Kind.TRANSFER, code, "…").whose is Whose.PAYEE

"""Each reason to disable an account has a hold, a sentence, someone who is told, and a way out."""

import pytest

from fleet.cause import Cause
from fleet.envelope import first_cause
from schemas.notifications import NotificationRequested
from services.payouts.domain.payees import Payee, payee_hold
from services.payouts.domain.transfers import ACCOUNT_HOLDS, PAYEE_HOLDS, SENTENCES, HoldReason
from services.payouts.wire.notifications import held_notifications

TRACE: Cause = first_cause()
H = HoldReason

REASONS = [
    ("rejected.fraud", H.ACCOUNT_REJECTED),
    ("rejected.incomplete_verification", H.ACCOUNT_REJECTED),
    ("rejected.listed", H.ACCOUNT_REJECTED),
    ("rejected.other", H.ACCOUNT_REJECTED),
    ("rejected.platform_fraud", H.ACCOUNT_REJECTED),
    ("rejected.platform_other", H.ACCOUNT_REJECTED),
    ("rejected.platform_terms_of_service", H.ACCOUNT_REJECTED),
    ("rejected.terms_of_service", H.ACCOUNT_REJECTED),
    ("rejected.of_next_year", H.ACCOUNT_REJECTED),
    ("listed", H.ACCOUNT_UNDER_REVIEW),
    ("under_review", H.ACCOUNT_UNDER_REVIEW),
    ("requirements.pending_verification", H.ACCOUNT_UNDER_REVIEW),
    ("platform_paused", H.ACCOUNT_PAUSED),
    ("action_required.requested_capabilities", H.CAPABILITY_MISSING),
    ("disconnected", H.ACCOUNT_DISCONNECTED),
    ("requirements.past_due", H.PAYEE_NOT_READY),
    ("other", H.ACCOUNT_RESTRICTED),
    ("a_word_of_next_year", H.ACCOUNT_RESTRICTED),
]


def payee(reason: str | None, *, submitted: bool = True, due: bool = False) -> Payee:
    return Payee(
        wallet="instructor:i1",
        stripe_account="acct_1",
        disabled_reason=reason,
        details_submitted=submitted,
        due=due,
    )


@pytest.mark.parametrize(("reason", "hold"), REASONS)
def test_a_disabled_reason_has_its_hold(reason: str, hold: HoldReason) -> None:
    assert payee_hold(payee(reason)) is hold


@pytest.mark.parametrize(
    ("submitted", "due", "hold"),
    [
        (False, True, H.PAYEE_NOT_READY),
        (False, False, H.PAYEE_NOT_READY),
        (True, True, H.PAYEE_NOT_READY),
        (True, False, H.ACCOUNT_UNDER_REVIEW),
    ],
)
def test_without_a_reason_it_depends_on_what_the_payee_still_has_to_do(
    submitted: bool, due: bool, hold: HoldReason
) -> None:
    assert payee_hold(payee(None, submitted=submitted, due=due)) is hold


@pytest.mark.parametrize(("reason", "hold"), REASONS)
def test_finance_hears_of_every_account_that_stripe_disabled(reason: str, hold: HoldReason) -> None:
    events = [m.event for m in held_notifications(payee(reason), hold, TRACE)]
    told = {e.recipient_kind: e for e in events if isinstance(e, NotificationRequested)}
    assert SENTENCES[hold] in told["finance"].sentence
    if hold in ACCOUNT_HOLDS:
        assert reason in told["finance"].sentence
        assert "onboarding" not in "".join(e.sentence for e in told.values())
    assert ("operator" in told) is (hold in (H.ACCOUNT_PAUSED, H.CAPABILITY_MISSING))


def test_a_payee_that_never_finished_onboarding_is_told_alone() -> None:
    [only] = held_notifications(payee("requirements.past_due", submitted=False), H.PAYEE_NOT_READY, TRACE)
    assert isinstance(only.event, NotificationRequested)
    assert (only.event.recipient_kind, only.event.kind) == ("instructor", "onboarding_needed")


def test_what_stripe_says_of_an_account_holds_all_of_its_payees_money() -> None:
    assert ACCOUNT_HOLDS < PAYEE_HOLDS
    assert {*SENTENCES} == {*HoldReason}

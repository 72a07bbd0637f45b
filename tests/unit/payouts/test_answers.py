"""The answer table of services/payouts/domain/answers.py, row by row."""

from typing import Any

import pytest

from services.payouts.domain.answers import StripeAnswer, StripeVerdict, classify

OK: dict[str, Any] = {"id": "tr_1"}


def error(code: str | None = None, type: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"type": type, "code": code, "message": "said so", **more}}


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, OK, StripeVerdict.DONE),
        (201, OK, StripeVerdict.DONE),
        (200, {}, StripeVerdict.UNKNOWN),  # nobody can read what was done
        (None, {}, StripeVerdict.UNKNOWN),  # timeout, reset
        (302, {}, StripeVerdict.UNKNOWN),
        (409, error("idempotency_key_in_use"), StripeVerdict.NOT_NOW),
        (409, error("lock_timeout"), StripeVerdict.NOT_NOW),
        (503, {}, StripeVerdict.NOT_NOW),
        (429, error("rate_limit"), StripeVerdict.SLOW_DOWN),
        (429, error("lock_timeout"), StripeVerdict.SLOW_DOWN),
        (429, {}, StripeVerdict.SLOW_DOWN),
        (400, error("rate_limit"), StripeVerdict.SLOW_DOWN),
        (500, error(type="api_error"), StripeVerdict.SERVER_ERROR),
        (502, {}, StripeVerdict.SERVER_ERROR),
        (504, {}, StripeVerdict.SERVER_ERROR),
        (520, {}, StripeVerdict.SERVER_ERROR),
        (400, error("balance_insufficient"), StripeVerdict.INSUFFICIENT),
        (402, error("insufficient_funds"), StripeVerdict.INSUFFICIENT),
        (400, error("account_closed"), StripeVerdict.REFUSED),
        (400, error("insufficient_capabilities_for_transfer"), StripeVerdict.REFUSED),
        (400, error("resource_missing", param="destination"), StripeVerdict.REFUSED),
        (402, error("card_declined", type="card_error"), StripeVerdict.REFUSED),
        (404, error("resource_missing"), StripeVerdict.REFUSED),
        (400, error(type="idempotency_error"), StripeVerdict.MISUSED),
        (401, error(), StripeVerdict.MISCONFIGURED),
        (403, error("platform_api_key_expired"), StripeVerdict.MISCONFIGURED),
        (403, error("account_invalid"), StripeVerdict.REFUSED),  # that account's trouble, not the key's
        (400, {}, StripeVerdict.UNKNOWN),  # a proxy in between, not Stripe
        (408, error(), StripeVerdict.UNKNOWN),
        (413, {"html": "too large"}, StripeVerdict.UNKNOWN),
    ],
)
def test_every_answer_has_its_verdict(
    status: int | None, body: dict[str, Any], verdict: StripeVerdict
) -> None:
    assert classify(StripeAnswer(status=status, body=body)) is verdict


def test_nothing_but_a_2xx_with_an_object_is_done() -> None:
    errors = [StripeAnswer(status=status, body=error("x")) for status in range(100, 600)]
    objects = [StripeAnswer(status=status, body=OK) for status in range(100, 600)]
    assert [a for a in errors if classify(a) is StripeVerdict.DONE] == []
    assert {a.status for a in objects if classify(a) is StripeVerdict.DONE} == set(range(200, 300))


def test_a_destination_stripe_does_not_know_is_the_account_s_trouble() -> None:
    answer = StripeAnswer(status=400, body=error("resource_missing", param="destination"))
    assert answer.refusal == "account_invalid"


def test_the_sentence_is_stripe_s_own_or_says_what_happened() -> None:
    assert StripeAnswer(status=400, body=error("x")).sentence == "said so"
    assert StripeAnswer(status=None, problem="no answer within 2 s").sentence == "no answer within 2 s"
    assert StripeAnswer(status=502).sentence == "Stripe answered 502"

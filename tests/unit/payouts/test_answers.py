"""The answer table of services/payouts/domain/answers.py, row by row."""

from typing import Any

import pytest

from services.payouts.domain.answers import Answer, Verdict, classify

OK: dict[str, Any] = {"id": "tr_1"}


def error(code: str | None = None, type: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"type": type, "code": code, "message": "said so", **more}}


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, OK, Verdict.DONE),
        (201, OK, Verdict.DONE),
        (200, {}, Verdict.UNKNOWN),  # nobody can read what was done
        (None, {}, Verdict.UNKNOWN),  # timeout, reset
        (302, {}, Verdict.UNKNOWN),
        (409, error("idempotency_key_in_use"), Verdict.NOT_NOW),
        (409, error("lock_timeout"), Verdict.NOT_NOW),
        (503, {}, Verdict.NOT_NOW),
        (429, error("rate_limit"), Verdict.SLOW_DOWN),
        (429, error("lock_timeout"), Verdict.SLOW_DOWN),
        (429, {}, Verdict.SLOW_DOWN),
        (400, error("rate_limit"), Verdict.SLOW_DOWN),
        (500, error(type="api_error"), Verdict.SERVER_ERROR),
        (502, {}, Verdict.SERVER_ERROR),
        (504, {}, Verdict.SERVER_ERROR),
        (520, {}, Verdict.SERVER_ERROR),
        (400, error("balance_insufficient"), Verdict.INSUFFICIENT),
        (402, error("insufficient_funds"), Verdict.INSUFFICIENT),
        (400, error("account_closed"), Verdict.REFUSED),
        (400, error("insufficient_capabilities_for_transfer"), Verdict.REFUSED),
        (400, error("resource_missing", param="destination"), Verdict.REFUSED),
        (402, error("card_declined", type="card_error"), Verdict.REFUSED),
        (404, error("resource_missing"), Verdict.REFUSED),
        (400, error(type="idempotency_error"), Verdict.MISUSED),
        (401, error(), Verdict.MISCONFIGURED),
        (403, error("platform_api_key_expired"), Verdict.MISCONFIGURED),
        (403, error("account_invalid"), Verdict.REFUSED),  # that account's trouble, not the key's
        (400, {}, Verdict.UNKNOWN),  # a proxy in between, not Stripe
        (408, error(), Verdict.UNKNOWN),
        (413, {"html": "too large"}, Verdict.UNKNOWN),
    ],
)
def test_every_answer_has_its_verdict(status: int | None, body: dict[str, Any], verdict: Verdict) -> None:
    assert classify(Answer(status=status, body=body)) is verdict


def test_nothing_but_a_2xx_with_an_object_is_done() -> None:
    errors = [Answer(status=status, body=error("x")) for status in range(100, 600)]
    objects = [Answer(status=status, body=OK) for status in range(100, 600)]
    assert [a for a in errors if classify(a) is Verdict.DONE] == []
    assert {a.status for a in objects if classify(a) is Verdict.DONE} == set(range(200, 300))


def test_a_destination_stripe_does_not_know_is_the_account_s_trouble() -> None:
    answer = Answer(status=400, body=error("resource_missing", param="destination"))
    assert answer.refusal == "account_invalid"


def test_the_sentence_is_stripe_s_own_or_says_what_happened() -> None:
    assert Answer(status=400, body=error("x")).sentence == "said so"
    assert Answer(status=None, problem="no answer within 2 s").sentence == "no answer within 2 s"
    assert Answer(status=502).sentence == "Stripe answered 502"

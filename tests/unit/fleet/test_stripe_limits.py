"""Stripe's limits by endpoint; source: docs.stripe.com/rate-limits."""

import pytest

from fleet.stripe_limits import LIMITS, endpoint_of, mode_of


@pytest.mark.parametrize(
    ("method", "url", "endpoint"),
    [
        ("get", "https://api.stripe.com/v1/accounts?limit=100", "GET /v1/accounts"),
        ("GET", "/v1/accounts/acct_1", "GET /v1/accounts/{id}"),
        ("POST", "/v1/transfers/tr_1/reversals", "POST /v1/transfers/{id}/reversals"),
        ("GET", "/v1/transfers/tr_1/reversals/trr_1", "GET /v1/transfers/{id}/reversals/{id}"),
        ("GET", "/v1/charges/search", "GET /v1/charges/search"),
        ("POST", "/v1/payment_intents/pi_1/confirm", "POST /v1/payment_intents/{id}/confirm"),
        ("POST", "/v2/core/accounts", "POST /v2/core/accounts"),
        ("GET", "/v2/core/accounts/acct_1", "GET /v2/core/accounts/{id}"),
        ("GET", "/v1/balance", "GET /v1/balance"),
    ],
)
def test_an_endpoint_is_a_method_and_a_path_whatever_the_ids(method: str, url: str, endpoint: str) -> None:
    assert endpoint_of(method, url) == endpoint


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("sk_test_x", "sandbox"),
        ("rk_test_x", "sandbox"),
        ("sk_live_not_a_key", "live"),
        ("rk_live_not_a_key", "live"),
    ],
)
def test_the_mode_is_the_key_s(key: str, mode: str) -> None:
    assert mode_of(key) == mode


@pytest.mark.parametrize(
    ("mode", "endpoint", "per_s"),
    [
        ("live", "POST /v1/transfers", 25),
        ("live", "POST /v1/payouts", 15),
        ("live", "POST /v1/accounts", 30),
        ("sandbox", "POST /v1/accounts", 5),
        ("sandbox", "POST /v2/core/accounts", 5),
        ("sandbox", "POST /v1/transfers", 25),
    ],
)
def test_limits_by_endpoint(mode: str, endpoint: str, per_s: float) -> None:
    assert LIMITS["live" if mode == "live" else "sandbox"].of_endpoint(endpoint) == per_s


def test_a_raised_limit_raises_the_special_ones_with_it_and_processes_divide() -> None:
    granted = LIMITS["live"].raised(200, 50).divided(2)
    assert (granted.in_all, granted.of_each, granted.of_endpoint("POST /v1/payouts")) == (100, 25, 15)
    assert LIMITS["live"].raised(None, None) == LIMITS["live"]

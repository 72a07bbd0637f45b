"""The simulator limits the rate of calls as docs.stripe.com/rate-limits says (fleet/stripe_limits.py)."""

from collections import Counter
from pathlib import Path

import pytest
import stripe

from hobbs.local.stripe_sim.control import Control, SimulatorRefused
from hobbs.local.stripe_sim.errors import StripeError
from hobbs.local.stripe_sim.rates import Rates
from tests.contract.stripe.conftest import Connect
from tests.contract.stripe.simulator_process import SimulatorProcess

TRANSFERS, PAYOUTS, ACCOUNTS = "POST /v1/transfers", "POST /v1/payouts", "POST /v1/accounts"


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def admitted(rates: Rates, endpoint: str, mode: str, calls: int) -> Counter[str]:
    """What became of so many calls at one instant: admitted, or which limit refused them."""
    became: Counter[str] = Counter()
    for _ in range(calls):
        try:
            rates.admit(endpoint, mode)
            became["admitted"] += 1
        except StripeError as refused:
            became[refused.headers["Stripe-Rate-Limited-Reason"]] += 1
    return became


@pytest.mark.parametrize(
    ("mode", "endpoint", "per_s"),
    [
        ("live", TRANSFERS, 25),
        ("live", PAYOUTS, 15),
        ("live", ACCOUNTS, 30),
        ("live", "POST /v2/core/accounts", 30),
        ("sandbox", PAYOUTS, 15),
        ("sandbox", ACCOUNTS, 5),
        ("sandbox", "POST /v2/core/accounts", 5),
    ],
)
def test_each_endpoint_has_its_limit_in_any_second(mode: str, endpoint: str, per_s: int) -> None:
    time = Time()
    rates = Rates(time)
    assert admitted(rates, endpoint, mode, 40) == {"admitted": per_s, "endpoint-rate": 40 - per_s}
    time.now += 0.9
    assert admitted(rates, endpoint, mode, 1) == {"endpoint-rate": 1}
    time.now += 0.2
    assert admitted(rates, endpoint, mode, 1) == {"admitted": 1}


@pytest.mark.parametrize(("mode", "per_s"), [("live", 100), ("sandbox", 25)])
def test_all_endpoints_together_have_a_limit(mode: str, per_s: int) -> None:
    rates = Rates(Time())
    became = sum((admitted(rates, f"GET /v1/{n}", mode, 20) for n in range(6)), Counter())
    assert became == {"admitted": per_s, "global-rate": 120 - per_s}


def test_refused_calls_count_for_nothing() -> None:
    time = Time()
    rates = Rates(time)
    became: Counter[str] = Counter()
    for _ in range(100):  # five seconds of forty calls a second
        became += admitted(rates, ACCOUNTS, "sandbox", 2)
        time.now += 0.05
    assert 25 <= became["admitted"] <= 30


def test_a_429_is_stripes_and_the_call_had_no_effect(connect: Connect, control: Control) -> None:
    control.set(rate_limits="sandbox")
    client = connect()
    given = {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    refused: dict[str, stripe.RateLimitError] = {}
    for key in "abcdefg":
        try:
            client.v1.accounts.create(given, {"idempotency_key": key})  # type: ignore[arg-type]
        except stripe.RateLimitError as error:
            refused[key] = error
    first = next(iter(refused.values()))
    assert first.error is not None
    assert (first.http_status, first.error.code) == (429, "rate_limit")
    headers = {str(name).lower(): value for name, value in (first.headers or {}).items()}
    assert headers["stripe-rate-limited-reason"] == "endpoint-rate"
    assert "retry-after" not in headers
    state = control.state()
    assert len(state["accounts"]) == 7 - len(refused) >= 5
    assert state["rate_limited"] == {ACCOUNTS: len(refused)}
    assert state["calls"][ACCOUNTS] == 7
    control.set(rate_limits="off")
    for key in refused:
        client.v1.accounts.create(given, {"idempotency_key": key})  # type: ignore[arg-type]
    assert len(control.state()["accounts"]) == 7, "no key was used by a refusal"


def test_only_off_switches_the_limits_off(control: Control) -> None:
    with pytest.raises(SimulatorRefused, match="known are sandbox, live, off"):
        control.set(rate_limits="none")


def test_limits_are_on_by_default_and_reset_keeps_them(tmp_path: Path) -> None:
    with SimulatorProcess(tmp_path, limited=True) as simulator, simulator.control() as control:
        assert control.settings()["rate_limits"] == "sandbox"
        control.set(rate_limits="live")
        control.reset()
        assert control.settings()["rate_limits"] == "live"

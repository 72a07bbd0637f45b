"""`hobbs sim` against a running simulator; its commands follow docs.stripe.com/stripe-cli."""

import json
from typing import Protocol

import pytest
import stripe
from typer.testing import CliRunner

from hobbs.commands.sim import app
from hobbs.local.stripe_sim.control import Control
from tests.support.stripe import StripeSim


class Run(Protocol):
    def __call__(self, *arguments: str, code: int = 0) -> str: ...


runner = CliRunner()


@pytest.fixture
def hobbs_sim(stripe_sim: StripeSim) -> Run:
    def run(*arguments: str, code: int = 0) -> str:
        done = runner.invoke(app, [*arguments], env={"HOBBS_STRIPE_API_BASE": stripe_sim.api_base})
        assert done.exit_code == code, done.output
        return done.stdout

    return run


def test_a_payment_is_triggered_in_major_units(hobbs_sim: Run, control: Control) -> None:
    made = json.loads(
        hobbs_sim(
            "trigger", "payment_intent.succeeded", "--amount", "400.00", "--student", "S17", "-o", "json"
        )
    )
    assert (made["status"], made["amount"], made["metadata"]) == (
        "succeeded",
        40_000,
        {"hobbs_student": "S17"},
    )
    assert json.loads(hobbs_sim("effects", "-o", "json"))[0]["amount"] == 40_000
    assert "charge.succeeded" in hobbs_sim("events")


def test_an_account_is_onboarded_and_shown(
    hobbs_sim: Run, control: Control, client: stripe.StripeClient
) -> None:
    account = client.v1.accounts.create(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    ).id
    assert json.loads(hobbs_sim("onboard", account, "-o", "json"))["payouts_enabled"]
    hobbs_sim("fund", "12.34", "--account", account)
    assert "12.34 USD" in hobbs_sim("state")


def test_faults_are_added_listed_and_cleared(hobbs_sim: Run, control: Control) -> None:
    hobbs_sim("fault", "add", "timeout", "--when", "after", "--path", "/v1/transfers", "--nth", "3")
    assert json.loads(hobbs_sim("fault", "list", "-o", "json"))[0]["kind"] == "timeout"
    hobbs_sim("fault", "clear")
    assert control.faults() == []


def test_the_clock_moves_by_hours_and_days(hobbs_sim: Run, control: Control) -> None:
    hobbs_sim("clock", "advance", "25h")
    hobbs_sim("clock", "advance", "1d")
    assert control.state()["clock_offset_s"] == pytest.approx(49 * 3600, abs=0.01)
    hobbs_sim("clock", "advance", "soon", code=2)


def test_listening_prints_what_happens_and_ends(hobbs_sim: Run) -> None:
    assert hobbs_sim("listen", "--for", "0.1") == ""


def test_wrong_input_is_a_sentence_and_exit_2(hobbs_sim: Run) -> None:
    hobbs_sim("trigger", "moon.landed", code=2)
    hobbs_sim("trigger", "payment_intent.succeeded", "--amount", "lots", code=2)
    hobbs_sim("settings", "webhook_mood=bad", code=2)


def test_it_never_calls_stripe() -> None:
    done = runner.invoke(app, ["reset", "--yes"], env={"HOBBS_STRIPE_API_BASE": "https://api.stripe.com"})
    assert done.exit_code == 2


def test_a_simulator_that_is_away_is_exit_1() -> None:
    assert runner.invoke(app, ["state", "--url", "http://127.0.0.1:9"]).exit_code == 1

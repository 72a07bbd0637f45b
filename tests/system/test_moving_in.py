"""A school moves in by docs/operations/moving-in.md: its commands are typed as they are written."""

import asyncio
import re
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import stripe
from typer.testing import CliRunner

from hobbs.check.invariants import check_invariants
from hobbs.cli import assemble
from hobbs.demo.figures import Figures
from hobbs.demo.money import Cashier
from hobbs.demo.school import SCHOOL_FILE
from hobbs.demo.story import Story
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import RunningFleet, operator_settings
from tests.contract.stripe.test_accounts_v2 import EXPRESS
from tests.support.fleets import Silent

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "operations" / "moving-in.md"
EXISTING, CUSTOMER = "acct_1Existing", "cus_1Existing"
BLOCK: Final = re.compile(r"^```(?P<kind>csv|console)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_a_school_moves_in_by_the_page_and_its_payees_are_paid_what_they_were_owed(
    fleet: RunningFleet, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One payee has an account at Stripe already: it is adopted, and the money goes to that one."""
    for name, value in fleet.fleet.environment("operator").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    commands = written(PAGE, tmp_path)
    account, customer = await asyncio.to_thread(existing, fleet.fleet)
    at_stripe = {EXISTING: account, CUSTOMER: customer}
    story = Story(fleet.fleet, figures, Silent(), fleet.require_running)
    for words in commands:
        if words[:4] == ["hobbs", "transfers", "payees", "adopt"]:  # what was loaded is on its way to payouts
            await story.until(lambda: known(figures, "instructor-01"), "the payee of an opening line")
        if words[:3] == ["hobbs", "payments", "adopt"]:  # the book that was applied is on its way
            await story.until(partial(a_student, figures, words[3]), "the student of the book")
        await typed([at_stripe.get(word, word) for word in words], figures)

    wallets = {row["address"]: row["amount"] for row in await figures.rows(BALANCES)}
    assert "external:opening" not in wallets
    assert (wallets["student:student-01"], wallets["student:student-02"]) == (125_000, -136_000)
    await story.until(story._payees_have_accounts, "payees without a Stripe account")
    await story.onboard()
    await asyncio.to_thread(Cashier(fleet.fleet).pay_in, "student-02", [136_000])
    await story.settle()

    sent = await figures.rows(
        "SELECT wallet, amount, stripe_account FROM payouts.transfer WHERE stripe_transfer_id IS NOT NULL"
    )
    assert {row["wallet"]: row["amount"] for row in sent} == {
        "instructor:instructor-01": 41_250,
        "aircraft_owner:owner-01": 9_600,
    }
    assert [row["stripe_account"] for row in sent if row["wallet"] == "instructor:instructor-01"] == [account]
    kept = await figures.rows("SELECT wallet, customer FROM payouts.student_customer")
    assert [tuple(row.values()) for row in kept] == [("student:student-01", customer)]
    outcomes = await check_invariants(operator_settings(fleet.fleet))
    assert [(one.invariant.name, one.examples) for one in outcomes if not one.holds] == []


BALANCES: Final = """
    SELECT address, amount FROM ledger.balance JOIN ledger.wallet ON wallet.id = wallet_id WHERE amount <> 0
"""


def written(page: Path, folder: Path) -> list[list[str]]:
    """The page's commands; its files are written to the folder first."""
    blocks = [(found["kind"], found["text"]) for found in BLOCK.finditer(page.read_text(encoding="utf-8"))]
    files = [text for kind, text in blocks if kind == "csv"]
    for name, text in zip(("opening.csv", "balances.csv", "report.csv"), files, strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "school.toml").write_bytes(SCHOOL_FILE.read_bytes())
    return [shlex.split(line) for kind, text in blocks if kind == "console" for line in text.splitlines()]


async def known(figures: Figures, payee: str) -> bool:
    return payee in [row["key"] for row in await figures.rows("SELECT key FROM payouts.payee")]


async def a_student(figures: Figures, student: str) -> bool:
    rows = await figures.rows("SELECT key FROM billing_public.cards WHERE kind = 'student'")
    return student in [row["key"] for row in rows]


def existing(fleet: Fleet) -> tuple[str, str]:
    """An account and a customer that the old software made at the same platform: the ids."""
    client = stripe.StripeClient(fleet.stripe_secret_key, base_addresses={"api": fleet.stripe_api_base})
    account = client.v2.core.accounts.create(EXPRESS)  # type: ignore[arg-type]
    return str(account.id), client.v1.customers.create({"name": "kept by the old software"}).id


async def typed(words: Sequence[str], figures: Figures) -> None:
    """Type a command in this process; only a look at what is missing may find something."""
    assert words[0] == "hobbs"
    arguments = [*words[1:]]
    before = await figures.rows(BALANCES)
    result = await asyncio.to_thread(CliRunner().invoke, assemble([arguments[0]]), arguments)
    may_find = arguments[:2] == ["opening", "accounts"]
    assert result.exit_code == 0 or may_find, (words, result.output, result.stderr, result.exception)
    if "--dry-run" in arguments:
        assert await figures.rows(BALANCES) == before

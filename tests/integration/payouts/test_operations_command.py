"""`hobbs transfers operations`, logged in as the operator: what Stripe refused is tried again or closed."""

import json

from services.payouts.domain.operations import Kind
from services.payouts.stripe.retries import Retries, fingerprint
from tests.integration.payouts.test_cli import Hobbs, hobbs, prefix
from tests.integration.payouts.test_stopped import ACCOUNT, REVERSAL, effects, given_refused
from tests.integration.payouts.world import World

__all__ = ["hobbs", "prefix"]  # fixtures


async def test_a_refused_account_is_listed_shown_and_asked_for_again(world: World, hobbs: Hobbs) -> None:
    await given_refused(world, ACCOUNT)
    listed = await hobbs("operations", "list", "-o", "json")
    [row] = json.loads(listed.stdout)
    assert (listed.exit_code, row["kind"], row["sentence"]) == (1, "account", ACCOUNT.message)
    assert "signed up for" in (await hobbs("operations", "list")).stdout
    payees = await hobbs("payees", "list", "-o", "json")
    assert [r["status"] for r in json.loads(payees.stdout)] == ["account was refused"]
    assert "signed up for" in (await hobbs("payees", "list")).stdout
    assert "signed up for" in (await hobbs("list")).stdout

    none = await hobbs("operations", "retry", "--reason", "fixed", "--kind", "transfer", "--yes")
    assert (none.exit_code, "nothing of that kind" in none.stderr) == (1, True)
    world.control.clear_faults()
    dry = await hobbs("operations", "retry", "--reason", "fixed", "--dry-run")
    assert (dry.exit_code, "1 of 1 refused operations" in dry.stderr) == (0, True)
    done = await hobbs("operations", "retry", "--reason", "fixed", "--who", "ann", answer="y\n")
    assert done.exit_code == 0, done.stderr
    await Retries(world.db, world.clock, fingerprint("sk_test_one"), world.accounts).step()
    await world.work()
    assert effects(world, Kind.ACCOUNT) == 1
    assert (await hobbs("operations", "list")).exit_code == 0
    shown = json.loads((await hobbs("operations", "show", row["id"], "-o", "json")).stdout)
    assert [(h["what"], h["actor"]) for h in shown["history"]] == [
        ("refused", "payouts"),
        ("retried", "operator:ann"),
    ]


async def test_a_refused_reversal_that_nobody_wants_is_closed(world: World, hobbs: Hobbs) -> None:
    await given_refused(world, REVERSAL)
    [row] = json.loads((await hobbs("operations", "list", "-o", "json")).stdout)
    done = await hobbs("operations", "close", row["id"], "--reason", "taken off the next money", "--yes")
    assert done.exit_code == 0, done.stderr
    assert (await hobbs("operations", "list")).exit_code == 0
    [transfer] = await world.transfers()
    shown = json.loads((await hobbs("show", str(transfer.id), "-o", "json")).stdout)
    assert [(s["what"], s["sentence"]) for s in shown["operations"]][1:] == [
        ("closed", "taken off the next money")
    ]

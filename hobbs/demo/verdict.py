"""Checks the books: every invariant of `hobbs check`, and comparisons with the simulator."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hobbs.check.invariants import check_invariants
from hobbs.demo.figures import Figures, Row
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import operator_settings
from hobbs.shell.output import show_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One thing that must be true, and whether it holds."""

    name: str
    holds: bool
    detail: str


async def check_books(fleet: Fleet, figures: Figures) -> list[Verdict]:
    """Run every invariant, and compare Hobbs' tables with what happened at Stripe."""
    outcomes = await check_invariants(operator_settings(fleet))
    verdicts = [
        Verdict(
            name=f"{outcome.invariant.service}: {outcome.invariant.sentence}",
            holds=outcome.holds,
            detail=outcome.failure or (f"{outcome.rows} rows: {outcome.examples}" if outcome.rows else ""),
        )
        for outcome in outcomes
    ]
    transfers = await figures.rows(_TRANSFERS)
    return [
        *verdicts,
        every_transfer_happened_once(transfers, await figures.effects()),
        ledger_holds_what_stripe_holds(await figures.rows(_HELD), await figures.stripe_balance()),
    ]


def every_transfer_happened_once(transfers: Sequence[Row], effects: Sequence[Row]) -> Verdict:
    """Each transfer that is sent here moved its amount at Stripe exactly once, and no other money moved."""
    ours = Counter(
        (row["stripe_transfer_id"], row["stripe_account"], row["amount"], row["currency"].lower())
        for row in transfers
    )
    theirs = Counter(
        (effect["object_id"], effect["destination"], effect["amount"], effect["currency"])
        for effect in effects
        if effect["kind"] == "transfer"
    )
    differ = (ours - theirs) + (theirs - ours)
    operations = Counter(e["operation_id"] for e in effects if e["kind"] == "transfer")
    twice = [operation for operation, times in operations.items() if times > 1]
    return Verdict(
        name="stripe: every transfer moved its money exactly once, and no other money moved",
        holds=not differ and not twice,
        detail=f"differ: {sorted(differ)[:3]}, twice: {twice[:3]}"
        if differ or twice
        else f"{len(transfers)} transfers",
    )


def ledger_holds_what_stripe_holds(wallets: Sequence[Row], stripe: Mapping[str, int]) -> Verdict:
    """-(external:stripe) equals Stripe's balance, to the cent, in every currency."""
    ledger = {wallet["currency"]: -wallet["balance"] for wallet in wallets}
    return Verdict(
        name="stripe: the ledger's cash at Stripe is what Stripe holds",
        holds={c: a for c, a in ledger.items() if a} == {c: a for c, a in stripe.items() if a},
        detail=f"ledger {ledger}, Stripe {dict(stripe)}",
    )


def nothing_changed(before: Mapping[str, str], after: Mapping[str, str]) -> Verdict:
    """Publishing the same flights again changed no lasting table."""
    changed = [table for table in before if before[table] != after[table]]
    return Verdict(
        name="the same file again changes nothing",
        holds=not changed,
        detail=f"changed: {', '.join(changed)}" if changed else f"{len(before)} tables compared",
    )


def show_verdicts(verdicts: Sequence[Verdict]) -> None:
    rows = [
        {
            "holds": "yes" if verdict.holds else "NO",
            "what must be true": f"{verdict.name} ({verdict.detail})" if verdict.detail else verdict.name,
        }
        for verdict in verdicts
    ]
    show_rows(rows, title="\nInvariants")


_HELD = "SELECT currency, balance FROM ledger_public.wallets WHERE address = 'external:stripe'"

_TRANSFERS = """
    SELECT stripe_transfer_id, stripe_account, amount, currency
    FROM payouts.transfer WHERE stripe_transfer_id IS NOT NULL
"""

"""Look into the Stripe simulator and make things happen there, in the manner of Stripe's own CLI.

\b
Examples:
  hobbs sim state
  hobbs sim trigger payment_intent.succeeded --amount 400.00 --student S17
  hobbs sim onboard acct_1a2b
  hobbs sim fault add timeout --when after --path /v1/transfers
  hobbs sim clock advance 25h
  hobbs sim listen

The simulator's address is --url or HOBBS_STRIPE_API_BASE. It refuses to talk to Stripe itself.
"""

import re
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from hobbs.commands.sim_connection import PairsOption, UrlOption, instant, pairs, simulator
from hobbs.commands.sim_faults import clock_app, fault_app
from hobbs.local.stripe_sim.control import Control
from hobbs.shell.output import EXIT_USAGE, Output, OutputOption, agreed, say, show_one, show_rows

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
app.add_typer(fault_app, name="fault")
app.add_typer(clock_app, name="clock")

POLL_S: Final = 0.3
BRIEF: Final = (
    "object",
    "id",
    "status",
    "amount",
    "currency",
    "latest_charge",
    "charge",
    "email",
    "metadata",
)
AMOUNTS: Final = ("amount", "available", "pending")


@app.command()
def state(url: UrlOption = None, output: OutputOption = Output.table) -> None:
    """Show what the simulator holds: objects, effects, webhook deliveries, faults, and every balance.

    Example: hobbs sim state -o json
    """
    with simulator(url) as control:
        found = control.state()
    if output is not Output.table:
        show_one(found, output)
        return
    accounts = found.pop("accounts")
    show_one(found | {"now": instant(found["now"])}, output)
    if accounts:
        rows = [account_row(account) for account in accounts]
        show_rows(rows, output, title="Connected accounts", right=AMOUNTS)


def account_row(account: dict[str, Any]) -> dict[str, object]:
    balance = account["balance"]
    return {
        "account": account["id"],
        "email": account["email"],
        "payouts": account["payouts_enabled"],
        "disabled_reason": account["disabled_reason"],
        "available": money(balance["available"]),
        "pending": money(balance["pending"]),
    }


def money(amounts: dict[str, int]) -> str:
    return ", ".join(f"{amount / 100:,.2f} {currency.upper()}" for currency, amount in amounts.items())


@app.command()
def effects(
    kind: Annotated[str | None, typer.Option(help="transfer, reversal, payout, charge, refund, …")] = None,
    operation: Annotated[str | None, typer.Option(help="Only this hobbs_operation_id.")] = None,
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """List every movement of money, once each, in order: what a checker compares with.

    Example: hobbs sim effects --kind transfer -o csv
    """
    with simulator(url) as control:
        rows = control.effects(kind=kind, operation_id=operation)
    if output is Output.table:
        rows = [row | {"created": instant(row["created"])} for row in rows]
    show_rows(rows, output, right=AMOUNTS)


@app.command()
def trigger(
    event: Annotated[str, typer.Argument(help="Such as payment_intent.succeeded; a wrong name lists all.")],
    amount: Annotated[str | None, typer.Option(help="In major units, such as 400.00.")] = None,
    student: Annotated[str | None, typer.Option(help="Who pays; empty: nobody is named.")] = None,
    card: Annotated[
        str | None, typer.Option(help="A test card: visa, chargeDeclined, createDispute, …")
    ] = None,
    account: Annotated[str | None, typer.Option(help="A connected account.")] = None,
    charge: Annotated[str | None, typer.Option(help="The charge to refund or dispute.")] = None,
    payout: Annotated[str | None, typer.Option(help="The payout that arrives or fails.")] = None,
    details: PairsOption = None,
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Make an event happen, with everything that belongs to it: objects, balances, webhooks.

    \b
    Examples:
      hobbs sim trigger payment_intent.succeeded --amount 400.00 --student S17
      hobbs sim trigger payment_intent.payment_failed --card chargeDeclinedInsufficientFunds
      hobbs sim trigger charge.refunded --charge ch_1 --set refund=1500
      hobbs sim trigger charge.dispute.created --charge ch_1
      hobbs sim trigger payout.failed --payout po_1 --set code=account_closed
      hobbs sim trigger account.updated --account acct_1
      hobbs sim trigger checkout.session.completed --set session=cs_test_1
    """
    given: dict[str, object] = {"student": student, "card": card, "account": account, "charge": charge}
    given |= {"payout": payout, "amount": None if amount is None else minor_units(amount), **pairs(details)}
    with simulator(url) as control:
        made = control.trigger(event, **{name: value for name, value in given.items() if value is not None})
    show_one(made if output is not Output.table else brief(made), output)


def minor_units(text: str) -> int:
    matched = re.fullmatch(r"(\d{1,9})(?:\.(\d\d))?", text)
    if not matched:
        say(f"{text!r} is not an amount such as 400.00")
        raise typer.Exit(EXIT_USAGE)
    return int(matched[1]) * 100 + int(matched[2] or 0)


def brief(doc: dict[str, Any]) -> dict[str, object]:
    """The fields of a Stripe object that a person looks for first."""
    return {name: doc[name] for name in BRIEF if doc.get(name) not in (None, "")}


@app.command()
def onboard(
    account: Annotated[str, typer.Argument(help="acct_…")],
    outcome: Annotated[
        str, typer.Option(help="complete, submit, restrict, pause_payouts, break_bank or close.")
    ] = "complete",
    reason: Annotated[str | None, typer.Option(help="For restrict: the disabled_reason.")] = None,
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Do what a connected account's owner, bank or Stripe does; account.updated follows.

    Example: hobbs sim onboard acct_1 --outcome restrict --reason requirements.past_due
    """
    with simulator(url) as control:
        doc = control.onboard(account, outcome, disabled_reason=reason)
    names = ("id", "email", "charges_enabled", "payouts_enabled", "capabilities")
    show_one(
        {name: doc[name] for name in names} | {"disabled_reason": doc["requirements"]["disabled_reason"]},
        output,
    )


@app.command()
def fund(
    amount: Annotated[str, typer.Argument(help="In major units, such as 5000.00.")],
    account: Annotated[str, typer.Option(help="A connected account; else the platform.")] = "",
    currency: Annotated[str, typer.Option()] = "usd",
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Put money on a balance, available now. Example: hobbs sim fund 5000.00"""
    with simulator(url) as control:
        balance = control.fund(minor_units(amount), currency=currency, account=account)
    show_one({part: money(amounts) for part, amounts in balance.items()}, output)


@app.command()
def events(
    kind: Annotated[str | None, typer.Option("--type", help="Such as transfer.created.")] = None,
    most: Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")] = 50,
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """List events, oldest first, of the platform and of connected accounts.

    Example: hobbs sim events --type payout.paid -o json
    """
    with simulator(url) as control:
        every = [event for event in all_events(control) if kind in (None, event["type"])]
    found = every[-most:]
    if len(every) > most:
        say(f"only the newest {most} of {len(every)} events are shown; see --limit")
    show_rows(found if output is Output.json else [event_row(event) for event in found], output)


def all_events(control: Control) -> Iterator[dict[str, Any]]:
    cursor = 0
    while page := control.events(after=cursor):
        yield from page
        cursor = page[-1]["cursor"]


def event_row(event: dict[str, Any]) -> dict[str, object]:
    doc = event["data"]["object"]
    return {
        "created": instant(event["created"]),
        "event": event["id"],
        "type": event["type"],
        "object": doc.get("id"),
        "account": event.get("account"),
        "amount": doc.get("amount"),
    }


@app.command()
def listen(
    seconds: Annotated[float | None, typer.Option("--for", help="Stop after so many seconds.")] = None,
    url: UrlOption = None,
) -> None:
    """Print events as they happen, one line each on stdout, until Ctrl-C.

    Example: hobbs sim listen --for 60
    """
    until = time.monotonic() + seconds if seconds is not None else float("inf")
    with simulator(url) as control:
        cursor = max((event["cursor"] for event in all_events(control)), default=0)
        say("Ready. Events follow; Ctrl-C ends.")
        while time.monotonic() < until:
            page = control.events(after=cursor)
            for event in page:
                cursor = event["cursor"]
                typer.echo(event_line(event))
            if not page:
                time.sleep(POLL_S)


def event_line(event: dict[str, Any]) -> str:
    row = event_row(event)
    where = f" [{row['account']}]" if row["account"] else ""
    return f"{row['created']}  --> {row['type']}{where} [{row['event']}] {row['object'] or ''}"


@app.command()
def deliveries(
    only: Annotated[
        str | None, typer.Option("--state", help="pending, delivered, abandoned or lost.")
    ] = None,
    retry: Annotated[bool, typer.Option(help="Try every waiting delivery now.")] = False,
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """List webhook deliveries, newest first: attempts, last answer, next try."""
    with simulator(url) as control:
        if retry:
            control.flush_deliveries()
        show_rows(control.deliveries(state=only), output)


@app.command()
def requests(url: UrlOption = None, output: OutputOption = Output.table) -> None:
    """List the last API requests this process answered, like `stripe logs tail`."""
    with simulator(url) as control:
        show_rows(control.requests(), output)


@app.command()
def settings(
    changes: Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...")] = None,
    url: UrlOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Show or change how this Stripe behaves.

    Example: hobbs sim settings webhook_duplicate=0.3 webhook_seed=7
    """
    with simulator(url) as control:
        show_one(control.set(**pairs(changes)) if changes else control.settings(), output)


@app.command()
def reset(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    keep_endpoints: Annotated[bool, typer.Option(help="Keep the webhook endpoints.")] = False,
    url: UrlOption = None,
) -> None:
    """Forget every account, payment, effect and event; settings go back to Stripe's own."""
    if not yes and not agreed("Forget everything in the simulator?"):
        raise typer.Abort
    with simulator(url) as control:
        control.reset(keep_endpoints=keep_endpoints)

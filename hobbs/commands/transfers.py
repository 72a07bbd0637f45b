"""`hobbs transfers`: money on its way to payees: list, show, release, retry, cancel; payees, links, oddities,
movements of the school's Stripe balance.

Amounts are minor units in JSON and CSV, and the currency's own decimals in tables.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import typer

from fleet.database import Tx
from fleet.grants import OPERATOR
from fleet.settings import Settings
from hobbs.commands import movements, transfers_operations
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Answer, Question, ask, decide
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import readable, with_money
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import WhoOption, needed
from services.payouts.desk import reads
from services.payouts.domain.transfers import TransferState

SERVICE: Final = "payouts"
MONEY: Final = ("amount", "amount_reversed")
LINK_WAIT_S: Final = 20.0
LINK_POLL_S: Final = 0.2
COLUMNS: Final = ("id", "wallet", "amount", "currency", "state", "reason", "sent_at", "in_bank_at")
ODD_COLUMNS: Final = ("kind", "object_id", "stripe_account", "sentence", "first_seen_at", "times")
FOUND_COLUMNS: Final = ("stripe_id", "wallet", "amount", "currency", "made_at", "standing", "sentence")
PAYEE_COLUMNS: Final = (
    "wallet",
    "status",
    "schedule",
    "instant",
    "stripe_account",
    "parked",
    "conflict",
    "claw_back",
)
SAID: Final = "sentence"  # shown in a table when some row has one

app = typer.Typer(no_args_is_help=True, help=__doc__)
payees = typer.Typer(no_args_is_help=True, help="Whom the school pays, and whether it can.")
app.add_typer(payees, name="payees")
odd = typer.Typer(
    no_args_is_help=True, help="Objects of Stripe's that could not be read, and were not booked."
)
app.add_typer(odd, name="odd")
found = typer.Typer(
    no_args_is_help=True,
    help="What Stripe made and a restored database did not know (docs/operations/postgres.md).",
)
app.add_typer(found, name="found")
app.add_typer(movements.app, name="movements")
app.add_typer(transfers_operations.app, name="operations")

IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="As `hobbs transfers list` shows it.")]
PayeeArgument = Annotated[str, typer.Argument(metavar="ID", help="The payee's wallet, or its id alone.")]
ReasonOption = Annotated[
    str, typer.Option(help="Why; it stays in the transfer's history.", prompt="Reason", callback=needed)
]
DryRunOption = Annotated[bool, typer.Option(help="Say what would happen and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
CheckedOption = Annotated[
    bool, typer.Option(help="You looked at Stripe and vouch that this transfer is not there.")
]


@app.command("list")
def list_command(
    state: Annotated[
        list[TransferState] | None, typer.Option(help="Only these states; repeat for several.")
    ] = None,
    payee: Annotated[
        str | None, typer.Option(help="Only this wallet, such as instructor:instructor-01.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Only this reason, such as payee_not_ready.")] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List transfers, newest first."""
    states = [str(s) for s in state] if state else None
    shown = part(most, skip, output)
    found = _read(
        lambda tx: reads.list_transfers(
            tx, states=states, wallet=payee, reason=reason, most=shown.asked, skip=skip
        )
    )
    rows = shown.of(found, "transfers")
    show_rows(with_money(rows, output, MONEY), output, columns=_columns(COLUMNS, rows, output), right=MONEY)


@app.command("show")
def show_command(transfer_id: IdArgument, output: OutputOption = Output.table) -> None:
    """Show one transfer: its history, what Stripe refused, its attempts, what it pays, and its payouts."""
    found = _read(lambda tx: reads.whole_transfer(tx, transfer_id))
    if found is None:
        say(f"there is no transfer {transfer_id}")
        raise typer.Exit(EXIT_FINDINGS)
    if output is not Output.table:
        return show_one(found, output)
    parts = ("history", "operations", "on_a_word", "attempts", "payables", "payouts", "reversals")
    show_one(readable({k: v for k, v in found.items() if k not in parts}, MONEY), output)
    for name in parts:
        if found[name]:
            rows = with_money(found[name], output, MONEY, currency=found["currency"])
            show_rows(rows, output, title=name, right=MONEY)
    return None


@app.command("release")
def release_command(
    transfer_id: IdArgument,
    reason: ReasonOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Send a transfer although its hold period runs or its payee's account changed."""
    question = _question("release", str(transfer_id), who, reason)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"release transfer {transfer_id}?")


@app.command("retry")
def retry_command(
    transfer_id: IdArgument,
    reason: ReasonOption,
    checked: CheckedOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Send a refused transfer again as a new generation; look a parked one up at Stripe again.

    A parked transfer is sent anew only after two clean lookups, or with --checked.
    """
    question = _question("retry", str(transfer_id), who, reason, checked=checked)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"retry transfer {transfer_id}?")


@app.command("cancel")
def cancel_command(
    transfer_id: IdArgument,
    reason: ReasonOption,
    checked: CheckedOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Give up a transfer that was not sent. The payee is owed the money until an adjustment says not."""
    question = _question("cancel", str(transfer_id), who, reason, checked=checked)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"cancel transfer {transfer_id}?")


@payees.command("list")
def payees_command(
    everybody: Annotated[
        bool, typer.Option("--all", help="Also who left the school's book and has been paid.")
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """List payees and what keeps each from being paid. Exit 1 when somebody listed cannot be paid.

    The sentence is Stripe's, of a refused request for an account; `hobbs transfers operations list` says what
    to do. Who was removed from the school's book is listed while money of theirs is left.
    """
    rows = _read(lambda tx: reads.list_payees(tx, removed=everybody))
    show_rows(rows, output, columns=_columns(PAYEE_COLUMNS, rows, output))
    if any(row["status"] != "ready" or row["parked"] for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


@payees.command("unpark")
def unpark_command(
    payee: PayeeArgument,
    reason: ReasonOption,
    checked: CheckedOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Decide on the parked operation that blocks a payee, also when it is an account or an instant payout."""
    wallet = _one_wallet(payee)
    question = _question("unpark", wallet, who, reason, checked=checked)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"retry what is parked of {wallet}?")


@payees.command("link")
def link_command(
    payee: PayeeArgument,
    kind: Annotated[Literal["onboarding", "dashboard"], typer.Option(help="Which page.")] = "onboarding",
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Get a link for a payee, to Stripe's onboarding or to its Express dashboard. It lives for minutes.

    The payouts service makes it, since it alone has Stripe's key; so it has to be running.
    """
    wallet = _one_wallet(payee)
    link = run(_make_link(wallet, kind, who))
    if link is None:
        say(f"the payouts service made no link within {LINK_WAIT_S:g} s; ask again")
        raise typer.Exit(EXIT_FINDINGS)
    if link["problem"] is not None:
        say(f"no link for {wallet}: {link['problem']}")
        raise typer.Exit(EXIT_FINDINGS)
    show_one({"wallet": wallet, "kind": kind, "url": link["url"], "expires_at": link["expires_at"]}, output)


@payees.command("adopt")
def adopt_command(
    payee: PayeeArgument,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's id at Stripe: acct_…")],
    reason: ReasonOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Take an account that exists at Stripe for a payee that has none; none is made for it then.

    The payouts service reads it from Stripe first: it has to be running. An account of another payee is
    refused, and one that Stripe does not show to this platform.
    """
    wallet = _one_wallet(payee)
    question = _question("adopt", wallet, who, reason, account=account)
    answer = decide(question, dry_run=dry_run, yes=yes, prompt=f"take {account} for {wallet}?")
    if dry_run or _waits_for_another(answer):
        return
    done = run(_wait_for(lambda tx: reads.find_adoption(tx, answer.decision_id)))
    if done is None:
        say(f"the payouts service has not read it within {LINK_WAIT_S:g} s; it will")
        raise typer.Exit(EXIT_FINDINGS)
    if done["problem"] is not None:
        say(f"not taken: {done['problem']}")
        raise typer.Exit(EXIT_FINDINGS)
    say(f"{account} is the account of {wallet}")


@odd.command("list")
def odd_command(
    closed: Annotated[bool, typer.Option("--closed", help="Also those that a person closed.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List objects of Stripe's that could not be read, newest first. Exit 1 when one is open."""
    rows = _read(lambda tx: reads.list_odd(tx, closed=closed))
    show_rows(rows, output, columns=ODD_COLUMNS if output is Output.table or not rows else None)
    if any(row["closed_at"] is None for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


@odd.command("ended")
def ended_command(most: MostOption = None, skip: SkipOption = 0, output: OutputOption = Output.table) -> None:
    """List objects of Stripe's that are not read any more until a webhook names them, and why."""
    shown = part(most, skip, output)
    found = _read(lambda tx: reads.list_ended(tx, most=shown.asked, skip=skip))
    show_rows(shown.of(found, "objects"), output)


@odd.command("close")
def close_odd_command(
    object_id: Annotated[str, typer.Argument(metavar="ID", help="As `hobbs transfers odd list` shows it.")],
    reason: ReasonOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Close an object that you looked at in Stripe's dashboard, and for which you posted what is missing."""
    question = _question("close_odd", object_id, who, reason)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"close {object_id}?")


@found.command("list")
def found_command(
    adopted: Annotated[bool, typer.Option("--all", help="Also what is written since.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List transfers and accounts that Stripe made and the database did not know. Exit 1 when one is open."""
    rows = _read(lambda tx: reads.list_found(tx, adopted=adopted))
    columns = FOUND_COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)
    if any(row["adopted_at"] is None for row in rows):
        raise typer.Exit(EXIT_FINDINGS)


@found.command("settle")
def settle_command(
    stripe_id: Annotated[str, typer.Argument(metavar="ID", help="As `hobbs transfers found list` shows it.")],
    reason: ReasonOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Write a found transfer with what is known of it; the difference changes what is paid next.

    For one that is doubtful, or waits for journals that will not come. Compare it with Stripe's dashboard
    first.
    """
    question = _question("settle", stripe_id, who, reason)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"write {stripe_id} with what is known of it?")


def _waits_for_another(answer: Answer) -> bool:
    """Whether a second person has to do the same before anything is done."""
    return any("waits_for" in effect for effect in answer.effects)


async def _make_link(wallet: str, kind: str, who: str) -> dict[str, Any] | None:
    """Ask for a link and wait for it. Its URL is in no topic: it is read where only operators may read."""
    settings = settings_or_exit(Settings)
    question = _question("link", wallet, who, f"a link to Stripe's {kind} for the payee", kind=kind)
    answer = await ask(settings, question)
    if answer.outcome == "refused":
        return {"problem": answer.sentence}
    if _waits_for_another(answer):
        return {"problem": answer.sentence}
    return await _wait_for(lambda tx: reads.find_link(tx, answer.decision_id))


async def _wait_for(find: Callable[[Tx], Awaitable[dict[str, Any] | None]]) -> dict[str, Any] | None:
    """Look again and again for what the payouts service writes; None when it does not within LINK_WAIT_S."""
    async with reading(settings_or_exit(Settings), role=OPERATOR) as database:
        for _ in range(int(LINK_WAIT_S / LINK_POLL_S)):
            async with database.transaction() as tx:
                if found := await find(tx):
                    return found
            await asyncio.sleep(LINK_POLL_S)
    return None


def _columns(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], output: Output
) -> Sequence[str] | None:
    """What a table shows; a program gets every field, and the header when there is no row."""
    if output is not Output.table and rows:
        return None
    return (*columns, SAID) if any(row[SAID] for row in rows) else columns


def _one_wallet(name: str) -> str:
    wallets = _read(lambda tx: reads.find_payee(tx, name))
    if len(wallets) == 1:
        return str(wallets[0])
    many = f"{name} may be {' or '.join(wallets)}; name the wallet"
    say(many if wallets else f"there is no payee {name}; `hobbs transfers payees list` shows all")
    raise typer.Exit(EXIT_USAGE)


def _question(action: str, about: str, who: str, why: str, **parameters: Any) -> Question:
    return Question(
        service=SERVICE,
        action=action,
        object=about,
        who=who,
        why=why,
        parameters=parameters,
    )


def _read(question: Callable[[Tx], Awaitable[Any]]) -> Any:
    settings = settings_or_exit(Settings)

    async def read() -> Any:
        async with reading(settings) as database, database.transaction() as tx:
            return await question(tx)

    return run(read())

"""`hobbs transfers operations`: what Stripe refused or nothing proves, of whatever kind: list, retry, close.

Amounts are minor units in JSON and CSV, and the currency's own decimals in tables.
"""

from typing import Annotated, Any, Final
from uuid import UUID

import typer

from fleet.settings import Settings
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Effects, Question, decide
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import WhoOption, needed
from services.payouts.desk import reads
from services.payouts.desk.stopped import EVERYTHING
from services.payouts.domain.operations import Kind, State

SERVICE: Final = "payouts"
MONEY: Final = ("amount",)
COLUMNS: Final = (
    "id",
    "kind",
    "wallet",
    "amount",
    "currency",
    "state",
    "reason",
    "sentence",
    "todo",
    "retry_at",
)
EFFECT_COLUMNS: Final = ("kind", "wallet", "amount", "currency", "reason", "becomes")

app = typer.Typer(
    no_args_is_help=True,
    help="Requests that Stripe refused, of whatever kind, and those of which nothing proves what became.",
)

IdArgument = Annotated[
    UUID, typer.Argument(metavar="ID", help="As `hobbs transfers operations list` shows it.")
]
KindOption = Annotated[Kind | None, typer.Option(help="Only this kind.")]
CodeOption = Annotated[
    str | None, typer.Option("--code", help="Only this reason, such as country_unsupported.")
]
PayeeOption = Annotated[str | None, typer.Option(help="Only this wallet, such as instructor:instructor-01.")]
ReasonOption = Annotated[
    str, typer.Option(help="Why; it stays in the history.", prompt="Reason", callback=needed)
]


@app.command("list")
def list_command(
    state: Annotated[State | None, typer.Option(help="Only refused, or only parked.")] = None,
    kind: KindOption = None,
    code: CodeOption = None,
    payee: PayeeOption = None,
    output: OutputOption = Output.table,
) -> None:
    """List what nobody dealt with, oldest first: Stripe's sentence, and what to do. Exit 1 when there is any.

    An instant payout leaves the list by itself when the ordinary payout has brought the money.
    """
    rows = run(_read(state and str(state), kind and str(kind), payee, code))
    columns = COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)
    if rows:
        raise typer.Exit(EXIT_FINDINGS)


async def _read(state: str | None, kind: str | None, wallet: str | None, reason: str | None) -> Any:
    async with reading(settings_or_exit(Settings)) as database, database.transaction() as tx:
        return await reads.list_stopped(tx, state=state, kind=kind, wallet=wallet, reason=reason)


@app.command("show")
def show_command(operation_id: IdArgument, output: OutputOption = Output.table) -> None:
    """Show what became of one operation, with who and why, and its requests to Stripe."""
    found = run(_read_one(operation_id))
    if not any(found.values()):
        say(f"there is no operation {operation_id} that was ever sent")
        raise typer.Exit(EXIT_FINDINGS)
    if output is not Output.table:
        return show_one(found, output)
    for name, rows in found.items():
        if rows:
            show_rows(rows, output, title=name)
    return None


async def _read_one(operation_id: UUID) -> dict[str, list[dict[str, Any]]]:
    async with reading(settings_or_exit(Settings)) as database, database.transaction() as tx:
        return await reads.whole_operation(tx, operation_id)


@app.command("retry")
def retry_command(
    reason: ReasonOption,
    kind: KindOption = None,
    code: CodeOption = None,
    payee: PayeeOption = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Try everything again that Stripe refused, once its cause is gone: all of it, or what the options name.

    Each gets a new key; an account is requested anew with the payee's present card. Money that is gone is not
    sent twice: an instant payout is left out when the ordinary one brought the money, a reversal when less is
    left. What is parked is decided one by one: `hobbs transfers payees unpark`.
    """
    wanted = {"kind": kind and str(kind), "reason": code, "wallet": payee}
    question = Question(
        service=SERVICE, action="retry_refused", object=EVERYTHING, who=who, why=reason, parameters=wanted
    )

    def show(effects: Effects) -> None:
        show_rows(with_money(effects, output, MONEY), output, columns=EFFECT_COLUMNS, right=MONEY)

    decide(question, dry_run=dry_run, yes=yes, prompt="try again what Stripe refused?", show=show)


@app.command("close")
def close_command(
    operation_id: IdArgument,
    reason: ReasonOption,
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Close a refused instant payout or reversal that is not wanted any more. Nothing is sent."""
    question = Question(
        service=SERVICE, action="close_refused", object=str(operation_id), who=who, why=reason
    )
    decide(question, dry_run=dry_run, yes=yes, prompt=f"close operation {operation_id}?")

"""Limits: what a wallet's available balance may not go below.

\b
Examples:
  hobbs limits
  hobbs limits set student:student-01 --floor -500 --binds holds --why "no dispatch below -500"
  hobbs limits clear student:student-01 --why "pays in advance again"

The ledger decides, after a preview; amounts are minor units in JSON and CSV, and the currency's own decimals
in tables.
"""

from typing import Annotated, Any, Final

import typer

from hobbs.commands.queries import CurrencyOption, amount_of, currency_or_new, read
from hobbs.shell.decisions import Effects, Question, decide
from hobbs.shell.list_group import ListByDefault
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import Output, OutputOption, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from schemas.holds import LimitBinds
from services.ledger.desk import reads

MONEY: Final = ("limit", "balance", "pending", "available", "available_balance")
COLUMNS: Final = ("wallet", "currency", "limit", "limit_binds", "balance", "pending", "available")
EFFECT_COLUMNS: Final = ("wallet", "currency", "limit", "binds", "available_balance")

app = typer.Typer(cls=ListByDefault, help=__doc__, rich_markup_mode=None)

WalletArgument = Annotated[str, typer.Argument(help="Its address, such as student:student-01.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would happen; change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_command(
    wallet: Annotated[str | None, typer.Argument(help="Only of this wallet.")] = None,
    output: OutputOption = Output.table,
) -> None:
    """List the wallets that have a limit, by address, with what is available."""
    rows = read(lambda tx: reads.balances.list_balances(tx, wallet=wallet))
    limited = [{name: getattr(row, name) for name in COLUMNS} for row in rows if row.limit is not None]
    show_rows(with_money(limited, output, MONEY), output, columns=COLUMNS, right=MONEY)


@app.command("set")
def set_command(
    wallet: WalletArgument,
    floor: Annotated[
        str, typer.Option(metavar="AMOUNT", help="What may not be gone below, such as 0 or -500.")
    ],
    why: NeededWhyOption,
    binds: Annotated[
        LimitBinds,
        typer.Option(help="holds: refuses new holds only; all: journals too, flown flights as well."),
    ] = "holds",
    currency: CurrencyOption = None,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Set a wallet's limit, or change it. It may be above the balance. Exit 1: it is refused."""
    chosen = currency_or_new(wallet, currency)
    given = {"currency": chosen, "floor": amount_of(floor, chosen), "binds": binds}
    _decide("set_limit", wallet, who, why, given, dry_run=dry_run, yes=yes, output=output)


@app.command("clear")
def clear_command(
    wallet: WalletArgument,
    why: NeededWhyOption,
    currency: CurrencyOption = None,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Clear a wallet's limit. Exit 1: it has none."""
    given = {"currency": currency_or_new(wallet, currency)}
    _decide("clear_limit", wallet, who, why, given, dry_run=dry_run, yes=yes, output=output)


def _decide(
    action: str,
    wallet: str,
    who: str,
    why: str,
    given: dict[str, Any],
    *,
    dry_run: bool,
    yes: bool,
    output: Output,
) -> None:
    def show(effects: Effects) -> None:
        show_rows(with_money(effects, output, MONEY), output, columns=EFFECT_COLUMNS, right=MONEY)

    question = Question(service="ledger", action=action, object=wallet, who=who, why=why, parameters=given)
    prompt = f"{action.partition('_')[0].capitalize()} the limit of {wallet}?"
    decide(question, dry_run=dry_run, yes=yes, prompt=prompt, show=show)

"""`hobbs logins`: logins of people to the database, so that a decision has a name that is proven.

The commands log in as the owner, as `hobbs migrate` does: nobody gives themselves a login.
"""

from enum import StrEnum
from typing import Annotated

import typer

from fleet import logins
from fleet.database import Database
from fleet.logins import LoginRefused
from fleet.settings import Settings
from fleet.vouches import PERSON
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from services.ledger.desk import by_hand

app = typer.Typer(no_args_is_help=True, help="Logins of people: list, add, remove; end the shared one.")

NameArgument = Annotated[str, typer.Argument(help="The person's name: it stands in every decision.")]


class Role(StrEnum):
    """What a person may do: fleet/logins.py, ROLES."""

    repairs = "repairs"
    operations = "operations"
    finance = "finance"
    auditor = "auditor"


@app.command("list")
def list_command(output: OutputOption = Output.table) -> None:
    """Show who has a login, and what they may do."""
    rows = [
        {"name": one.name, "role": one.role, "logs_in": one.logs_in} for one in run(logins.logins(_url()))
    ]
    show_rows(rows, output, columns=["name", "role", "logs_in"])


@app.command("add")
def add_command(
    name: NameArgument,
    role: Annotated[
        Role,
        typer.Option(
            help="repairs: all that hobbs_operator may; operations: dead letters, lags, parked money; "
            "finance: reads, decides; auditor: reads."
        ),
    ],
) -> None:
    """Give a person a login, or a new password and role. The password is shown once, on standard output."""
    try:
        password = run(logins.add_login(_url(), name, role.value))
    except LoginRefused as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(password)
    say(f"{PERSON}{name} may log in, with the password on standard output; it is shown once")


@app.command("remove")
def remove_command(name: NameArgument) -> None:
    """Take a person's login away. What they decided stays, with their name."""
    try:
        run(logins.remove_login(_url(), name))
    except LoginRefused as error:
        say(str(error))
        raise typer.Exit(EXIT_FINDINGS) from error
    say(f"{name} has no login any more")


@app.command("close-shared")
def close_shared_command() -> None:
    """Let nobody log in as hobbs_operator any more. `hobbs migrate` opens it again when its URL is set."""
    run(logins.close_shared(_url()))
    say("nobody logs in as hobbs_operator any more")


@app.command("by-hand-up-to")
def by_hand_up_to_command(
    amount: Annotated[
        int | None, typer.Argument(min=0, help="Minor units; left out with --any.", show_default=False)
    ] = None,
    anything: Annotated[bool, typer.Option("--any", help="One person alone may post any amount.")] = False,
) -> None:
    """Set what one person alone may post by hand within a day; above, another one does the same."""
    if anything is (amount is not None):
        raise typer.BadParameter("say an amount in minor units, or --any")
    run(_limit(_url(), amount))
    say(
        "one person alone may post any amount by hand"
        if amount is None
        else f"one person alone may post {amount} minor units of a currency by hand within a day"
    )


async def _limit(url: str, amount: int | None) -> None:
    database = Database(url, schema="ledger", pool_size=1)
    try:
        async with database.transaction() as tx:
            await by_hand.set_limit(tx, amount)
    finally:
        await database.close()


def _url() -> str:
    return settings_or_exit(Settings).database_url.get_secret_value()

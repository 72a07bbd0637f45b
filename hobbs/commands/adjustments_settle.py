"""Commands of `hobbs adjustments` about how the money follows: settlements, settle, claw-back."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from fleet.database import Tx
from fleet.money import parse_minor
from fleet.settings import Settings
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Effects, Question
from hobbs.shell.lists import MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from hobbs.shell.several_decisions import decide_several
from services.adjustments.desk import reads

SERVICE: Final = "adjustments"
MONEY: Final = ("amount", "difference")
COLUMNS: Final = (
    *("adjustment", "wallet", "amount", "currency", "method", "state", "waits_since", "clawback_until"),
    *("recovered_about", "sentence"),
)
PARTY_COLUMNS: Final = ("adjustment", "wallet", "difference", "currency", "now", "then")

app = typer.Typer()

NamesArgument = Annotated[
    list[str], typer.Argument(metavar="ID…", help="Each as <flight>:<revision>, such as F123:2.")
]
WalletOption = Annotated[
    str | None, typer.Option(help="Whose side, such as instructor:instructor-01; needed if several could be.")
]
DryRunOption = Annotated[bool, typer.Option(help="Say what would happen and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


class Way(StrEnum):
    """How a person may settle what is open."""

    manual_check = "manual_check"
    forgiven = "forgiven"
    written_off = "written_off"
    refund = "refund"


@app.command("settlements")
def settlements_command(
    wallet: Annotated[str | None, typer.Option(help="Only of this wallet.")] = None,
    late: Annotated[
        bool, typer.Option("--late", help="Only what waits for longer than the school's policy says.")
    ] = False,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List what is not settled yet, the oldest first: offsets, payouts, reversals and journals under way.

    An amount below zero is owed by the party. clawback_until: how long `hobbs adjustments claw-back` can
    take money back of what the payee was sent last. recovered_about: when a debt will have been taken off,
    an estimate from the payee's mean payouts.
    """
    shown = part(most, skip, output)
    found = _read(
        lambda tx: reads.open_settlements(tx, wallet=wallet, late=late, most=shown.asked, skip=skip)
    )
    rows = shown.of(found, "settlements")
    columns = COLUMNS if output is Output.table or not rows else None
    show_rows(with_money(rows, output, MONEY), output, columns=columns, right=MONEY)


@app.command("settle")
def settle_command(
    names: NamesArgument,
    method: Annotated[
        Way,
        typer.Option(
            help="manual_check: by cheque or cash, either way. forgiven: the school bears it. written_off: "
            "collection failed. refund: to the student's card, instead of a credit."
        ),
    ],
    why: NeededWhyOption,
    wallet: WalletOption = None,
    number: Annotated[
        str | None, typer.Option(help="The cheque's number, or the receipt's for cash.")
    ] = None,
    paid_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When the cheque or cash was paid.")
    ] = None,
    to_party: Annotated[
        bool | None,
        typer.Option(
            "--to-party/--from-party", help="Which way the money went: refused when it is the other."
        ),
    ] = None,
    amount: Annotated[
        str | None, typer.Option(help="Only so much of it, such as 10.00; the rest stays as it is.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Settle a party's side in another way, after a table of who gets and owes what.

    Whoever made the correction may not forgive or write off what follows from it.
    """
    told: dict[str, Any] = {"method": str(method), "wallet": wallet, "number": number}
    told["paid_on"] = None if paid_on is None else paid_on.date().isoformat()
    told["to_or_from"] = None if to_party is None else "to" if to_party else "from"
    amounts = {} if amount is None else {name: _minor(name, amount) for name in names}
    questions = [
        _question("settle", name, who, why, told | {"amount": amounts.get(name)})
        for name in dict.fromkeys(names)
    ]
    _decide(questions, f"settle by {method}?", dry_run=dry_run, yes=yes)


@app.command("claw-back")
def claw_back_command(
    names: NamesArgument,
    why: NeededWhyOption,
    wallet: Annotated[
        str | None, typer.Option(help="Only of this payee; of all who owe unless told.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
) -> None:
    """Take back at Stripe what payees owe, within 72 hours of each transfer.

    What does not come back is taken off what they are paid next. Not for whoever made the correction.
    """
    questions = [_question("claw_back", name, who, why, {"wallet": wallet}) for name in dict.fromkeys(names)]
    _decide(questions, "claw back?", dry_run=dry_run, yes=yes)


def _question(action: str, name: str, who: str, why: str, told: dict[str, Any]) -> Question:
    parameters = {key: value for key, value in told.items() if value is not None}
    return Question(service=SERVICE, action=action, object=name, who=who, why=why, parameters=parameters)


def _decide(questions: Sequence[Question], prompt: str, *, dry_run: bool, yes: bool) -> None:
    decide_several(questions, dry_run=dry_run, yes=yes, prompt=prompt, show=show_parties)


def show_parties(effects: Effects) -> None:
    """Who gets and owes what, how it is settled now and how it would be, before the person is asked."""
    rows = with_money(effects, Output.table, MONEY)
    show_rows(rows, Output.table, columns=PARTY_COLUMNS, title="who gets and owes what", right=MONEY)


def _minor(name: str, amount: str) -> int:
    """The amount in minor units of the adjustment's currency."""
    currency = _read(lambda tx: reads.currency_of(tx, name))
    if currency is None:
        say(f"there is no adjustment {name}; `hobbs adjustments list` shows all")
        raise typer.Exit(EXIT_FINDINGS)
    try:
        return parse_minor(amount, currency)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _read(question: Callable[[Tx], Awaitable[Any]]) -> Any:
    settings = settings_or_exit(Settings)

    async def read() -> Any:
        async with reading(settings) as database, database.transaction() as tx:
            return await question(tx)

    return run(read())

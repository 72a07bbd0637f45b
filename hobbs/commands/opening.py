"""Opening balances: what a school brings along from the books it kept before.

\b
Examples:
  hobbs opening load students.csv --as-of 2026-06-01 --kind student_balance --map Balance=amount --why moved
  hobbs opening load opening.csv --as-of 2026-06-01 --why "what was forgotten"
  hobbs opening show --as-of 2026-06-01

Each line is a journal between its wallet and external:opening, which must end at zero. A line is posted once,
whatever file it stands in. Amounts are minor units in JSON and CSV, the currency's own decimals in tables.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fleet.zones import time_zone
from hobbs.commands.queries import read
from hobbs.flights.column_maps import column_map
from hobbs.flights.people import People, read_people
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals
from hobbs.opening.file import COLUMNS as FILE_COLUMNS
from hobbs.opening.file import Fault, OpeningFile, Reading, ReadLine, changed_lines, read_opening_file
from hobbs.opening.flights import ITEM_KIND, astride_flights
from hobbs.shell.decisions import Effects, Question, decide
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.billing.desk import reads as billing
from services.billing.desk.reads import WholeBook
from services.ledger.desk import reads
from services.ledger.desk.reads.openings import TrialRow
from services.ledger.domain.openings import LINES_MAX, LineKey
from services.payouts.desk import reads as payouts

FILE_BYTES_MAX: Final = 16 * 2**20
FAULTS_SHOWN_MAX: Final = 20
CARDS: Final = {  # of the school's book, by kind of line
    "student_balance": "student",
    "student_item": "student",
    "instructor": "instructor",
    "owner": "owner",
    "reserve": "aircraft",
}
STRANGERS_NAMED_MAX: Final = 5
EFFECTS: Final = ("what", "lines", "amount", "currency")
ACCOUNTS: Final = ("wallet", "amount", "currency", "status", "stripe_account")
SIDES: Final = ("had", "owes")

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)

AsOfOption = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="DATE", help="The day they begin with: at its first minute at the school."
    ),
]
SomeAsOfOption = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="Only this opening.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be posted; change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("load")
def load_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .csv or .xlsx file: kind, key, reference, amount.")
    ],
    as_of: AsOfOption,
    why: NeededWhyOption,
    kind: Annotated[str | None, typer.Option(help="Of all lines, when the file has no column kind.")] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=NAME", help="A column of the file that has another name."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Of lines that name none; the school's unless told.")
    ] = None,
    decimals: Annotated[
        Decimals | None, typer.Option(help="What stands before the cents; a point unless told.")
    ] = None,
    turned: Annotated[
        bool, typer.Option("--turn-signs", help="The file's amounts have the other sign: a debt is positive.")
    ] = False,
    encoding: Annotated[str | None, typer.Option(help="Unless told: UTF-8, or what its mark says.")] = None,
    sheet: Annotated[str | None, typer.Option(help="A workbook's sheet; the first with rows.")] = None,
    people: Annotated[
        Path | None, typer.Option(help="A file of NAME,ID lines: who the names in the column key are.")
    ] = None,
    grouped: Annotated[
        bool, typer.Option("--grouped", help="Lines stand under rows with a name, which is their key.")
    ] = False,
    reference_else: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="The reference of a line that has none; may be repeated."),
    ] = None,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Post the lines of a file that are not posted yet, all or none. Exit 1: one cannot be."""
    day = _day(as_of)
    book = read(billing.whole_book)
    reading = Reading(
        kind=kind,
        currency=currency or book.currency(),
        decimals=decimals,
        turned=turned,
        column_map=_map(maps),
        encoding=encoding,
        sheet=sheet,
        people=_people_or_exit(people),
        grouped=grouped,
        reference_else=reference_else or (),
    )
    found = _read_or_exit(file, reading)
    _say_strangers(found.lines, book)
    _exit_if_changed(file, found.lines, day)
    _say_astride(day, found.lines)
    begins = datetime(day.year, day.month, day.day, tzinfo=time_zone(book.time_zone()))
    lines = [[one.kind, one.key, one.reference, one.currency, one.amount] for one in found.lines]
    given = {"as_of": day.isoformat(), "occurred_at": begins.isoformat(), "lines": lines}
    question = _question("load_opening", day, who, why, **given)

    _decide(question, f"Load {file.name}?", dry_run=dry_run, yes=yes, output=output)


@app.command("show")
def show_command(
    as_of: SomeAsOfOption = None,
    lines: Annotated[bool, typer.Option(help="Every line.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show the trial balance of what was loaded, by kind; --lines: every line. Exit 1: it is not at zero."""
    day = None if as_of is None else _day(as_of)
    if lines:
        rows = [asdict(one) for one in read(lambda tx: reads.openings.lines(tx, day))]
        show_rows(with_money(rows, output, ["amount"]), output, right=["amount"])
        return
    trial = read(lambda tx: reads.openings.trial_balance(tx, day))
    shown = [asdict(one) for one in [*trial, *_totals(trial)]]
    show_rows(
        with_money(shown, output, SIDES), output, columns=list(TrialRow.__dataclass_fields__), right=SIDES
    )
    for one in read(lambda tx: reads.openings.signatures(tx, day)):
        say(f"{one.as_of}: {one.action} by {one.who} at {one.recorded_at.isoformat()}: {one.why}")
    for loaded in sorted({row.as_of for row in trial}):
        _say_astride(loaded)
    if any(total.had != total.owes for total in _totals(trial)):
        say("the two sides differ: something is missing, or the school's own (kind school) is not loaded yet")
        raise typer.Exit(EXIT_FINDINGS)


@app.command("revert")
def revert_command(
    as_of: AsOfOption,
    why: NeededWhyOption,
    kind: Annotated[str | None, typer.Option(help="Only lines of this kind.")] = None,
    key: Annotated[str | None, typer.Option(help="Only lines about this student, payee or aircraft.")] = None,
    reference: Annotated[str | None, typer.Option(help="Only lines with this reference.")] = None,
    currency: Annotated[str | None, typer.Option(help="Only lines in this currency.")] = None,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Take lines back, all that are meant or none; a corrected file posts them anew. Exit 1: refused."""
    day = _day(as_of)
    named = {"kind": kind, "key": key, "reference": reference, "currency": currency}
    meant = {name: value for name, value in named.items() if value is not None}
    question = _question("revert_opening", day, who, why, as_of=day.isoformat(), **meant)
    _decide(question, "Revert these lines?", dry_run=dry_run, yes=yes, output=output)


@app.command("sign")
def sign_command(
    as_of: AsOfOption,
    why: NeededWhyOption,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Sign the trial balance: from then on external:opening stays at zero. Exit 1: it is not at zero yet."""
    day = _day(as_of)
    _say_astride(day)
    question = _question("sign_opening", day, who, why, as_of=day.isoformat())
    _decide(question, "Sign this trial balance?", dry_run=dry_run, yes=yes, output=output)


@app.command("reopen")
def reopen_command(
    as_of: AsOfOption,
    why: NeededWhyOption,
    who: WhoOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Take the signature back, so that one side can be changed before the other. Exit 1: it is not signed."""
    day = _day(as_of)
    question = _question("reopen_opening", day, who, why, as_of=day.isoformat())
    _decide(question, "Reopen this opening?", dry_run=dry_run, yes=yes, output=output)


@app.command("accounts")
def accounts_command(output: OutputOption = Output.table) -> None:
    """List the payees that opening lines pay, and whether they have a Stripe account. Exit 1: one has none.

    An account that exists is adopted by its id: hobbs transfers payees adopt.
    """
    owed = read(reads.openings.payees)
    known = {row["wallet"]: row for row in read(payouts.list_payees)}
    rows = [
        {
            **asdict(one),
            "status": known.get(one.wallet, {}).get("status"),
            "stripe_account": known.get(one.wallet, {}).get("stripe_account"),
        }
        for one in owed
    ]
    show_rows(with_money(rows, output, ["amount"]), output, columns=ACCOUNTS, right=["amount"])
    if without := [row["wallet"] for row in rows if row["stripe_account"] is None]:
        say(
            f"{len(without)} without a Stripe account; adopt one that exists "
            f"(hobbs transfers payees adopt {without[0]} acct_…), or put them into the school's book"
        )
        raise typer.Exit(EXIT_FINDINGS)


def _decide(question: Question, prompt: str, *, dry_run: bool, yes: bool, output: Output) -> None:
    def show(effects: Effects) -> None:
        show_rows(with_money(effects, output, ["amount"]), output, columns=EFFECTS, right=["lines", "amount"])

    decide(question, dry_run=dry_run, yes=yes, prompt=prompt, show=show)


def _totals(trial: list[TrialRow]) -> list[TrialRow]:
    keys = sorted({(row.as_of, row.currency) for row in trial})
    sums = {key: [row for row in trial if (row.as_of, row.currency) == key] for key in keys}
    return [
        TrialRow(
            as_of=as_of,
            kind="total",
            lines=sum(row.lines for row in rows),
            had=sum(row.had or 0 for row in rows),
            owes=sum(row.owes or 0 for row in rows),
            currency=currency,
        )
        for (as_of, currency), rows in sums.items()
    ]


def _question(action: str, day: date, who: str, why: str, **given: Any) -> Question:
    return Question(
        service="ledger", action=action, object=f"opening:{day}", who=who, why=why, parameters=given
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date such as 2026-06-01", param_hint="--as-of") from None


def _map(pairs: list[str] | None) -> dict[str, str]:
    try:
        return column_map(pairs or [], FILE_COLUMNS, unnamed=True)
    except FileUnreadable as error:
        raise typer.BadParameter(str(error)) from None


def _people_or_exit(file: Path | None) -> People:
    try:
        return read_people(file.read_bytes()) if file else People()
    except (OSError, FileUnreadable) as error:
        say(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None


def _read_or_exit(file: Path, reading: Reading) -> OpeningFile:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise FileUnreadable(f"it is larger than {FILE_BYTES_MAX} bytes; split it")
        found = read_opening_file(file.read_bytes(), reading)
    except (OSError, FileUnreadable) as error:
        say(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None
    for note in found.notes:
        say(note)
    _say_faults(file, found.faults)
    if found.faults or not found.lines:
        say(f"{file}: {len(found.faults)} lines cannot be read, {len(found.lines)} can; nothing is loaded")
        raise typer.Exit(EXIT_FINDINGS)
    if len(found.lines) > LINES_MAX:
        say(f"{file}: it has {len(found.lines)} lines; split it, at most {LINES_MAX} are loaded at a time")
        raise typer.Exit(EXIT_FINDINGS)
    return found


def _say_faults(file: Path, faults: Sequence[Fault]) -> None:
    for fault in faults[:FAULTS_SHOWN_MAX]:
        say(f"{file.name}, line {fault.line}: {fault.sentence}")
    if len(faults) > FAULTS_SHOWN_MAX:
        say(f"and {len(faults) - FAULTS_SHOWN_MAX} more")


def _exit_if_changed(file: Path, lines: Sequence[ReadLine], day: date) -> None:
    """The ledger refuses such lines as well; here each is named by its place in the file."""
    standing = [one for one in read(lambda tx: reads.openings.lines(tx, day)) if one.stands]
    moved = {LineKey(one.kind, one.key, one.reference, one.currency): one.amount for one in standing}
    if faults := changed_lines(lines, moved):
        _say_faults(file, faults)
        say(
            "revert a line that was wrong (hobbs opening revert), then load the file again; nothing is loaded"
        )
        raise typer.Exit(EXIT_FINDINGS)


def _say_astride(day: date, lines: Sequence[ReadLine] = ()) -> None:
    """Say which flights would be in the books twice, or in none, beside the balances of this day."""
    known = read(lambda tx: reads.openings.lines(tx, day))
    references = {one.reference for one in known if one.kind == ITEM_KIND and one.stands}
    references.update(one.reference for one in lines if one.kind == ITEM_KIND)
    for sentence in read(lambda tx: astride_flights(tx, day, references)).sentences():
        say(sentence)


def _say_strangers(lines: Sequence[ReadLine], book: WholeBook) -> None:
    """Say whom or what the school's book does not have: a name that is spelt otherwise is another wallet."""
    for card in sorted(set(CARDS.values())):
        known = {one.key for one in book.cards if one.kind == card}
        of_card = [one for one in lines[::-1] if CARDS.get(one.kind) == card and one.key not in known]
        strangers = sorted((line, key) for key, line in {one.key: one.line for one in of_card}.items())
        if known and strangers:
            named = ", ".join(f"{key!r} (line {line})" for line, key in strangers[:STRANGERS_NAMED_MAX])
            more = len(strangers) - STRANGERS_NAMED_MAX
            say(
                f"the school's book has no {card} {named}{f' and {more} more' if more > 0 else ''}; "
                "a name that is spelt otherwise would be somebody else"
            )

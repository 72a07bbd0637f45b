"""What another system makes of the same flights, to the cent: the old software, or another rate card.

\b
Examples:
  hobbs shadow diff old.csv --rules ~/accepted.toml --log shadow.jsonl
  hobbs shadow diff old.csv --map "Flight No=flight_id" --decimals comma --most 50 --sort flight
  hobbs shadow diff --rates ~/school-2027.toml --to-file changes.csv
  hobbs shadow diff --shadow --by-month
  hobbs shadow sign --log shadow.jsonl --days 14 --why "the owner saw the last list"

Nothing is changed, published or sent. Amounts are minor units in JSON and CSV, the currency's own decimals in
tables. A difference is what is here less what is there.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from fleet.settings import Settings
from hobbs.commands.queries import read
from hobbs.commands.school import read_or_exit as read_school_or_exit
from hobbs.flights.cells import Minutes
from hobbs.flights.column_maps import column_map
from hobbs.flights.unreadable import FileUnreadable
from hobbs.opening.amounts import Decimals
from hobbs.school.file import book_of
from hobbs.shadow import figures_file, log
from hobbs.shadow.beside import BesideSettings, both_caught_up, mark_at
from hobbs.shadow.compare import Difference
from hobbs.shadow.figures_file import FiguresFile, Reading, Told
from hobbs.shadow.live import Books, over_both_books, over_live_books
from hobbs.shadow.report import Report, Take
from hobbs.shadow.rules import Rule, RulesUnreadable, read_rules
from hobbs.shadow.sides import by_a_file, by_another_book, of_another_deployment
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from services.billing.desk import reads as billing
from services.billing.domain.rates import Book

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)

COLUMNS: Final = ("flight_id", "day", "party", "there", "here", "amount", "cause", "accepted_by", "detail")
SUMS: Final = ("month", "party", "cause", "accepted_by", "differences", "net", "gross")
MONEY: Final = ("there", "here", "amount", "net", "gross")
SORTS: Final = {
    "money": lambda one: -abs(one.amount),
    "flight": lambda one: one.flight_id,
    "day": lambda one: one.day,
    "cause": lambda one: one.cause,
    "party": lambda one: one.party,
}


FiguresArgument = Annotated[
    Path | None,
    typer.Argument(metavar="[FIGURES]", help="The other system's figures, .csv or .xlsx."),
]
RatesOption = Annotated[
    Path | None, typer.Option(metavar="SCHOOL", help="Instead: the same flights by this book of rates.")
]
ShadowOption = Annotated[
    bool, typer.Option("--shadow", help="Instead: what a shadow deployment made of the same flights.")
]
WaitOption = Annotated[
    float, typer.Option(min=0, help="With --shadow: seconds to wait until both sides are as far.")
]
MapsOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=NAME", help="A column of the file that has another name."),
]
DecimalsOption = Annotated[
    Decimals | None, typer.Option(help="What stands before the cents; a point unless told.")
]
DateFormatOption = Annotated[str | None, typer.Option(help="Such as %d.%m.%Y; YYYY-MM-DD unless told.")]
MinutesOption = Annotated[
    Minutes | None, typer.Option(help="What becomes of 1:18: the nearest tenth of an hour.")
]
EncodingOption = Annotated[str | None, typer.Option(help="Unless told: UTF-8, or what its mark says.")]
SheetOption = Annotated[str | None, typer.Option(help="A workbook's sheet; the first with rows.")]
RulesOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Named rules that accept differences (.toml).")
]
MostOption = Annotated[int, typer.Option(min=0, max=100_000, help="So many of the most money are shown.")]
SortOption = Annotated[
    Literal["money", "flight", "day", "cause", "party"], typer.Option(help="The order they are shown in.")
]
ByMonthOption = Annotated[bool, typer.Option("--by-month", help="Only the sums by month and cause.")]
ToFileOption = Annotated[Path | None, typer.Option(help="All of them, as CSV, into this new file.")]
LogOption = Annotated[
    Path | None, typer.Option("--log", metavar="FILE", help="Note the run there, for the sign-off.")
]


@app.command("diff")
def diff_command(
    file: FiguresArgument = None,
    rates: RatesOption = None,
    shadow: ShadowOption = False,
    wait: WaitOption = 60.0,
    maps: MapsOption = None,
    decimals: DecimalsOption = None,
    date_format: DateFormatOption = None,
    minutes: MinutesOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    rules: RulesOption = None,
    most: MostOption = 100,
    sort: SortOption = "money",
    by_month: ByMonthOption = False,
    to_file: ToFileOption = None,
    log_file: LogOption = None,
    output: OutputOption = Output.table,
) -> None:
    """List each difference with its cause. Exit 1: there are open ones; 2: a file cannot be read."""
    if [file is not None, rates is not None, shadow].count(True) != 1:
        raise typer.BadParameter(
            "say what to compare with: a file of figures, --rates and a book, or --shadow"
        )
    settings = settings_or_exit(Settings)
    currency = read(billing.whole_book).currency()
    reading = Reading(
        currency=currency,
        decimals=decimals,
        column_map=_map(maps),
        date_format=date_format,
        minutes=minutes,
        encoding=encoding,
        sheet=sheet,
    )
    book = None if rates is None else book_of(read_school_or_exit(rates).cards)
    found = FiguresFile()
    report = Report(rules=_rules(rules, currency), today=datetime.now(UTC).date(), most=most)
    underway = 0
    with ExitStack() as stack, _or_exit(file or to_file):
        take = _taker(to_file, stack)
        # The file is read before a transaction is open: Postgres ends one that is idle for a minute.
        told = None if file is None else figures_file.sorted_flights(file, reading, found, stack)
        if shadow:
            underway = run(_beside(settings_or_exit(BesideSettings), report, take, wait))
        else:
            run(
                over_live_books(
                    settings, lambda books: report.add(_differences(told, book, found, books), take)
                )
            )
    _tell(found, "" if file is None else file.name)
    if underway:
        say(f"{underway} flights came meanwhile and are not compared: the next run has them")
    shown = _sums(report) if by_month else _rows(report, sort)
    _show(shown, currency, output, SUMS if by_month else COLUMNS)
    _conclude(report, found, log_file)


@contextmanager
def _or_exit(file: Path | None) -> Iterator[None]:
    """End the command with a sentence where the file cannot be read or written."""
    try:
        yield
    except UnicodeDecodeError as error:
        say(f"{file}: it is not {error.encoding}; try --encoding")
        raise typer.Exit(EXIT_USAGE) from None
    except (FileUnreadable, OSError) as error:
        say(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None


def _taker(to_file: Path | None, stack: ExitStack) -> Take:
    """What becomes of each difference: a row of a new file, when one is asked for."""
    if to_file is None:
        return lambda one: None
    writer = csv.writer(stack.enter_context(to_file.open("x", newline="")))
    writer.writerow(COLUMNS)
    return lambda one: writer.writerow(getattr(one, name) for name in COLUMNS)


def _show(rows: Sequence[dict[str, Any]], currency: str, output: Output, columns: Sequence[str]) -> None:
    told = with_money([row | {"currency": currency} for row in rows], output, MONEY)
    show_rows(told, output, columns=columns, right=[*MONEY, "differences"])


def _differences(
    told: Iterator[Told] | None, book: Book | None, found: FiguresFile, books: Books
) -> Iterator[Difference | None]:
    if told is not None:
        return by_a_file(told, books, found)
    assert book is not None
    return by_another_book(books, book)


async def _beside(settings: BesideSettings, report: Report, take: Take, wait_s: float) -> int:
    """Compare with the shadow; how many flights were left out, since they came meanwhile and differ."""
    mark = await mark_at(settings)
    begun = await both_caught_up(settings, mark, within_s=wait_s)
    left_out: set[str] = set()

    def compare(there: Books, here: Books) -> None:
        came = there.billed_since(begun.live) | here.billed_since(begun.shadow)

        def underway(flight_id: str) -> bool:
            if flight_id in came:
                left_out.add(flight_id)
            return flight_id in came

        report.add(of_another_deployment(there, here, underway), take)

    await over_both_books(settings, settings.of_shadow(mark), compare)
    return len(left_out)


@app.command("sign")
def sign_command(
    log_file: Annotated[Path, typer.Option("--log", metavar="FILE", help="Where diff noted its runs.")],
    why: NeededWhyOption,
    days: Annotated[int, typer.Option(min=1, max=366, help="So many days without an open difference.")] = 14,
    who: WhoOption = "",
) -> None:
    """Sign the comparison off. Exit 1: a day of the last ones has no run, or one with open differences."""
    try:
        said = log.signed(log_file, days=days, now=datetime.now(UTC), who=who, why=why)
    except (OSError, log.LogUnreadable) as error:
        say(f"{log_file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None
    say(said.sentence)
    if not said.signed:
        raise typer.Exit(EXIT_FINDINGS)


def _rows(report: Report, sort: str) -> list[dict[str, Any]]:
    return [one._asdict() for one in sorted(report.largest(), key=SORTS[sort])]


def _sums(report: Report) -> list[dict[str, Any]]:
    return [one._asdict() for one in report.sums()]


def _tell(found: FiguresFile, file: str) -> None:
    for sentence in [*found.notes, *found.faults]:
        say(f"{file}, {sentence}" if sentence.startswith("line ") else sentence)
    if found.repeated:
        say(
            f"{found.repeated} rows say the same as another of their flight; does the export have them twice?"
        )
    if found.elsewhere:
        say(f"{found.elsewhere} flights are here as billed there, without amounts: they are not compared")
    if found.faulty:
        say(f"{found.faulty} rows cannot be read: what they say is missing below")


def _conclude(report: Report, found: FiguresFile, log_file: Path | None) -> None:
    for rule in report.rules:
        ended = "" if report.today <= rule.until else f"; it ended on {rule.until} and accepts nothing"
        say(f"rule {rule.name!r} accepts {report.accepted[rule.name]}{ended}")
    say(
        f"{report.flights} flights compared, {report.differing} differ; {report.open} differences are open, "
        f"{report.accepted.total()} are accepted"
    )
    if log_file is not None:
        log.note(log_file, report, faulty=found.faulty, now=datetime.now(UTC))
    if report.open or found.faulty:
        raise typer.Exit(EXIT_FINDINGS)


def _map(pairs: Sequence[str] | None) -> Mapping[str, str]:
    try:
        return column_map(pairs or [], figures_file.COLUMNS)
    except FileUnreadable as error:
        raise typer.BadParameter(str(error)) from None


def _rules(file: Path | None, currency: str) -> Sequence[Rule]:
    try:
        return [] if file is None else read_rules(file.read_text(encoding="utf-8"), currency)
    except (OSError, RulesUnreadable) as error:
        say(f"{file}: {error}")
        raise typer.Exit(EXIT_USAGE) from None

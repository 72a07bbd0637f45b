"""Publish flights from a CSV file, an .xlsx workbook or JSON lines, and see what became of them.

\b
The columns of a CSV file, or the names in JSON lines (times are UTC, empty means not recorded):
  flight_id, student                needed
  date                              needed, unless departed_at is there; YYYY-MM-DD
  time_out_utc, time_in_utc         departure and arrival on that (UTC) date: 17:23, 17:23:45, 5:23 PM
  departed_at, arrived_at           the same as RFC 3339 instants
  aircraft                          the tail number; empty: a ground lesson
  instructor                        empty: solo
  hobbs_out, hobbs_in, tach_out, tach_in, flight_hours, dual_hours, ground_hours
                                    hours with one decimal; --decimal comma when it is written 1,3
  revision                          1 unless said
Without a time the date is the school's own; with one, the school's date follows from the instant.

\b
Examples:
  hobbs flights publish flights.csv --dry-run
  hobbs flights publish log.csv --map "Flight No=flight_id" --map Tail=aircraft --date-format %m/%d/%Y
  hobbs flights publish flights.csv --url https://hobbs.example --api-key-file key.txt
  hobbs flights list --state refused
  hobbs flights show F123 -o json
"""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from fleet.settings import Settings
from hobbs.commands import flights_keys, flights_list
from hobbs.flights.by_book import judge_by_book
from hobbs.flights.cells import Decimals
from hobbs.flights.file import FlightsFile, ReadFlight, Rejected, parse_column_map, read_flights_file
from hobbs.flights.publish import GatewayRefuses, Progress, publish_over_http, publish_to_kafka
from hobbs.flights.unreadable import FileUnreadable
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.output import (
    EXIT_FINDINGS,
    EXIT_USAGE,
    Output,
    OutputOption,
    agreed,
    say,
    show_one,
    show_rows,
)

FILE_BYTES_MAX: Final = 64 * 2**20
REJECTED_COLUMNS: Final = ("line", "flight_id", "reason", "sentence")

Send = Callable[[Sequence[ReadFlight]], AsyncIterator[Progress]]

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
app.command("list")(flights_list.list_command)
app.command("show")(flights_list.show_command)
app.add_typer(flights_keys.app, name="keys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a file."""

    file: str
    flights: int
    published: int
    repeated: int
    rejected: tuple[Rejected, ...]
    dry_run: bool


@app.command("publish")
def publish_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A .csv or .xlsx file, or JSON lines (.jsonl).")
    ],
    dry_run: Annotated[
        bool, typer.Option(help="Read the file, check it against the book; publish nothing.")
    ] = False,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=NAME", help="A column of the file that has another name."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Unless told: UTF-8, or what its mark says.")] = None,
    date_format: Annotated[str | None, typer.Option(help="Such as %m/%d/%Y; YYYY-MM-DD unless told.")] = None,
    decimal: Annotated[
        Decimals | None, typer.Option(help="What stands before the tenths of an hour; a point unless told.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="A workbook's sheet; the first with rows.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Publish through this gateway, not straight to Kafka.")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="HOBBS_API_KEY", help="The gateway's key; better by environment or file."),
    ] = None,
    api_key_file: Annotated[Path | None, typer.Option(help="A file whose first line is the key.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Publish a file's flights; those published before change nothing.

    Rows that cannot be read are reported by line number and the others are published; what the school's rules
    refuse comes later, in `hobbs flights list --state refused`.
    A dry run asks them first, when it reaches the database. Exit 0: every row is published, 1: some were
    rejected or not published, 2: the file or an option is wrong.
    """
    send = None if dry_run else _sender(url, api_key, api_key_file)
    found = _read(
        file,
        column or [],
        {"encoding": encoding, "date_format": date_format, "decimals": decimal, "sheet": sheet},
    )
    for note in found.notes:
        say(note)
    if dry_run:
        run(judge_by_book(found))
    if send is None or not found.flights:
        _end(_report(file, found, Progress(), dry_run=dry_run), output)
    _ask(found, yes)
    done = run(_with_progress(send(found.flights), len(found.flights)))
    _end(_report(file, found, done, dry_run=False), output)


def _read(file: Path, columns: Sequence[str], options: dict[str, Any]) -> FlightsFile:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise FileUnreadable(f"{file} is larger than {FILE_BYTES_MAX} bytes; split it")
        return read_flights_file(
            file.read_bytes(),
            jsonl=file.suffix.lower() in (".jsonl", ".ndjson"),
            column_map=parse_column_map(columns),
            **options,
        )
    except (OSError, FileUnreadable) as error:
        say(f"{file}: {error.strerror if isinstance(error, OSError) else error}")
    raise typer.Exit(EXIT_USAGE)


def _sender(url: str | None, api_key: str | None, key_file: Path | None) -> Send:
    """How flights go out. What that needs is asked for here: before the file is read and the person asked."""
    if url:
        key = _api_key(api_key, key_file)
        return lambda flights: publish_over_http(url, key, flights)
    settings = settings_or_exit(Settings)
    return lambda flights: publish_to_kafka(settings, flights)


def _api_key(api_key: str | None, file: Path | None) -> str:
    try:
        key = (file.read_text().splitlines() or [""])[0].strip() if file else (api_key or "")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(str(error), param_hint="--api-key-file") from None
    if not key or not key.isascii():
        raise typer.BadParameter("--url needs a key: HOBBS_API_KEY, --api-key-file or --api-key")
    return key


def _ask(found: FlightsFile, yes: bool) -> None:
    """Ask on a terminal only: a script cannot answer."""
    somebody = sys.stdin.isatty() and sys.stderr.isatty()
    rejected = f" ({len(found.rejected)} rows are rejected)" if found.rejected else ""
    if somebody and not yes and not agreed(f"publish {len(found.flights)} flights{rejected}?"):
        say("nothing was published")
        raise typer.Exit(EXIT_FINDINGS)


async def _with_progress(steps: AsyncIterator[Progress], flights: int) -> Progress:
    """Publish, with a progress bar on a terminal; the sum of all steps."""
    accepted, repeated, rejected = 0, 0, list[Rejected]()
    columns = (TextColumn("publishing flights"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    try:
        with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("publish", total=flights)
            async for step in steps:
                accepted, repeated = accepted + step.accepted, repeated + step.repeated
                rejected += step.rejected
                bar.update(task, completed=accepted + repeated + len(rejected))
    except GatewayRefuses as error:
        say(f"the gateway refuses: {error}; {accepted + repeated} flights were handed over before")
        raise typer.Exit(EXIT_USAGE) from None
    return Progress(accepted=accepted, repeated=repeated, rejected=tuple(rejected))


def _report(file: Path, found: FlightsFile, done: Progress, *, dry_run: bool) -> Report:
    rejected = sorted((*found.rejected, *done.rejected), key=lambda row: row.line)
    return Report(
        file=str(file),
        flights=len(found.flights) + len(found.rejected),
        published=done.accepted + done.repeated,
        repeated=done.repeated,
        rejected=tuple(rejected),
        dry_run=dry_run,
    )


def _end(report: Report, output: Output) -> NoReturn:
    """Write the report and exit: rejected rows on stdout, their sum on stderr; JSON has both on stdout."""
    rejected: list[dict[str, Any]] = [asdict(row) for row in report.rejected]
    if output is Output.json:
        show_one(asdict(report), output)
    elif rejected or output is Output.csv:
        show_rows(rejected, output, columns=REJECTED_COLUMNS, right=("line",))
    good = report.flights - len(rejected)
    would = (
        f"{good} flights could be published" if report.dry_run else f"{report.published} flights published"
    )
    known = f", {report.repeated} of them known before" if report.repeated else ""
    say(f"{would}{known}, {len(rejected)} rows rejected")
    raise typer.Exit(EXIT_FINDINGS if rejected else 0)

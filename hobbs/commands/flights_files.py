"""What `hobbs flights publish` and `correct` share: options, reading a file, publishing it, the report."""

import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from fleet.settings import Settings
from hobbs.flights.cells import Decimals, Minutes
from hobbs.flights.exports import EXPORTS, Told, read_export
from hobbs.flights.file import (
    E,
    FlightEvent,
    FlightsFile,
    ReadFlight,
    Rejected,
    Shape,
    parse_column_map,
    read_file,
)
from hobbs.flights.people import People, read_people
from hobbs.flights.publish import GatewayRefuses, Progress, publish_over_http, publish_to_kafka
from hobbs.flights.unreadable import FileUnreadable
from hobbs.shell.connections import settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, agreed, say, show_one, show_rows
from schemas.flights import FlightCompleted

FILE_BYTES_MAX: Final = 64 * 2**20
REJECTED_COLUMNS: Final = ("line", "flight_id", "reason", "sentence")

Send = Callable[[Sequence[ReadFlight[FlightEvent]]], AsyncIterator[Progress]]

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A .csv or .xlsx file, or JSON lines (.jsonl).")
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=NAME", help="A column of the file that has another name."),
]
EncodingOption = Annotated[str | None, typer.Option(help="Unless told: UTF-8, or what its mark says.")]
DateFormatOption = Annotated[str | None, typer.Option(help="Such as %m/%d/%Y; YYYY-MM-DD unless told.")]
DecimalOption = Annotated[
    Decimals | None,
    typer.Option(
        "--decimals", "--decimal", help="What stands before the tenths of an hour; a point unless told."
    ),
]
MinutesOption = Annotated[
    Minutes | None, typer.Option(help="What becomes of 1:18: the nearest tenth of an hour.")
]
ExportOption = Annotated[
    str | None, typer.Option("--like", metavar="NAME", help=f"An export of: {', '.join(EXPORTS)}.")
]
StudentOption = Annotated[str | None, typer.Option(help="With --like: whose logbook it is, by our id.")]
PeopleOption = Annotated[
    Path | None, typer.Option(help="A file of NAME,ID lines: who the names in the file are.")
]
SheetOption = Annotated[str | None, typer.Option(help="A workbook's sheet; the first with rows.")]
UrlOption = Annotated[str | None, typer.Option(help="Publish through this gateway, not straight to Kafka.")]
ApiKeyOption = Annotated[
    str | None,
    typer.Option(envvar="HOBBS_API_KEY", help="The gateway's key; better by environment or file."),
]
ApiKeyFileOption = Annotated[Path | None, typer.Option(help="A file whose first line is the key.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a file."""

    file: str
    flights: int
    published: int
    repeated: int
    rejected: tuple[Rejected, ...]
    dry_run: bool
    what: str = "flights"


def read_or_exit(
    file: Path, columns: Sequence[str], options: dict[str, Any], shape: Shape[E], people: Path | None = None
) -> FlightsFile[E]:
    """Read the file and say what was noted of it; exit when it cannot be read."""

    def read(content: bytes) -> FlightsFile[E]:
        jsonl = file.suffix.lower() in (".jsonl", ".ndjson")
        options["people"] = _people(people)
        return read_file(content, shape, jsonl=jsonl, column_map=parse_column_map(columns, shape), **options)

    return _found_or_exit(file, read)


def read_export_or_exit(
    file: Path, name: str, *, student: str | None, people: Path | None, options: dict[str, Any]
) -> FlightsFile[FlightCompleted]:
    """Read another program's export, in the same way."""

    def read(content: bytes) -> FlightsFile[FlightCompleted]:
        return read_export(content, name, Told(student=student, people=_people(people), **options))

    return _found_or_exit(file, read)


def _people(file: Path | None) -> People:
    return read_people(file.read_bytes()) if file else People()


def _found_or_exit(file: Path, read: Callable[[bytes], FlightsFile[E]]) -> FlightsFile[E]:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise FileUnreadable(f"{file} is larger than {FILE_BYTES_MAX} bytes; split it")
        found = read(file.read_bytes())
    except (OSError, UnicodeDecodeError, FileUnreadable) as error:
        say(f"{file}: {error.strerror if isinstance(error, OSError) else error}")
        raise typer.Exit(EXIT_USAGE) from None
    for note in found.notes:
        say(note)
    return found


def sender(url: str | None, api_key: str | None, key_file: Path | None) -> Send:
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


def billed_elsewhere(
    flights: Sequence[ReadFlight[FlightCompleted]], software: str
) -> list[ReadFlight[FlightCompleted]]:
    """The same flights, as billed by other software."""
    try:
        return [
            replace(read, flight=FlightCompleted.model_validate({**dict(read.flight), "billed_by": software}))
            for read in flights
        ]
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"], param_hint="--billed-by") from None


def ask(found: FlightsFile[Any], yes: bool, what: str = "flights") -> None:
    """Ask on a terminal only: a script cannot answer."""
    somebody = sys.stdin.isatty() and sys.stderr.isatty()
    rejected = f" ({len(found.rejected)} rows are rejected)" if found.rejected else ""
    if somebody and not yes and not agreed(f"publish {len(found.flights)} {what}{rejected}?"):
        say("nothing was published")
        raise typer.Exit(EXIT_FINDINGS)


async def with_progress(steps: AsyncIterator[Progress], flights: int) -> Progress:
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


def report_of(
    file: Path, found: FlightsFile[Any], done: Progress, *, dry_run: bool, what: str = "flights"
) -> Report:
    rejected = sorted((*found.rejected, *done.rejected), key=lambda row: row.line)
    return Report(
        file=str(file),
        flights=len(found.flights) + len(found.rejected),
        published=done.accepted + done.repeated,
        repeated=done.repeated,
        rejected=tuple(rejected),
        dry_run=dry_run,
        what=what,
    )


def end(report: Report, output: Output) -> NoReturn:
    """Write the report and exit: rejected rows on stdout, their sum on stderr; JSON has both on stdout."""
    rejected: list[dict[str, Any]] = [asdict(row) for row in report.rejected]
    if output is Output.json:
        show_one({k: v for k, v in asdict(report).items() if k != "what"}, output)
    elif rejected or output is Output.csv:
        show_rows(rejected, output, columns=REJECTED_COLUMNS, right=("line",))
    good = report.flights - len(rejected)
    would = (
        f"{good} {report.what} could be published"
        if report.dry_run
        else f"{report.published} {report.what} published"
    )
    known = f", {report.repeated} of them known before" if report.repeated else ""
    say(f"{would}{known}, {len(rejected)} rows rejected")
    raise typer.Exit(EXIT_FINDINGS if rejected else 0)

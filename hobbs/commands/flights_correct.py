"""`hobbs flights correct` and `reprice`: corrections of flights, from a file or from a changed book."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, NoReturn

import typer

from fleet.money import format_minor
from fleet.settings import Settings
from hobbs.commands import flights_files as files
from hobbs.flights.by_book import preview_corrections
from hobbs.flights.corrections import correction_shape
from hobbs.flights.file import FlightsFile, ReadFlight, Rejected
from hobbs.flights.publish import Progress
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.names import refuse_named
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption, WhyOption
from schemas.flights import FlightCorrected
from services.billing.desk import reprice
from services.billing.desk.preview import RevisionPreview
from services.billing.desk.reprice import Repriced

COLUMNS: Final = ("flight_id", "revision", "state", "billed_on", "currency", "differences", "sentence")
NOTHING: Final = "nothing changes for anybody"
WHAT: Final = "corrections"
_DATE: Final = ["%Y-%m-%d"]


def correct_command(
    file: files.FileArgument,
    dry_run: Annotated[
        bool, typer.Option(help="Show what each correction would change; publish nothing.")
    ] = False,
    who: WhoOption = "",
    why: WhyOption = "",
    column: files.MapOption = None,
    encoding: files.EncodingOption = None,
    date_format: files.DateFormatOption = None,
    decimal: files.DecimalOption = None,
    sheet: files.SheetOption = None,
    url: files.UrlOption = None,
    api_key: files.ApiKeyOption = None,
    api_key_file: files.ApiKeyFileOption = None,
    yes: files.YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Correct or cancel flights: each row is the next revision of a flight, with all its facts.

    \b
    The columns are those of `hobbs flights publish`, and:
      revision                          needed: one more than the flight's last
      reason, corrected_by              unless --why and --who say them for the whole file
      cancelled                         yes: the flight did not take place; the row needs no facts
      priced_by                         book: today's; bill, unless said: the book of the flight's first bill
    Rows may come in any order, and before their flight: billing applies revisions in their order.
    Exit 0: every row is published, 1: some were rejected or not published, 2: the file or an option is wrong.
    """
    if url is None:
        refuse_named(why)
    send = None if dry_run else files.sender(url, api_key, api_key_file)
    options = {"encoding": encoding, "date_format": date_format, "decimals": decimal, "sheet": sheet}
    found = files.read_or_exit(file, column or [], options, correction_shape(why=why or None, who=who))
    if send is None:
        previews = run(preview_corrections(found))
        _show(previews, found.rejected, output)
        _end(f"{len(found.flights)} corrections could be published", found.rejected)
    if not found.flights:
        files.end(files.report_of(file, found, Progress(), dry_run=False, what=WHAT), output)
    files.ask(found, yes, WHAT)
    done = run(files.with_progress(send(found.flights), len(found.flights)))
    files.end(files.report_of(file, found, done, dry_run=False, what=WHAT), output)


def reprice_command(
    since: Annotated[datetime, typer.Option("--since", formats=_DATE, help="Flights billed on or after.")],
    why: NeededWhyOption,
    who: WhoOption = "",
    until: Annotated[
        datetime | None, typer.Option("--until", formats=_DATE, help="Flights billed on or before.")
    ] = None,
    aircraft: Annotated[str | None, typer.Option()] = None,
    instructor: Annotated[str | None, typer.Option()] = None,
    student: Annotated[str | None, typer.Option()] = None,
    dry_run: Annotated[bool, typer.Option(help="Show each flight's difference; publish nothing.")] = False,
    yes: files.YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Carry rates that were changed back in time to the flights they touch.

    Prices the flights that are in force again, by today's book, shows each one that changes, and publishes
    a correction of it with the same facts. Exit 1: some flights cannot be repriced.
    """
    if until is not None and until < since:
        raise typer.BadParameter("--until is before --since")
    settings = settings_or_exit(Settings)
    refuse_named(why)
    wanted = {"aircraft": aircraft, "instructor": instructor, "student": student}
    changed = run(_repriced(settings, since, until, why=why, who=who, **wanted))
    _show([one.preview for one in changed], [], output)
    found = _as_file(changed)
    if dry_run or not found.flights:
        _end(f"{len(found.flights)} flights would be corrected", found.rejected)
    files.ask(found, yes, WHAT)
    send = files.sender(None, None, None)
    done = run(files.with_progress(send(found.flights), len(found.flights)))
    _end(f"{done.accepted} corrections published", found.rejected)


async def _repriced(
    settings: Settings, since: datetime, until: datetime | None, **wanted: Any
) -> list[Repriced]:
    async with reading(settings) as database, database.transaction() as tx:
        return await reprice.repriced(tx, since=since.date(), until=until.date() if until else None, **wanted)


def _as_file(changed: Sequence[Repriced]) -> FlightsFile[FlightCorrected]:
    """The corrections as if a file had them: the line is the place in the list that is shown."""
    found: FlightsFile[FlightCorrected] = FlightsFile()
    for line, one in enumerate(changed, start=1):
        if one.event is not None:
            found.flights.append(ReadFlight(line=line, flight=one.event))
            continue
        shown = one.preview
        found.rejected.append(
            Rejected(line=line, flight_id=shown.flight_id, reason=shown.reason, sentence=shown.sentence)
        )
    return found


def _end(done: str, rejected: Sequence[Rejected]) -> NoReturn:
    say(f"{done}, {len(rejected)} rejected")
    raise typer.Exit(EXIT_FINDINGS if rejected else 0)


def _show(previews: Sequence[RevisionPreview], rejected: Sequence[Rejected], output: Output) -> None:
    """One row for each correction: what it would change on each wallet, or why it changes nothing now."""
    unread = [
        {"flight_id": row.flight_id, "state": "rejected", "sentence": f"line {row.line}: {row.sentence}"}
        for row in rejected
    ]
    rows = [*(_row(one, output) for one in previews), *unread]
    show_rows(rows, output, columns=COLUMNS, right=("revision",))


def _row(one: RevisionPreview, output: Output) -> dict[str, Any]:
    changes = one.differences()
    told = ", ".join(
        f"{wallet} {'+' if amount > 0 else ''}{format_minor(amount, one.currency)}"
        for wallet, amount in changes.items()
    )
    return {
        "flight_id": one.flight_id,
        "revision": one.revision,
        "state": one.state,
        "billed_on": one.billed_on,
        "currency": one.currency,
        "differences": changes if output is Output.json else told,
        "sentence": one.sentence or ("" if changes else NOTHING),
    }

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
                                    hours with one decimal; --decimals comma when it is written 1,3
                                    --minutes tenths: 1:18 is 1.3; not of a meter
  revision                          1 unless said
Without a time the date is the school's own; with one, the school's date follows from the instant.

\b
Examples:
  hobbs flights publish flights.csv --dry-run
  hobbs flights publish log.csv --map "Flight No=flight_id" --map Tail=aircraft --date-format %m/%d/%Y
  hobbs flights publish logbook.csv --like foreflight --student student-01 --people names.csv --dry-run
  hobbs flights publish flights.csv --url https://hobbs.example --api-key-file key.txt
  hobbs flights publish old.csv --like foreflight --student student-01 --billed-by "old software" --dry-run
  hobbs flights correct corrections.csv --why "digits swapped" --dry-run
  hobbs flights reprice --since 2026-05-01 --aircraft N364MA --why "fuel price" --dry-run
  hobbs flights list --state refused
  hobbs flights show F123 -o json
"""

from typing import Annotated

import typer

from hobbs.commands import flights_correct, flights_keys, flights_list
from hobbs.commands import flights_files as files
from hobbs.flights.by_book import judge_by_book
from hobbs.flights.file import FLIGHTS
from hobbs.flights.publish import Progress
from hobbs.shell.connections import run
from hobbs.shell.output import Output, OutputOption

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
app.command("list")(flights_list.list_command)
app.command("show")(flights_list.show_command)
app.command("correct")(flights_correct.correct_command)
app.command("reprice")(flights_correct.reprice_command)
app.add_typer(flights_keys.app, name="keys")


@app.command("publish")
def publish_command(
    file: files.FileArgument,
    dry_run: Annotated[
        bool, typer.Option(help="Read the file, check it against the book; publish nothing.")
    ] = False,
    column: files.MapOption = None,
    encoding: files.EncodingOption = None,
    date_format: files.DateFormatOption = None,
    decimal: files.DecimalOption = None,
    minutes: files.MinutesOption = None,
    sheet: files.SheetOption = None,
    like: files.ExportOption = None,
    student: files.StudentOption = None,
    people: files.PeopleOption = None,
    billed_by: Annotated[
        str | None,
        typer.Option(metavar="SOFTWARE", help="They were billed by it: keep them, and charge nobody."),
    ] = None,
    url: files.UrlOption = None,
    api_key: files.ApiKeyOption = None,
    api_key_file: files.ApiKeyFileOption = None,
    yes: files.YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Publish a file's flights; those published before change nothing.

    Rows that cannot be read are reported by line number and the others are published; what the school's rules
    refuse comes later, in `hobbs flights list --state refused`.
    A dry run asks them first, when it reaches the database. Exit 0: every row is published, 1: some were
    rejected or not published, 2: the file or an option is wrong.
    """
    if billed_by is not None and url is not None:
        raise typer.BadParameter("what was billed elsewhere is published by the operator, not over HTTP")
    send = None if dry_run else files.sender(url, api_key, api_key_file)
    options = {"encoding": encoding, "date_format": date_format, "decimals": decimal, "sheet": sheet}
    if like is not None:
        if column or minutes:
            raise typer.BadParameter("--like says the columns and the minutes itself")
        found = files.read_export_or_exit(file, like, student=student, people=people, options=options)
    elif student:
        raise typer.BadParameter("--student goes with --like")
    else:
        found = files.read_or_exit(file, column or [], {**options, "minutes": minutes}, FLIGHTS, people)
    if billed_by is not None:
        found.flights = files.billed_elsewhere(found.flights, billed_by)
    if dry_run:
        run(judge_by_book(found))
    if send is None or not found.flights:
        files.end(files.report_of(file, found, Progress(), dry_run=dry_run), output)
    files.ask(found, yes)
    done = run(files.with_progress(send(found.flights), len(found.flights)))
    files.end(files.report_of(file, found, done, dry_run=False), output)

"""`hobbs flights list` and `show`: what became of flights: billed, refused, or waiting for their turn."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import typer

from fleet.settings import Settings
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.lists import MostOption, Part, SkipOption, part
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from services.billing.desk import reads
from services.billing.desk.reads import RefusedFlight, StoredBill
from services.billing.desk.reads import revisions as revision_reads
from services.billing.desk.reads.revisions import WaitingRevision

COLUMNS: Final = (
    "flight_id",
    "revision",
    "state",
    "billed_on",
    "student",
    "instructor",
    "aircraft",
    "hours_from",
    "currency",
    "charge",
    "margin",
    "flags",
    "why",
)
MONEY: Final = ("charge", "legs_total", "margin", "amount", "rate")
_DATE: Final = ["%Y-%m-%d"]

Row = dict[str, Any]
State = Literal["all", "billed", "refused", "waiting", "flagged"]


def list_command(
    state: Annotated[State, typer.Option(help="Only these.")] = "all",
    student: Annotated[str | None, typer.Option()] = None,
    instructor: Annotated[str | None, typer.Option()] = None,
    aircraft: Annotated[str | None, typer.Option()] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DATE, help="Billed on or after.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=_DATE, help="Billed on or before.")
    ] = None,
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List flights by the day they are billed on, newest first; before them what was refused and what waits.

    A flight that was corrected is listed by its bill in force. --most and --skip count each kind by itself.
    """
    narrowed = bool(student or instructor or aircraft or since or until)
    found: list[Row] = []
    settings, shown = settings_or_exit(Settings), part(most, skip, output)
    if state in ("all", "refused") and not narrowed:
        found += shown.of(run(_refused(settings, shown))[::-1], "refused flights")
    if state in ("all", "waiting") and not narrowed:
        found += shown.of(run(_waiting(settings, shown))[::-1], "revisions that wait")
    if state not in ("refused", "waiting"):
        wanted = {
            "student": student,
            "instructor": instructor,
            "aircraft": aircraft,
            "since": since.date() if since else None,
            "until": until.date() if until else None,
            "flagged": state == "flagged",
            "most": shown.asked,
            "skip": skip,
        }
        found += shown.of(run(_billed(settings, wanted))[::-1], "billed flights")
    show_rows(with_money(found, output, MONEY), output, columns=COLUMNS, right=("revision", *MONEY))


def show_command(
    flight_id: Annotated[str, typer.Argument(metavar="FLIGHT_ID")],
    output: OutputOption = Output.table,
) -> None:
    """Show one flight: each revision's bill with lines, legs and flags, or why it was refused.

    Exit 1 when nothing is known of it.
    """
    bills, refused, waiting = run(_load(settings_or_exit(Settings), flight_id))
    if not bills and not refused and not waiting:
        say(f"nothing is known of flight {flight_id}: it was not published, or waits to be billed")
        raise typer.Exit(EXIT_FINDINGS)
    if output is not Output.table:
        whole = [_whole(stored) for stored in bills]
        show_one({"bills": whole, "refused": refused, "waiting": waiting}, output)
        return
    for stored in bills:
        _show_bill(stored)
    if refused:
        show_rows(refused, output, columns=("flight_id", "revision", "why"), title="refused")
    if waiting:
        show_rows(waiting, output, columns=("flight_id", "revision", "why"), title="waiting")


async def _billed(settings: Settings, wanted: dict[str, Any]) -> list[Row]:
    async with reading(settings) as database, database.transaction() as tx:
        return [
            asdict(flight) | {"state": "cancelled" if flight.kind == "cancelled" else "billed"}
            for flight in await reads.billed_flights(tx, **wanted)
        ]


async def _waiting(settings: Settings, shown: Part) -> list[Row]:
    async with reading(settings) as database, database.transaction() as tx:
        waiting = await revision_reads.waiting_revisions(tx, most=shown.asked, skip=shown.skip)
        return [_waiting_row(revision) for revision in waiting]


async def _refused(settings: Settings, shown: Part) -> list[Row]:
    async with reading(settings) as database, database.transaction() as tx:
        flights = await reads.refused_flights(tx, most=shown.asked, skip=shown.skip)
        return [_refused_row(flight) for flight in flights]


async def _load(settings: Settings, flight_id: str) -> tuple[list[StoredBill], list[Row], list[Row]]:
    async with reading(settings) as database, database.transaction() as tx:
        refused = await reads.refused_flights(tx, flight_id=flight_id)
        waiting = await revision_reads.waiting_revisions(tx, flight_id=flight_id)
        bills = await reads.bills_of_flight(tx, flight_id)
    return bills, [_refused_row(flight) for flight in refused], [_waiting_row(one) for one in waiting]


def _waiting_row(revision: WaitingRevision) -> Row:
    return {
        "flight_id": revision.flight_id,
        "revision": revision.revision,
        "state": "waiting",
        "kind": revision.kind,
        "reason": revision.reason,
        "made_by": revision.made_by,
        "since": revision.kept_at,
        "why": revision.why(),
    }


def _refused_row(flight: RefusedFlight) -> Row:
    return {
        "flight_id": flight.flight_id,
        "revision": flight.revision,
        "state": "refused",
        "why": flight.sentence,
    }


def _whole(stored: StoredBill) -> Row:
    return {**stored.bill, "lines": stored.lines, "legs": stored.legs, "flags": stored.flags}


def _show_bill(stored: StoredBill) -> None:
    show_one(with_money([stored.bill], Output.table, MONEY)[0])
    for name, rows in (("lines", stored.lines), ("legs", stored.legs), ("flags", stored.flags)):
        if rows:
            named = [{**row, "currency": stored.bill["currency"]} for row in rows]
            columns = [column for column in rows[0] if column != "currency"]
            show_rows(
                with_money(named, Output.table, MONEY), columns=columns, title=name, right=(*MONEY, "tenths")
            )

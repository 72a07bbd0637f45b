"""`hobbs flights list` and `show`: what became of flights, billed or refused, with what needs a look."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import typer

from fleet.database import Tx
from fleet.settings import Settings
from hobbs.shell.connections import acting_as, run, settings_or_exit
from hobbs.shell.money_columns import with_money
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows

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
State = Literal["all", "billed", "refused", "flagged"]


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
    most: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many of each.")] = 1000,
    output: OutputOption = Output.table,
) -> None:
    """List flights by the day they are billed on; refused ones, whose facts are not in the books, first."""
    narrowed = bool(student or instructor or aircraft or since or until)
    found: list[Row] = []
    settings = settings_or_exit(Settings)
    if state in ("all", "refused") and not narrowed:
        found += run(_refused(settings, None, most))
    if state != "refused":
        wanted = {
            "student": student,
            "instructor": instructor,
            "aircraft": aircraft,
            "since": since.date() if since else None,
            "until": until.date() if until else None,
            "flagged": state == "flagged",
        }
        found += run(_billed(settings, wanted, most))
    show_rows(with_money(found, output, MONEY), output, columns=COLUMNS, right=("revision", *MONEY))


def show_command(
    flight_id: Annotated[str, typer.Argument(metavar="FLIGHT_ID")],
    output: OutputOption = Output.table,
) -> None:
    """Show one flight: each revision's bill with lines, legs and flags, or why it was refused.

    Exit 1 when nothing is known of it.
    """
    found = run(_load(settings_or_exit(Settings), flight_id))
    if not found["bills"] and not found["refused"]:
        say(f"nothing is known of flight {flight_id}: it was not published, or waits to be billed")
        raise typer.Exit(EXIT_FINDINGS)
    if output is not Output.table:
        show_one(found, output)
        return
    for bill in found["bills"]:
        _show_bill(bill)
    if found["refused"]:
        show_rows(found["refused"], output, columns=("flight_id", "revision", "why"), title="refused")


async def _billed(settings: Settings, wanted: dict[str, Any], most: int) -> list[Row]:
    async with acting_as(settings, "billing") as database, database.transaction() as tx:
        return [dict(row._mapping) for row in await tx.all(_BILLED, most=most, **wanted)]


async def _refused(settings: Settings, flight_id: str | None, most: int) -> list[Row]:
    async with acting_as(settings, "billing") as database, database.transaction() as tx:
        rows = await tx.all(_REFUSED, flight_id=flight_id, most=most)
    return [_refused_row(row.subject, row.why) for row in rows]


async def _load(settings: Settings, flight_id: str) -> dict[str, list[Row]]:
    async with acting_as(settings, "billing") as database, database.transaction() as tx:
        bills = [dict(row._mapping) for row in await tx.all(_BILLS_OF, flight_id=flight_id)]
        for bill in bills:
            for part, sql in (("lines", _LINES), ("legs", _LEGS), ("flags", _FLAGS)):
                bill[part] = await _part(tx, sql, bill["bill_id"])
        refused = await tx.all(_REFUSED, flight_id=flight_id, most=1000)
    return {"bills": bills, "refused": [_refused_row(row.subject, row.why) for row in refused]}


async def _part(tx: Tx, sql: str, bill_id: Any) -> list[Row]:
    return [dict(row._mapping) for row in await tx.all(sql, bill_id=bill_id)]


def _refused_row(subject: str | None, why: str) -> Row:
    """A refused flight; a record that could not be read at all names none."""
    _, _, name = (subject or "").partition(":")
    flight_id, _, revision = name.rpartition(":")
    return {"flight_id": flight_id or None, "revision": revision or None, "state": "refused", "why": why}


def _show_bill(bill: Row) -> None:
    parts = {name: bill.pop(name) for name in ("lines", "legs", "flags")}
    show_one(with_money([bill], Output.table, MONEY)[0])
    for name, rows in parts.items():
        if rows:
            named = [row | {"currency": bill["currency"]} for row in rows]
            columns = [column for column in rows[0] if column != "currency"]
            show_rows(
                with_money(named, Output.table, MONEY), columns=columns, title=name, right=(*MONEY, "tenths")
            )


# Flags are gathered once: the meter chain behind them is one walk over all readings, not one for each bill.
_BILLED: Final = """
    WITH flagged AS MATERIALIZED (
        SELECT bill_id, string_agg(kind, ' ' ORDER BY kind) AS flags,
               string_agg(sentence, '; ' ORDER BY kind) AS why
        FROM billing_public.flags GROUP BY bill_id)
    SELECT bill.flight_id, bill.revision, 'billed' AS state, bill.billed_on, bill.student, bill.instructor,
           bill.aircraft, bill.hours_from, bill.currency, bill.charge, bill.margin, flagged.flags,
           flagged.why
    FROM billing_public.bills AS bill
    LEFT JOIN flagged USING (bill_id)
    WHERE (CAST(:student AS text) IS NULL OR bill.student = :student)
      AND (CAST(:instructor AS text) IS NULL OR bill.instructor = :instructor)
      AND (CAST(:aircraft AS text) IS NULL OR bill.aircraft = :aircraft)
      AND (CAST(:since AS date) IS NULL OR bill.billed_on >= :since)
      AND (CAST(:until AS date) IS NULL OR bill.billed_on <= :until)
      AND (NOT CAST(:flagged AS boolean) OR flagged.flags IS NOT NULL)
    ORDER BY bill.billed_on, bill.occurred_at, bill.flight_id, bill.revision
    LIMIT :most
"""

_REFUSED: Final = """
    SELECT subject, sentence AS why FROM dead_letter
    WHERE topic IN ('flight.completed', 'flight.corrected') AND state = 'open'
      AND (CAST(:flight_id AS text) IS NULL
           OR subject LIKE 'flight:%' AND regexp_replace(substr(subject, 8), ':[0-9]+$', '') = :flight_id)
    ORDER BY id LIMIT :most
"""

_BILLS_OF: Final = """
    SELECT bill_id, flight_id, revision, billed_on, occurred_at, student, instructor, aircraft, hours_from,
           billed_tenths, currency, charge, legs_total, margin, school_version, billed_at
    FROM billing_public.bills WHERE flight_id = :flight_id ORDER BY revision
"""

_LINES: Final = """
    SELECT kind, description, tenths, rate, amount
    FROM billing_public.bill_lines WHERE bill_id = :bill_id ORDER BY position
"""

_LEGS: Final = "SELECT wallet, kind, amount FROM billing_public.bill_legs WHERE bill_id = :bill_id"

_FLAGS: Final = "SELECT kind, sentence FROM billing_public.flags WHERE bill_id = :bill_id ORDER BY kind"

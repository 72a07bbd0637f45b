"""`hobbs explain journal|flight|entry|wallet`: recomputes a number and compares it with the recorded one.

Exit 1 when the two differ: the findings say where.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from fleet.money import format_minor
from fleet.settings import Settings
from hobbs.check.recompute import ExplainedFlight, explain_flight, explain_wallet, journal_findings
from hobbs.check.revisions import ExplainedRevision
from hobbs.commands.queries import currency_of, no_wallet, read, read_snapshot
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.money_columns import readable
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_one, show_rows
from services.ledger.desk import reads
from services.ledger.desk.reads.journals import JournalDetails

MONEY: Final = (
    "amount", "balance_before", "balance_after", "rate", "charge", "legs_total", "remainder", "recomputed",
    "billed", "posted", "balance", "pending", "open_holds", "available", "limit", "before", "after",
    "difference",
)  # fmt: skip
COUNTS: Final = ("version", "position", "entries", "tenths", "rounding_tenths")

REVISION_MAX: Final = 2**31 - 1
_REVISION: Final = re.compile(r"[1-9][0-9]{0,9}")  # as the ledger's sources have it
VERSION_MAX: Final = 2**63 - 2

app = typer.Typer(no_args_is_help=True, help="Recompute a number and compare it with the recorded one.")


@app.command("journal")
def journal_command(
    name: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Such as flight:F123:1, or the journal's id.")
    ],
    output: OutputOption = Output.table,
) -> None:
    """Show a journal with its entries, and the bill of a flight's. Exit 1: there is none, or a finding."""
    journal = read(lambda tx: reads.journals.find_journal(tx, name))
    if journal is None:
        say(f"there is no journal {name}; `hobbs dead list -s ledger` shows requests that were refused")
        raise typer.Exit(EXIT_FINDINGS)
    flight = _flight_of(journal)
    findings = _findings(journal, flight)
    _show_journal(journal, flight, findings, output)
    _end(findings)


@app.command("flight")
def flight_command(
    flight_id: Annotated[str, typer.Argument(help="Such as F123.")],
    revision: Annotated[
        int | None, typer.Option(min=1, max=REVISION_MAX, help="Of this revision, not the newest.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Price a flight again from its readings and card versions; compare with bill and ledger.

    Shows every revision: what changed, by which rates, who decided, how each party's money follows.
    """
    flight = run(explain_flight(settings_or_exit(Settings), flight_id, revision))
    if flight is None:
        say(f"flight {flight_id} has no bill; `hobbs dead list -s billing` shows flights that were refused")
        raise typer.Exit(EXIT_FINDINGS)
    if output is Output.table:
        _show_flight(flight)
    else:
        show_one(asdict(flight), output)
    _end(flight.findings)


@app.command("entry")
def entry_command(
    wallet: Annotated[str, typer.Argument(help="The wallet, such as student:student-01.")],
    version: Annotated[
        int, typer.Argument(min=1, max=VERSION_MAX, help="The entry's version, as a statement shows it.")
    ],
    currency: Annotated[
        str | None, typer.Option(help="Needed only when the wallet holds several currencies.")
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Show an entry with the balances before and after it, and its journal."""
    chosen = currency_of(wallet, currency)
    pair = read(lambda tx: reads.statements.statement(tx, wallet, chosen, before=version + 1, most=2)).lines
    if not pair or pair[-1].version != version:
        say(f"{wallet} has no entry {version} in {chosen}")
        raise typer.Exit(EXIT_FINDINGS)
    line, before = pair[-1], pair[0].balance_after if len(pair) > 1 else 0
    journal = read(lambda tx: reads.journals.find_journal(tx, line.source))
    flight = _flight_of(journal) if journal else None
    findings = _findings(journal, flight) if journal else [f"{line.source}: the journal is missing"]
    if before + line.amount != line.balance_after:
        was, moved, after = (format_minor(n, chosen) for n in (before, line.amount, line.balance_after))
        findings.insert(0, f"{wallet} version {version}: {was} and {moved} are not {after}")
    shown = {"wallet": wallet, "balance_before": before, **asdict(line)}
    if output is Output.json:
        show_one({"entry": shown, "journal": _journal_body(journal, flight), "findings": findings}, output)
    else:
        show_one(_readable(shown, chosen) if output is Output.table else shown, output)
    if output is Output.table and journal:
        _show_journal(journal, flight, findings, output)
    _end(findings)


@app.command("wallet")
def wallet_command(
    wallet: Annotated[str, typer.Argument(help="Its address, such as student:student-01.")],
    output: OutputOption = Output.table,
) -> None:
    """Recompute a wallet from its entries and its open holds; sum its entries by type of journal."""
    found = read_snapshot(lambda tx: explain_wallet(tx, wallet))
    if not found:
        raise no_wallet(wallet)
    if output is Output.table:
        for one in found:
            show_one(_readable({**asdict(one), "by_event_type": None, "findings": None}, one.currency))
            show_rows(
                [_readable(asdict(kind), one.currency) for kind in one.by_event_type], right=[*MONEY, *COUNTS]
            )
    else:
        show_rows([asdict(one) for one in found], output)
    _end([finding for one in found for finding in one.findings])


def _end(findings: Sequence[str]) -> None:
    for finding in findings:
        say(finding)
    if findings:
        raise typer.Exit(EXIT_FINDINGS)


def _flight_of(journal: JournalDetails) -> ExplainedFlight | None:
    """The bill of a flight's journal, or of its adjustment's; None: it is the journal of something else."""
    kind, _, rest = journal.source.partition(":")
    flight_id, _, revision = rest.rpartition(":")
    if (
        kind not in ("flight", "adjustment")
        or not _REVISION.fullmatch(revision)
        or int(revision) > REVISION_MAX
    ):
        return None
    return run(explain_flight(settings_or_exit(Settings), flight_id, int(revision)))


def _findings(journal: JournalDetails, flight: ExplainedFlight | None) -> list[str]:
    """The findings of a journal: those of its bill and its own."""
    of_flight = [] if flight is None else flight.findings
    own = read(lambda tx: journal_findings(tx, journal))
    return list(dict.fromkeys([*of_flight, *own]))


def _journal_body(journal: JournalDetails | None, flight: ExplainedFlight | None) -> dict[str, Any]:
    if journal is None:
        return {}
    return {
        **{field: value for field, value in asdict(journal).items() if field != "entries"},
        "content_hash": journal.content_hash.hex(),
        "content_matches_hash": journal.content_matches_hash,
        "entries": [asdict(entry) for entry in journal.entries],
        "flight": None if flight is None else asdict(flight),
    }


def _show_journal(
    journal: JournalDetails, flight: ExplainedFlight | None, findings: Sequence[str], output: Output
) -> None:
    body = _journal_body(journal, flight)
    entries = body.pop("entries")
    body.pop("flight")
    if output is Output.json:
        show_one({**_journal_body(journal, flight), "findings": findings}, output)
    elif output is Output.csv:
        show_rows([{**body, **entry} for entry in entries], output)
    else:
        show_one(body, output)
        show_rows([_readable(entry, entry["currency"]) for entry in entries], right=[*MONEY, *COUNTS])
        if flight is not None:
            _show_flight(flight)


def _show_flight(flight: ExplainedFlight) -> None:
    totals = {
        "source": flight.source,
        "billed_on": flight.billed_on,
        **flight.hours,
        "charge": flight.charge,
        "legs_total": flight.legs_total,
        "remainder": flight.remainder,
        "in_ledger": "yes" if flight.in_ledger else "no, another revision stands there",
        "reverted_by": ", ".join(flight.reverts) or None,
    }
    currency = flight.currency
    right = [*MONEY, *COUNTS]
    show_one(_readable(totals, currency))
    show_rows([flight.readings], title="facts, in tenths")
    show_rows(flight.rates, title="rates, by version")
    show_rows([_readable(line, currency) for line in flight.lines], title="lines", right=right)
    show_rows([_readable(leg, currency) for leg in flight.legs], title="legs", right=right)
    sides = [_readable({**asdict(side), "agrees": side.agrees}, currency) for side in flight.wallets]
    show_rows(sides, title="recomputed and compared", right=right)
    show_rows(
        [_readable(one, one["currency"]) for one in flight.payables], title="owed to payees", right=right
    )
    show_rows(
        [_readable(one, currency) for one in flight.recoveries],
        title="lost disputes, borne by payees",
        right=right,
    )
    if len(flight.revisions) > 1:
        for revision in flight.revisions:
            _show_revision(revision, currency)


def _show_revision(revision: ExplainedRevision, currency: str) -> None:
    """One revision: what it says, then what it changed, how it was decided and how it is settled."""
    said = asdict(revision)
    parts = {name: said.pop(name) for name in _PARTS}
    show_one(_readable({**said, "sentence": said["sentence"] or None}, currency))
    for name, title in _PARTS.items():
        money = name in ("differences", "settlements")
        if rows := [_readable(row, currency) if money else row for row in parts[name]]:
            show_rows(rows, title=f"revision {revision.revision}: {title}", right=[*MONEY, *COUNTS])


_PARTS: Final = {
    "facts": "facts that changed, in tenths",
    "rates": "other rates, by version",
    "differences": "differences against what stood",
    "approvals": "approvals",
    "steps": "how it was decided",
    "settlements": "how the money follows",
}


def _readable(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    known = {field: value for field, value in row.items() if value is not None}
    return readable(known, MONEY, currency=currency)

"""The school's book of rates: apply a school.toml, show the book, and every version of it."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.settings import Settings
from fleet.zones import local_date
from hobbs.commands import school_rates
from hobbs.flights.file import parse_column_map, read_flights_file
from hobbs.flights.unreadable import FileUnreadable
from hobbs.school.applying import change_and_wait, publish_people
from hobbs.school.book import (
    bills_that_stay,
    read_book,
    read_contacts,
    read_history,
)
from hobbs.school.contacts import (
    ContactDifference,
    contact_differences,
    contact_text,
)
from hobbs.school.difference import Difference, differences, from_text, settings_text
from hobbs.school.draft import draft
from hobbs.school.file import SchoolFile, read_school_file
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Question, decide
from hobbs.shell.names import refuse_names
from hobbs.shell.output import EXIT_FINDINGS, EXIT_USAGE, Output, OutputOption, agreed, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption, needed
from services.billing.desk.reads import CardHistory
from services.payouts.desk import reads as payouts

FILE_BYTES_MAX = 10_000_000

app = typer.Typer(no_args_is_help=True, help=__doc__)
app.add_typer(school_rates.app, name="rates")

FileArgument = Annotated[Path, typer.Argument(help="A school.toml; its format: services/billing/README.md.")]
KindArgument = Annotated[
    str | None,
    typer.Argument(help="school, adjustments, tax, student_rate, instructor, owner, student or aircraft."),
]
KeyArgument = Annotated[str | None, typer.Argument(help="An id, a tail, a kind of line, or default.")]

AnewOption = Annotated[
    list[str] | None,
    typer.Option("--anew", metavar="WALLET", help="State a person again who was erased, on purpose."),
]


@app.command("apply")
def apply_command(
    file: FileArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Show the difference and change nothing.")] = False,
    who: WhoOption = "",
    why: Annotated[
        str | None, typer.Option(help="The reason; it stays in the history.", callback=needed)
    ] = None,
    wait: Annotated[
        bool, typer.Option(help="Wait until every service has it; else billing has a day.")
    ] = True,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to wait.")] = 60.0,
    anew: AnewOption = None,
    output: OutputOption = Output.table,
) -> None:
    """Make the book say what FILE says: show the difference, ask, have billing change it, and wait.

    Where people have logins and flights are billed, another person applies the same file within a day. Names
    and addresses of people are published apart from the book, and kept where they can be erased.
    Exit 0: applied, waits for another person, or nothing to change. Exit 1: the file is wrong, somebody said
    no, or it was refused.
    """
    if why is None and not dry_run and (yes or not sys.stdin.isatty()):
        say("say why with --why: the reason stays in the history")
        raise typer.Exit(EXIT_USAGE)
    settings = settings_or_exit(Settings)
    stated = read_or_exit(file)
    standing = run(read_book(settings))
    changed = differences(stated.cards, standing.cards)
    people = changed_people(settings, stated, anew or ())
    if not changed and not people:
        show_difference([], [], stated.currency, output)
        say(f"nothing to change; the book is at version {standing.version}")
        say_what_stripe_refused(settings)
        return
    show_difference(changed, people, stated.currency, output)
    warn_of_bills(settings, changed)
    if dry_run:
        say(f"dry run: {_counted(changed, people)} would change; nothing was asked for")
        return
    reason = why or needed(typer.prompt("Why", err=True)) or ""
    run(refuse_names(settings, reason))
    if not yes and not agreed(f"change {_counted(changed, people)} of version {standing.version}?"):
        say("nothing changed")
        raise typer.Exit(EXIT_FINDINGS)
    seconds = timeout if wait else 0.0
    publish_people(settings, people, seconds=seconds)
    if changed:
        change_and_wait(settings, standing, changed, who=who, why=reason, seconds=seconds)


def changed_people(settings: Settings, stated: SchoolFile, anew: Sequence[str]) -> list[ContactDifference]:
    """Of whom the file says another name or address; names those who were erased and stay so."""
    kept = run(read_contacts(settings))
    if kept is None:
        say("names and addresses stay as they are: your login may not read them")
        return []
    people, left_out = contact_differences(stated.contacts, kept, anew=anew)
    for wallet in left_out:
        say(
            f"{wallet} was erased: the file's name and address stay out; take them from the file, or state "
            f"them on purpose with --anew {wallet}"
        )
    return people


def _counted(changed: Sequence[Difference], people: Sequence[ContactDifference]) -> str:
    cards = "1 card" if len(changed) == 1 else f"{len(changed)} cards"
    persons = "1 person" if len(people) == 1 else f"{len(people)} people"
    parts = [cards] if changed else []
    parts += [f"the name or address of {persons}"] if people else []
    return " and ".join(parts)


def say_what_stripe_refused(settings: Settings) -> None:
    """Name refused requests for accounts: a version of the book makes them again, and here is none."""

    async def refused() -> int:
        async with reading(settings) as database, database.transaction() as tx:
            return len(await payouts.list_stopped(tx, state="refused", kind="account"))

    if count := run(refused()):
        say(f"Stripe refused {count} payees' accounts: see `hobbs transfers operations list`, then `retry`")


@app.command("tell")
def tell_command(
    why: NeededWhyOption,
    dry_run: Annotated[bool, typer.Option(help="Show what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Have billing tell the whole book again, for readers that are new or whose records were deleted."""
    question = Question(service="billing", action="tell", object="school", who=who, why=why)
    decide(question, dry_run=dry_run, yes=yes, prompt="Tell the whole book again?")


@app.command("diff")
def diff_command(file: FileArgument, output: OutputOption = Output.table) -> None:
    """Show what FILE would change. Exit 1 when it would change something, 0 when nothing."""
    settings = settings_or_exit(Settings)
    stated = read_or_exit(file)
    standing = run(read_book(settings))
    changed = differences(stated.cards, standing.cards)
    people = changed_people(settings, stated, ())
    show_difference(changed, people, stated.currency, output)
    if changed or people:
        raise typer.Exit(EXIT_FINDINGS)
    say(f"nothing to change; the book is at version {standing.version}")


@app.command("history")
def history_command(
    kind: KindArgument = None, key: KeyArgument = None, output: OutputOption = Output.table
) -> None:
    """Show every version of every card (of a kind, of a key): when, who, why, old and new."""
    settings = settings_or_exit(Settings)
    history = run(read_history(settings, kind, key))
    rows: list[dict[str, Any]] = [asdict(version) for version in history]
    if output is Output.table:
        currency = run(read_book(settings)).currency()
        rows = [_history_row(version, currency) for version in history]
    show_rows(rows, output, columns=_HISTORY_COLUMNS[output is Output.table])


_HISTORY_COLUMNS = {
    True: ("version", "at", "who", "why", "card", "from", "change", "settings"),
    False: ("version", "at", "who", "why", "kind", "key", "effective_from", "old", "new"),
}


@app.command("show")
def show_command(
    kind: KindArgument = None,
    key: KeyArgument = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="In force on this day; default: today.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dated card, past and future too.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show the cards in force today, or on a day."""
    standing = run(read_book(settings_or_exit(Settings)))
    day = on.date() if on else local_date(datetime.now(UTC), standing.time_zone())
    chosen = standing.cards if everything else standing.in_force(day)
    cards = [card for card in chosen if kind in (None, card.kind) and key in (None, card.key)]
    show_rows(
        [
            {
                "card": f"{card.kind} {card.key}",
                "from": from_text(card.effective_from),
                "version": card.version,
                "settings": settings_text(None, card.document, standing.currency()),
            }
            if output is Output.table
            else {
                "kind": card.kind,
                "key": card.key,
                "effective_from": card.effective_from,
                "version": card.version,
                "document": card.document,
            }
            for card in cards
        ],
        output,
        right=["version"],
    )


@app.command("draft")
def draft_command(
    flights: Annotated[
        Path, typer.Argument(help="A flights file (.csv or .jsonl), as for `flights publish`.")
    ],
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=NAME, as for `flights publish`.")
    ] = None,
) -> None:
    """Write a first school.toml on stdout, with the aircraft and people of a flights file."""
    try:
        read = read_flights_file(
            _bytes_or_exit(flights),
            jsonl=flights.suffix == ".jsonl",
            column_map=parse_column_map(columns or []),
        )
    except FileUnreadable as error:
        say(f"{flights}: {error}")
        raise typer.Exit(EXIT_FINDINGS) from None
    for rejected in read.rejected:
        say(f"{flights}:{rejected.line}: not read: {rejected.sentence}")
    sys.stdout.write(draft(read.events(), flights.name))


def read_or_exit(file: Path) -> SchoolFile:
    """Read the file; name every problem with its line on stderr and exit 1."""
    try:
        text = _bytes_or_exit(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        say(f"{file}: not UTF-8, byte {error.start}; save it as UTF-8")
        raise typer.Exit(EXIT_FINDINGS) from None
    stated = read_school_file(text)
    for problem in stated.problems:
        say(f"{file}:{problem.line}: {problem.sentence}")
    if stated.problems:
        raise typer.Exit(EXIT_FINDINGS)
    return stated


def show_difference(
    changed: Sequence[Difference], people: Sequence[ContactDifference], currency: str, output: Output
) -> None:
    """Write one row for each card that changes, and for each person whose name or address does."""
    rows: list[dict[str, Any]] = [
        {
            "change": d.what,
            "card": f"{d.kind} {d.key}",
            "from": from_text(d.effective_from),
            "settings": settings_text(d.old, d.new, currency),
        }
        if output is Output.table
        else {
            "change": d.what,
            "kind": d.kind,
            "key": d.key,
            "effective_from": d.effective_from,
            "old": d.old,
            "new": d.new,
        }
        for d in changed
    ]
    rows += [
        {"change": one.what, "card": f"contact {one.wallet}", "from": "now", "settings": contact_text(one)}
        if output is Output.table
        else {
            "change": one.what,
            "kind": "contact",
            "key": one.wallet,
            "effective_from": None,
            "old": {"name": one.old.full_name, "email": one.old.email},
            "new": {"name": one.new.full_name, "email": one.new.email},
        }
        for one in people
    ]
    if rows or output is not Output.table:
        show_rows(rows, output)


def warn_of_bills(settings: Settings, changed: Sequence[Difference]) -> None:
    """Say how many bills there are from each changed card's date on: they keep their price."""
    for (kind, key, day), bills in run(bills_that_stay(settings, changed)).items():
        say(
            f"{kind} {key} from {from_text(day)}: {bills} bills from that day on stay as they are; "
            "`hobbs flights reprice` carries it to them"
        )


def _history_row(one: CardHistory, currency: str) -> dict[str, Any]:
    change = Difference(
        kind=one.kind,
        key=one.key,
        effective_from=one.effective_from,
        old=one.old,
        new=one.new,
    )
    return {
        "version": one.version,
        "at": one.at,
        "who": one.who,
        "why": one.why,
        "card": f"{change.kind} {change.key}",
        "from": from_text(change.effective_from),
        "change": change.what,
        "settings": settings_text(change.old, change.new, currency),
    }


def _bytes_or_exit(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        say(f"{file}: {error.strerror or error}")
        raise typer.Exit(EXIT_USAGE) from None
    if len(content) > FILE_BYTES_MAX:
        say(f"{file}: more than {FILE_BYTES_MAX} bytes")
        raise typer.Exit(EXIT_FINDINGS)
    return content

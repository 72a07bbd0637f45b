"""One person: show everything that is held about them, erase their name and address, and who was erased.

People are named by the ids of the school's book: student:ID, instructor:ID, owner:ID.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import orjson
import typer

from fleet import letters_telling
from fleet.decisions import LETTERS_MAX
from fleet.grants import OPERATOR
from fleet.settings import Settings
from hobbs.persons.held import asked_something, held_about, students
from hobbs.persons.parts import NoPerson, parts_of, wallet_of
from hobbs.shell.connections import acting_as, reading, run, settings_or_exit
from hobbs.shell.decisions import Question
from hobbs.shell.output import EXIT_USAGE, Output, OutputOption, say, show_rows
from hobbs.shell.reasons import NeededWhyOption, WhoOption
from hobbs.shell.several_decisions import decide_several
from schemas.services import DECIDE
from services.payouts.desk.reads import contacts

app = typer.Typer(no_args_is_help=True, help=__doc__)

COLUMNS: Final = ("wallet", "erased_at", "who", "why", "stated_anew")
LETTERS: Final = "dead letters"
STAYS: Final = (
    "what stays: ids, flights, money, journals, transfers and who decided what, as the books need them. "
    "Stripe keeps its own copy: delete the person there too. Records of releases before 0314 and backups: "
    "docs/operations/people.md"
)

PersonArgument = Annotated[
    str, typer.Argument(metavar="PERSON", help="student:ID, instructor:ID or owner:ID.")
]
AloneOption = Annotated[
    bool, typer.Option("--alone", help="This id only, and not the same person's others in the book.")
]


@app.command("export")
def export_command(person: PersonArgument, alone: AloneOption = False) -> None:
    """Print everything that is held about one person, as JSON."""
    settings = settings_or_exit(Settings)
    wallets = _wallets(settings, person, alone=alone)
    held = run(_held(settings, wallets))
    document = {"person": wallets, **held}
    typer.echo(orjson.dumps(document, default=str, option=orjson.OPT_INDENT_2).decode())


@app.command("erase")
def erase_command(
    person: PersonArgument,
    why: NeededWhyOption,
    alone: AloneOption = False,
    also_called: Annotated[
        list[str] | None,
        typer.Option("--also-called", help="Another text that dead letters are searched for."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """Erase a person's name and address, and what dead letters and questions say of them; for good.

    Done again it changes nothing. A later school.toml that still has the name does not bring it back.
    """
    settings = settings_or_exit(Settings)
    wallets = _wallets(settings, person, alone=alone)
    letters = run(_letters_of(settings, wallets, also_called or ()))
    questions = [
        Question(service=service, action="forget", object=LETTERS, who=who, why=why, parameters={"ids": ids})
        for service, found in letters.items()
        for ids in _portions(found)
    ]
    if run(_asked_something(settings, wallets)):
        questions.append(_erase("console", wallets, who, why))
    people = ", ".join(wallets)
    say(STAYS)
    if questions:  # first, and whole: letters are found by the name
        decide_several(questions, dry_run=dry_run, yes=yes, prompt=f"Forget what else is kept of {people}?")
    last = [_erase("payouts", wallets, who, why)]
    decide_several(last, dry_run=dry_run, yes=yes, prompt=f"Erase {people} for good?")


def _portions(ids: Sequence[str]) -> Iterator[list[str]]:
    """As many letters as one decision may name."""
    yield from (list(ids[first : first + LETTERS_MAX]) for first in range(0, len(ids), LETTERS_MAX))


def _erase(service: str, wallets: Sequence[str], who: str, why: str) -> Question:
    parameters = {"also": list(wallets[1:])}
    return Question(
        service=service, action="erase", object=wallets[0], who=who, why=why, parameters=parameters
    )


@app.command("erased")
def erased_command(output: OutputOption = Output.table) -> None:
    """List who was erased, by id: when, by whom and why, and whether they were stated again on purpose."""
    rows = [asdict(one) for one in run(_erasures(settings_or_exit(Settings)))]
    show_rows(rows, output, columns=COLUMNS if output is Output.table else None)


def _wallets(settings: Settings, person: str, *, alone: bool) -> list[str]:
    """The person's wallets, the one that was named first. Exits 2 when nobody is named."""
    try:
        wallet = wallet_of(person)
    except NoPerson as error:
        say(str(error))
        raise typer.Exit(EXIT_USAGE) from None
    parts = [wallet] if alone else parts_of(wallet, run(_students(settings)))
    return [wallet, *(part for part in parts if part != wallet)]


async def _students(settings: Settings) -> list[tuple[str, dict[str, Any]]]:
    async with reading(settings) as database, database.transaction() as tx:
        return await students(tx)


async def _held(settings: Settings, wallets: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    async with reading(settings, role=OPERATOR) as database, database.transaction() as tx:
        held = await held_about(tx, wallets)
    letters = await _letters_of(settings, wallets, ())
    held["dead_letters"] = [
        {"service": service, "id": letter} for service, ids in letters.items() for letter in ids
    ]
    return held


async def _letters_of(
    settings: Settings, wallets: Sequence[str], also_called: Sequence[str]
) -> dict[str, list[str]]:
    """Each service's dead letters whose content has the person's name or address in it."""
    async with reading(settings, role=OPERATOR) as database, database.transaction() as tx:
        kept = await contacts.of(tx, wallets)
    texts = [*also_called, *(text for row in kept for text in (row.full_name, row.email) if text)]
    found: dict[str, list[str]] = {}
    for service in DECIDE if texts else ():
        async with acting_as(settings, service) as database, database.transaction() as tx:
            ids = [str(one) for one in await letters_telling.telling_of(tx, texts)]
        if ids:
            found[service] = ids
    return found


async def _asked_something(settings: Settings, wallets: Sequence[str]) -> bool:
    async with reading(settings) as database, database.transaction() as tx:
        return await asked_something(tx, wallets)


async def _erasures(settings: Settings) -> list[contacts.Erasure]:
    async with reading(settings) as database, database.transaction() as tx:
        return await contacts.erasures(tx)

"""`hobbs dead`: the dead letters of all services: list, show, redrive, discard, correct.

A letter's payload may hold personal data: it is shown only when asked for, and never in a list.
"""

from base64 import b64decode
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
import typer

from fleet import dead_letters
from fleet.decisions import LETTERS_MAX
from fleet.revisions import services
from fleet.settings import Settings
from hobbs.shell.connections import acting_as, reading, run, settings_or_exit
from hobbs.shell.decisions import Answer, Effects, Question, ask, decide_about
from hobbs.shell.lists import LISTED_MAX, MostOption, SkipOption, part
from hobbs.shell.money_columns import with_money
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
from hobbs.shell.reasons import NeededWhyOption, WhoOption, WhyOption, optional

PAYLOAD_CHARS_MAX: Final = 4_000
DONE: Final = {"redrive": "redriven", "discard": "discarded"}

app = typer.Typer(no_args_is_help=True, help=__doc__)

Letter = dict[str, Any]
ServiceOption = Annotated[str | None, typer.Option("--service", "-s", help="Only this service's letters.")]
ReasonOption = Annotated[str | None, typer.Option(help="Only this reason, such as unknown_aircraft.")]
TopicOption = Annotated[str | None, typer.Option(help="Only records of this topic.")]
IdsArgument = Annotated[list[UUID] | None, typer.Argument(help="Ids as `hobbs dead list` shows them.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every open letter that the filters leave.")]
DryRunOption = Annotated[bool, typer.Option(help="Show what would happen and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
COLUMNS: Final = (
    "service",
    "id",
    "topic",
    "reason",
    "subject",
    "sentence",
    "attempts",
    "state",
    "last_seen_at",
)


@app.command("list")
def list_command(
    service: ServiceOption = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    state: Annotated[Literal["open", "redriven", "discarded", "all"], typer.Option()] = "open",
    most: MostOption = None,
    skip: SkipOption = 0,
    output: OutputOption = Output.table,
) -> None:
    """List each service's letters, newest first. Exit 1 when an open one is among them, 0 when there is none.

    --most and --skip count each service's letters.
    """
    settings, shown = settings_or_exit(Settings), part(most, skip, output)
    wanted = None if state == "all" else state
    letters: list[Letter] = []
    for name in _named(service):
        rows = run(
            find_letters(
                settings,
                name,
                reason=reason,
                topic=topic,
                state=wanted,
                most=shown.asked,
                skip=skip,
                newest_first=True,
            )
        )
        letters += shown.of(rows, "letters", whose=f"{name}: ")
    show_rows(letters, output, columns=None if letters and output is not Output.table else COLUMNS)
    if any(letter["state"] == "open" for letter in letters):
        raise typer.Exit(EXIT_FINDINGS)


@app.command("show")
def show_command(
    letter_id: Annotated[UUID, typer.Argument(metavar="ID")],
    payload: Annotated[
        bool, typer.Option(help="Show the record's bytes too; they may be personal data.")
    ] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show one letter: where it came from, why it stopped, its history, and with --payload its bytes."""
    letter = run(load_letter(settings_or_exit(Settings), letter_id))
    if letter is None:
        say(f"there is no dead letter {letter_id}")
        raise typer.Exit(EXIT_FINDINGS)
    show_one(readable(letter, payload=payload, whole=output is not Output.table), output)


@app.command("redrive")
def redrive_command(
    ids: IdsArgument = None,
    everything: AllOption = False,
    service: ServiceOption = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    why: WhyOption = "",
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Send letters back to the topic they came from, after their cause is fixed.

    What fails again comes back as the same letter with one attempt more. Exit 1 when an id was not there
    or could not be redriven.
    """
    letters = _chosen(ids, everything, service, reason=reason, topic=topic, states=("open", "discarded"))
    show_rows(letters, output, columns=None if letters and output is not Output.table else COLUMNS)
    questions = questions_about(letters, "redrive", who=who, why=why)
    _exit_unless_whole(letters, ids, _decide(questions, "redrive", dry_run=dry_run, yes=yes))


@app.command("discard")
def discard_command(
    why: Annotated[
        str, typer.Option(help="The reason; it stays with the letter.", prompt="Why", callback=optional)
    ],
    ids: IdsArgument = None,
    everything: AllOption = False,
    service: ServiceOption = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Close letters without processing them; they stay readable and can still be redriven by id."""
    letters = _chosen(ids, everything, service, reason=reason, topic=topic, states=("open",))
    show_rows(letters, output, columns=None if letters and output is not Output.table else COLUMNS)
    questions = questions_about(letters, "discard", who=who, why=why)
    _exit_unless_whole(letters, ids, _decide(questions, "discard", dry_run=dry_run, yes=yes))


@app.command("correct")
def correct_command(
    letter_id: Annotated[UUID, typer.Argument(metavar="ID")],
    facts: Annotated[
        list[str], typer.Option("--set", help="A fact of the flight as it should be: aircraft=N364MA.")
    ],
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Tell a refused flight again with other facts, and close its letter; shows what it would be billed.

    Letters of flight.completed and flight.corrected; nothing after = takes a fact out.
    """
    named = dict(one.partition("=")[::2] for one in facts)
    if not all("=" in one for one in facts) or len(named) < len(facts):
        raise typer.BadParameter("write each fact once, as name=value", param_hint="--set")
    told = {name.strip(): text for name, text in named.items()}
    decide_about(
        "billing",
        "correct_letter",
        str(letter_id),
        who,
        why,
        dry_run=dry_run,
        yes=yes,
        parameters={"facts": told},
        show=lambda effects: _show_corrected(effects, output),
    )


def _show_corrected(effects: Effects, output: Output) -> None:
    facts = [one for one in effects if "setting" in one]
    amounts = [one for one in effects if "wallet" in one]
    show_rows(facts, output, columns=("setting", "before", "after"))
    if output is Output.table:
        show_rows(with_money(amounts, output, ("amount",)), output, right=("amount",))


async def find_letters(
    settings: Settings,
    service: str | None = None,
    *,
    reason: str | None = None,
    topic: str | None = None,
    state: str | None = "open",
    most: int = LISTED_MAX,
    skip: int = 0,
    newest_first: bool = False,
) -> list[Letter]:
    """Letters of one service or of all, each with its service's name; the oldest first unless told."""
    ask_for = partial(
        dead_letters.list_letters,
        state=state,
        reason=reason,
        topic=topic,
        most=most,
        skip=skip,
        newest_first=newest_first,
    )
    found: list[Letter] = []
    for name in _named(service):
        async with reading(settings, name) as database, database.transaction() as tx:
            rows = await ask_for(tx)
        found += [{"service": name, **row._mapping} for row in rows]
    return found


async def load_letter(settings: Settings, letter_id: UUID) -> Letter | None:
    for name in services():
        async with acting_as(settings, name) as database, database.transaction() as tx:
            if row := await dead_letters.show(tx, letter_id):
                return {"service": name, **row._mapping}
    return None


def questions_about(letters: Sequence[Letter], verb: str, *, who: str, why: str) -> list[Question]:
    """What each service is asked about its letters: a bounded number of them in each question."""
    questions: list[Question] = []
    for name in dict.fromkeys(letter["service"] for letter in letters):
        ids = [str(letter["id"]) for letter in letters if letter["service"] == name]
        questions += [
            Question(
                service=name,
                action=verb,
                object="dead letters",
                parameters={"ids": ids[start : start + LETTERS_MAX]},
                who=who,
                why=why,
            )
            for start in range(0, len(ids), LETTERS_MAX)
        ]
    return questions


def readable(letter: Letter, *, payload: bool, whole: bool = False) -> Letter:
    """Make a letter fit for eyes: bytes as text with escapes, JSON opened; the payload only when asked."""
    value = letter["value"]
    history = [_with_former_content(step, payload=payload) for step in _opened(letter["history"])]
    shown = letter | {
        "headers": _opened(letter["headers"]),
        "history": history if whole else "\n".join(_step(step) for step in history),
        "key": as_text(letter["key"]),
        "payload_hash": None if letter["payload_hash"] is None else letter["payload_hash"].hex(),
        "value": f"{len(value)} bytes; --payload shows them" if value is not None else "null",
    }
    if payload and value is not None:
        text = as_text(value) or ""
        cut = not whole and len(text) > PAYLOAD_CHARS_MAX
        more = f" … {len(text) - PAYLOAD_CHARS_MAX} characters more; -o json shows all" if cut else ""
        shown["value"] = text[:PAYLOAD_CHARS_MAX] + more if cut else text
    return shown


def _with_former_content(step: Letter, *, payload: bool) -> Letter:
    """A step of a history; what the letter held before it as text, and only when asked."""
    was = step.get("was")
    if not was or was.get("value") is None:
        return step
    value, key = (None if was.get(name) is None else b64decode(was[name]) for name in ("value", "key"))
    size = f"{len(value or b'')} bytes; --payload shows them"
    return step | {"was": was | {"key": as_text(key), "value": as_text(value) if payload else size}}


def _step(step: Letter) -> str:
    """One line of a letter's history."""
    who = f" by {step['who']}" if "who" in step else ""
    why = step.get("sentence") or step.get("why") or ""
    reason = f" {step['reason']}" if "reason" in step else ""
    was = step.get("was")
    before = f" (before it the letter held {was['partition']}:{was['offset']})" if was else ""
    return f"{step['at'][:19]} {step['what']}{who}{reason}{before}" + (f": {why}" if why else "")


def as_text(value: bytes | None) -> str | None:
    """Text that loses nothing: bytes that are not UTF-8 become backslash escapes."""
    return None if value is None else bytes(value).decode("utf-8", "backslashreplace")


def _named(service: str | None) -> list[str]:
    known = services()
    if service is not None and service not in known:
        raise typer.BadParameter(f"{service!r} is not one of {', '.join(known)}", param_hint="--service")
    return known if service is None else [service]


def _chosen(
    ids: Sequence[UUID] | None,
    everything: bool,
    service: str | None,
    *,
    reason: str | None,
    topic: str | None,
    states: Sequence[str],
) -> list[Letter]:
    if bool(ids) == everything:
        say("name the ids, or say --all (with --service, --reason or --topic to choose among them)")
        raise typer.Exit(EXIT_USAGE)
    settings = settings_or_exit(Settings)
    state = "open" if everything else None
    letters = run(find_letters(settings, service, reason=reason, topic=topic, state=state))
    wanted = set(ids or ())
    return [x for x in letters if x["state"] in states and (everything or x["id"] in wanted)]


def _decide(questions: Sequence[Question], verb: str, *, dry_run: bool, yes: bool) -> int:
    """Preview, ask the person, decide; how many letters changed, or would. Exits 1 at the person's no."""
    settings = settings_or_exit(Settings)
    previews = [run(ask(settings, question, dry_run=True)) for question in questions]
    agreed_to = [(q, p.preview_hash) for q, p in zip(questions, previews, strict=True) if p.preview_hash]
    count = _letters_of(previews)
    _say_refusals(previews)
    if dry_run:
        say(f"dry run: {count} letters to {verb}; nothing changed")
        return count
    if agreed_to and not yes and not agreed(f"{verb} {count} letters?"):
        say("nothing changed")
        raise typer.Exit(EXIT_FINDINGS)
    answers = [run(ask(settings, question, preview_hash=shown)) for question, shown in agreed_to]
    say(f"{_letters_of(answers)} letters {DONE[verb]}")
    _say_refusals(answers)
    return _letters_of(answers)


def _letters_of(answers: Sequence[Answer]) -> int:
    return sum(len(answer.effects) for answer in answers)


def _say_refusals(answers: Sequence[Answer]) -> None:
    for answer in answers:
        if answer.outcome == "refused":
            say(answer.sentence)


def _exit_unless_whole(letters: Sequence[Letter], ids: Sequence[UUID] | None, changed: int) -> None:
    """Name the letters that could not be chosen; exit 1 when there are any, or one was not changed."""
    missing = _missing(letters, ids)
    for letter_id in missing:
        say(f"{letter_id}: no such letter that could be chosen")
    if missing or changed < len(letters):
        raise typer.Exit(EXIT_FINDINGS)


def _missing(letters: Sequence[Letter], ids: Sequence[UUID] | None) -> list[UUID]:
    found = {letter["id"] for letter in letters}
    return [letter_id for letter_id in ids or () if letter_id not in found]


def _opened(document: Any) -> Any:
    return orjson.loads(document) if isinstance(document, str | bytes) else document

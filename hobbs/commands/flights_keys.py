"""API keys of schedulers that publish over HTTP: made here, shown once, kept only as a hash."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from fleet.settings import Settings
from hobbs.flights.api_keys import new_key
from hobbs.shell.connections import reading, run, settings_or_exit
from hobbs.shell.decisions import Question, decide
from hobbs.shell.output import Output, OutputOption, say, show_one, show_rows
from hobbs.shell.reasons import WhoOption, WhyOption
from services.gateway.desk import reads
from services.gateway.desk.reads import KeyListed
from services.gateway.domain.api_keys import DAYS_MAX, NAME_CHARS_MAX, SCOPES, is_name

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Such as the scheduler's name.")]
DryRunOption = Annotated[bool, typer.Option(help="Say what would happen and change nothing.")]


@app.command("create")
def create_command(
    name: NameArgument,
    scope: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SCOPES)}; all unless told.")] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=DAYS_MAX, help="How many days it is good; until it is revoked unless told."),
    ] = None,
    dry_run: DryRunOption = False,
    why: WhyOption = "",
    who: WhoOption = "",
    output: OutputOption = Output.table,
) -> None:
    """Make a key and show it: now, and never again.

    Exit 1 when a living key has the name, or the gateway does not answer.
    """
    scopes = list(dict.fromkeys(scope or SCOPES))
    if unknown := [one for one in scopes if one not in SCOPES]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SCOPES)}", param_hint="--scope")
    _require_name(name)
    made = new_key()
    told = {"key_hash": made.key_hash.hex(), "hint": made.hint, "scopes": scopes}
    question = Question(
        service="gateway",
        action="create_key",
        object=name,
        who=who,
        why=why,
        parameters=told if days is None else told | {"days": days},
    )
    decide(question, dry_run=dry_run, yes=True, prompt="")
    if not dry_run:
        show_one({"name": name, "scopes": " ".join(scopes), "key": made.key}, output)
        say("keep this key now: it is stored only as a hash and cannot be shown again")


@app.command("list")
def list_command(
    everything: Annotated[bool, typer.Option("--all", help="Revoked ones too.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """List keys: names, scopes, when made, last used, revoked, until when."""
    keys = run(_list(settings_or_exit(Settings)))
    rows = [_row(key) for key in keys if everything or key.revoked_at is None]
    show_rows(rows, output, columns=None if rows else ("name", "hint", "scopes"))


@app.command("revoke")
def revoke_command(
    name: NameArgument,
    dry_run: DryRunOption = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    why: WhyOption = "",
    who: WhoOption = "",
) -> None:
    """Revoke the living key of that name: it is refused from the next request on.

    Exit 1 when no living key has the name, when you say no, or when the gateway does not answer.
    """
    _require_name(name)
    question = Question(service="gateway", action="revoke_key", object=name, who=who, why=why)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"Revoke the key {name!r}?")


def _require_name(name: str) -> None:
    if not is_name(name):
        hint = f"a name has 1 to {NAME_CHARS_MAX} printable characters, no blank around them"
        raise typer.BadParameter(hint, param_hint="NAME")


async def _list(settings: Settings) -> list[KeyListed]:
    async with reading(settings) as database, database.transaction() as tx:
        return await reads.list_keys(tx)


def _row(key: KeyListed) -> dict[str, Any]:
    row = asdict(key) | {"hint": f"{key.hint}…", "scopes": " ".join(key.scopes)}
    del row["key_id"]
    return row

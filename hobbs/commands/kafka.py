"""Kafka's users, for whoever administers the brokers; and what to do when Kafka was lost.

\b
Examples:
  hobbs kafka acls > acls.sh
  hobbs kafka acls --output table
  hobbs kafka acls --who gateway --output json
  hobbs kafka acls --prefix shadow. --shadow-of ''
  hobbs kafka keep /var/backups/topics
  hobbs kafka fill /var/backups/topics
  hobbs kafka put-back --dry-run
"""

from dataclasses import asdict
from typing import Annotated, Final

import typer

from hobbs.commands import kafka_kept, kafka_put_back
from hobbs.shell.kafka_script import script, shadow_script
from hobbs.shell.output import Output, show_rows
from schemas.kafka_rights import every_right, rights_of
from schemas.services import KAFKA_USERS
from schemas.shadow import refused_prefix, shadow_rights

COLUMNS: Final = ("user", "operation", "resource", "name")

app = typer.Typer(no_args_is_help=True, help=__doc__, rich_markup_mode=None)
app.command("keep")(kafka_kept.keep_command)
app.command("fill")(kafka_kept.fill_command)
app.command("put-back")(kafka_put_back.put_back_command)


@app.command("acls")
def acls_command(
    prefix: Annotated[
        str, typer.Option(envvar="HOBBS_TOPIC_PREFIX", help="What the deployment's topics begin with.")
    ] = "",
    who: Annotated[
        str | None, typer.Option(help=f"Only rows of one of: {', '.join(KAFKA_USERS)}. Needs --output.")
    ] = None,
    shadow_of: Annotated[
        str | None,
        typer.Option(metavar="PREFIX", help="Of a shadow: the live topics begin with PREFIX, '' as a rule."),
    ] = None,
    own_book: Annotated[bool, typer.Option(help="With --shadow-of: its rates are its own.")] = False,
    output: Annotated[
        Output | None, typer.Option("--output", "-o", help="Rows instead of a script.", case_sensitive=False)
    ] = None,
) -> None:
    """Print the script that makes Kafka's users and their rights, or the rights as rows. Asks nobody.

    The script calls kafka-configs.sh and kafka-acls.sh of Kafka's own; see docs/operations/kafka.md.
    """
    if who is not None and (who not in KAFKA_USERS or output is None):
        raise typer.BadParameter(f"one of {', '.join(KAFKA_USERS)}, with --output", param_hint="--who")
    if shadow_of is not None and (why := refused_prefix(prefix, shadow_of)):
        raise typer.BadParameter(why, param_hint="--shadow-of")
    shadow = None if shadow_of is None else shadow_rights(prefix, shadow_of, own_book=own_book)
    if output is None:
        typer.echo(script(prefix) if shadow is None else shadow_script(prefix, shadow), nl=False)
        return
    if shadow is not None:
        show_rows([asdict(right) for right in shadow], output, columns=COLUMNS)
        return
    rights = every_right(prefix) if who is None else rights_of(who, prefix)
    show_rows([asdict(right) for right in rights], output, columns=COLUMNS)

"""`hobbs restore check`: after a restore, say in which state the deployment is and what to do."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from fleet.settings import Settings
from hobbs.cutover import restores
from hobbs.doctor.findings import State
from hobbs.doctor.restore import examine_restore
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.output import EXIT_FINDINGS, Output, OutputOption, say, show_rows

app = typer.Typer(no_args_is_help=True, help="After a restore from a backup.")


@app.callback()
def restore() -> None:
    """After a restore from a backup."""


@app.command("check")
def check(
    since: Annotated[
        datetime | None, typer.Option(help="Of decisions and journals (UTC): when the backup was made.")
    ] = None,
    log_file: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="Note the run there, for hobbs cutover check."),
    ] = None,
    output: OutputOption = Output.table,
) -> None:
    """Compare the database with Kafka and with what was found at Stripe; exit 1 unless all agree."""
    begin = since if since is None or since.tzinfo else since.replace(tzinfo=UTC)
    findings = run(examine_restore(settings_or_exit(Settings), begin))
    rows = [{"area": f.area, "state": str(f.state), "found": f.found, "fix": f.fix} for f in findings]
    show_rows(rows, output, columns=["area", "state", "found", "fix"])
    agreed = all(finding.state is State.ok for finding in findings)
    if log_file is not None:
        restores.note(log_file, now=datetime.now(UTC), agreed=agreed)
    if not agreed:
        say("docs/operations/postgres.md says what happens after a restore")
        raise typer.Exit(EXIT_FINDINGS)

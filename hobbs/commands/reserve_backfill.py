"""List the rows of the school's Stripe balance again, from a date."""

from datetime import datetime
from typing import Annotated

import typer

from hobbs.shell.decisions import Question, decide
from hobbs.shell.reasons import WhoOption, WhyOption


def backfill_command(
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The date (UTC) to begin with, such as 2026-01-01.")
    ],
    why: WhyOption = "",
    dry_run: Annotated[bool, typer.Option(help="Say what would happen and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    who: WhoOption = "",
) -> None:
    """List Stripe's rows again from a date: of before the first listing, or that were lost or changed."""
    day = since.date().isoformat()
    question = Question(service="payouts", action="backfill_movements", object=day, who=who, why=why)
    decide(question, dry_run=dry_run, yes=yes, prompt=f"list Stripe's rows again since {day}?")

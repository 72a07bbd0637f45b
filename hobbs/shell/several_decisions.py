"""Several decisions at once: every preview, one agreement, then each decision with the hash of its preview.

Each is a decision of its own for the service: what is refused stops none of the others.
"""

from collections.abc import Callable, Sequence
from typing import Final

import typer

from fleet.settings import Settings
from hobbs.shell.connections import run, settings_or_exit
from hobbs.shell.decisions import Answer, Effects, Question, ask
from hobbs.shell.output import EXIT_FINDINGS, agreed, say

SENTENCES_MAX: Final = 3


def decide_several(
    questions: Sequence[Question],
    *,
    dry_run: bool,
    yes: bool,
    prompt: str,
    show: Callable[[Effects], None] = lambda effects: None,
) -> None:
    """Preview all, show the effects in one table, ask once, decide each. Exits 1 when any was refused.

    prompt: the question to the person, in front of what the previews said.
    """
    settings = settings_or_exit(Settings)
    previews = [run(ask(settings, question, dry_run=True)) for question in questions]
    possible = [(q, p) for q, p in zip(questions, previews, strict=True) if p.outcome != "refused"]
    _say([preview for preview in previews if preview.outcome == "refused"])
    if not possible:
        raise typer.Exit(EXIT_FINDINGS)
    show([effect for _, preview in possible for effect in preview.effects])
    sentences = _together([preview.sentence for _, preview in possible])
    answers: list[Answer] = []
    if dry_run:
        say(f"dry run, nothing changed: {sentences}")
    elif not yes and not agreed(f"{prompt} Then {sentences}."):
        say("nothing changed")
        raise typer.Exit(EXIT_FINDINGS)
    else:
        answers = [run(ask(settings, q, preview_hash=preview.preview_hash)) for q, preview in possible]
        _say(answers)
    if any(answer.outcome == "refused" for answer in (*previews, *answers)):
        raise typer.Exit(EXIT_FINDINGS)


def _together(sentences: Sequence[str]) -> str:
    """What follows, readable at a glance: of many the first ones; the table has them all."""
    more = len(sentences) - SENTENCES_MAX
    said = "; ".join(sentences[:SENTENCES_MAX])
    return f"{said}; and so on, {more} more" if more > 0 else said


def _say(answers: Sequence[Answer]) -> None:
    for answer in answers:
        say(answer.sentence)

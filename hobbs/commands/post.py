"""`hobbs post` and `hobbs revert`: journals by hand, by the worker's own rules, after a preview.

Promises: nothing is posted before a person saw it and agreed; a dry run locks and writes nothing.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from fleet.database import Tx
from fleet.envelope import uuid7
from fleet.money import format_minor
from hobbs.commands.queries import decide, read
from hobbs.shell.money_columns import with_money
from hobbs.shell.names import refuse_named
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
from hobbs.shell.reasons import NeededWhyOption
from schemas.journal_types import undone_by
from services.ledger.desk import by_hand, consequences, decisions, reads
from services.ledger.desk.reads.journals import EntryDetails
from services.ledger.domain.journals import (
    Entry,
    Journal,
    JournalReply,
    JournalRequest,
    PostedJournal,
    PostingResult,
    RefusedJournal,
)
from services.ledger.domain.posting import PostingPreview
from services.ledger.domain.reverts import RevertRequest
from services.ledger.domain.wallets import BalanceKey
from services.payouts.desk import consequences as payees

app = typer.Typer(no_args_is_help=True)

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be posted; change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

Post = Callable[[Tx], Awaitable[list[JournalReply]]]
Preview = Callable[[Tx], Awaitable[PostingPreview]]
Asked = Callable[[Tx], Awaitable[dict[str, str]]]  # by source, what needs a second person
Consequences = Callable[[Tx, Journal], Awaitable[list[str]]]  # outside the ledger, of a journal


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """A journal as it is shown. outcome: would_post, posted, repeated, waits or refused.

    consequences: of one that would be posted, what else follows from it and what is unusual about it.
    """

    source: str
    outcome: str
    journal_id: str | None
    sentence: str
    entries: Sequence[Entry]
    consequences: Sequence[str] = ()


@app.command("post")
def post_command(
    file: Annotated[Path, typer.Argument(help="JSON: a list of journal.requested bodies; - is stdin.")],
    together: Annotated[
        str | None, typer.Option(metavar="GROUP", help="All or none, as a group of this name.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Post journals by hand; one that is posted already is `repeated`. Exit 1: one is refused.

    Journals of services are refused: flight, adjustment, transfer and so on.
    """
    requests = _read_file(file)
    refuse_named(*(request.memo for request in requests))
    _post_by_hand(
        lambda tx: decisions.preview_post(tx, requests, group=together),
        lambda tx: decisions.post(tx, requests, group=together),
        _of_a_journal_by_hand,
        lambda tx: decisions.asked_by_hand(tx, requests),
        dry_run=dry_run,
        yes=yes,
        output=output,
    )


@app.command("revert")
def revert_command(
    source: Annotated[str, typer.Argument(help="Of the journal to revert, such as flight:F123:1.")],
    why: NeededWhyOption,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    output: OutputOption = Output.table,
) -> None:
    """Revert a journal by one with the opposite entries. Exit 1: it cannot be reverted."""
    refuse_named(why)
    if command := read(lambda tx: _undone_by(tx, source)):
        say(f"{source} stands for more than its entries, which a revert would leave: {command} takes it back")
        raise typer.Exit(EXIT_FINDINGS)
    request = RevertRequest(journal_id=uuid7(), reverts=source, occurred_at=datetime.now(UTC), memo=why)
    _post_by_hand(
        lambda tx: decisions.preview_revert(tx, request),
        lambda tx: decisions.revert(tx, request),
        lambda tx, _: _of_a_revert(tx, source),
        lambda tx: decisions.asked_revert(tx, request),
        dry_run=dry_run,
        yes=yes,
        output=output,
    )


@app.command("by-hand")
def by_hand_command(
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for a second person.")] = False,
    output: OutputOption = Output.table,
) -> None:
    """Show journals by hand that needed two people: who asked, who agreed; newest first.

    One that waits is posted when another person runs the same `hobbs post` or `hobbs revert` within a day.
    """
    shown = read(lambda tx: reads.by_hand.words(tx, waiting=waiting))
    columns = ["source", "currency", "amount", "why", "asked_by", "asked_at", "agreed_by", "agreed_at"]
    show_rows(with_money(list(shown), output, ["amount"]), output, columns=columns, right=["amount"])


def _read_file(file: Path) -> list[JournalRequest]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        return decisions.read_requests(text)
    except (OSError, ValueError) as error:
        say(f"{file}: {error}")
    raise typer.Exit(EXIT_USAGE)


async def _of_a_journal_by_hand(_: Tx, journal: Journal) -> list[str]:
    return payees.of_a_journal_by_hand(_amounts(journal.entries))


async def _undone_by(tx: Tx, source: str) -> str | None:
    journal = await reads.journals.find_journal(tx, source)
    return undone_by(journal.event_type) if journal else None


async def _of_a_revert(tx: Tx, source: str) -> list[str]:
    reverted = await reads.journals.find_journal(tx, source)
    if reverted is None:
        return []
    root = await reads.journals.root_event_type(tx, reverted)
    moved = {key: -amount for key, amount in _amounts(reverted.entries).items()}
    of_payees = await payees.of_a_revert(tx, reverted.journal_id, root, moved)
    return [*of_payees, *consequences.of_a_revert(root)]


def _amounts(entries: Sequence[Entry] | Sequence[EntryDetails]) -> dict[BalanceKey, int]:
    amounts: dict[BalanceKey, int] = {}
    for entry in entries:
        key = (entry.wallet, entry.currency)
        amounts[key] = amounts.get(key, 0) + entry.amount
    return amounts


async def _consequences(tx: Tx, results: Sequence[object], outside: Consequences) -> dict[str, list[str]]:
    journals = [one for one in results if isinstance(one, Journal)]
    unusual = await consequences.unusual(tx, journals, datetime.now(UTC))
    return {one.source: [*await outside(tx, one), *unusual[one.source]] for one in journals}


def _post_by_hand(
    find_out: Preview,
    post: Post,
    outside: Consequences,
    asked: Asked,
    *,
    dry_run: bool,
    yes: bool,
    output: Output,
) -> None:
    if dry_run or not yes:
        preview, two = decide(lambda tx: _found(tx, find_out, asked))
        follows = read(lambda tx: _consequences(tx, preview.results, outside))
        for source, sentence in two.items():
            follows.setdefault(source, []).append(sentence)
        shown = [_previewed(result, follows) for result in preview.results]
        if dry_run:
            _show(shown, preview.balances, output)
            say("dry run, nothing changed")
            raise typer.Exit(EXIT_FINDINGS if _any_refused(shown) else 0)
        _agree(shown)
    replies = decide(post)
    shown = [_replied(reply) for reply in replies]
    _show(shown, _left([one for one in shown if one.outcome == "posted"]), output)
    if _any_refused(shown):
        raise typer.Exit(EXIT_FINDINGS)


async def _found(tx: Tx, find_out: Preview, asked: Asked) -> tuple[PostingPreview, dict[str, str]]:
    return await find_out(tx), await asked(tx)


def _agree(shown: Sequence[JournalRow]) -> None:
    for one in shown:
        legs = ", ".join(f"{e.wallet} {format_minor(e.amount, e.currency)} {e.currency}" for e in one.entries)
        say(f"{one.source}: {one.outcome.replace('_', ' ')} {one.sentence or legs}")
        for consequence in one.consequences:
            say(f"  {consequence}")
    if not agreed("Post this?"):
        raise typer.Exit(EXIT_FINDINGS)


def _previewed(result: PostingResult | PostedJournal, follows: Mapping[str, Sequence[str]]) -> JournalRow:
    if isinstance(result, Journal):
        return replace(_shown(result, "would_post"), consequences=follows[result.source])
    if isinstance(result, RefusedJournal | PostedJournal):
        return _replied(result)
    return JournalRow(
        source=result.source,
        outcome="repeated",
        journal_id=None,
        sentence="repeats another one of this file",
        entries=(),
    )


def _replied(reply: JournalReply) -> JournalRow:
    if isinstance(reply, RefusedJournal):
        return _refused(reply)
    return _shown(reply.journal, "repeated" if reply.repeated else "posted")


def _shown(journal: Journal, outcome: str) -> JournalRow:
    return JournalRow(
        source=journal.source,
        outcome=outcome,
        journal_id=None if outcome == "would_post" else str(journal.journal_id),
        sentence="is posted already" if outcome == "repeated" else "",
        entries=journal.entries,
    )


def _refused(refused: RefusedJournal) -> JournalRow:
    return JournalRow(
        source=refused.source,
        outcome="waits" if by_hand.waits_for_a_second(refused) else "refused",
        journal_id=None,
        sentence=refused.sentence,
        entries=(),
    )


def _any_refused(shown: Sequence[JournalRow]) -> bool:
    return any(one.outcome in ("refused", "waits") for one in shown)


def _left(shown: Sequence[JournalRow]) -> dict[BalanceKey, int]:
    return {(e.wallet, e.currency): e.balance_after for one in shown for e in one.entries}


def _show(shown: Sequence[JournalRow], left: Mapping[BalanceKey, int], output: Output) -> None:
    after = [
        {"wallet": wallet, "currency": currency, "balance_after": amount}
        for (wallet, currency), amount in sorted(left.items())
    ]
    heads: list[dict[str, object]] = [
        {"source": one.source, "outcome": one.outcome, "journal_id": one.journal_id, "sentence": one.sentence}
        for one in shown
    ]
    for head, one in zip(heads, shown, strict=True):
        told = list(one.consequences)
        head["consequences"] = "; ".join(told) if output is Output.table else told
    lines = [
        {"source": one.source, "wallet": e.wallet, "currency": e.currency, "amount": e.amount}
        for one in shown
        for e in one.entries
    ]
    if output is Output.json:
        show_one({"journals": heads, "entries": lines, "balances": after}, output)
    elif output is Output.csv:
        show_rows(heads, output)
    else:
        show_rows(heads, output, title="journals")
        show_rows(with_money(lines, output, ["amount"]), output, title="entries", right=["amount"])
        show_rows(
            with_money(after, output, ["balance_after"]),
            output,
            title="balances after",
            right=["balance_after"],
        )

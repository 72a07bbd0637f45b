"""The ledger's metrics, counted after commit."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Final, get_args

from fleet import metrics
from services.ledger.domain.holds import HoldChange, HoldState, RefusedCommand
from services.ledger.domain.journals import JournalReply, PostedJournal, RefusedJournal

# What the code refuses by name. Not whole: a constraint that no rule foresaw is a reason too.
WALLET_REFUSALS: Final = ("bad_wallet_name", "unknown_currency", "unknown_wallet_kind")
JOURNAL_REFUSALS: Final = (
    *WALLET_REFUSALS,
    "amount_is_zero",
    "amount_too_large",
    "bad_name",
    "balance_too_large",
    "belongs_to_a_service",
    "group_refused",
    "group_reused",
    "invalid",
    "limit_exceeded",
    "no_entries",
    "not_balanced",
    "nothing_to_move",
    "source_reused",
    "too_many_entries",
    "unknown_journal",
    "opening_line",
    "second_person",
)
HOLD_REFUSALS: Final = (
    *WALLET_REFUSALS,
    "hold_expires_later",
    "hold_is_complete",
    "hold_is_known",
    "hold_is_open",
    "hold_posts_at_most_its_amount",
    "hold_posts_to_another_wallet",
    "hold_repeats_with_the_same_content",
    "limit_exceeded",
)

JOURNALS_POSTED: Final = metrics.counter("ledger_journals_posted_total", "Journals posted")
ENTRIES_POSTED: Final = metrics.counter("ledger_entries_posted_total", "Entries posted")
JOURNALS_REPEATED: Final = metrics.counter(
    "ledger_journals_repeated_total", "Requests for a journal that was posted already"
)
JOURNALS_REFUSED: Final = metrics.counter(
    "ledger_journals_refused_total", "Requests refused", {"reason": JOURNAL_REFUSALS}
)
HOLDS_CHANGED: Final = metrics.counter(
    "ledger_holds_changed_total", "Holds placed or closed", {"state": get_args(HoldState)}
)
HOLDS_REFUSED: Final = metrics.counter(
    "ledger_holds_refused_total", "Commands to holds refused", {"reason": HOLD_REFUSALS}
)
RIGHTS_BEYOND: Final = metrics.gauge(
    "ledger_role_rights_beyond", "Rights that roles of the database have and the code does not give them"
)
LOGINS_CHANGED: Final = metrics.gauge(
    "ledger_logins_changed", "Logins to the database that came, went or may act as others, within the hour"
)
POSTING_SECONDS: Final = metrics.histogram(
    "ledger_posting_seconds",
    "Time to post the journals of one batch, wallet locks included, commit not",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def count(replies: Sequence[JournalReply]) -> None:
    """Count the replies of a committed batch."""
    posted = [reply for reply in replies if isinstance(reply, PostedJournal) and not reply.repeated]
    refused = [reply for reply in replies if isinstance(reply, RefusedJournal)]
    JOURNALS_POSTED.inc(len(posted))
    ENTRIES_POSTED.inc(sum(len(reply.journal.entries) for reply in posted))
    JOURNALS_REPEATED.inc(len(replies) - len(posted) - len(refused))
    for reason, times in Tally(reply.reason for reply in refused).items():
        JOURNALS_REFUSED.labels(reason).inc(times)


def count_holds(replies: Sequence[HoldChange | RefusedCommand]) -> None:
    """Count holds that were changed, and refused commands; a repeat changed nothing."""
    for reply in replies:
        if isinstance(reply, RefusedCommand):
            HOLDS_REFUSED.labels(reply.reason).inc()
        elif not reply.repeated:
            HOLDS_CHANGED.labels(reply.state).inc()

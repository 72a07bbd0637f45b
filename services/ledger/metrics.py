"""What the ledger counts, after commit."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Final, get_args

from fleet import metrics
from services.ledger.domain.journals import Answer, Posted, Refused
from services.ledger.steps.holds import HoldNow, HoldState, NotDone

# What the code refuses by name. Not whole: a constraint that no rule foresaw is a reason too.
WALLET_REFUSALS: Final = ("bad_wallet_name", "unknown_currency", "unknown_wallet_kind")
JOURNAL_REFUSALS: Final = (
    *WALLET_REFUSALS,
    "amount_is_zero",
    "amount_too_large",
    "bad_name",
    "balance_too_large",
    "group_refused",
    "group_reused",
    "invalid",
    "limit_exceeded",
    "no_entries",
    "not_balanced",
    "source_reused",
    "too_many_entries",
    "unknown_journal",
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
    "ledger_journals_repeated_total", "Requests for a journal that stood already"
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
POSTING_SECONDS: Final = metrics.histogram(
    "ledger_posting_seconds",
    "Time to post the journals of one batch, wallet locks included, commit not",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def count(answers: Sequence[Answer]) -> None:
    """Count what became of a committed batch."""
    posted = [answer for answer in answers if isinstance(answer, Posted) and not answer.repeated]
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    JOURNALS_POSTED.inc(len(posted))
    ENTRIES_POSTED.inc(sum(len(answer.journal.entries) for answer in posted))
    JOURNALS_REPEATED.inc(len(answers) - len(posted) - len(refused))
    for reason, times in Tally(answer.reason for answer in refused).items():
        JOURNALS_REFUSED.labels(reason).inc(times)


def count_holds(answers: Sequence[HoldNow | NotDone]) -> None:
    """Count what became of holds; a repeat changed nothing."""
    for answer in answers:
        if isinstance(answer, NotDone):
            HOLDS_REFUSED.labels(answer.reason).inc()
        elif not answer.repeated:
            HOLDS_CHANGED.labels(answer.state).inc()

"""What the ledger counts, after commit."""

from collections import Counter as Tally
from collections.abc import Sequence
from typing import Final

from prometheus_client import Counter, Histogram

from services.ledger.domain.holds import HoldNow, NotDone
from services.ledger.domain.journals import Answer, Posted, Refused

JOURNALS_POSTED: Final = Counter("ledger_journals_posted_total", "Journals posted")
ENTRIES_POSTED: Final = Counter("ledger_entries_posted_total", "Entries posted")
JOURNALS_REPEATED: Final = Counter(
    "ledger_journals_repeated_total", "Requests for a journal that stood already"
)
JOURNALS_REFUSED: Final = Counter("ledger_journals_refused_total", "Requests refused", ["reason"])
HOLDS_CHANGED: Final = Counter("ledger_holds_changed_total", "Holds placed or closed", ["state"])
HOLDS_REFUSED: Final = Counter("ledger_holds_refused_total", "Commands to holds refused", ["reason"])
POSTING_SECONDS: Final = Histogram(
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

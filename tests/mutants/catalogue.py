"""Every mutant, and which of them had to be there."""

from tests.mutants.mutant import Mutant
from tests.mutants.of_history import OF_HISTORY
from tests.mutants.of_payouts import OF_PAYOUTS
from tests.mutants.of_the_books import OF_THE_BOOKS
from tests.mutants.of_the_machinery import OF_THE_MACHINERY
from tests.mutants.of_the_watch import OF_THE_WATCH

MUTANTS: tuple[Mutant, ...] = (*OF_THE_MACHINERY, *OF_PAYOUTS, *OF_THE_BOOKS, *OF_HISTORY, *OF_THE_WATCH)

# What tests had to be proved against, in the words and the order it was asked for.
ASKED_FOR = {
    "offsets before commit": "offsets-before-commit",
    "no conflict clause": "no-conflict-clause",
    "cursor-based outbox": "cursor-based-outbox",
    "delete before ack": "delete-before-ack",
    "new key on retry": "new-key-on-retry",
    "key rebuilt from the attempt": "key-from-the-attempt",
    "no lease check": "no-lease-check",
    "call inside the transaction": "call-inside-the-transaction",
    "skipped prefix rule": "skipped-prefix-rule",
    "swallowed dead letter": "swallowed-dead-letter",
    "header guard removed": "header-guard-removed",
    "inbox outside the transaction": "inbox-outside-the-transaction",
    "unordered locks": "unordered-locks",
    "blind resend after 24 h": "blind-resend-after-24-hours",
    "adopt without comparing the amount": "adopt-without-comparing-the-amount",
    "unknown webhook ignored": "unknown-webhook-ignored",
}

"""What receivables counts. Event types are Stripe's and verified, so their number is bounded."""

from typing import Final, get_args

from fleet import metrics
from services.receivables.domain.account_notes import Kind as NoteKind
from services.receivables.domain.account_notes import State as NoteState
from services.receivables.domain.auto_charges import DeclineClass, State
from services.receivables.domain.credit_levels import Crossing
from services.receivables.domain.dunning import Action
from services.receivables.domain.limit_changes import State as LimitState
from services.receivables.domain.open_items import AGES
from services.receivables.domain.postings import EventType
from services.receivables.domain.recorded_payments import Method, What
from services.receivables.wire.stripe_objects import Kind

WEBHOOKS: Final = metrics.counter(
    "receivables_webhooks_total",
    "Stripe webhooks read, by kind.",
    {"kind": Kind, "event_type": metrics.UNKNOWN},
)
JOURNALS: Final = metrics.counter(
    "receivables_journals_requested_total",
    "Journals asked of the ledger.",
    {"event_type": get_args(EventType)},
)
STUDENT_CLASHES: Final = metrics.counter(
    "receivables_student_clashes_total", "Facts that name another student than the payment's."
)
WAITING: Final = metrics.gauge(
    "receivables_waiting",
    "Charges without their payment, charges with unexplained refunds, payments without a student.",
    {"what": ("payment", "student", "refund")},
)
WAITING_AGE: Final = metrics.gauge(
    "receivables_waiting_age_seconds", "Age of the oldest that waits.", {"what": ("payment", "student")}
)
AUTO_CHARGES: Final = metrics.counter(
    "receivables_auto_charges_total",
    "Charges of students' saved methods that were decided, and what became of them",
    {"what": ("decided", "taken_back", *(state for state in get_args(State) if state != "asked"))},
)
NOTES: Final = metrics.counter(
    "receivables_account_notes_total",
    "Refunds, credit notes, write-offs and fees of bounced cheques, by where they stand",
    {"kind": get_args(NoteKind), "state": get_args(NoteState)},
)
NOTES_WAITING: Final = metrics.gauge(
    "receivables_account_notes_waiting",
    "Refunds, credit notes and write-offs that wait for a second person (waits), or for Stripe (asked)",
    {"what": ("waits", "asked")},
)
RECORDED: Final = metrics.counter(
    "receivables_recorded_payments_total",
    "What people said of payments by hand",
    {"what": get_args(What), "method": get_args(Method)},
)
CREDIT_CROSSINGS: Final = metrics.counter(
    "receivables_credit_crossings_total",
    "Students who crossed a level of their limit",
    {"crossing": get_args(Crossing)},
)
LIMIT_CHANGES: Final = metrics.counter(
    "receivables_limit_changes_total",
    "Limits that rose or fell by the book's policy, or would have",
    {"direction": ("rise", "fall"), "state": get_args(LimitState)},
)
LIMIT_PROPOSALS: Final = metrics.gauge(
    "receivables_limit_proposals", "Changes of limits that wait for a person"
)
OWED: Final = metrics.gauge(
    "receivables_owed_minor_units",
    "What students owe together, in the school's currency, by how long it is overdue",
    {"age": AGES},
)
DUNNING_STEPS: Final = metrics.counter(
    "receivables_dunning_steps_total",
    "Steps that were done about what is overdue",
    {"action": get_args(Action)},
)
DUNNING: Final = metrics.gauge(
    "receivables_dunning",
    "Students who are asked for what is overdue, whose asking is paused, who promised to pay",
    {"what": ("running", "paused", "promised")},
)
AUTO_CHARGES_DECLINED: Final = metrics.counter(
    "receivables_auto_charges_declined_total", "Declined charges by what follows", {"kind": DeclineClass}
)
AUTO_CHARGE_AGE: Final = metrics.gauge(
    "receivables_auto_charge_age_seconds",
    "How long ago the oldest charge was decided that is not answered, or that a bank processes",
    {"state": ("asked", "processing")},
)

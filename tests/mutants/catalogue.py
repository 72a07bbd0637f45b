"""Every mutant, and which of them the issue named."""

from tests.mutants.adjustments_mutants import ADJUSTMENTS_MUTANTS
from tests.mutants.billing_and_ledger_mutants import BILLING_AND_LEDGER_MUTANTS
from tests.mutants.charge_mutants import CHARGE_MUTANTS
from tests.mutants.check_mutants import CHECK_MUTANTS
from tests.mutants.clawback_mutants import CLAWBACK_MUTANTS
from tests.mutants.comparison_mutants import COMPARISON_MUTANTS
from tests.mutants.console_mutants import CONSOLE_MUTANTS
from tests.mutants.dunning_mutants import DUNNING_MUTANTS
from tests.mutants.fleet_mutants import FLEET_MUTANTS
from tests.mutants.ledger_history_mutants import LEDGER_HISTORY_MUTANTS
from tests.mutants.limit_mutants import LIMIT_MUTANTS
from tests.mutants.movement_mutants import MOVEMENT_MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.note_mutants import NOTE_MUTANTS
from tests.mutants.open_item_mutants import OPEN_ITEM_MUTANTS
from tests.mutants.opening_mutants import OPENING_MUTANTS
from tests.mutants.page_mutants import PAGE_MUTANTS
from tests.mutants.payouts_mutants import PAYOUTS_MUTANTS
from tests.mutants.reading_mutants import READING_MUTANTS
from tests.mutants.rebuild_mutants import REBUILD_MUTANTS
from tests.mutants.recorded_mutants import RECORDED_MUTANTS
from tests.mutants.recovery_and_monitor_mutants import RECOVERY_AND_MONITOR_MUTANTS
from tests.mutants.refund_and_share_mutants import REFUND_AND_SHARE_MUTANTS
from tests.mutants.reserve_mutants import RESERVE_MUTANTS
from tests.mutants.restore_mutants import RESTORE_MUTANTS
from tests.mutants.revision_mutants import REVISION_MUTANTS
from tests.mutants.security_mutants import SECURITY_MUTANTS
from tests.mutants.shadow_mutants import SHADOW_MUTANTS
from tests.mutants.simulator_mutants import SIMULATOR_MUTANTS
from tests.mutants.stripe_rule_mutants import STRIPE_RULE_MUTANTS
from tests.mutants.stripe_today_mutants import STRIPE_TODAY_MUTANTS

MUTANTS: tuple[Mutant, ...] = (
    *FLEET_MUTANTS,
    *PAYOUTS_MUTANTS,
    *BILLING_AND_LEDGER_MUTANTS,
    *LEDGER_HISTORY_MUTANTS,
    *READING_MUTANTS,
    *RECOVERY_AND_MONITOR_MUTANTS,
    *RESTORE_MUTANTS,
    *SECURITY_MUTANTS,
    *SIMULATOR_MUTANTS,
    *STRIPE_RULE_MUTANTS,
    *STRIPE_TODAY_MUTANTS,
    *MOVEMENT_MUTANTS,
    *CLAWBACK_MUTANTS,
    *REVISION_MUTANTS,
    *ADJUSTMENTS_MUTANTS,
    *CHARGE_MUTANTS,
    *REFUND_AND_SHARE_MUTANTS,
    *RESERVE_MUTANTS,
    *COMPARISON_MUTANTS,
    *CONSOLE_MUTANTS,
    *OPEN_ITEM_MUTANTS,
    *DUNNING_MUTANTS,
    *OPENING_MUTANTS,
    *CHECK_MUTANTS,
    *LIMIT_MUTANTS,
    *NOTE_MUTANTS,
    *PAGE_MUTANTS,
    *RECORDED_MUTANTS,
    *REBUILD_MUTANTS,
    *SHADOW_MUTANTS,
)

# The list "Testing the tests" of the issue, in its words and its order.
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

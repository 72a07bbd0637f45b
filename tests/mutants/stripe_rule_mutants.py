"""Mutants of what Hobbs does about rules of Stripe's that only real balances show."""

from tests.mutants.mutant import Edit, Mutant

OBJECTS = "services/receivables/wire/stripe_objects.py"

STRIPE_RULE_MUTANTS = (
    Mutant(
        name="refund-booked-before-it-moved",
        breaks="A refund that waits for the balance at Stripe is booked as if its money had left.",
        edits=(
            Edit(
                path=OBJECTS,
                old="    moved = refund.balance_transaction is not None and not failed\n",
                new="    moved = not failed\n",
            ),
        ),
        catchers=(
            "tests/unit/receivables/test_stripe_objects.py"
            "::test_a_refund_that_waits_for_the_balance_is_known_and_moved_nothing",
        ),
    ),
    Mutant(
        name="waiting-refund-unexplained",
        breaks="A refund that waits for the balance is forgotten, and its charge shows as unexplained.",
        edits=(
            Edit(
                path=OBJECTS,
                old="    if moved or failed or refund.status in _WAITING:\n",
                new="    if moved or failed:\n",
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_payments.py"
            "::test_a_refund_that_waits_for_the_balance_is_posted_once_it_moved_and_not_before",
        ),
    ),
    Mutant(
        name="instant-payout-beyond-stripes-bounds",
        breaks="An instant payout of any size is asked for: Stripe refuses it and nothing is paid at once.",
        edits=(
            Edit(
                path="services/payouts/domain/orders.py",
                old="    return 0 if amount < INSTANT_LEAST else min(amount, INSTANT_MOST)\n",
                new="    return 0 if amount < INSTANT_LEAST else amount\n",
            ),
        ),
        catchers=("tests/unit/payouts/test_orders.py::test_an_instant_payout_stays_within_stripes_bounds",),
    ),
)

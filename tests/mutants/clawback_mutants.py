"""Mutants of claw-backs: money taken twice, too late, beside a deduction, or a rest that nobody owes any more."""

from tests.mutants.mutant import Edit, Mutant

TESTS = "tests/integration/payouts"

CLAWBACK_MUTANTS = (
    Mutant(
        name="a-claimed-debt-is-deducted-too",
        breaks="A debt is deducted from the next payment while it is taken back at Stripe.",
        edits=(
            Edit(
                path="services/payouts/store/payables.py",
                old="    WHERE transfer_id IS NULL AND clawback_id IS NULL\n",
                new="    WHERE transfer_id IS NULL\n",
            ),
        ),
        catchers=(
            f"{TESTS}/test_clawbacks.py"
            "::test_what_is_earned_meanwhile_is_paid_whole_and_nothing_is_deducted_later",
        ),
    ),
    Mutant(
        name="a-refused-reversal-is-left-to-be-tried-again",
        breaks="A reversal that Stripe refused is tried again after its request was answered.",
        edits=(
            Edit(
                path="services/payouts/steps/clawbacks.py",
                old="        await store.stopped.close(tx, parts, now)\n",
                new="",
            ),
        ),
        catchers=(
            f"{TESTS}/test_clawbacks_at_stripe.py"
            "::test_a_reversal_that_stripe_refuses_is_not_tried_for_ever_and_never_later",
        ),
    ),
    Mutant(
        name="a-reversal-is-sent-after-its-window",
        breaks="A reversal that nobody sent in time is sent after the 72 hours.",
        edits=(
            Edit(
                path="services/payouts/store/claims.py",
                old="          AND (first_sent_at IS NOT NULL OR coalesce(not_after > :now, true))\n",
                new="",
            ),
            Edit(
                path="services/payouts/stripe/relay.py",
                old="        late = operation.not_after is not None and now >= operation.not_after\n",
                new="        late = False\n",
            ),
        ),
        catchers=(
            f"{TESTS}/test_clawbacks_at_stripe.py::test_what_was_not_sent_before_the_window_closed_is_given_up",
        ),
    ),
    Mutant(
        name="stripe-is-not-asked-what-came-back",
        breaks="A restored database takes back once more what came back after its backup.",
        edits=(
            Edit(
                path="services/payouts/stripe/clawbacks.py",
                old="        for transfer in unnoted:\n",
                new="        for transfer in unnoted[:0]:\n",
            ),
        ),
        catchers=(
            f"{TESTS}/test_restored_clawbacks.py"
            "::test_what_came_back_after_the_backup_is_found_and_not_taken_again",
            f"{TESTS}/test_clawbacks_at_stripe.py"
            "::test_a_reversal_by_hand_of_the_same_money_is_not_taken_back_again",
        ),
    ),
    Mutant(
        name="the-rest-of-a-debt-is-forgotten",
        breaks="What did not come back is no debt any more: the payee keeps it.",
        edits=(
            Edit(
                path="services/payouts/store/clawbacks.py",
                old='    await leave_open(tx, one, one.needs, "rest", now)\n',
                new="",
            ),
        ),
        catchers=(
            f"{TESTS}/test_clawbacks.py"
            "::test_what_the_account_has_not_available_is_deducted_from_what_is_earned_next",
        ),
    ),
)

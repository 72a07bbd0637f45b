"""Mutants of claw-backs: money taken twice, too late, beside a deduction; a rest that nobody owes."""

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
        breaks="Money is taken back of transfers whose 72 hours are over.",
        edits=(
            Edit(
                path="services/payouts/domain/clawbacks.py",
                old=" if money.left > 0 and now < money.not_after]",
                new=" if money.left > 0]",
            ),
            Edit(
                path="services/payouts/domain/clawbacks.py",
                old="            not_after=take.of.not_after,\n",
                new="",
            ),
        ),
        catchers=(
            f"{TESTS}/test_clawbacks.py"
            "::test_nothing_is_taken_back_after_the_window_and_the_debt_is_deducted",
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
    Mutant(
        name="a-transfer-with-a-rest-taken-off-keeps-its-name",
        breaks="What a payee is owed and a rest of a debt never become a transfer: its name is taken.",
        edits=(
            Edit(
                path="services/payouts/domain/payments.py",
                old="transfer_id(wallet, currency, cause, (*sources, *unnamed))",
                new="transfer_id(wallet, currency, cause, sources)",
            ),
        ),
        catchers=(
            f"{TESTS}/test_clawbacks_meet_others.py"
            "::test_what_is_held_for_a_negative_account_is_netted_before_it_leaves",
        ),
    ),
    Mutant(
        name="what-is-proven-unsent-stays-sending",
        breaks="What is proven unsent is in no transfer that can be merged with a debt.",
        edits=(
            Edit(
                path="services/payouts/stripe/endings.py",
                old="    if to is None and came_back(outcome):\n        to = TransferState.PENDING\n",
                new="",
            ),
        ),
        catchers=(
            f"{TESTS}/test_answer_table.py::test_what_is_proven_unsent_is_merged_with_what_the_payee_owes",
        ),
    ),
    Mutant(
        name="what-was-taken-back-goes-off-no-payout",
        breaks="After a reversal of money in the bank a payee's youngest transfer never counts as paid.",
        edits=(
            Edit(
                path="services/payouts/store/payout_parts.py",
                old="SELECT * FROM taken_back WHERE left_over < 0",
                new="SELECT * FROM taken_back WHERE false",
            ),
        ),
        catchers=(
            f"{TESTS}/test_payout_parts.py"
            "::test_money_that_was_taken_back_from_the_bank_goes_off_the_next_payout",
        ),
    ),
    Mutant(
        name="a-late-reversal-goes-off-no-payout",
        breaks="A reversal told after the payout that it made smaller leaves a transfer on its way.",
        edits=(
            Edit(
                path="services/payouts/stripe/effects.py",
                old="map_late_reversals(tx, {r.transfer_id for r in fresh}, now)",
                new="map_late_reversals(tx, [], now)",
            ),
        ),
        catchers=(
            f"{TESTS}/test_payout_parts.py::test_a_reversal_that_is_noted_after_the_payout_goes_off_it_still",
        ),
    ),
)

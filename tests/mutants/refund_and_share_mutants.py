"""Mutants of refunds to cards and of shares of payments: money given back twice, or a debt taken too fast."""

from tests.mutants.mutant import Edit, Mutant

PAYOUTS, ADJUSTMENTS = "tests/integration/payouts", "tests/integration/adjustments"
REFUNDS, SHARES = f"{PAYOUTS}/test_refunds.py", f"{PAYOUTS}/test_offset_shares.py"
RULES = "services/payouts/domain/refunds.py"

REFUND_AND_SHARE_MUTANTS = (
    Mutant(
        name="refunds-by-hand-do-not-count",
        breaks="A payment is refunded beyond what is left of it.",
        edits=(
            Edit(
                path=RULES,
                old="for r in given if r.charge_id == payment.charge_id)",
                new="for r in given if r.charge_id == given)",
            ),
        ),
        catchers=(
            f"{REFUNDS}::test_several_payments_are_refunded_the_newest_first_none_beyond_what_was_paid",
        ),
    ),
    Mutant(
        name="what-was-refunded-before-a-restore-is-not-looked-for",
        breaks="A restored database refunds once more what it refunded after its backup.",
        edits=(
            Edit(
                path="services/payouts/steps/refunds.py",
                old="    ours = [refund for refund in seen if refund.is_for(settlement_id)]\n",
                new="    ours: list[SeenRefund] = []\n",
            ),
        ),
        catchers=(f"{REFUNDS}::test_a_restored_database_refunds_nothing_twice",),
    ),
    Mutant(
        name="a-refused-payment-is-refunded-again",
        breaks="A refund that Stripe refused is ordered of the same payment for ever.",
        edits=(
            Edit(
                path=RULES,
                old="p.charge_id not in failed and p.charge_id not in refused]",
                new="p.charge_id not in failed]",
            ),
        ),
        catchers=(f"{REFUNDS}::test_a_refund_that_stripe_refuses_goes_to_the_next_payment",),
    ),
    Mutant(
        name="a-pending-refund-is-no-refund",
        breaks="A refund that waits for the school's balance is answered, and may still go.",
        edits=(Edit(path=RULES, old="    if pending:\n", new="    if pending < 0:\n"),),
        catchers=(f"{REFUNDS}::test_a_refund_that_waits_for_the_balance_is_answered_when_it_left",),
    ),
    Mutant(
        name="a-key-that-may-not-refund-stops-the-relay",
        breaks="A restricted key without a permission for refunds stops every transfer.",
        edits=(
            Edit(
                path="services/payouts/domain/outcomes.py",
                old="operation.kind in (Kind.ACCOUNT, Kind.REFUND, Kind.CHARGE)",
                new="operation.kind in (Kind.ACCOUNT, Kind.CHARGE)",
            ),
        ),
        catchers=(f"{REFUNDS}::test_a_key_that_may_not_refund_stops_no_transfer",),
    ),
    Mutant(
        name="a-refund-that-a-bank-sends-back-stays-settled",
        breaks="The student has the money on the account again, and the settlement says it went to the card.",
        edits=(
            Edit(
                path="services/adjustments/wire/records.py",
                old="(PREFIX, SETTLEMENT_PREFIX, RETURNED_PREFIX, LOST_PREFIX, WON_PREFIX)",
                new="(PREFIX, SETTLEMENT_PREFIX, LOST_PREFIX, WON_PREFIX)",
            ),
        ),
        catchers=(
            f"{ADJUSTMENTS}/test_settlements_refund.py"
            "::test_a_refund_that_a_bank_sends_back_later_is_a_credit_again",
        ),
    ),
    Mutant(
        name="a-payment-that-waits-gives-its-share-again",
        breaks="Each decision takes another share off a payment that was not sent yet.",
        edits=(
            Edit(
                path="services/payouts/domain/offsets.py",
                old="share.of(part.amount + part.deducted) - part.deducted",
                new="share.of(part.amount)",
            ),
        ),
        catchers=(f"{SHARES}::test_what_was_not_sent_yet_is_taken_off_once_and_not_twice",),
    ),
    Mutant(
        name="the-newest-debt-comes-first",
        breaks="What is owed longest is taken off last.",
        edits=(
            Edit(
                path="services/payouts/domain/payments.py",
                old="sorted(capped, key=lambda p: (p.accrued_at, p.id))",
                new="sorted(capped, key=lambda p: (p.accrued_at, p.id), reverse=True)",
            ),
        ),
        catchers=(f"{SHARES}::test_the_oldest_debt_comes_first_and_payments_of_one_decision_share_it",),
    ),
    Mutant(
        name="a-part-names-the-whole-debt",
        breaks="The first transfer that takes a part off settles the whole debt.",
        edits=(
            Edit(
                path="services/payouts/store/transfers.py",
                old="WHERE less.transfer_id = moved.id AND less.amount > 0\n",
                new="WHERE less.transfer_id = moved.id AND less.amount < 0\n",
            ),
        ),
        catchers=(f"{SHARES}::test_at_most_a_share_of_each_payment_is_taken_off_until_the_last_cent",),
    ),
    Mutant(
        name="each-part-makes-a-debt-young",
        breaks="A debt of which a little is taken off now and then is never overdue.",
        edits=(
            Edit(
                path="services/adjustments/store/settlements.py",
                old="WHERE begun.instead_of = begun.method AND before.method = begun.method\n",
                new="WHERE begun.instead_of = begun.method AND before.method <> begun.method\n",
            ),
        ),
        catchers=(f"{ADJUSTMENTS}/test_settlements_parts.py::test_what_is_left_is_as_old_as_the_debt",),
    ),
)

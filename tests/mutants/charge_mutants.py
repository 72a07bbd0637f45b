"""Mutants of charges of saved cards: a student is charged twice, or after a bank said never again."""

from tests.mutants.mutant import Edit, Mutant

PAYOUTS = "tests/integration/payouts/test_charges.py"
RECEIVABLES = "tests/integration/receivables/test_auto_charges.py"
TAKEN_BACK = "tests/integration/receivables/test_taken_back.py"
RULES = "services/receivables/domain/auto_charges.py"

CHARGE_MUTANTS = (
    Mutant(
        name="an-adopted-customer-is-made-again",
        breaks="A student who is a customer at Stripe becomes a second one with the first page.",
        edits=(
            Edit(
                path="services/payouts/stripe/student_links.py",
                old="    customer = link.customer\n",
                new="    customer: str | None = None\n",
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_existing_customers.py"
            "::test_a_page_is_made_for_the_customer_that_was_adopted_and_none_is_made",
        ),
    ),
    Mutant(
        name="another-students-customer-is-taken",
        breaks="What one student pays by is charged for another.",
        edits=(
            Edit(
                path="services/payouts/domain/existing_customers.py",
                old="    if named and named != request.student:\n",
                new="    if False:\n",
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_existing_customers.py"
            "::test_what_cannot_be_the_students_customer_is_refused_with_the_reason",
        ),
    ),
    Mutant(
        name="a-restored-charge-is-not-looked-up",
        breaks="A restored database charges a card again once Stripe has forgotten the key.",
        edits=(
            Edit(
                path="services/payouts/domain/orders.py",
                old="        sent_since=request.decided_at,\n",
                new="",
            ),
            Edit(
                path="services/payouts/steps/charges.py",
                old="not_after=one.decided_at + LAPSES_AFTER",
                new="not_after=now + LAPSES_AFTER",
            ),
        ),
        catchers=(f"{PAYOUTS}::test_a_charge_that_was_asked_for_long_ago_is_looked_up_before_it_is_sent",),
    ),
    Mutant(
        name="a-stale-charge-is-made-all-the-same",
        breaks="A charge that waited for hours is made, though what was owed may be paid otherwise.",
        edits=(
            Edit(
                path="services/payouts/steps/charges.py",
                old="not_after=one.decided_at + LAPSES_AFTER",
                new="not_after=one.decided_at + 9 * LAPSES_AFTER",
            ),
        ),
        catchers=(f"{PAYOUTS}::test_what_was_not_sent_in_time_is_given_up",),
    ),
    Mutant(
        name="a-declined-charge-stays-open",
        breaks="A decline is no answer, and the clock tries the card again without anybody's decision.",
        edits=(
            Edit(
                path="services/payouts/stripe/effects.py",
                old="[o for o in refused if o.operation.kind is Kind.CHARGE]",
                new="[o for o in refused if o.operation.kind is Kind.ACCOUNT]",
            ),
        ),
        catchers=(f"{PAYOUTS}::test_a_decline_is_an_answer_and_no_retry",),
    ),
    Mutant(
        name="a-cancelled-flight-is-charged-until-somebody-approves",
        breaks="A saved card pays for a flight whose cancellation waits for a person.",
        edits=(Edit(path=RULES, old="standing.disputed or standing.in_question", new="standing.disputed"),),
        catchers=(f"{RECEIVABLES}::test_nothing_is_charged_while_a_correction_of_a_flight_is_not_decided",),
    ),
    Mutant(
        name="a-bank-asks-for-the-student-and-nobody-tells-them-where",
        breaks="A student whose bank asks for them has no page to pay by.",
        edits=(
            Edit(
                path="services/payouts/steps/charges.py",
                old="        await store.student_links.request(tx, page, now)\n",
                new="        pass\n",
            ),
        ),
        catchers=(f"{PAYOUTS}::test_a_bank_that_asks_for_the_student_has_a_page_made_that_expires",),
    ),
    Mutant(
        name="a-credit-on-its-way-to-the-ledger-is-charged",
        breaks="A saved card is charged for what a person has just credited.",
        edits=(
            Edit(
                path="services/receivables/store/auto_charges.py",
                old="              WHERE note.student = choice.student) AS posting\n",
                new="              WHERE note.student = choice.student AND false) AS posting\n",
            ),
        ),
        catchers=(f"{RECEIVABLES}::test_what_a_person_credited_is_not_charged_before_the_ledger_has_it",),
    ),
    Mutant(
        name="what-is-on-its-way-to-the-ledger-is-charged-again",
        breaks="A payment that the ledger has not posted yet is charged a second time.",
        edits=(
            Edit(
                path="services/receivables/store/auto_charges.py",
                old="greatest(-(wallet.balance + greatest(coming.amount, 0)), 0)::bigint AS owed",
                new="greatest(-wallet.balance, 0)::bigint AS owed",
            ),
        ),
        catchers=(
            f"{RECEIVABLES}"
            "::test_what_was_charged_is_a_card_payment_and_is_not_charged_again_before_the_ledger_has_it",
        ),
    ),
    Mutant(
        name="a-stolen-card-is-tried-again",
        breaks="A card of which the bank said never again is charged again.",
        edits=(
            Edit(path=RULES, old='        "stolen_card",\n', new=""),
            Edit(path=RULES, old='        "lost_card",\n', new=""),
        ),
        catchers=(f"{RECEIVABLES}::test_a_decline_is_tried_again_by_its_class",),
    ),
    Mutant(
        name="a-card-is-tried-for-ever",
        breaks="A card that is declined is tried more often than card networks allow.",
        edits=(
            Edit(path=RULES, old="or standing.declines >= most:", new="or standing.declines < 0:"),
            Edit(
                path=RULES,
                old="or method.declines >= most or attempt > min(most - 1, len(_GAPS)):",
                new="or attempt > 3:",
            ),
        ),
        catchers=(f"{RECEIVABLES}::test_a_method_is_tried_four_times_and_no_more",),
    ),
    Mutant(
        name="the-first-retry-waits-a-day-longer",
        breaks="A declined card is tried again on another day than the school and its students were told.",
        edits=(
            Edit(
                path=RULES,
                old="_GAPS: Final = (timedelta(days=1), ",
                new="_GAPS: Final = (timedelta(days=2), ",
            ),
        ),
        catchers=("tests/season/test_season.py::test_a_few_days_end_as_calculated",),
    ),
    Mutant(
        name="what-a-bank-took-back-still-counts-as-paid",
        breaks="A debit that a bank returns days later is never asked for again.",
        edits=(
            Edit(
                path="services/receivables/steps/auto_charges.py",
                old="    messages += await _take_back(tx, lost, now)\n",
                new="",
            ),
        ),
        catchers=(f"{TAKEN_BACK}::test_a_returned_debit_is_owed_again_and_retried_by_its_class",),
    ),
    Mutant(
        name="an-answer-that-comes-after-the-return-is-believed",
        breaks="A charge whose money is gone counts as made, since payouts' answer came last.",
        edits=(
            Edit(
                path="services/receivables/steps/auto_charges.py",
                old="    messages += await _take_back(tx, made, now)  # its end may have been heard first\n",
                new="",
            ),
        ),
        catchers=(f"{TAKEN_BACK}::test_whatever_is_heard_first_a_debit_that_is_lost_is_no_charge_made",),
    ),
    Mutant(
        name="whoever-contests-a-charge-is-charged-again",
        breaks="A student who disputed a charge, and won, is charged again by the same card.",
        edits=(
            Edit(
                path=RULES,
                old='_RETURNS.get(code or "", DeclineClass.STOP)',
                new='_RETURNS.get(code or "", DeclineClass.LATER)',
            ),
        ),
        catchers=(f"{TAKEN_BACK}::test_a_returned_debit_is_owed_again_and_retried_by_its_class",),
    ),
    Mutant(
        name="a-debit-that-failed-late-keeps-its-credit",
        breaks="The student keeps the credit of a debit whose money Stripe took back.",
        edits=(
            Edit(
                path="services/receivables/domain/postings.py",
                old="    for posting in _failure(charge, charge.payment):\n"
                "        if posting.source not in posted:\n            yield posting\n",
                new="",
            ),
        ),
        catchers=(f"{TAKEN_BACK}::test_a_debit_that_fails_after_it_was_paid_is_owed_again",),
    ),
    Mutant(
        name="returned-debits-are-forgotten-after-a-month",
        breaks="A debt whose debit came back three times is debited again, as Nacha does not allow.",
        edits=(
            Edit(
                path="services/receivables/functions/charges.sql",
                old="OR made.answered_at > returns_began AND by_bank_account(method)\n",
                new="OR false AND by_bank_account(method)\n",
            ),
        ),
        catchers=(f"{TAKEN_BACK}::test_a_bank_account_is_debited_again_twice_and_no_more",),
    ),
)

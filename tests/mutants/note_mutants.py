"""Mutants of refunds, credit notes and write-offs: money that is given twice, or by one person alone."""

from tests.mutants.mutant import Edit, Mutant

TESTS = "tests/integration/receivables/test_account_notes.py"
DESK = "services/receivables/desk/account_notes.py"

NOTE_MUTANTS = (
    Mutant(
        name="a-promised-refund-is-promised-again",
        breaks="What waits to be refunded is refunded a second time.",
        edits=(
            Edit(
                path=DESK,
                old="    free -= kept - promised\n",
                new="",
            ),
        ),
        catchers=(f"{TESTS}::test_no_more_is_refunded_than_is_overpaid_and_two_agree_to_much",),
    ),
    Mutant(
        name="one-person-gives-any-amount-in-parts",
        breaks="A large amount is given away by one person as several small ones.",
        edits=(
            Edit(
                path=DESK,
                old="amount + await store.account_notes.given_by_one(tx, student, now - DAY)",
                new="amount",
            ),
        ),
        catchers=(f"{TESTS}::test_a_bill_is_credited_and_written_off_no_further_than_it_goes",),
    ),
    Mutant(
        name="what-waited-is-credited-whatever-the-bill-is-now",
        breaks="More than a flight costs is credited after it was corrected to less.",
        edits=(Edit(path=DESK, old="    if free >= 0:  #", new="    if free >= -note.amount:  #"),),
        catchers=(f"{TESTS}::test_what_waits_is_judged_again_when_its_second_person_agrees",),
    ),
    Mutant(
        name="one-rest-is-written-off-twice",
        breaks="A bill that is half paid is written off twice, and the student has a credit.",
        edits=(
            Edit(
                path="services/receivables/store/account_notes.py",
                old="(-item.open - promised.amount)::bigint AS open",
                new="least(-item.open, -item.amount - promised.amount)::bigint AS open",
            ),
        ),
        catchers=(f"{TESTS}::test_two_write_offs_of_one_rest_are_one",),
    ),
    Mutant(
        name="a-credit-note-is-beside-its-bill",
        breaks="A bill that was credited is still asked for.",
        edits=(
            Edit(
                path="services/receivables/functions/open_items.sql",
                old="coalesce(note.bill, 'note:' || note.id)",
                new="'note:' || note.id",
            ),
        ),
        catchers=(f"{TESTS}::test_a_bill_is_credited_and_written_off_no_further_than_it_goes",),
    ),
    Mutant(
        name="a-bill-named-at-stripe-is-forgotten",
        breaks="A payment whose metadata name a bill pays the oldest instead.",
        edits=(
            Edit(
                path="services/receivables/steps/charges.py",
                old="if isinstance(fact, PaymentSucceeded) and fact.bill",
                new="if isinstance(fact, PaymentSucceeded) and not fact.bill",
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_open_items.py"
            "::test_a_payment_pays_the_bill_that_its_metadata_name",
        ),
    ),
)

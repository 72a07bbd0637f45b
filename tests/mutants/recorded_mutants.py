"""Mutants of payments by hand: money that counts too early, twice, or after it went."""

from tests.mutants.mutant import Edit, Mutant

TESTS = "tests/integration/receivables/test_recorded_payments.py"
RULES = "services/receivables/domain/recorded_payments.py"
DESK = "services/receivables/desk/recorded_payments.py"

RECORDED_MUTANTS = (
    Mutant(
        name="a-cheque-counts-before-the-bank-paid-it",
        breaks="A cheque gives room to fly before it is cleared, whatever the book says.",
        edits=(
            Edit(path=RULES, old='to = CHEQUES if after.state == "held" else student', new="to = student"),
        ),
        catchers=(f"{TESTS}::test_a_cheque_counts_when_the_bank_cleared_it",),
    ),
    Mutant(
        name="a-bounced-cheque-still-pays",
        breaks="What a bounced cheque paid stays paid: the journal takes it back from nowhere.",
        edits=(
            Edit(path=RULES, old="legs = (_money_at(before), holds)", new="legs = (_money_at(before), CASH)"),
        ),
        catchers=(f"{TESTS}::test_a_cheque_that_bounces_is_owed_again_and_said",),
    ),
    Mutant(
        name="one-person-records-any-amount-in-parts",
        breaks="A large payment is recorded by one person as several small ones.",
        edits=(
            Edit(
                path=DESK,
                old="amount + await store.recorded_payments.recorded_by_one(tx, decision.object, now - DAY)",
                new="amount",
            ),
        ),
        catchers=(f"{TESTS}::test_above_the_amount_a_second_person_agrees",),
    ),
)

"""Mutants of the rows of the school's Stripe balance: booked twice, swallowed, wrongly explained."""

from tests.mutants.mutant import Edit, Mutant

MOVEMENTS = "tests/integration/payouts/test_movements.py"
STORE = "services/payouts/store/movements.py"
LISTING = "services/payouts/stripe/movements.py"

MOVEMENT_MUTANTS = (
    Mutant(
        name="a-row-is-booked-at-each-listing",
        breaks="Every listing asks for the journal of a row again.",
        edits=(
            Edit(
                path=LISTING,
                old="for one in noted.new if (message := ",
                new="for one in judged if (message := ",
            ),
        ),
        catchers=(f"{MOVEMENTS}::test_a_row_is_booked_once_however_often_it_is_listed",),
    ),
    Mutant(
        name="rows-after-the-first-page-are-swallowed",
        breaks="A listing is complete after its first page, and older rows are never read.",
        edits=(
            Edit(
                path=LISTING,
                old='            if not page.get("has_more"):\n',
                new="            if True:\n",
            ),
        ),
        catchers=(f"{MOVEMENTS}::test_many_rows_are_read_page_by_page_and_a_broken_listing_goes_on",),
    ),
    Mutant(
        name="two-rows-share-a-journal",
        breaks="Two rows of Stripe's are explained by one journal, so that one of them is in no book.",
        edits=(Edit(path=STORE, old="SELECT DISTINCT ON (source, movement.currency) ", new="SELECT "),),
        catchers=(f"{MOVEMENTS}::test_two_rows_never_share_a_journal",),
    ),
    Mutant(
        name="any-journal-explains-a-row",
        breaks="A row is explained by a journal that moves another amount.",
        edits=(Edit(path=STORE, old=" HAVING sum(cash_journal.amount) = -wanted.net\n", new="\n"),),
        catchers=(f"{MOVEMENTS}::test_a_row_that_moves_another_amount_than_its_journal_stays_open",),
    ),
    Mutant(
        name="a-lost-payment-is-only-shown",
        breaks="A payment of which no webhook told is in the balance, and receivables never knows it.",
        edits=(
            Edit(
                path="services/payouts/domain/movements.py",
                old="        return self.source_id if is_payment else None\n",
                new="        return self.source_id if is_payment and self.booked else None\n",
            ),
        ),
        catchers=(f"{MOVEMENTS}::test_a_payment_of_which_no_webhook_told_is_read_and_booked_as_if_one_had",),
    ),
)

"""Mutants of open items: what a student owes is told apart wrongly, or not all of it."""

from tests.mutants.mutant import Edit, Mutant

TESTS = "tests/integration/receivables/test_open_items.py"
STORE = "services/receivables/store/open_items.py"
STEPS = "services/receivables/steps/open_items.py"

OPEN_ITEM_MUTANTS = (
    Mutant(
        name="payments-settle-the-newest-bill",
        breaks="What is open stands on the oldest bills, so that students who pay look overdue.",
        edits=(
            Edit(
                path=STORE,
                old="ORDER BY each.due_on DESC, each.document DESC",
                new="ORDER BY each.due_on, each.document",
            ),
        ),
        catchers=(f"{TESTS}::test_payments_settle_the_oldest_bill",),
    ),
    Mutant(
        name="only-the-newest-items-are-open",
        breaks="Of a student with many open bills the oldest stay as they were: not the ledger's sum.",
        edits=(Edit(path=STEPS, old="    if more:\n", new="    if not more:\n"),),
        catchers=(f"{TESTS}::test_more_open_items_than_are_looked_at_first",),
    ),
    Mutant(
        name="a-refund-is-an-item-of-its-own",
        breaks="A refund of what paid an old bill is due from the day of the refund: the bill stays settled.",
        edits=(
            Edit(
                path="services/receivables/functions/open_items.sql",
                old="'charge:' || posting.charge_id, 'recorded:' || posting.payment_id",
                new="posting.source",
            ),
        ),
        catchers=(f"{TESTS}::test_what_is_refunded_of_a_payment_opens_its_bills_again",),
    ),
    Mutant(
        name="a-revert-is-an-item-of-its-own",
        breaks="What was reverted stays on the account beside its opposite.",
        edits=(
            Edit(
                path=STORE,
                old="document_of(coalesce(taken_back.source, entry.source))",
                new="document_of(entry.source)",
            ),
        ),
        catchers=(f"{TESTS}::test_a_revert_belongs_to_what_it_takes_back_however_often",),
    ),
    Mutant(
        name="a-crossing-is-said-at-every-look",
        breaks="A student who stays at a level is told of it again whenever anything moves.",
        edits=(
            Edit(
                path="services/receivables/store/credit_levels.py",
                old="if row.level != row.was",
                new='if row.level != "ok" or row.was != "ok"',
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_credit_levels.py::test_each_crossing_is_said_once_and_kept",
        ),
    ),
    Mutant(
        name="a-journal-that-is-nowhere-is-silent",
        breaks="A journal that the ledger never posted is dropped without a dead letter.",
        edits=(Edit(path=STEPS, old="if one.event.journal_id not in there", new="if not there"),),
        catchers=(f"{TESTS}::test_what_the_ledger_does_not_have_is_buried",),
    ),
)

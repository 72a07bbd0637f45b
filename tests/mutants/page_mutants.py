"""Mutants of pages that students pay by: the same bills are paid by a page and by a charge."""

from tests.mutants.mutant import Edit, Mutant

TESTS = "tests/integration/payouts/test_pages_and_charges.py"
PAGES = "services/payouts/stripe/open_pages.py"
LINKS = "services/payouts/stripe/student_links.py"

PAGE_MUTANTS = (
    Mutant(
        name="a-page-stays-open-while-its-bills-are-charged",
        breaks="A student is charged, and pays the same bills by the page that they were sent.",
        edits=(Edit(path=PAGES, old="        if not left:\n", new="        if True:\n"),),
        catchers=(f"{TESTS}::test_an_open_page_is_closed_before_a_charge_is_sent",),
    ),
    Mutant(
        name="what-was-paid-by-a-page-a-moment-ago-is-charged",
        breaks="A student who has just paid is charged for the same bills.",
        edits=(Edit(path=PAGES, old="    if not missing:\n", new="    if missing is not None:\n"),),
        catchers=(f"{TESTS}::test_whoever_paid_by_a_page_just_before_is_not_charged",),
    ),
    Mutant(
        name="a-payment-by-page-stands-against-charges-for-ever",
        breaks="Nobody who paid a part by a page is charged for the rest.",
        edits=(
            Edit(
                path="services/payouts/store/charges.py",
                old="WHERE posted.source = 'charge:' || paid.charge\n",
                new="WHERE posted.source = 'charge:'\n",
            ),
        ),
        catchers=(f"{TESTS}::test_a_payment_that_was_counted_stands_against_no_charge",),
    ),
    Mutant(
        name="a-charge-whose-answer-was-lost-is-said-not-to-be-made",
        breaks="What was charged is asked for anew, since its student paid by a page meanwhile.",
        edits=(
            Edit(
                path=PAGES,
                old="    if operation.attempts > 1 or not await _is_unsent(client, pace, operation):\n",
                new="    if False:\n",
            ),
        ),
        catchers=(f"{TESTS}::test_a_charge_that_may_have_been_sent_is_never_said_not_to_be_made",),
    ),
    Mutant(
        name="a-page-is-made-beside-a-charge",
        breaks="A student is given a page for what is being charged.",
        edits=(
            Edit(
                path=LINKS,
                old="if overtaken := done and link.amount is not None "
                "and await is_under_way(tx, link.wallet):",
                new="if overtaken := False:",
            ),
        ),
        catchers=(f"{TESTS}::test_a_charge_that_is_ordered_while_a_page_is_made_wins",),
    ),
    Mutant(
        name="two-pages-for-the-same-bills-stay-open",
        breaks="A student pays the request of last week and that of today.",
        edits=(
            Edit(
                path=LINKS,
                old="        if problem is not None:\n"
                "            return StripeAnswer(status=None, problem=problem)\n",
                new="",
            ),
            Edit(
                path=LINKS,
                old="    found = await open_pages.closed(client, pace, [customer], now, link.bill)\n",
                new="    found = await open_pages.closed(client, pace, [], now, link.bill)\n",
            ),
        ),
        catchers=(
            f"{TESTS}::test_a_later_page_for_the_same_bills_takes_the_place_of_the_former",
            f"{TESTS}::test_nobody_is_asked_anew_for_what_they_paid_a_moment_ago",
        ),
    ),
)

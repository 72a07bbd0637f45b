"""Mutants of billing's corrections: order, price, content, what waits, and which bill is in force."""

from tests.mutants.mutant import Edit, Mutant

RULES = "tests/unit/billing/test_revisions.py"
REVISIONS = "tests/integration/billing/test_revisions.py"
WAITING = "tests/integration/billing/test_waiting_revisions.py"
DOMAIN = "services/billing/domain/revisions.py"
STEPS = "services/billing/steps/revisions.py"

REVISION_MUTANTS = (
    Mutant(
        name="a-gap-does-not-wait",
        breaks="A revision is applied although one before it is missing; that one is refused when it comes.",
        edits=(
            Edit(
                path=DOMAIN,
                old="    missing = next((r for r in between if r not in history.refused), None)\n",
                new="    missing = next((r for r in between if r in ()), None)\n",
            ),
        ),
        catchers=(f"{RULES}::test_a_revision_is_due_when_none_is_missing_before_it",),
    ),
    Mutant(
        name="a-refused-revision-is-waited-for",
        breaks="The revision after a refused one waits for it for ever.",
        edits=(Edit(path=DOMAIN, old=" if r not in history.refused), None)", new="), None)"),),
        catchers=(f"{REVISIONS}::test_a_refused_correction_is_passed_over_by_the_next",),
    ),
    Mutant(
        name="other-content-is-a-repeat",
        breaks="The same revision with other hours is taken for a repeat, and nobody hears of it.",
        edits=(Edit(path=DOMAIN, old="    if same:\n", new="    if True:\n"),),
        catchers=(f"{REVISIONS}::test_the_same_revision_with_other_content_is_a_dead_letter",),
    ),
    Mutant(
        name="who-corrected-is-no-content",
        breaks="A correction may be sent again under another author, who then may approve it.",
        edits=(
            Edit(
                path=DOMAIN,
                old="facts, self.reason, self.made_by, self.priced_by]",
                new="facts, self.reason, self.priced_by]",
            ),
        ),
        catchers=(f"{RULES}::test_every_word_of_a_revision_is_its_content",),
    ),
    Mutant(
        name="corrections-are-priced-by-today",
        breaks="A correction of an old flight costs what the book says today.",
        edits=(
            Edit(
                path=DOMAIN,
                old='history.first is not None and revision.priced_by == "bill"\n',
                new="history.first is not None and False\n",
            ),
        ),
        catchers=(f"{REVISIONS}::test_a_correction_is_priced_by_the_book_of_the_first_bill",),
    ),
    Mutant(
        name="a-revision-asks-for-a-journal",
        breaks="A correction is posted whole, on top of the flight.",
        edits=(
            Edit(
                path=STEPS,
                old="    if history.first is None:\n        return wire",
                new="    if True:\n        return wire",
            ),
        ),
        catchers=(f"{REVISIONS}::test_a_revision_asks_the_ledger_for_nothing",),
    ),
    Mutant(
        name="nobody-looks-at-what-waited",
        breaks="A flight is billed and the corrections that came before it are left to the timer alone.",
        edits=(
            Edit(
                path="services/billing/handlers.py",
                old="catch_up(tx, {a.event.flight_id for a in admitted})",
                new="catch_up(tx, set())",
            ),
        ),
        catchers=(f"{WAITING}::test_a_whole_batch_may_come_before_its_flights_and_in_reverse",),
    ),
    Mutant(
        name="no-timer-for-what-missed-its-flight",
        breaks="A correction that missed its flight by a moment waits for ever.",
        edits=(
            Edit(
                path="services/billing/handlers.py",
                old="await steps.revisions.catch_up(tx, ready)",
                new="await steps.revisions.catch_up(tx, ready[:0])",
            ),
        ),
        catchers=(
            f"{WAITING}::test_a_correction_that_misses_its_flight_by_a_moment_is_applied_by_the_timer",
        ),
    ),
    Mutant(
        name="a-cancelled-flight-is-billed-when-redriven",
        breaks="A refused flight that was cancelled is billed when its letter is redriven.",
        edits=(
            Edit(
                path="services/billing/domain/billing.py",
                old="    if billed.cancelled:\n",
                new="    if billed.cancelled:\n        return None\n    if billed.cancelled:\n",
            ),
        ),
        catchers=(f"{RULES}::test_a_cancelled_flight_is_billed_only_as_a_later_revision",),
    ),
    Mutant(
        name="bills-that-were-corrected-stay-in-the-chain",
        breaks="The meter chain has the readings of every revision, and finds overlaps where there are none.",
        edits=(
            Edit(
                path="services/billing/migrations/versions/0006_revisions.sql",
                old="""\
    FROM bill
    WHERE NOT EXISTS (SELECT FROM bill AS later
                      WHERE later.flight_id = bill.flight_id AND later.revision > bill.revision
                        AND later.corrects IS NOT NULL);
""",
                new="    FROM bill;\n",
            ),
        ),
        catchers=(f"{REVISIONS}::test_the_meter_chain_goes_by_the_bill_in_force",),
    ),
)

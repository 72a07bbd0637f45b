"""Mutants of limits that change by themselves: limits that rise without reason, or by one person alone."""

from tests.mutants.mutant import Edit, Mutant

TESTS = "tests/unit/receivables/test_limit_changes.py"
RULES = "services/receivables/domain/limit_changes.py"
SET = "tests/integration/billing/test_own_limits.py"
BY_HAND = "services/billing/domain/own_limits.py"

LIMIT_MUTANTS = (
    Mutant(
        name="a-limit-rises-in-a-dispute",
        breaks="A student whose payment is disputed may owe more.",
        edits=(Edit(path=RULES, old="if standing.disputes_open or months", new="if months"),),
        catchers=(f"{TESTS}::test_a_limit_rises_for_what_the_policy_asks",),
    ),
    Mutant(
        name="a-late-payment-is-forgotten",
        breaks="A limit rises although bills were paid late.",
        edits=(
            Edit(
                path=RULES,
                old="(standing.known_from, standing.late_until, standing.set_back_on,",
                new="(standing.known_from, standing.set_back_on,",
            ),
        ),
        catchers=(f"{TESTS}::test_a_limit_rises_for_what_the_policy_asks",),
    ),
    Mutant(
        name="one-person-accepts-any-rise",
        breaks="One person alone lets a student owe as much more as the policy's step is.",
        edits=(
            Edit(
                path=RULES,
                old="change.to_limit - change.from_limit > policy.allowed_by_one_up_to",
                new="False",
            ),
        ),
        catchers=(f"{TESTS}::test_a_large_rise_needs_two_persons_and_a_fall_one",),
    ),
    Mutant(
        name="a-change-outlives-the-books-word",
        breaks="A limit that rose by policy stands although the school gave the student another one.",
        edits=(
            Edit(
                path="services/receivables/functions/credit.sql",
                old="CASE WHEN (last.book_limit, last.card_from, last.card_version)",
                new="CASE WHEN (book.amount, own.effective_from, own.version)",
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_limit_changes.py"
            "::test_a_rise_is_proposed_once_and_stands_once_two_accepted_it",
        ),
    ),
    Mutant(
        name="a-kind-of-flight-has-no-limit",
        breaks="A student beyond the limit of solo flights takes an aircraft alone.",
        edits=(
            Edit(
                path="services/receivables/domain/dispatches.py",
                old="for limit in (terms.credit.credit_limit, terms.of_kind)",
                new="for limit in (terms.credit.credit_limit,)",
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_dispatches.py::test_a_kind_of_flight_has_a_lower_limit",
        ),
    ),
    Mutant(
        name="holds-of-one-batch-know-nothing-of-each-other",
        breaks="Two flights that are dispatched at once both use the last of a limit.",
        edits=(
            Edit(
                path="services/ledger/domain/holds.py",
                old="left[key] = left.get(key, 0) - (one.amount or 0)",
                new="left[key] = left.get(key, 0)",
            ),
        ),
        catchers=(
            "tests/integration/ledger/test_holds.py"
            "::test_holds_placed_together_are_answered_as_one_by_one[False]",
        ),
    ),
    Mutant(
        name="one-person-sets-any-limit",
        breaks="One person alone lets a student owe any amount.",
        edits=(Edit(path=BY_HAND, old="asked.limit - before > by_one_up_to", new="False"),),
        catchers=(f"{SET}::test_a_larger_rise_waits_for_another_person",),
    ),
    Mutant(
        name="an-end-of-a-freeze-is-no-rise",
        breaks="One person alone lets a student fly again who was frozen.",
        edits=(Edit(path=BY_HAND, old="[0 if one.frozen else one.limit for", new="[one.limit for"),),
        catchers=(f"{SET}::test_a_frozen_student_is_let_fly_again_by_two_and_frozen_by_one",),
    ),
    Mutant(
        name="a-dispute-that-was-won-lowers-a-limit",
        breaks="A student's limit falls for a payment that the bank gave back to the school.",
        edits=(
            Edit(
                path="services/receivables/functions/limits.sql",
                old="WHERE withdrawn AND outcome IS DISTINCT FROM 'won'\n",
                new="WHERE withdrawn\n",
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_limit_changes.py"
            "::test_a_dispute_that_was_won_lowers_no_limit_any_more",
        ),
    ),
    Mutant(
        name="a-proposal-outlives-the-word-of-the-book",
        breaks="Two persons accept a rise that does not stand: the book has given another limit since.",
        edits=(Edit(path=RULES, old="    if standing.said_since:\n", new="    if False:\n"),),
        catchers=(
            "tests/integration/receivables/test_limit_changes.py"
            "::test_what_was_proposed_before_the_book_gave_a_limit_of_their_own_is_not_accepted",
        ),
    ),
)

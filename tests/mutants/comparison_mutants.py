"""Mutants of the comparison with Stripe: what is matched, what is a break, what a signed day keeps."""

from tests.mutants.mutant import Edit, Mutant

MATCHING = "tests/integration/reserves/test_matching.py"
BREAKS = "tests/integration/reserves/test_breaks.py"
DAYS = "tests/integration/reserves/test_days.py"
MATCHES = "services/reserves/store/matches.py"

COMPARISON_MUTANTS = (
    Mutant(
        name="a-cent-too-little-matches",
        breaks="A row and its journals match by their ids alone, whatever their money is.",
        edits=(
            Edit(
                path=MATCHES,
                old="HAVING sum(amount) FILTER (WHERE is_its) = -net",
                new="HAVING sum(amount) FILTER (WHERE is_its) <> 0",
            ),
        ),
        catchers=(f"{MATCHING}::test_a_sum_that_differs_by_a_cent_does_not_match",),
    ),
    Mutant(
        name="the-first-of-two-that-look-alike-matches",
        breaks="What a person posted is matched with a row of its amount although another row is like it.",
        edits=(
            Edit(path=MATCHES, old="FROM pair WHERE journals = 1 AND lines = 1", new="FROM pair"),
            Edit(
                path=MATCHES,
                old="""INSERT INTO book_match (journal_id, match_id, how, matched_at)
        SELECT journal_id, transaction_id, 'amount', :now FROM told""",
                new="""INSERT INTO book_match (journal_id, match_id, how, matched_at)
        SELECT DISTINCT ON (journal_id) journal_id, transaction_id, 'amount', :now FROM told""",
            ),
        ),
        catchers=(f"{MATCHING}::test_what_a_person_posted_matches_by_amount_when_there_is_no_second_choice",),
    ),
    Mutant(
        name="a-late-fee-stays-alone",
        breaks="A journal that comes after its row was matched is never added to the match.",
        edits=(
            Edit(
                path=MATCHES,
                old="WHERE journal.source = ANY (line.expected)",
                new="WHERE false",
            ),
        ),
        catchers=(f"{MATCHING}::test_a_fee_that_is_posted_later_belongs_to_its_charge",),
    ),
    Mutant(
        name="a-changed-row-stays-matched",
        breaks="A row that Stripe shows differently keeps the match that its old money made.",
        edits=(
            Edit(
                path="services/reserves/steps/lines.py",
                old="        await store.matches.reopen(tx, line.transaction_id)",
                new="        pass",
            ),
        ),
        catchers=(f"{MATCHING}::test_a_line_shown_differently_is_matched_anew",),
    ),
    Mutant(
        name="halves-of-two-days-differ-for-ever",
        breaks="What a match leaves between its days has no end: the drift of a night stays.",
        edits=(
            Edit(
                path=MATCHES,
                old="SELECT match_id, currency, day, lead(day) OVER by_day AS until_day,",
                new="SELECT match_id, currency, day, CAST(NULL AS date) AS until_day,",
            ),
        ),
        catchers=(f"{MATCHING}::test_halves_of_two_days_are_a_difference_on_the_first_only",),
    ),
    Mutant(
        name="each-comparison-is-told",
        breaks="A comparison that found what the one before found is told again.",
        edits=(
            Edit(
                path="services/reserves/store/days.py",
                old="WHERE (kept.stripe_opening, kept.stripe_moved",
                new="WHERE true OR (kept.stripe_opening, kept.stripe_moved",
            ),
        ),
        catchers=(f"{MATCHING}::test_the_same_comparison_is_told_once",),
    ),
    Mutant(
        name="what-is-on-its-way-is-missing",
        breaks="A half whose other half comes within the hour is a real break at once.",
        edits=(
            Edit(
                path="services/reserves/domain/breaks.py",
                old="    elif line.day >= settled_before:",
                new="    elif line.day > settled_before + (date.max - settled_before):",
            ),
        ),
        catchers=(f"{BREAKS}::test_a_young_half_is_a_matter_of_timing_and_closes_by_itself",),
    ),
    Mutant(
        name="a-refund-of-hobbs-was-made-by-hand",
        breaks="A refund that Hobbs ordered is said to be made in Stripe's dashboard.",
        edits=(
            Edit(
                path="services/reserves/domain/breaks.py",
                old="if line.type in BY_HAND and not line.is_own:",
                new="if line.type in BY_HAND:",
            ),
        ),
        catchers=(f"{BREAKS}::test_a_refund_that_hobbs_ordered_was_not_made_by_hand",),
    ),
    Mutant(
        name="what-stood-in-stays-beside-the-late-webhook",
        breaks="What was accepted for a row is not taken back when the payment's own journals come.",
        edits=(
            Edit(
                path=MATCHES,
                old="AND book.amount = spread.amount",
                new="AND book.amount = -spread.amount",
            ),
        ),
        catchers=(f"{BREAKS}::test_a_webhook_that_comes_after_an_accepted_break_doubles_nothing",),
    ),
    Mutant(
        name="another-wallet-was-agreed-to",
        breaks="A break accepted by one person with another wallet keeps the acceptance of the first.",
        edits=(
            Edit(
                path="services/reserves/domain/breaks.py",
                old="    return 2 if abs(amount) > accepted_by_one_up_to else 1",
                new="    return 1",
            ),
            Edit(
                path="services/reserves/functions/reconciliation.sql",
                old="< (CASE WHEN abs(NEW.amount) > NEW.accepted_by_one_up_to THEN 2 ELSE 1 END) THEN",
                new="< 1 THEN",
            ),
        ),
        catchers=(f"{BREAKS}::test_another_wallet_is_another_content_that_both_must_accept",),
    ),
    Mutant(
        name="a-signed-day-changes",
        breaks="What becomes known of a signed date counts on it.",
        edits=(
            Edit(
                path="services/reserves/domain/lines.py",
                old="if self.frozen_until is not None and day <= self.frozen_until:",
                new="if self.frozen_until is not None and day < self.frozen_until:",
            ),
        ),
        catchers=(f"{DAYS}::test_what_becomes_known_after_a_signature_counts_on_the_next_day",),
    ),
    Mutant(
        name="a-night-is-skipped",
        breaks="After days of rest only the last date is compared.",
        edits=(
            Edit(
                path="fleet/timers.py",
                old="    first = claimed.last_run + timedelta(days=1) if claimed.last_run else today",
                new="    first = today",
            ),
        ),
        catchers=(f"{DAYS}::test_each_date_that_ended_is_compared_once_and_after_days_of_rest_all_of_them",),
    ),
)

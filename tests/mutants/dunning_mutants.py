"""Mutants of asking for what is overdue: twice, too early, or although something stops it."""

from tests.mutants.mutant import Edit, Mutant

UNIT = "tests/unit/receivables/test_dunning.py"
TESTS = "tests/integration/receivables/test_dunning.py"
RULES = "services/receivables/domain/dunning.py"

DUNNING_MUTANTS = (
    Mutant(
        name="a-promise-stops-nothing",
        breaks="A student who promised to pay is asked again before the day.",
        edits=(
            Edit(
                path=RULES,
                old='if standing.hold == "promised" and not has_lapsed(standing, local.date()):',
                new='if standing.hold == "promised" and has_lapsed(standing, local.date()):',
            ),
        ),
        catchers=(
            f"{UNIT}::test_whatever_happens_each_step_is_done_once_in_a_run_and_never_when_it_is_stopped",
        ),
    ),
    Mutant(
        name="what-was-decided-meanwhile-is-overlooked",
        breaks="A student is asked although a person paused it between the look and the lock.",
        edits=(
            Edit(
                path="services/receivables/store/dunning.py",
                old="IS DISTINCT FROM (seen.run, seen.running, seen.hold, seen.until)",
                new="IS DISTINCT FROM (seen.run, seen.running, known.hold, known.until)",
            ),
        ),
        catchers=(f"{TESTS}::test_whoever_was_decided_about_meanwhile_is_left_to_the_next_look",),
    ),
    Mutant(
        name="a-wrong-bill-is-asked-for",
        breaks="A student is asked for a bill whose correction waits for a person.",
        edits=(Edit(path=RULES, old='        return "in_question"\n', new="        pass\n"),),
        catchers=(f"{TESTS}::test_nobody_is_asked_while_a_correction_of_their_flight_is_not_decided",),
    ),
    Mutant(
        name="steps-are-gone-back-to",
        breaks="A student hears the first reminder again and again.",
        edits=(Edit(path=RULES, old="policy.steps[passed + 1 :]", new="policy.steps[:]"),),
        catchers=(f"{UNIT}::test_the_next_step_of_the_book_is_done_once_and_what_stops_it_is_named",),
    ),
    Mutant(
        name="what-is-on-its-way-is-asked-for",
        breaks="Who paid by card a moment ago is asked for the same money.",
        edits=(
            Edit(
                path="services/receivables/functions/dunning.sql",
                old="- greatest(coming.amount, 0), 0)::bigint",
                new="- 0, 0)::bigint",
            ),
        ),
        catchers=(f"{TESTS}::test_what_is_paid_and_not_yet_in_the_account_is_not_asked_for",),
    ),
)

"""Mutants of the reserve: the gate's count, the readings, positions and health."""

from tests.mutants.mutant import Edit, Mutant

GATE = "tests/integration/payouts/test_reserve_gate.py"
RESERVE = "tests/integration/reserves/test_reserve.py"
STORE = "services/payouts/store/reserve_gate.py"

RESERVE_MUTANTS = (
    Mutant(
        name="what-is-let-out-is-not-counted",
        breaks="The count of what was let out never grows: each gate lets its ceiling out again and again.",
        edits=(
            Edit(
                path=STORE,
                old="SET allowed_total = allowed_total + :amount WHERE",
                new="SET allowed_total = allowed_total + 0 * :amount WHERE",
            ),
        ),
        catchers=(f"{GATE}::test_a_transfer_that_is_sent_again_is_counted_once",),
    ),
    Mutant(
        name="an-older-gate-is-heeded",
        breaks="A gate that comes late raises the ceiling again.",
        edits=(Edit(path=STORE, old="AND number < :number", new="AND number <> :number"),),
        catchers=(f"{GATE}::test_an_older_gate_and_one_of_a_reading_nobody_knows_change_nothing",),
    ),
    Mutant(
        name="a-gate-of-before-a-restore-is-heeded",
        breaks="A gate that judges a reading of before a restore lets out what left already.",
        edits=(
            Edit(
                path=STORE,
                old="AND reading.number = :balance_number))",
                new="AND reading.number <= :balance_number))",
            ),
        ),
        catchers=(f"{GATE}::test_an_older_gate_and_one_of_a_reading_nobody_knows_change_nothing",),
    ),
    Mutant(
        name="claims-go-past-the-gate",
        breaks="A relay claims transfers that were not let out.",
        edits=(
            Edit(
                path="services/payouts/store/claims.py",
                old="let_out_at IS NOT NULL OR NOT EXISTS (",
                new="let_out_at IS NOT NULL OR EXISTS (",
            ),
        ),
        catchers=(f"{GATE}::test_a_relay_sends_nothing_that_was_not_let_out",),
    ),
    Mutant(
        name="the-gate-begins-beside-claims",
        breaks="A transfer that is claimed while the reserve begins is neither counted nor under way.",
        edits=(Edit(path=STORE, old="    await tx.execute(_STOP_CLAIMS)\n", new=""),),
        catchers=(f"{GATE}::test_the_first_gate_waits_for_claims_that_saw_none",),
    ),
    Mutant(
        name="small-transfers-pass-the-oldest",
        breaks="Behind a transfer that does not fit smaller ones go, and it waits for ever.",
        edits=(
            Edit(
                path="services/payouts/domain/reserve_gate.py",
                old="            shut, sentence = True, _does",
                new="            sentence = _does",
            ),
        ),
        catchers=(f"{GATE}::test_the_oldest_goes_first_and_small_ones_do_not_starve_it",),
    ),
    Mutant(
        name="what-is-under-way-is-free",
        breaks="What was let out and may leave at any moment is let out a second time.",
        edits=(
            Edit(
                path="services/reserves/domain/health.py",
                old="    free = balance.available - balance.under_way\n    must_stay",
                new="    free = balance.available\n    must_stay",
            ),
        ),
        catchers=(f"{RESERVE}::test_a_reading_is_judged_and_the_gate_says_how_much_may_go",),
    ),
    Mutant(
        name="a-journal-is-added-for-each-event",
        breaks="After a restore of the ledger its journals are in the positions twice.",
        edits=(
            Edit(
                path="services/reserves/steps/positions.py",
                old="for one in journals if one.journal_id in new}",
                new="for one in journals}",
            ),
        ),
        catchers=(f"{RESERVE}::test_a_journal_published_again_after_a_restore_is_in_the_positions_once",),
    ),
    Mutant(
        name="a-closed-gate-opens-at-once",
        breaks="The gate opens and closes with each payment around its limit.",
        edits=(
            Edit(
                path="services/reserves/domain/health.py",
                old="    if gate == CLOSED:\n        free",
                new="    if gate == OFF:\n        free",
            ),
        ),
        catchers=(f"{RESERVE}::test_a_closed_gate_opens_only_above_its_limit",),
    ),
    Mutant(
        name="what-had-left-closes-the-gate",
        breaks="A transfer that is taken off twice closes the gate until more money is there than before.",
        edits=(
            Edit(
                path="services/reserves/domain/health.py",
                old="return OPEN if balance.available >= minimum",
                new="return OPEN if balance.available - balance.under_way >= minimum",
            ),
        ),
        catchers=(f"{RESERVE}::test_what_had_left_when_the_balance_was_read_closes_no_gate",),
    ),
    Mutant(
        name="money-that-moves-meanwhile-is-forgotten",
        breaks="A webhook that comes while a process looks whether to read is forgotten.",
        edits=(
            Edit(
                path="services/payouts/stripe/balance_readings.py",
                old="return await store.balance_readings.begin(tx, now, now + LEASE)",
                new="begun = await store.balance_readings.begin(tx, now, now + LEASE)\n"
                "                self._moved = False\n                return begun",
            ),
        ),
        catchers=(f"{GATE}::test_money_that_moves_while_a_process_looks_whether_to_read_is_read",),
    ),
    Mutant(
        name="a-reading-plans-over-another",
        breaks="Who finishes a reading forgets that another process asked for the next.",
        edits=(
            Edit(
                path="services/payouts/store/balance_readings.py",
                old="    WHERE watched AND read_due_at = :instead_of\n",
                new="    WHERE watched AND read_due_at <= :instead_of\n",
            ),
        ),
        catchers=(f"{GATE}::test_money_that_moves_while_another_process_reads_is_read_again",),
    ),
    Mutant(
        name="what-is-held-elsewhere-is-passed",
        breaks="A younger transfer goes before the oldest, which another process holds for a moment.",
        edits=(
            Edit(
                path="services/payouts/steps/reserve_gate.py",
                old="AT_ONCE) != len(waiting):",
                new="AT_ONCE) < len(waiting):",
            ),
        ),
        catchers=(f"{GATE}::test_what_another_process_holds_is_not_passed_and_is_looked_at_again",),
    ),
    Mutant(
        name="an-opening-needs-no-second-person",
        breaks="A large opening is in force before anybody else agreed.",
        edits=(
            Edit(
                path="services/reserves/store/alerts.py",
                old="""      AND (NOT needs_second OR approved_at IS NOT NULL)
\"\"\"""",
                new="""\"\"\"""",
            ),
        ),
        catchers=(f"{RESERVE}::test_a_person_opens_the_gate_for_a_time_and_above_a_limit_two_do",),
    ),
    Mutant(
        name="small-openings-add-up",
        breaks="One person opens the gate as far as they like, in small steps.",
        edits=(
            Edit(
                path="services/reserves/desk/gate.py",
                old="needs_second=alone > policy",
                new="needs_second=amount > policy",
            ),
        ),
        catchers=(f"{RESERVE}::test_small_openings_by_one_person_come_to_no_large_one",),
    ),
    Mutant(
        name="an-alert-never-ends",
        breaks="An alert stands when the reserve is healthy again.",
        edits=(
            Edit(
                path="services/reserves/store/alerts.py",
                old="kind IS DISTINCT FROM CAST(:kind AS text)\n",
                new="kind IS DISTINCT FROM CAST(:kind AS text) AND severity = 'warning'\n",
            ),
        ),
        catchers=(f"{RESERVE}::test_an_alert_is_raised_once_acknowledged_and_resolved_by_itself",),
    ),
    Mutant(
        name="an-overlap-counts-beyond-its-flight",
        breaks="A flight inside another is said to be billed twice for the other's time too.",
        edits=(
            Edit(
                path="services/reserves/domain/mismatches.py",
                old="min(read.reached_tenths, read.in_tenths) - read.out_tenths",
                new="read.reached_tenths - read.out_tenths",
            ),
        ),
        catchers=(
            "tests/integration/reserves/test_mismatches.py::test_a_flight_inside_another_is_on_two_bills_for_its_own_time_alone",
        ),
    ),
    Mutant(
        name="an-explanation-outlives-what-it-explains",
        breaks="A gap that grew stays explained by what was said of a smaller one.",
        edits=(
            Edit(
                path="services/reserves/migrations/versions/0009_mismatches.sql",
                old=" AND given.content_hash = mismatch.content_hash",
                new="",
            ),
        ),
        catchers=(
            "tests/integration/reserves/test_mismatches.py::test_an_explanation_stands_until_the_mismatch_changes",
        ),
    ),
    Mutant(
        name="a-cancelled-flight-is-never-paid",
        breaks="Flights that were cancelled are reported as unpaid for ever.",
        edits=(
            Edit(
                path="services/reserves/store/mismatches.py",
                old="payable.unsent > 0 AND payable.overdue AND leg.in_force\n",
                new="payable.unsent > 0 AND payable.overdue\n",
            ),
            Edit(
                path="services/reserves/store/mismatches.py",
                old="coalesce(payable.overdue AND leg.in_force, false)",
                new="coalesce(payable.overdue, false)",
            ),
        ),
        catchers=(
            "tests/integration/reserves/test_mismatches.py::test_what_is_not_sent_after_a_week_says_why_and_a_cancelled_flight_does_not",
        ),
    ),
)

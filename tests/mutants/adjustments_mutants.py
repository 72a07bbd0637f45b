"""Mutants of adjustments: who may approve what, against what a difference is, how the money follows."""

from tests.mutants.mutant import Edit, Mutant

TESTS = "tests/integration/adjustments"
APPROVALS = f"{TESTS}/test_approvals.py"
PROPOSALS = f"{TESTS}/test_proposals.py"
CLAWBACK = f"{TESTS}/test_settlements_clawback.py"
SETTLEMENTS = f"{TESTS}/test_settlements.py"
RESTORED = f"{TESTS}/test_settlements_restored.py"
RECOVERIES = f"{TESTS}/test_recoveries.py"
GUARDS = f"{TESTS}/test_settlements_guards.py"

ADJUSTMENTS_MUTANTS = (
    Mutant(
        name="the-maker-approves",
        breaks="The database lets whoever made a correction approve it.",
        edits=(
            Edit(
                path="services/adjustments/functions/guards.sql",
                old="WHERE person(maker.name) = person(NEW.approver)) THEN",
                new="WHERE false) THEN",
            ),
        ),
        catchers=(f"{APPROVALS}::test_a_maker_is_not_the_checker",),
    ),
    Mutant(
        name="a-covered-maker-may-approve",
        breaks="Whoever made a revision that waits has a colleague correct it slightly, and approves that.",
        edits=(
            Edit(
                path="services/adjustments/domain/proposals.py",
                old="    return tuple(sorted({made_by, *so_far, *covered}))\n",
                new="    return tuple(sorted({made_by, *so_far}))\n",
            ),
        ),
        catchers=(f"{APPROVALS}::test_whoever_made_a_revision_that_is_covered_is_a_maker_too",),
    ),
    Mutant(
        name="one-person-approves-twice",
        breaks="One person's name in other letters is the second approver.",
        edits=(
            Edit(
                path="services/adjustments/migrations/versions/0002_adjustments.sql",
                old="    ON approval (adjustment_id, content_hash, lower(normalize(btrim(approver), NFKC)));",
                new="    ON approval (adjustment_id, content_hash, approver);",
            ),
        ),
        catchers=(f"{APPROVALS}::test_two_approvers_are_two_persons",),
    ),
    Mutant(
        name="any-content-is-approved",
        breaks="An approval counts for other amounts than those that the person saw.",
        edits=(
            Edit(
                path="services/adjustments/functions/guards.sql",
                old="WHERE adjustment_id = NEW.id AND content_hash = NEW.content_hash) THEN",
                new="WHERE adjustment_id = NEW.id) THEN",
            ),
        ),
        catchers=(f"{APPROVALS}::test_an_approval_of_other_amounts_counts_for_nothing",),
    ),
    Mutant(
        name="the-hash-leaves-the-amounts-out",
        breaks="Amounts change after an approval, and the hash stays the same.",
        edits=(
            Edit(
                path="services/adjustments/functions/guards.sql",
                old="            NEW.entries, NEW.differences, NEW.needs,",
                new="            NEW.entries, NEW.needs,",
            ),
        ),
        catchers=(f"{APPROVALS}::test_an_approval_of_other_amounts_counts_for_nothing",),
    ),
    Mutant(
        name="an-undecided-revision-stays",
        breaks="A later revision leaves the earlier one in the queue: both can be approved.",
        edits=(
            Edit(
                path="services/adjustments/domain/proposals.py",
                old="    return one.revision < revision.revision and one.state in UNDECIDED\n",
                new="    return False\n",
            ),
        ),
        catchers=(f"{PROPOSALS}::test_a_later_revision_supersedes_one_that_waits",),
    ),
    Mutant(
        name="the-difference-is-against-the-first-bill",
        breaks="A correction of a correction adds all of it again.",
        edits=(
            Edit(
                path="services/adjustments/domain/flights.py",
                old="        if one.state in STANDING:\n            for wallet",
                new="        if False:\n            for wallet",
            ),
        ),
        catchers=(
            f"{PROPOSALS}::test_a_revision_during_a_journal_waits_for_the_answer_and_adds_only_the_rest",
        ),
    ),
    Mutant(
        name="a-refused-journal-stands",
        breaks="What the ledger refused is taken for posted, and the next revision adds the rest only.",
        edits=(
            Edit(
                path="services/adjustments/domain/adjustments.py",
                old="STANDING: Final = frozenset({_S.APPROVED, ",
                new="STANDING: Final = frozenset({_S.FAILED, _S.APPROVED, ",
            ),
        ),
        catchers=(f"{PROPOSALS}::test_after_a_refusal_the_next_revision_is_against_what_stood_before",),
    ),
    Mutant(
        name="a-revision-does-not-wait-for-the-answer",
        breaks="A revision is computed while nobody knows whether the one before was posted.",
        edits=(
            Edit(
                path="services/adjustments/domain/flights.py",
                old="    return any(one.state is State.APPROVED for one in adjustments)\n",
                new="    return False\n",
            ),
        ),
        catchers=(
            f"{PROPOSALS}::test_a_revision_during_a_journal_waits_for_the_answer_and_adds_only_the_rest",
        ),
    ),
    Mutant(
        name="what-changed-keeps-its-approvals",
        breaks="What stands changed since, and the approvals of the old amounts post the new ones.",
        edits=(
            Edit(
                path="services/adjustments/steps/proposals.py",
                old="                if fresh.differences == one.differences:\n",
                new="                if True:\n",
            ),
        ),
        catchers=(f"{APPROVALS}::test_when_what_stands_changes_approvals_are_void",),
    ),
    Mutant(
        name="nothing-expires",
        breaks="What nobody decides waits for ever.",
        edits=(
            Edit(
                path="services/adjustments/steps/expiry.py",
                old="one.state is State.WAITING and one.expires_at <= now]",
                new="one.state is State.PROPOSED and one.expires_at <= now]",
            ),
        ),
        catchers=(f"{APPROVALS}::test_what_nobody_decides_expires_and_finance_is_told",),
    ),
    Mutant(
        name="a-short-reversal-settles-all",
        breaks="What did not come back at Stripe is owed by nobody.",
        edits=(
            Edit(
                path="services/adjustments/domain/settlements_answers.py",
                old="    if back == owed:\n        return Changes(steps=(step,))\n",
                new="    if True:\n        return Changes(steps=(step,))\n",
            ),
        ),
        catchers=(f"{CLAWBACK}::test_a_short_reversal_settles_what_came_back_and_the_rest_is_deducted",),
    ),
    Mutant(
        name="an-answer-settles-twice",
        breaks="An answer of payouts that comes twice makes a second offset.",
        edits=(
            Edit(
                path="services/adjustments/steps/settlements.py",
                old="return row if row.state is SettlementState.ASKED else None",
                new="return row",
            ),
        ),
        catchers=(f"{CLAWBACK}::test_an_answer_that_comes_twice_changes_nothing",),
    ),
    Mutant(
        name="a-closed-window-claws-back",
        breaks="A claw back is asked for after the 72 hours.",
        edits=(
            Edit(
                path="services/adjustments/store/settlements_sent.py",
                old="WHERE wallet = :wallet AND currency = :currency AND clawback_until > :now",
                new="WHERE wallet = :wallet AND currency = :currency AND CAST(:now AS text) <> ''",
            ),
        ),
        catchers=(f"{CLAWBACK}::test_nothing_is_asked_for_after_the_window_has_closed",),
    ),
    Mutant(
        name="the-maker-forgives",
        breaks="Whoever made the correction forgives what follows from it.",
        edits=(
            Edit(
                path="services/adjustments/functions/settlement_guards.sql",
                old="person(maker.name) = person(NEW.decided_by)) THEN",
                new="false) THEN",
            ),
        ),
        catchers=(f"{GUARDS}::test_no_settlement_begins_against_the_rules",),
    ),
    Mutant(
        name="a-cent-is-settled-by-nobody",
        breaks="Settlements of a party need not sum to its difference.",
        edits=(
            Edit(
                path="services/adjustments/functions/settlement_guards.sql",
                old="    IF FOUND THEN\n        PERFORM refuse('settlements_sum_to_the_difference'",
                new="    IF false THEN\n        PERFORM refuse('settlements_sum_to_the_difference'",
            ),
        ),
        catchers=(f"{GUARDS}::test_no_settlement_begins_against_the_rules",),
    ),
    Mutant(
        name="a-refused-journal-ends-the-debt",
        breaks="The ledger refuses to post what was forgiven, and the debt is gone all the same.",
        edits=(
            Edit(
                path="services/adjustments/domain/settlements_answers.py",
                old="    return Changes(steps=(step,), begun=(again,))\n",
                new="    return Changes(steps=(step,))\n",
            ),
        ),
        catchers=(f"{SETTLEMENTS}::test_a_refused_journal_puts_the_offset_in_force_again_and_tells_finance",),
    ),
    Mutant(
        name="a-step-through-posted-is-not-written",
        breaks="Nobody can see when the ledger posted an adjustment.",
        edits=(
            Edit(
                path="services/adjustments/steps/answers.py",
                old="    await proposals.begin(tx, expected, now, through=BY_LEDGER)\n",
                new="    await proposals.begin(tx, expected, now)\n",
            ),
        ),
        catchers=(f"{PROPOSALS}::test_a_small_difference_is_approved_by_policy_and_posted",),
    ),
    Mutant(
        name="an-early-answer-is-dropped",
        breaks="After a restore a claw back that is decided again waits for an answer that was given.",
        edits=(
            Edit(
                path="services/adjustments/steps/settlements.py",
                old="            self.early.append(answer)\n",
                new="",
            ),
        ),
        catchers=(f"{RESTORED}::test_an_answer_read_again_settles_what_is_decided_again",),
    ),
    Mutant(
        name="an-answered-settlement-is-decided-otherwise",
        breaks="What came back at Stripe before a restore is forgiven as well.",
        edits=(
            Edit(
                path="services/adjustments/domain/settlements_early.py",
                old="    if same and (",
                new="    if same or (",
            ),
        ),
        catchers=(f"{RESTORED}::test_what_was_answered_cannot_be_decided_otherwise",),
    ),
    Mutant(
        name="the-first-transfer-proves-the-whole-rest",
        breaks="What is still deducted after a short reversal counts as settled by the transfer before.",
        edits=(
            Edit(
                path="services/adjustments/wire/settlements.py",
                old=" and source not in {part.source for part in one.event.deducted}",
                new="",
            ),
        ),
        catchers=(f"{TESTS}/test_settlements_parts.py::test_a_short_reversal_leaves_what_no_transfer_took",),
    ),
    Mutant(
        name="a-lost-dispute-is-recovered-without-the-policy",
        breaks="Payees bear lost disputes in a school that never said so.",
        edits=(
            Edit(
                path="services/adjustments/domain/policy.py",
                old="    recover_lost_disputes: bool = False\n",
                new="    recover_lost_disputes: bool = True\n",
            ),
        ),
        catchers=(f"{RECOVERIES}::test_without_a_card_nothing_is_proposed",),
    ),
    Mutant(
        name="an-amount-by-hand-needs-nobody",
        breaks="One person changes what a student owes for a flight of which nothing is known.",
        edits=(
            Edit(
                path="services/adjustments/domain/policy.py",
                old="    if by_hand:\n",
                new="    if False:\n",
            ),
        ),
        catchers=(f"{TESTS}/test_manual.py::test_it_waits_for_another_person_however_small_it_is",),
    ),
    Mutant(
        name="a-recovery-needs-nobody",
        breaks="Below the policy's limit a lost dispute is taken from the payees by itself.",
        edits=(
            Edit(
                path="services/adjustments/domain/policy.py",
                old="    if recovered:\n",
                new="    if False:\n",
            ),
        ),
        catchers=(f"{RECOVERIES}::test_a_small_recovery_waits_for_a_person_too",),
    ),
)

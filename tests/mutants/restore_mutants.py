"""Mutants of a restore: ids that are not the same again, offsets believed, Stripe not asked."""

from tests.mutants.mutant import Edit, Mutant

ADOPTION = "tests/integration/payouts/test_adoption.py"
POSITIONS = "tests/integration/fleet/test_positions.py"

RESTORE_MUTANTS = (
    Mutant(
        name="another-operation-when-decided-again",
        breaks="An operation that is decided again has a new id, and so a new key.",
        edits=(
            Edit(
                path="services/payouts/domain/orders.py",
                old='    return uuid5(_NAMES, f"operation\\x1f{kind}\\x1f{cause}")\n',
                new="    return uuid4()\n",
            ),
            Edit(
                path="services/payouts/domain/orders.py",
                old="from uuid import NAMESPACE_URL, UUID, uuid5\n",
                new="from uuid import NAMESPACE_URL, UUID, uuid4, uuid5\n",
            ),
        ),
        catchers=(f"{ADOPTION}::test_what_is_decided_again_before_the_comparison_has_the_same_key",),
    ),
    Mutant(
        name="found-transfer-is-paid-again",
        breaks="Payables that Stripe paid before a restore are paid while the transfer is not adopted yet.",
        edits=(
            Edit(
                path="services/payouts/store/payables.py",
                old="          WHERE found.wallet = payable.wallet AND found.adopted_at IS NULL\n",
                new="          WHERE false AND found.wallet = payable.wallet AND found.adopted_at IS NULL\n",
            ),
        ),
        catchers=(f"{ADOPTION}::test_a_transfer_for_a_week_is_found_by_what_it_paid",),
    ),
    Mutant(
        name="settled-without-its-difference",
        breaks="A found transfer that a person settled counts as if the payee had not been paid by it.",
        edits=(
            Edit(
                path="services/payouts/domain/adoption.py",
                old="    return [payable for payable in payables if payable.stripe_transfer_id is None]\n",
                new="    return list(payables)\n",
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_settled_effects.py::test_a_second_effect_of_an_operation_is_taken_off",
        ),
    ),
    Mutant(
        name="allocated-without-its-payment",
        breaks="An allocation takes from the unallocated wallet what its payment never put there.",
        edits=(
            Edit(
                path="services/ledger/domain/posting.py",
                old="        return _nothing_to_move(item.request, put_on) or _post(item, running, limits)\n",
                new="        return _post(item, running, limits)\n",
            ),
        ),
        catchers=(
            "tests/integration/receivables/test_wrong_student.py"
            "::test_a_payment_that_the_ledger_has_at_its_student_is_not_allocated_again",
        ),
    ),
    Mutant(
        name="payments-before-their-students",
        breaks="After a restore payments are read before billing knows whose they are.",
        edits=(
            Edit(
                path="fleet/consumers.py",
                old="        if first.service and not consumer.positions.reads_again:\n",
                new="        if first.service:\n",
            ),
        ),
        catchers=(f"{POSITIONS}::test_what_another_service_handles_comes_first_when_records_are_read_again",),
    ),
    Mutant(
        name="a-broken-invariant-ends-with-the-process",
        breaks="What a service's own check found is not shown by another process or after a restart.",
        edits=(
            Edit(
                path="fleet/own_check.py",
                old="            broken = rows[name].rows if name in rows else 0\n",
                new="            broken = 0\n",
            ),
        ),
        catchers=(
            "tests/integration/ops/test_own_check.py"
            "::test_a_broken_invariant_is_shown_by_every_process_until_it_holds_again",
        ),
    ),
    Mutant(
        name="sent-before-stripe-is-compared",
        breaks="The relay claims operations before what Stripe made was compared with the database.",
        edits=(
            Edit(
                path="services/payouts/stripe/relay.py",
                old="                if self._may_send()\n",
                new="                if True\n",
            ),
        ),
        catchers=(f"{ADOPTION}::test_nothing_is_claimed_before_the_comparison",),
    ),
    Mutant(
        name="a-restored-database-believes-the-offsets",
        breaks="A consumer begins at the group's offset, although the database was restored and knows less.",
        edits=(
            Edit(
                path="fleet/positions.py",
                old="            if committed is None or committed <= position:\n",
                new="            if True or committed <= position:\n",
            ),
        ),
        catchers=(f"{POSITIONS}::test_a_restored_database_is_read_on_from_where_it_ends",),
    ),
)

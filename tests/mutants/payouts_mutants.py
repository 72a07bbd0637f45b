"""Mutants of payouts: idempotency keys, leases, lookups, webhooks, and a transfer's journal."""

from tests.mutants.mutant import Edit, Mutant

ANSWERS = "tests/integration/payouts/test_answer_table.py"
RELAY = "tests/integration/payouts/test_relay.py"
LOCKS = "tests/integration/payouts/test_lock_order.py"
LEASES = "tests/integration/payouts/test_leases.py"
WEBHOOKS = "tests/integration/payouts/test_webhooks.py"
REVERTS = "tests/integration/payouts/test_reverts.py"


KEY = '        return f"op:{self.id}:{self.generation}"\n'
CALL = "        answer = stands or await self._ask(operation)\n"
CALL_IN_A_TRANSACTION = """\
        async with self._db.transaction() as tx:
            await store.relay_stop.current(tx)  # a transaction begins with its first statement
            answer = stands or await self._ask(operation)
"""

PAYOUTS_MUTANTS = (
    Mutant(
        name="reverts-owe-nothing",
        breaks="A revert is no payable, so that the money of a reverted flight is sent.",
        edits=(
            Edit(
                path="services/payouts/wire/records.py",
                old="in PAYABLE_EVENT_TYPES or reverted_by(a.event) is not None\n",
                new="in PAYABLE_EVENT_TYPES\n",
            ),
        ),
        catchers=(f"{REVERTS}::test_a_held_transfer_of_a_reverted_journal_is_never_sent",),
    ),
    Mutant(
        name="what-was-decided-is-sent",
        breaks="A transfer that was decided before its journal was reverted is sent all the same.",
        edits=(
            Edit(
                path="services/payouts/steps/payments.py",
                old="    waiting += await _unsent(tx, owing)\n",
                new="",
            ),
        ),
        catchers=(f"{REVERTS}::test_what_was_decided_and_not_sent_yet_is_withheld",),
    ),
    Mutant(
        name="new-key-on-retry",
        breaks="Each claim of an operation sends a new key, so that Stripe pays again after a timeout.",
        edits=(
            Edit(
                path="services/payouts/domain/operations.py",
                old=KEY,
                new='        return f"op:{self.id}:{self.generation}:{self.lease_token}"\n',
            ),
        ),
        catchers=(f"{ANSWERS}::test_no_answer_is_asked_again_with_the_same_key",),
    ),
    Mutant(
        name="key-from-the-attempt",
        breaks="The key is rebuilt from the number of the attempt instead of the generation.",
        edits=(
            Edit(
                path="services/payouts/domain/operations.py",
                old=KEY,
                new='        return f"op:{self.id}:{self.attempts}"\n',
            ),
        ),
        catchers=(f"{ANSWERS}::test_no_answer_is_asked_again_with_the_same_key",),
    ),
    Mutant(
        name="no-lease-check",
        breaks="A result is recorded although another relay holds the operation's lease by then.",
        edits=(
            Edit(
                path="services/payouts/store/operations.py",
                old="          AND operation.lease_token = outcome.token\n",
                new="",
            ),
        ),
        catchers=(
            f"{RELAY}::test_a_result_whose_lease_is_lost_is_dropped_and_the_next_owner_hears_the_same",
        ),
    ),
    Mutant(
        name="stolen-lease",
        breaks="A relay claims an operation whose lease another relay still holds.",
        edits=(
            Edit(
                path="services/payouts/store/claims.py",
                old="OR state = 'in_flight' AND lease_until < :now)\n          AND (first_sent_at",
                new="OR state = 'in_flight')\n          AND (first_sent_at",
            ),
            Edit(
                path="services/payouts/store/claims.py",
                old="OR state = 'in_flight' AND lease_until < :now)\n        ORDER BY",
                new="OR state = 'in_flight')\n        ORDER BY",
            ),
        ),
        catchers=(f"{LEASES}::test_what_another_relay_leases_is_not_claimed_before_its_lease_ends",),
    ),
    Mutant(
        name="call-inside-the-transaction",
        breaks="Stripe is called while a transaction is open.",
        edits=(Edit(path="services/payouts/stripe/relay.py", old=CALL, new=CALL_IN_A_TRANSACTION),),
        catchers=(f"{RELAY}::test_two_relays_never_pay_one_transfer_twice",),
    ),
    Mutant(
        name="unguarded-call-inside-the-transaction",
        breaks="Stripe is called while a transaction is open, and the guard against it is off.",
        edits=(
            Edit(path="services/payouts/stripe/relay.py", old=CALL, new=CALL_IN_A_TRANSACTION),
            Edit(
                path="services/payouts/stripe/client.py",
                old='        forbid_in_transaction("a call to Stripe")\n',
                new='        forbid_in_transaction.__name__.join(("a call to Stripe",))\n',
            ),
        ),
        catchers=(f"{LEASES}::test_no_transaction_is_open_while_stripe_thinks",),
    ),
    Mutant(
        name="blind-resend-after-24-hours",
        breaks="An old key is trusted for ever: Stripe has pruned it, and pays a second time.",
        edits=(
            Edit(
                path="services/payouts/domain/outcomes.py",
                old="KEY_TRUSTED_FOR = timedelta(hours=12)",
                new="KEY_TRUSTED_FOR = timedelta(days=365)",
            ),
        ),
        catchers=(f"{ANSWERS}::test_a_key_that_stripe_pruned_is_never_sent_again",),
    ),
    Mutant(
        name="adopt-without-comparing-the-amount",
        breaks="A transfer that a lookup finds with our operation id is adopted, whatever its amount.",
        edits=(
            Edit(
                path="services/payouts/domain/outcomes.py",
                old="""\
    if unlike := difference(operation, effect):
        return _ended(operation, answer, now, EffectVerdict.MISMATCH, State.PARKED, "effect_differs", unlike)
""",
                new="",
            ),
        ),
        catchers=(f"{ANSWERS}::test_what_is_found_with_another_amount_is_not_adopted",),
    ),
    Mutant(
        name="one-clean-lookup-is-enough",
        breaks="One list without the transfer starts a new generation, although Stripe's lists may lag.",
        edits=(
            Edit(
                path="services/payouts/domain/outcomes.py",
                old="    if operation.clean_lookups + 1 < 2:\n",
                new="    if operation.clean_lookups + 1 < 1:\n",
            ),
        ),
        catchers=(f"{ANSWERS}::test_after_12_hours_two_clean_lookups_start_a_new_generation",),
    ),
    Mutant(
        name="silence-is-a-refusal",
        breaks="A missing answer is taken for a refusal, after which a new key is used.",
        edits=(
            Edit(
                path="services/payouts/domain/answers.py",
                old="        case None:\n            return StripeVerdict.UNKNOWN\n",
                new="        case None:\n            return StripeVerdict.REFUSED\n",
            ),
        ),
        catchers=(f"{ANSWERS}::test_no_answer_is_asked_again_with_the_same_key",),
    ),
    Mutant(
        name="unknown-webhook-ignored",
        breaks="A webhook of an unknown type is not kept.",
        edits=(
            Edit(
                path="services/payouts/stripe/webhooks.py",
                old="""\
        if not known:
            follow_ups.keep(a, "unknown_type", f"nothing here acts on {a.event.event_type}")
""",
                new="",
            ),
        ),
        catchers=(f"{WEBHOOKS}::test_unknown_types_are_kept_and_others_matters_are_not",),
    ),
    Mutant(
        name="webhook-proves-any-amount",
        breaks="A transfer.created with our operation id completes the operation, whatever its amount.",
        edits=(
            Edit(
                path="services/payouts/stripe/webhooks.py",
                old="""\
    if unlike := difference(operation, thing):
        follow_ups.keep(admitted, "effect_differs", unlike)
        return False
""",
                new="",
            ),
        ),
        catchers=(f"{WEBHOOKS}::test_a_transfer_with_another_amount_proves_nothing",),
    ),
    Mutant(
        name="payable-without-its-natural-key",
        breaks="A journal that comes again after the inbox was pruned makes a second payable.",
        edits=(
            Edit(
                path="services/payouts/migrations/versions/0001_initial.sql",
                old="""\
    CONSTRAINT one_payable_per_journal_and_wallet UNIQUE (journal_id, wallet),
    CONSTRAINT one_payable_per_source_and_wallet UNIQUE (source, wallet)
""",
                new="""\
    CONSTRAINT one_payable_per_journal_and_wallet UNIQUE (journal_id, wallet, accrued_at),
    CONSTRAINT one_payable_per_source_and_wallet UNIQUE (source, wallet, accrued_at)
""",
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_happy_path.py"
            "::test_a_journal_replayed_after_the_inbox_was_pruned_pays_nobody_twice",
        ),
    ),
    Mutant(
        name="unordered-payees",
        breaks="Payees are locked in no order, so that handlers and relays may deadlock.",
        edits=(
            Edit(
                path="services/payouts/store/payees.py",
                old="FROM payee WHERE wallet = ANY (CAST(:wallets AS text[])) ORDER BY wallet FOR UPDATE",
                new="FROM payee WHERE wallet = ANY (CAST(:wallets AS text[])) FOR UPDATE",
            ),
        ),
        catchers=(f"{LOCKS}::test_who_waits_for_a_payee_holds_none_that_comes_after_it",),
    ),
    Mutant(
        name="answer-recorded-without-payee-lock",
        breaks="An answer is recorded without the payee's lock: two transactions may count the same payout.",
        edits=(
            Edit(
                path="services/payouts/stripe/effects.py",
                old="        await store.payees.lock(tx, touched)\n",
                new="",
            ),
        ),
        catchers=(f"{LOCKS}::test_an_answer_is_recorded_under_its_payee_s_lock",),
    ),
    Mutant(
        name="webhook-handled-without-payee-lock",
        breaks="A webhook proves a transfer without the payee's lock.",
        edits=(
            Edit(
                path="services/payouts/stripe/webhooks.py",
                old="    await store.payees.lock(tx, wallets)\n",
                new="",
            ),
        ),
        catchers=(f"{LOCKS}::test_a_webhook_proves_under_its_payee_s_lock",),
    ),
    Mutant(
        name="parked-operation-blocks-nobody",
        breaks="A payee's next transfer is sent while it is unknown whether the last one moved money.",
        edits=(
            Edit(
                path="services/payouts/store/claims.py",
                old="""\
        (SELECT wallet, id FROM operation WHERE state IN ('due', 'in_flight', 'held', 'parked')
""",
                new="""\
        (SELECT wallet, id FROM operation WHERE state IN ('due', 'in_flight', 'held')
""",
            ),
        ),
        catchers=(f"{ANSWERS}::test_what_was_decided_while_another_was_being_parked_waits_behind_it",),
    ),
    Mutant(
        name="sent-with-a-dying-lease",
        breaks="A call begins although its lease may end before it does.",
        edits=(
            Edit(
                path="services/payouts/stripe/relay.py",
                old="        return fresh and operation.lease_until - now >= self._limits.call_time\n",
                new="        return fresh\n",
            ),
        ),
        catchers=(f"{RELAY}::test_nothing_is_sent_when_the_lease_is_nearly_over",),
    ),
    Mutant(
        name="decisions-may-change",
        breaks="The database lets an operation be changed after it was decided.",
        edits=(
            Edit(
                path="services/payouts/functions/operations.sql",
                old="    RAISE EXCEPTION 'operation %: what was decided is frozen",
                new="    RETURN NEW; RAISE EXCEPTION 'operation %: what was decided is frozen",
            ),
        ),
        catchers=("tests/integration/payouts/test_frozen.py",),
    ),
    Mutant(
        name="transfer-journal-with-the-wrong-sign",
        breaks="A transfer's journal owes the payee what was just paid, and takes it from Stripe.",
        edits=(
            Edit(
                path="services/payouts/wire/messages.py",
                old="entries=((transfer.wallet, -transfer.amount), (EXTERNAL_STRIPE, transfer.amount)),",
                new="entries=((transfer.wallet, transfer.amount), (EXTERNAL_STRIPE, -transfer.amount)),",
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_happy_path.py"
            "::test_a_flight_pays_its_instructor_once_and_says_so",
        ),
    ),
    Mutant(
        name="amounts-in-the-books-units-at-stripe",
        breaks="A transfer asks Stripe for the books' minor units, a hundredth of it in UGX and ISK.",
        edits=(
            Edit(
                path="services/payouts/stripe/parameters.py",
                old='"amount": to_stripe(operation.amount, operation.currency)}',
                new='"amount": operation.amount}',
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_currencies.py::test_a_transfer_is_the_same_money_at_stripe",
        ),
    ),
    Mutant(
        name="carried-rest-paid-twice",
        breaks="What a transfer cannot send goes to the next one and stays in this one too.",
        edits=(
            Edit(
                path="services/payouts/domain/payments.py",
                old="amount=whole - carried_in,",
                new="amount=whole,",
            ),
        ),
        catchers=(
            "tests/integration/payouts/test_currencies.py"
            "::test_what_a_three_decimal_currency_cannot_send_goes_with_the_next_transfer",
        ),
    ),
)

"""Mutants of what Stripe is like today: two APIs for accounts, two modes, refusals that are tried again."""

from tests.mutants.mutant import Edit, Mutant

ACCOUNTS = "tests/integration/payouts/test_accounts_v2.py"
STOPPED = "tests/integration/payouts/test_stopped.py"
RETRIES = "tests/integration/payouts/test_retries.py"
MODES = "tests/integration/payouts/test_modes.py"
MODE_RULES = "tests/unit/payouts/test_modes.py"

STRIPE_TODAY_MUTANTS = (
    Mutant(
        name="accounts-of-v2-are-looked-up-in-v1",
        breaks="A lost answer of API v2 is looked up in v1's list: a second account is made.",
        edits=(
            Edit(
                path="services/payouts/stripe/client.py",
                old="return await self._all_v2_accounts(next_turn)\n",
                new="return await self._all_pages(lambda page: v1.accounts.list_async(page), since)\n",
            ),
        ),
        catchers=(f"{ACCOUNTS}::test_a_lost_answer_is_found_in_the_list_of_api_v2",),
    ),
    Mutant(
        name="anybodys-account-is-adopted",
        breaks="An account whose metadata names another payee is adopted.",
        edits=(
            Edit(
                path="services/payouts/domain/existing_accounts.py",
                old="    if payee and payee != request.wallet:\n",
                new="    if not request.wallet:\n",
            ),
        ),
        catchers=(f"{ACCOUNTS}::test_an_account_of_somebody_else_is_not_adopted",),
    ),
    Mutant(
        name="instant-under-the-recipient-agreement",
        breaks="An instant payout is requested that the payee's agreement with Stripe does not allow.",
        edits=(
            Edit(
                path="services/payouts/store/transfers.py",
                old="payee.instant AND payee.agreement <> 'recipient' AS instant",
                new="payee.instant AS instant",
            ),
        ),
        catchers=(
            f"{ACCOUNTS}::test_a_payee_abroad_is_under_the_recipient_agreement_and_gets_no_instant_payout",
        ),
    ),
    Mutant(
        name="any-mode-is-believed",
        breaks="An answer of the other mode counts, so that a transfer made nowhere stands as sent.",
        edits=(
            Edit(
                path="services/payouts/stripe/client.py",
                old="    if is_of_other_mode(response.data, livemode):\n",
                new="    if False and is_of_other_mode(response.data, livemode):\n",
            ),
        ),
        catchers=(f"{MODES}::test_a_transfer_answered_in_the_other_mode_is_not_sent_and_the_relay_stops",),
    ),
    Mutant(
        name="live-key-to-the-simulator",
        breaks="A live key may go to a simulator on this machine, in clear.",
        edits=(
            Edit(
                path="fleet/stripe_keys.py",
                old="    if is_stripe(address) or (not livemode and is_loopback(address)):\n",
                new="    if is_stripe(address) or is_loopback(address):\n",
            ),
        ),
        catchers=(f"{MODE_RULES}::test_payouts_does_not_start_with_a_key_for_another_address",),
    ),
    Mutant(
        name="a-database-of-any-mode",
        breaks="A live key is used with a database that holds test-mode money.",
        edits=(
            Edit(
                path="services/payouts/stripe/mode.py",
                old="        if recorded is ours:\n",
                new="        if recorded is ours or ours:\n",
            ),
        ),
        catchers=(f"{MODES}::test_a_key_of_the_other_mode_is_not_used_with_a_database_that_holds_money",),
    ),
    Mutant(
        name="refusals-under-the-old-key",
        breaks="What Stripe refused is tried again under the same key, so that Stripe repeats its refusal.",
        edits=(
            Edit(
                path="services/payouts/store/operations.py",
                old="state = 'due', phase = 'send', generation = generation + 1,",
                new="state = 'due', phase = 'send', generation = generation,",
            ),
        ),
        catchers=(f"{STOPPED}::test_what_stripe_refused_is_done_once_when_its_cause_is_gone",),
    ),
    Mutant(
        name="instant-payout-after-the-ordinary-one",
        breaks="A refused instant payout is repeated after the ordinary payout brought the money.",
        edits=(
            Edit(
                path="services/payouts/domain/retries.py",
                old="    if stopped.transfer_state is not TransferState.SENT or stopped.brought:\n",
                new="    if stopped.transfer_state is None:\n",
            ),
        ),
        catchers=(f"{RETRIES}::test_an_instant_payout_is_over_when_the_ordinary_one_brought_the_money",),
    ),
    Mutant(
        name="refusals-told-with-each-try",
        breaks="People are told of a refusal each time that it is repeated.",
        edits=(
            Edit(
                path="services/payouts/stripe/endings.py",
                old="and recorded[outcome.operation.id] and",
                new="and outcome.operation.id in recorded and",
            ),
        ),
        catchers=(f"{STOPPED}::test_a_refusal_that_is_repeated_is_told_once_and_asked_less_and_less_often",),
    ),
)

"""Mutants of what keeps reads within Stripe's allowance, and calls within its rates."""

from tests.mutants.mutant import Edit, Mutant

READING = "tests/unit/payouts/test_reading.py"
READS = "tests/integration/payouts/test_reads.py"
PACER = "tests/unit/payouts/test_pacer.py"

READING_MUTANTS = (
    Mutant(
        name="waits-do-not-grow",
        breaks="An account that nobody onboards is read each 30 s for ever.",
        edits=(
            Edit(
                path="services/payouts/domain/reading.py",
                old="        return min(max(age, self.first), self.most) * stretch\n",
                new="        return self.first * stretch\n",
            ),
        ),
        catchers=(f"{READING}::test_a_small_school_reads_far_less_in_a_month_than_stripe_allows",),
    ),
    Mutant(
        name="inquiries-without-end",
        breaks="A charge that was never captured is read again and again.",
        edits=(
            Edit(
                path="services/payouts/stripe/rereads.py",
                old="            if why := wire.stripe_objects.moves_nothing(answer.body):\n"
                "                return await self._end(reread, why)\n",
                new="",
            ),
        ),
        catchers=(f"{READS}::test_an_authorization_is_read_once_and_again_when_a_webhook_says_more",),
    ),
    Mutant(
        name="one-pace-for-all-endpoints",
        breaks="Transfers are sent as fast as all calls together may be, four times their endpoint's limit.",
        edits=(
            Edit(
                path="services/payouts/stripe/pacer.py",
                old="        return Lane(self._endpoint(endpoint), self.calls)\n",
                new="        return Lane(self.calls)\n",
            ),
        ),
        catchers=(
            f"{PACER}::test_no_second_holds_more_of_an_endpoint_than_its_limit_whatever_else_is_called",
        ),
    ),
    Mutant(
        name="claims-beyond-the-endpoint",
        breaks="Operations are leased that their endpoint cannot start before the lease ends.",
        edits=(
            Edit(
                path="services/payouts/store/claims.py",
                old="        WHERE place <= coalesce(ranked.most, place)\n          AND (",
                new="        WHERE (",
            ),
        ),
        catchers=(f"{READS}::test_no_more_of_a_kind_is_claimed_than_its_endpoint_starts_soon",),
    ),
)

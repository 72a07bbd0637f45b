"""Whatever is asked, in whatever batches: what may stand stands once, and the books are in order."""

from collections import Counter
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.database import Database
from fleet.envelope import uuid7
from services.ledger import steps
from services.ledger.domain.journals import EntryRequest, JournalRequest, PostedJournal
from services.ledger.domain.wallets import WALLET_KINDS
from services.ledger.handlers import post_journals
from tests.integration.ledger.books import NOON, balances, journals, requested
from tests.support.invariants import broken_invariants

Asked = tuple[int, tuple[tuple[str, int], ...]]  # which source, what legs

WALLETS = st.sampled_from(["student:a", "student:b", "instructor:a", "platform:school", "external:stripe"])
AMOUNTS = st.integers(-(10**12), 10**12)
ANY_LEGS = st.lists(st.tuples(WALLETS | st.just("pilot:a"), AMOUNTS | st.just(0)), max_size=4).map(tuple)


@st.composite
def balanced_legs(draw: st.DrawFn) -> tuple[tuple[str, int], ...]:
    legs = draw(st.lists(st.tuples(WALLETS, AMOUNTS.filter(bool)), min_size=1, max_size=4))
    rest = -sum(amount for _, amount in legs)
    return (*legs, (draw(WALLETS), rest)) if rest or len(legs) == 1 else tuple(legs)


REQUESTS = st.lists(st.tuples(st.integers(1, 6), balanced_legs() | ANY_LEGS), max_size=12)
BATCHES = st.lists(REQUESTS, min_size=1, max_size=3)

_examples = count()


def may_stand(legs: tuple[tuple[str, int], ...]) -> bool:
    """The rules again, said another way."""
    return (
        len(legs) >= 2
        and sum(amount for _, amount in legs) == 0
        and all(amount != 0 and wallet.split(":")[0] in WALLET_KINDS for wallet, amount in legs)
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
async def test_any_list_of_requests_leaves_the_books_in_order(
    ledger: Database, batches: list[list[Asked]]
) -> None:
    example = next(_examples)
    before = Counter(await balances(ledger))
    existing: dict[str, tuple[tuple[str, int], ...]] = {}
    for batch in batches:
        asked = [(f"flight:{example}-{number}:1", legs) for number, legs in batch]
        await post_journals(ledger, [requested(source, legs) for source, legs in asked])
        for source, legs in asked:
            if may_stand(legs):
                existing.setdefault(source, legs)
    expected = Counter(before)
    for legs in existing.values():
        for wallet, amount in legs:
            expected[wallet] += amount
    assert {w: amount for w, amount in expected.items() if amount} == await balances(ledger)
    here = [source for source in await journals(ledger) if source.startswith(f"flight:{example}-")]
    assert here == sorted(existing)
    assert await broken_invariants(ledger) == {}


NAMES = st.text(max_size=8) | st.sampled_from(
    ["a b", "Zoë", "a\u0085", "a\u00a0", "a\u2028b", "a\x7f", "😀", "%s"]
)
SOUND = {"bad_name", "bad_wallet_name", "source_reused"}  # what validate may say of a name


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.tuples(st.sampled_from(WALLET_KINDS), NAMES, NAMES), min_size=1, max_size=8))
async def test_the_rules_in_python_let_no_name_pass_that_the_database_refuses(
    ledger: Database, names: list[tuple[str, str, str]]
) -> None:
    requests = [
        JournalRequest(
            journal_id=uuid7(),
            source=source,
            event_type="names",
            occurred_at=NOON,
            entries=(
                EntryRequest(wallet=f"{kind}:{name}", currency="USD", amount=1),
                EntryRequest(wallet="external:bank", currency="USD", amount=-1),
            ),
        )
        for kind, name, source in names
    ]
    async with ledger.transaction() as tx:
        replies = await steps.posting.post(tx, requests)
    assert {reply.reason for reply in replies if not isinstance(reply, PostedJournal)} <= SOUND

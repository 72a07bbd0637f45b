"""People place, post and void holds, and set and clear limits: by decisions of the ledger's desk."""

from typing import Any

import orjson
import pytest

from fleet.database import Database
from schemas.decisions import DecisionTaken
from services.ledger.desk.decisions import ACTIONS
from tests.integration.ledger.books import Hobbs, ask, balances, requested, rows, told
from tests.support.deciders import deciding
from tests.support.decisions import answered, decision

STUDENT = "student:s-1"
LATER = "2199-06-01T12:00:00+00:00"
PLACE = {"wallet": STUDENT, "currency": "USD", "amount": 400, "expires_at": LATER}


@pytest.fixture
async def paid(ledger: Database) -> Database:
    """The student has 6.00."""
    await ask(ledger, requested("payment:1", (("external:bank", -600), (STUDENT, 600))))
    return ledger


async def decided(ledger: Database, action: str, about: str, given: Any = None, **more: Any) -> DecisionTaken:
    return await answered(ledger, ACTIONS, decision("ledger", action, about, given, why="because", **more))


async def available(ledger: Database) -> int:
    async with ledger.transaction() as tx:
        row = await tx.one("SELECT available FROM ledger_public.wallets WHERE address = :w", w=STUDENT)
    return int(row.available)


async def test_a_hold_is_placed_posted_in_part_and_announced(paid: Database) -> None:
    seen = await decided(paid, "place_hold", "checkride", PLACE, dry_run=True)
    assert (seen.outcome, await available(paid)) == ("previewed", 600)
    done = await decided(paid, "place_hold", "checkride", PLACE, preview_hash=seen.preview_hash)
    assert (done.outcome, await available(paid)) == ("done", 200)
    assert "keeps 4.00 USD on student:s-1" in done.sentence
    assert "leaves 2.00 USD available" in done.sentence
    assert done.effects == [
        {"wallet": STUDENT, "currency": "USD", "amount": 0, "pending": 400, "available_after": 200}
    ]
    to = {"to_wallet": "platform:school", "amount": 300}
    seen = await decided(paid, "post_hold", "checkride", to, dry_run=True)
    assert "opens the wallet platform:school in USD, which is new" in seen.sentence
    done = await decided(paid, "post_hold", "checkride", to, preview_hash=seen.preview_hash)
    assert (done.outcome, await available(paid)) == ("done", 300)
    assert (await balances(paid))["platform:school"] == 300
    events = [(event.topic, event.body.get("state")) for event in await told(paid)]
    assert events.count(("hold.changed", "open")) == 1
    assert events.count(("hold.changed", "posted")) == 1
    [posted] = [e.body for e in await told(paid) if e.topic == "journal.posted" and "hold" in e.key]
    assert (posted["source"], posted["memo"]) == ("hold:checkride", "because")


async def test_a_voided_hold_is_available_again_and_said_once(paid: Database) -> None:
    await decided(paid, "place_hold", "h", PLACE)
    first = await decided(paid, "void_hold", "h")
    again = await decided(paid, "void_hold", "h")
    assert (first.outcome, again.outcome, await available(paid)) == ("done", "done", 600)
    assert first.effects[0]["pending"] == -400
    assert ("nothing changes" in again.sentence, again.effects) == (True, [])
    assert [e.body["state"] for e in await told(paid) if e.topic == "hold.changed"] == ["open", "voided"]


@pytest.mark.parametrize(
    ("action", "about", "given", "said"),
    [
        ("place_hold", "h", PLACE | {"expires_at": "2020-01-01T00:00:00Z"}, "which is past"),
        ("place_hold", "h", PLACE | {"amount": 0}, "amount"),
        ("place_hold", "h", PLACE | {"amount": 4.5}, "amount"),
        ("place_hold", "h", PLACE | {"wallet": "pilot:1"}, "no known kind"),
        ("place_hold", "h", PLACE | {"currency": "ZZZ"}, "ISO 4217"),
        ("place_hold", "h", {"wallet": STUDENT}, "give currency, amount, expires_at"),
        ("place_hold", "h" * 91, PLACE, "hold"),
        ("post_hold", "nobody", {"to_wallet": "platform:school"}, "place it first"),
        ("void_hold", "nobody", {}, "place it first"),
        ("set_limit", STUDENT, {"currency": "USD"}, "floor"),
        ("set_limit", STUDENT, {"currency": "USD", "floor": None}, "may not go below"),
        ("set_limit", "pilot:1", {"currency": "USD", "floor": 0}, "no known kind"),
        ("clear_limit", STUDENT, {"currency": "USD"}, "has no limit in USD"),
        ("clear_limit", "student:nobody", {"currency": "USD"}, "has no limit in USD"),
    ],
)
async def test_what_cannot_be_decided_is_refused_and_changes_nothing(
    paid: Database, action: str, about: str, given: dict[str, Any], said: str
) -> None:
    before = [event.topic for event in await told(paid)]
    refused = await decided(paid, action, about, given)
    assert (refused.outcome, said in refused.sentence) == ("refused", True), refused.sentence
    assert [event.topic for event in await told(paid)] == [*before, "decision.taken"]
    async with paid.transaction() as tx:
        assert await tx.all("SELECT 1 FROM ledger_public.wallets WHERE address = 'student:nobody'") == []


async def test_a_limit_refuses_a_hold_until_it_is_cleared(paid: Database) -> None:
    set_now = await decided(paid, "set_limit", STUDENT, {"currency": "USD", "floor": 300, "binds": "holds"})
    assert "may not take the available balance of student:s-1 below 3.00 USD" in set_now.sentence
    assert set_now.effects[0]["limit"] == 300
    short = await decided(paid, "place_hold", "h", PLACE)
    assert (short.outcome, "short by 100" in short.sentence) == ("refused", True)
    repeated = await decided(paid, "set_limit", STUDENT, {"currency": "USD", "floor": 300, "binds": "holds"})
    assert "nothing changes" in repeated.sentence
    await decided(paid, "clear_limit", STUDENT, {"currency": "USD"})
    assert (await decided(paid, "place_hold", "h", PLACE)).outcome == "done"
    assert [e.body["floor"] for e in await told(paid) if e.topic == "limit.changed"] == [300, None]


async def test_a_preview_that_no_longer_holds_is_refused(paid: Database) -> None:
    seen = await decided(paid, "place_hold", "h", PLACE, dry_run=True)
    await ask(paid, requested("flight:F1:1", ((STUDENT, -500), ("platform:school", 500))))
    late = await decided(paid, "place_hold", "h", PLACE, preview_hash=seen.preview_hash)
    assert (late.outcome, "no longer do what was shown" in late.sentence) == ("refused", True)


async def test_the_command_line_places_posts_and_lists(
    paid: Database,
    hobbs: Hobbs,
    database_url: str,
    kafka: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with deciding(kafka, database_url, {"ledger": ACTIONS}) as prefix:
        monkeypatch.setenv("HOBBS_KAFKA_BOOTSTRAP", kafka)
        monkeypatch.setenv("HOBBS_TOPIC_PREFIX", prefix)
        place = ("holds", "place", "ride", STUDENT, "4.00", "--until", LATER, "--why", "Friday")
        dry = await hobbs(*place, "--dry-run", "-o", "json")
        assert (dry.exit_code, orjson.loads(dry.stdout)[0]["pending"]) == (0, 400)
        assert "dry run, nothing changed: hold ride keeps 4.00 USD" in dry.stderr
        assert rows(await hobbs("holds", "-o", "json")) == []
        assert (await hobbs(*place)).exit_code == 1  # nobody said yes
        done = await hobbs(*place, "--yes")
        assert (done.exit_code, "4.00" in done.stdout) == (0, True), done.stderr
        [listed] = rows(await hobbs("holds", STUDENT, "-o", "json"))
        assert (listed["hold"], listed["memo"]) == ("ride", "Friday")
        limit = ("limits", "set", STUDENT, "--floor", "-1.50", "--why", "new", "--yes")
        assert (await hobbs(*limit)).exit_code == 0
        [limited] = rows(await hobbs("limits", "-o", "json"))
        assert (limited["limit"], limited["limit_binds"], limited["available"]) == (-150, "holds", 200)
        assert "-1.50" in (await hobbs("limits", "list", STUDENT)).stdout
        post = ("holds", "post", "ride", "instructor:i-1", "--amount", "3", "--why", "flown", "--yes")
        posted = await hobbs(*post)
        assert posted.exit_code == 0, posted.stderr
        assert "nobody pays these 3.00 USD to instructor:i-1" in posted.stderr
        shown = rows(await hobbs("holds", "show", "ride", "-o", "json"))
        assert (shown["state"], shown["posted_amount"]) == ("posted", 300)
        assert (await hobbs("limits", "clear", STUDENT, "--why", "x", "--yes")).exit_code == 0
        assert rows(await hobbs("limits", "-o", "json")) == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("holds", "show", "nobody"), 1, "no hold 'nobody'"),
        (("holds", "post", "nobody", "platform:school", "--why", "x"), 1, "no hold 'nobody'"),
        (("holds", "place", "h", STUDENT, "4", "--until", "2026-06-01", "--why", "x"), 2, "time zone"),
        (("holds", "place", "h", STUDENT, "4", "--until", "soon", "--why", "x"), 2, "not an instant"),
        (("holds", "place", "h", STUDENT, "4.001", "--until", LATER, "--why", "x"), 2, "decimals"),
        (("holds", "place", "h", STUDENT, "4", "--until", LATER, "--why", " "), 2, "say why"),
        (("holds", "void", "h"), 2, "--why"),
        (("limits", "set", STUDENT, "--floor", "much", "--why", "x"), 2, "is not an amount"),
        (("limits", "set", STUDENT, "--why", "x"), 2, "--floor"),
    ],
)
async def test_wrong_arguments_are_said_before_the_ledger_is_asked(
    paid: Database, hobbs: Hobbs, arguments: tuple[str, ...], code: int, said: str
) -> None:
    wrong = await hobbs(*arguments)  # there is no Kafka
    assert (wrong.exit_code, said in wrong.stderr) == (code, True), wrong.stderr

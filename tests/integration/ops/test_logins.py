"""People's logins: a name that is proven, whatever `--who` or a record says; and what each role may do."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import ProgrammingError

from console import catalogue
from console.roles import Person
from fleet.database import Database
from fleet.decisions import COMMON_ACTIONS, take_decisions
from fleet.logins import LoginRefused, add_login, logins, remove_login
from fleet.settings import Settings
from fleet.vouches import vouch
from hobbs.doctor.logins import examine_logins
from hobbs.shell.connections import reading
from hobbs.shell.names import refuse_names
from schemas.decisions import DecisionTaken
from schemas.services import SERVICES
from services.adjustments.desk.decisions import ACTIONS
from services.adjustments.handlers import propose_revisions
from services.payouts.desk import decisions as payouts
from services.reserves.desk import gate, mismatches, reconciliation
from tests.integration.adjustments.stories import MORE, given_policy, revised, staged
from tests.support.databases import service_url
from tests.support.decisions import decision


@dataclass(frozen=True, slots=True)
class People:
    """A database with two people's logins; each URL logs in as one of them, and the shared one as nobody."""

    ann: str
    bob: str
    eve: str
    names: tuple[str, ...]
    shared: str
    adjustments: Database


@pytest.fixture
async def people(database_url: str) -> AsyncIterator[People]:
    """Roles are the server's: the names are this test's own."""
    names = tuple(f"{name}_{secrets.token_hex(4)}" for name in ("ann", "bob", "eve"))
    urls = []
    for name, role in zip(names, ("finance", "repairs", "auditor"), strict=True):
        password = await add_login(database_url, name, role)
        parts = urlsplit(database_url)
        urls.append(
            urlunsplit(parts._replace(netloc=f"person_{name}:{password}@{parts.hostname}:{parts.port}"))
        )
    database = Database(service_url(database_url, "adjustments"), schema="adjustments", pool_size=2)
    shared = service_url(database_url, "operator")
    ann, bob, eve = urls
    yield People(ann=ann, bob=bob, eve=eve, names=names, shared=shared, adjustments=database)
    await database.close()
    for name in names:
        await remove_login(database_url, name)


async def ask(
    people: People, action: str, who: str, *, login: str | None, role: str | None = None
) -> DecisionTaken:
    """Ask adjustments about F1:2 as `who`; `login`: the URL of who vouches for it."""
    record = decision("adjustments", action, "F1:2", who=who, why="checked")
    if login:
        database = Database(login, schema="adjustments_public", role=role, pool_size=1)
        try:
            async with database.transaction() as tx:
                await vouch(tx, UUID(record.headers["ce_id"]), record.value or b"")
        finally:
            await database.close()
    await take_decisions(people.adjustments, {**COMMON_ACTIONS, **ACTIONS}, [record])
    return DecisionTaken.model_validate((await staged(people.adjustments, "decision.taken"))[-1])


async def a_correction_that_two_must_approve(people: People) -> None:
    await given_policy(people.adjustments)
    await propose_revisions(people.adjustments, [revised(entries=MORE)])


async def test_one_login_does_not_approve_twice_by_another_name(people: People) -> None:
    ann, bob = people.names[:2]
    await a_correction_that_two_must_approve(people)
    first = await ask(people, "approve", ann, login=people.ann)
    assert (first.outcome, first.who, first.login) == ("done", ann, f"person_{ann}")
    again = await ask(people, "approve", "carl", login=people.ann)
    assert (again.outcome, again.who) == ("refused", ann)
    stolen = await ask(people, "approve", bob, login=people.ann)
    assert (stolen.outcome, stolen.who) == ("refused", ann)
    assert (await ask(people, "approve", "carl", login=people.bob)).outcome == "done"
    async with people.adjustments.transaction() as tx:
        rows = await tx.all("SELECT approver FROM approval ORDER BY approved_at")
    assert [row.approver for row in rows] == [ann, bob]


async def test_a_decision_that_nobody_logged_in_for_is_refused(people: People) -> None:
    """Whoever writes to Kafka can write any name; without a login's word it is nobody's."""
    await a_correction_that_two_must_approve(people)
    answer = await ask(people, "approve", people.names[0], login=None)
    assert (answer.outcome, answer.login) == ("refused", None)
    assert "no login of the database vouches for it" in answer.sentence


async def test_the_shared_login_does_not_speak_for_who_has_their_own(people: People) -> None:
    await a_correction_that_two_must_approve(people)
    answer = await ask(people, "approve", people.names[0].upper(), login=people.shared)
    assert (answer.outcome, "has a login of their own" in answer.sentence) == ("refused", True)


async def test_a_word_for_one_decision_is_none_for_another_body(people: People) -> None:
    await a_correction_that_two_must_approve(people)
    record = decision("adjustments", "approve", "F1:2", who=people.names[0], why="checked")
    changed = record._replace(value=(record.value or b"").replace(b'"approve"', b'"reject"'))
    database = Database(people.ann, schema="adjustments_public", pool_size=1)
    async with database.transaction() as tx:
        await vouch(tx, UUID(record.headers["ce_id"]), record.value or b"")
    await database.close()
    await take_decisions(people.adjustments, ACTIONS, [changed])
    [answer] = await staged(people.adjustments, "decision.taken")
    assert (answer["outcome"], answer["login"]) == ("refused", None)


async def test_whoever_takes_on_another_role_stays_who_they_are(people: People) -> None:
    await a_correction_that_two_must_approve(people)
    answer = await ask(people, "approve", "carl", login=people.bob, role="hobbs_operator")
    assert (answer.outcome, answer.login) == ("done", f"person_{people.names[1]}")


async def test_what_each_may_do_in_the_database(people: People) -> None:
    """Finance asks and reads, and writes no table; an auditor reads; neither acts as a service."""
    word = "SELECT adjustments_public.vouch(uuidv7(), sha256('a'))"
    forge = "INSERT INTO adjustments.asked_decision VALUES (uuidv7(), sha256('a'), 'person_x', '{operator}')"
    denied = asyncpg.InsufficientPrivilegeError
    for url, may_ask, may_act in (
        (people.ann, True, False),
        (people.eve, False, False),
        (people.bob, True, True),
    ):
        person = await asyncpg.connect(url)
        try:
            assert await person.fetchval("SELECT count(*) FROM adjustments_public.dead_letters") == 0
            for statement, allowed in (
                (word, may_ask),
                ("SET ROLE hobbs_adjustments", may_act),
                (forge, False),
            ):
                if allowed:
                    await person.execute(statement)
                else:
                    with pytest.raises(denied):
                        await person.execute(statement)
        finally:
            await person.close()


@pytest.fixture
async def olga(people: People, database_url: str) -> AsyncIterator[str]:
    """A login of operations: its URL."""
    name = f"olga_{secrets.token_hex(4)}"
    password = await add_login(database_url, name, "operations")
    parts = urlsplit(database_url)
    yield urlunsplit(parts._replace(netloc=f"person_{name}:{password}@{parts.hostname}:{parts.port}"))
    await remove_login(database_url, name)


SEEN_BY_OPERATIONS = (
    *(f"TABLE {service}_public.{view}" for service in SERVICES for view in ("dead_letters", "positions")),
    "TABLE payouts_public.transfers",
    "TABLE payouts_public.stopped_operations",
    "TABLE payouts_public.payees",
    "TABLE payouts_public.movements",
    "TABLE payouts_public.forced_acts",
    *(f"TABLE reserves_public.{view}" for view in ("reserve", "alerts", "openings")),
)
HIDDEN_FROM_OPERATIONS = (
    "SELECT * FROM ledger_public.entries",
    "SELECT * FROM billing_public.bills",
    "SELECT * FROM payouts_public.names",
    "SELECT * FROM payouts_public.links",
    "SELECT * FROM receivables_public.payments",
    "SELECT * FROM payouts.transfer",
    "SELECT payload FROM payouts.dead_letter",
    "UPDATE payouts.transfer SET state = 'cancelled'",
    "INSERT INTO adjustments.asked_decision VALUES (uuidv7(), sha256('a'), 'person_x', '{operator}')",
    "SET ROLE hobbs_operator",
    "SET ROLE hobbs_reader",
    *(f"SET ROLE hobbs_{service}" for service in SERVICES),
)


async def test_operations_sees_what_stands_still_and_is_no_service(people: People, olga: str) -> None:
    person = await asyncpg.connect(olga)
    try:
        for view in SEEN_BY_OPERATIONS:
            await person.execute(view)
        for statement in HIDDEN_FROM_OPERATIONS:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await person.execute(statement)
    finally:
        await person.close()


async def test_operations_lets_a_letter_go_on_and_approves_nothing(people: People, olga: str) -> None:
    await a_correction_that_two_must_approve(people)
    approved = await ask(people, "approve", "carl", login=olga)
    assert (approved.outcome, approved.login) == ("refused", urlsplit(olga).username)
    assert approved.sentence == "approve needs one of the roles finance, operator"
    letter = await ask(people, "discard", "carl", login=olga)
    assert "needs one of the roles" not in letter.sentence
    assert "letter" in letter.sentence


async def test_the_command_line_reads_as_operations_where_it_may(people: People, olga: str) -> None:
    settings = Settings(database_url=SecretStr(olga), kafka_bootstrap="127.0.0.1:1")
    async with reading(settings) as database, database.transaction() as tx:
        assert await tx.all("TABLE payouts_public.transfers") == []
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with reading(settings) as database, database.transaction() as tx:
            await tx.all("TABLE billing_public.bills")


async def test_a_reason_that_cannot_be_compared_with_names_is_said_once(
    people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(database_url=SecretStr(people.ann), kafka_bootstrap="127.0.0.1:1")
    for _ in range(2):
        await refuse_names(settings, "as agreed")
    said = capsys.readouterr().err
    assert said == "the reason was not compared with names, which your login may not read: write ids\n"


def test_operations_runs_what_stands_still_and_neither_approves_nor_redirects_money() -> None:
    """A link to a payee's account lets who has it name a bank, and a release sends money to a new one: the
    two together would be one person's."""
    may = {
        action
        for desk in (payouts.ACTIONS, gate.ACTIONS, mismatches.ACTIONS, reconciliation.ACTIONS)
        for action, one in desk.items()
        if "operations" in one.roles
    }
    assert may == {"release", "retry", "cancel", "unpark", "close_opening", "acknowledge_alert",
                   "match_flights"}  # fmt: skip
    operations = Person(name="otto", shown_name="Otto", roles=frozenset({"operations"}))
    asked_in_the_console = {act.action for act in catalogue.ACTS.values() if operations.has(act.roles)}
    assert asked_in_the_console <= may | COMMON_ACTIONS.keys()


async def test_logins_are_listed_and_a_name_that_is_none_is_refused(
    people: People, database_url: str
) -> None:
    assert [(one.name, one.role) for one in await logins(database_url)] == list(
        zip(people.names, ("finance", "repairs", "auditor"), strict=True)
    )
    for name in ("Ann", "ann;drop", "", "hobbs operator"):
        with pytest.raises(LoginRefused):
            await add_login(database_url, name, "finance")


async def test_the_doctor_names_a_login_that_all_share(people: People, database_url: str) -> None:
    async def said(url: str) -> list[str]:
        settings = Settings(database_url=SecretStr(url), kafka_bootstrap="127.0.0.1:1")
        return [finding.found for finding in await examine_logins(settings)]

    [beside] = await said(people.shared)
    assert "hobbs_operator logs in beside them" in beside
    for name in people.names:
        await remove_login(database_url, name)
    [shared] = await said(people.shared)
    assert "people share the login hobbs_operator" in shared
    for name in people.names:
        await add_login(database_url, name, "auditor")

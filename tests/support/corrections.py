"""Flights with their corrections as a scheduler publishes them, and people who approve what comes of them."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hobbs.demo.figures import Figures
from hobbs.local.fleet_processes import Fleet
from hobbs.local.running_fleet import operator_settings
from hobbs.shell.decisions import Answer, Question, ask
from tests.checker.flight_rules import CANCELLED, CORRECTED, TOPIC, wallets_of
from tests.crash.traffic import KeyValueHeaders, publish

Body = Mapping[str, Any]
Published = tuple[str, Body]  # topic and body
OTHER_STUDENT: Final = '\n[[student]]\nid = "student-02"\nname = "Kim Other"\nemail = "kim@example.org"\n'
MAKER: Final = "dispatch"
APPROVERS: Final = ("ann", "bob")
RECENT: Final = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"  # an older flight always needs approval


def lesson(flight_id: str, **facts: Any) -> Published:
    """A flight of 1.3 h with an instructor; `facts` say what is otherwise."""
    usual = {
        "revision": 1, "date": RECENT, "aircraft": "N364MA", "student": "student-01",
        "instructor": "instructor-01", "hobbs_out": "1000.0", "hobbs_in": "1001.3", "flight_hours": "1.3",
        "dual_hours": "1.3", "ground_hours": "0.5",
    }  # fmt: skip
    return TOPIC, {"flight_id": flight_id, **usual, **facts}


def correction(of: Published, revision: int, **facts: Any) -> Published:
    """The next revision of a flight, whole."""
    said = {"revision": revision, "reason": "the record was wrong", "corrected_by": MAKER}
    return CORRECTED, {**of[1], **said, **facts}


def cancellation(of: Published, revision: int) -> Published:
    said = {"revision": revision, "reason": "it did not take place", "cancelled_by": MAKER}
    return CANCELLED, {"flight_id": of[1]["flight_id"], **said}


async def publish_in_order(fleet: Fleet, records: Iterable[Published]) -> None:
    for topic, body in records:
        await publish(fleet, topic, [as_record(body)])


def as_record(body: Body) -> KeyValueHeaders:
    return str(body["flight_id"]).encode(), json.dumps(body).encode(), []


def wallets_at_the_end(book: Mapping[str, Any], records: Iterable[Published]) -> dict[str, int]:
    """What every wallet gets of the last revision of each flight, in cents, whatever came before it."""
    last: dict[str, Published] = {}
    for topic, body in sorted(records, key=lambda record: int(record[1]["revision"])):
        last[body["flight_id"]] = topic, body
    totals: dict[str, int] = {}
    for topic, body in last.values():
        priced = {} if topic == CANCELLED else wallets_of(book, body)
        assert priced is not None, f"{body['flight_id']} cannot be priced"
        for wallet, amount in priced.items():
            totals[wallet] = totals.get(wallet, 0) + amount
    return {wallet: amount for wallet, amount in totals.items() if amount}


async def approve_everything(fleet: Fleet, figures: Figures) -> int:
    """Approve what waits: its maker may not, a person may, some need a second one; how many waited."""
    names = await waiting(figures)
    for name in names:
        assert (await decide(fleet, "approve", name, MAKER)).outcome == "refused", name
        answer = await decide(fleet, "approve", name, APPROVERS[0])
        assert answer.outcome == "done", answer.sentence
        if name in await waiting(figures):
            assert (await decide(fleet, "approve", name, APPROVERS[0])).outcome == "refused", name
            answer = await decide(fleet, "approve", name, APPROVERS[1])
            assert answer.outcome == "done", answer.sentence
    return len(names)


async def decide(
    fleet: Fleet, action: str, name: str, who: str, parameters: Mapping[str, Any] | None = None
) -> Answer:
    """Ask adjustments to decide about `<flight>:<revision>`."""
    question = Question(
        service="adjustments",
        action=action,
        object=name,
        who=who,
        why="a test",
        parameters=parameters or {},
    )
    return await ask(operator_settings(fleet), question)


async def waiting(figures: Figures) -> list[str]:
    """The adjustments that wait for an approval, as decisions name them."""
    return [name for name, state in (await states(figures)).items() if state == "waiting"]


async def states(figures: Figures) -> dict[str, str]:
    """Each adjustment's state, as decisions name it."""
    rows = await figures.rows(
        "SELECT flight_id || ':' || revision AS name, state FROM adjustments.adjustment ORDER BY id"
    )
    return {row["name"]: row["state"] for row in rows}

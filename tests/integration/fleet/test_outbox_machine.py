"""The outbox under any order of commits, rollbacks, late commits, refusals and deaths of its relay.

The model is a list for each key: what was committed, in order. The topic must hold just that, in that order;
a record may come again, none may be missing, none may be there that was rolled back.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from itertools import count

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from fleet import faults, outbox
from fleet.database import Database
from fleet.envelope import Message, first_cause
from fleet.faults import InjectedFault, Plan, parse_plan
from fleet.outbox import OutboxRelay, stage
from tests.integration.fleet.sample import Thing
from tests.support.machines import Machine, run_machine

ROOMY, NARROW = "thing.done", "thing.narrow"
NARROW_BYTES, ROOMY_BYTES = 1_500, 1_000_000
PARTITIONS = 3
LATE_MAX = 3
DEATHS = ("selected", "sending", "acknowledged", "deleted")

ROLLS_BACK = 9
TRANSACTION = st.tuples(
    st.sampled_from((ROOMY, NARROW)),
    st.text("abc", min_size=1, max_size=6),
    st.sampled_from((0, 1, 2, 8, 8, ROLLS_BACK)),  # which message is large, if there is such a one
)

Address = tuple[str, str]  # topic, key
_names = count()


class RolledBack(Exception):
    """Ends a transaction as a failing handler does."""


class Topics:
    """The two topics, and what was read of them so far."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.kafka = kafka
        self.prefix = prefix
        self.consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
        self.admin = AIOKafkaAdminClient(bootstrap_servers=kafka)

    async def open(self) -> None:
        await self.admin.start()
        await self.admin.create_topics([NewTopic(self.prefix + t, PARTITIONS, 1) for t in (ROOMY, NARROW)])
        await self.allow(NARROW_BYTES)
        await self.consumer.start()
        places = [TopicPartition(self.prefix + t, p) for t in (ROOMY, NARROW) for p in range(PARTITIONS)]
        self.consumer.assign(places)
        await self.consumer.seek_to_beginning()

    async def allow(self, most_bytes: int) -> None:
        """Let the narrow topic take records (batches, to the broker) of so many bytes."""
        setting = {"max.message.bytes": str(most_bytes)}
        resource = ConfigResource(ConfigResourceType.TOPIC, self.prefix + NARROW, configs=setting)
        await self.admin.alter_configs([resource])

    async def heard_since(self) -> dict[Address, list[str]]:
        """What came since it was asked last, by key, in its order."""
        heard: dict[Address, list[str]] = defaultdict(list)
        places = self.consumer.assignment()
        ends = await self.consumer.end_offsets(places)
        while [p for p in places if await self.consumer.position(p) < ends[p]]:
            for place, records in (await self.consumer.getmany(timeout_ms=200)).items():
                topic = place.topic.removeprefix(self.prefix)
                for record in records:
                    name = Thing.model_validate_json(record.value).name
                    heard[topic, record.key.decode()].append(name.strip())
        return heard

    async def close(self) -> None:
        await self.consumer.stop()
        await self.admin.close()


class Outbox(Machine):
    """Transactions stage; a relay passes now and then, and dies or is refused."""

    def __init__(self, loop: asyncio.AbstractEventLoop, database: Database, topics: Topics) -> None:
        super().__init__(loop)
        self.database = database
        self.topics = topics
        self.committed: dict[Address, list[str]] = defaultdict(list)
        self.late: list[tuple[Address, str, asyncio.Future[bool], asyncio.Task[None]]] = []

    @initialize(transactions=st.lists(TRANSACTION, min_size=3, max_size=6), slow=st.booleans())
    def begin(self, transactions: list[tuple[str, str, int]], slow: bool) -> None:
        self.example = f"e{next(_names)}"
        if slow:
            self.begin_slow_transaction()
        for transaction in transactions:
            self.transact(transaction)

    @rule(transaction=TRANSACTION)
    def transact(self, transaction: tuple[str, str, int]) -> None:
        """A message for each key; one of those for the narrow topic may be larger than it takes."""
        topic, keys, large = transaction
        commits = large != ROLLS_BACK
        staged = [
            self._thing(topic, key, large=topic == NARROW and number == large)
            for number, key in enumerate(keys)
        ]
        self.wait(self._transact(staged, commits))
        if commits:
            for message in staged:
                self.committed[message.topic, message.key].append(self._name(message))

    @precondition(lambda self: len(self.late) < LATE_MAX)
    @rule()
    def begin_slow_transaction(self) -> None:
        """Its rows get their ids now and are seen later. Its key is its own: a key's aggregate is locked."""
        message = self._thing(ROOMY, f"slow{next(_names)}", large=False)
        self.late.append(self.wait(self._begin_late(message)))

    @precondition(lambda self: self.late)
    @rule(which=st.integers(0, LATE_MAX - 1), commits=st.booleans())
    def end_slow_transaction(self, which: int, commits: bool) -> None:
        address, name, end, task = self.late.pop(which % len(self.late))
        self.wait(self._end_late(end, task, commits))
        if commits:
            self.committed[address].append(name)

    @rule()
    def relay(self) -> None:
        self.wait(self._relay())

    @rule(point=st.sampled_from(DEATHS))
    def relay_dies(self, point: str) -> None:
        self.wait(self._relay(f"outbox.{point}=raise@1"))

    @rule()
    def two_relays(self) -> None:
        self.wait(self._two_relays())

    def teardown(self) -> None:
        """The slow transactions end, the topic takes everything, and a relay that lives passes."""
        while self.late:
            self.end_slow_transaction(0, commits=True)
        self.wait(self._heal_and_drain())
        heard = self.wait(self.topics.heard_since())
        assert {address: once(names) for address, names in heard.items()} == dict(self.committed)

    def _thing(self, topic: str, key: str, large: bool) -> Message:
        name = f"{self.example}-{next(_names)}".ljust(2 * NARROW_BYTES if large else 1)
        return Message(topic=topic, key=f"{self.example}-{key}", event=Thing(name=name), cause=first_cause())

    def _name(self, message: Message) -> str:
        assert isinstance(message.event, Thing)
        return message.event.name.strip()

    async def _transact(self, staged: Sequence[Message], commits: bool) -> None:
        try:
            async with self.database.transaction() as tx:
                await stage(tx, staged)
                if not commits:
                    raise RolledBack
        except RolledBack:
            return

    async def _begin_late(
        self, message: Message
    ) -> tuple[Address, str, "asyncio.Future[bool]", "asyncio.Task[None]"]:
        staged, end = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def transact() -> None:
            try:
                async with self.database.transaction() as tx:
                    await stage(tx, [message])
                    staged.set()
                    if not await end:
                        raise RolledBack
            except RolledBack:
                return

        task = asyncio.create_task(transact())
        await staged.wait()
        return (message.topic, message.key), self._name(message), end, task

    async def _end_late(self, end: "asyncio.Future[bool]", task: "asyncio.Task[None]", commits: bool) -> None:
        end.set_result(commits)
        await task

    async def _relay(self, plan: str = "") -> None:
        """One owner of the lock, until nothing is left or it breaks, as it does when Kafka refuses."""
        if not await self._rows():
            return
        relay = OutboxRelay(
            self.database, {"bootstrap_servers": self.topics.kafka}, self.topics.prefix, kept_days=1
        )
        faults._plan = Plan(parse_plan(plan), None)
        try:
            async with self.database.session() as session:
                assert await relay._owns(session)
                relaying = asyncio.create_task(relay._relay(session))
                while not relaying.done() and await self._rows():  # noqa: ASYNC110 - the database's state
                    await asyncio.sleep(0.01)
                relaying.cancel()
                await asyncio.wait([relaying])
        finally:
            faults._plan = None
        if not relaying.cancelled() and (error := relaying.exception()):
            assert isinstance(error, InjectedFault | KafkaError)

    async def _two_relays(self) -> None:
        """Two processes: only the one with the lock relays, so they cannot overtake each other."""
        relays = [
            OutboxRelay(
                self.database, {"bootstrap_servers": self.topics.kafka}, self.topics.prefix, kept_days=1
            )
            for _ in range(2)
        ]
        async with self.database.session() as one, self.database.session() as other:
            owners = [await relay._owns(session) for relay, session in zip(relays, (one, other), strict=True)]
        assert owners == [True, False]

    async def _heal_and_drain(self) -> None:
        await self.topics.allow(ROOMY_BYTES)
        async with asyncio.timeout(20):
            while await self._rows():
                await self._relay()
        await self.topics.allow(NARROW_BYTES)

    async def _rows(self) -> int:
        async with self.database.transaction() as tx:
            return int((await tx.one("SELECT count(*) AS n FROM outbox")).n)


def once(names: Sequence[str]) -> list[str]:
    """The names as they came first: what a consumer that knows what it has seen makes of them."""
    return list(dict.fromkeys(names))


@pytest.fixture
async def topics(kafka: str) -> AsyncIterator[Topics]:
    topics = Topics(kafka, f"{secrets.token_hex(4)}.")
    await topics.open()
    yield topics
    await topics.close()


async def test_every_committed_message_reaches_its_topic_in_the_order_of_its_key_and_no_other(
    database: Database, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        outbox, "BATCH_BYTES", 1_000
    )  # a few records, so that one batch fails and another not
    await run_machine(lambda loop: Outbox(loop, database, topics), examples=20, steps=15)

"""What each user of Kafka may do, from the table of topics: nothing else is allowed to anybody.

Pure: who publishes, reads or measures a topic is in `topics.py`; here it becomes the brokers' access rules.
A user is `hobbs_<prefix><who>`, as the roles of Postgres are named, so that two schools on one cluster are
different users. READ and WRITE bring DESCRIBE with them; an idempotent producer needs WRITE only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from schemas.services import CONSOLE, KAFKA_USERS, MIGRATE, OPERATOR
from schemas.topics import TOPICS, Topic

READ_BY_ALL: Final = "decision.requested"  # whoever is up is in its group of this topic
Operation = Literal["Read", "Write", "Describe", "Create"]
Resource = Literal["topic", "group"]


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """One user may do one thing to one topic or group; `name` has the deployment's prefix."""

    user: str
    operation: Operation
    resource: Resource
    name: str


def user_of(who: str, prefix: str = "") -> str:
    """The name under which somebody of KAFKA_USERS logs in to the brokers."""
    return f"hobbs_{prefix}{who}"


def group_of(service: str, topic: str, prefix: str = "") -> str:
    """The consumer group in which a service reads a topic."""
    return f"{prefix}{service}.{topic}"


def every_right(prefix: str = "") -> list[Right]:
    """The rights of everybody, in the order of KAFKA_USERS."""
    return [right for who in KAFKA_USERS for right in rights_of(who, prefix)]


def rights_of(who: str, prefix: str = "") -> list[Right]:
    """All that somebody of KAFKA_USERS may do."""
    user = user_of(who, prefix)
    topics: dict[Operation, Iterable[str]] = {
        "Write": writes(who),
        "Read": reads(who),
        "Describe": describes(who),
        "Create": TOPICS if who == MIGRATE else (),
    }
    groups: dict[Operation, Iterable[str]] = {"Read": _own_groups(who), "Describe": _seen_groups(who)}
    return [
        Right(user=user, operation=operation, resource=resource, name=prefix + name)
        for resource, granted in ((_TOPIC, topics), (_GROUP, groups))
        for operation, names in granted.items()
        for name in names
    ]


_TOPIC: Resource = "topic"
_GROUP: Resource = "group"


def writes(who: str) -> list[str]:
    """Topics that somebody publishes on."""
    return [t.name for t in TOPICS.values() if who in (t.owner, *t.also_from)]


def reads(who: str) -> list[str]:
    """Topics whose records somebody reads; people look at what services read, and at answers to them."""
    looks = who == OPERATOR
    return [t.name for t in TOPICS.values() if who in readers(t) or (looks and readers(t))]


def describes(who: str) -> list[str]:
    """Topics of which somebody may know the partitions and offsets, beyond those that it reads or writes."""
    known = {*writes(who), *reads(who)}
    return [t.name for t in TOPICS.values() if t.name not in known and _measures(who, t)]


def _measures(who: str, topic: Topic) -> bool:
    """The console says how far every reader is behind, and reads nothing for it."""
    return who in (OPERATOR, MIGRATE, *topic.measured_by) or (who == CONSOLE and bool(readers(topic)))


def readers(topic: Topic) -> tuple[str, ...]:
    """Who reads a topic in a group of its own."""
    return (*topic.consumers, *topic.copied_by)


def _own_groups(who: str) -> Iterator[str]:
    return (group_of(who, topic.name) for topic in TOPICS.values() if who in readers(topic))


def _seen_groups(who: str) -> Iterator[str]:
    """People see how far every group is; the console, who is in the groups that each service has."""
    seen = {OPERATOR: list(TOPICS), CONSOLE: [READ_BY_ALL]}.get(who, [])
    groups = ((reader, name) for name in seen for reader in readers(TOPICS[name]))
    return (group_of(*group) for group in groups if group[0] != who)

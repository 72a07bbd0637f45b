"""A shadow deployment: which services are in it, which topics it looks at, and what its own user may do.

Pure. It reads the flights where the live deployment has them; everything else has the shadow's own prefix, so
that nothing it decides reaches anybody. It has one user at the brokers, beside people's and the one that
makes its topics.
"""

from schemas.kafka_rights import Operation, Right, group_of, reads, rights_of, user_of, writes
from schemas.services import BY_NAME, MIGRATE, OPERATOR, REGISTERED, SCHEDULING
from schemas.topics import TOPICS

SHADOWED = tuple(service.name for service in REGISTERED if service.shadowed)
SHADOW = "shadow"
BOOK = "school.configured"
ANSWERS = "decision.taken"


def live_topics(*, own_book: bool) -> tuple[str, ...]:
    """Topics that a shadow reads where the live deployment has them; with `own_book` no rates."""
    flights = [t.name for t in TOPICS.values() if t.owner == SCHEDULING and set(t.consumers) & {*SHADOWED}]
    return (*flights, *(() if own_book else (BOOK,)))


def own_topics() -> tuple[str, ...]:
    """Topics under the shadow's own prefix: what its services publish, hear of each other and of people."""
    heard = {name for name in SHADOWED if not BY_NAME[name].stripe_key}  # who calls Stripe hears only these
    return tuple(
        t.name
        for t in TOPICS.values()
        if t.owner in SHADOWED or t.name == ANSWERS or (set(t.consumers) & heard and t.owner != SCHEDULING)
    )


def refused_prefix(prefix: str, live: str) -> str | None:
    """Why a shadow of the topics that begin with `live` cannot have this prefix; None when it can."""
    if not prefix:
        return "a shadow needs topics of its own: set HOBBS_TOPIC_PREFIX, such as shadow."
    shared = {prefix + name for name in own_topics()} & {live + name for name in TOPICS}
    return f"{sorted(shared)[0]} would be the live deployment's topic too" if shared else None


def shadow_rights(prefix: str, live: str, *, own_book: bool) -> list[Right]:
    """What the shadow's user, people at the shadow, and who makes its topics may do at the brokers."""
    user = user_of(SHADOW, prefix)
    looked_at = live_topics(own_book=own_book)
    own = own_topics()
    written = sorted({name for service in SHADOWED for name in writes(service)} & {*own})
    read = sorted({name for service in SHADOWED for name in reads(service)} & {*own} - {*looked_at})
    groups = [group_of(service, name, prefix) for service in SHADOWED for name in reads(service)]
    granted: list[tuple[Operation, str]] = [("Write", prefix + name) for name in written]
    granted += [("Read", prefix + name) for name in read]
    granted += [("Read", live + name) for name in looked_at]
    rights = [Right(user=user, operation=what, resource="topic", name=name) for what, name in granted]
    rights += [Right(user=user, operation="Read", resource="group", name=name) for name in groups]
    return rights + [
        right
        for who in (OPERATOR, MIGRATE)
        for right in rights_of(who, prefix)
        if right.name in {*groups, *(prefix + name for name in own)}
    ]

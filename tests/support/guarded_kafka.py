"""A real broker that asks everybody who they are: SASL with SCRAM, ACLs, and nothing allowed unless granted.

The embedded broker with its own StandardAuthorizer; users are made when its storage is formatted. ACLs are
created over the wire, as `kafka-acls.sh` does: that tool is not among the jars of the local stack.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest_v1
from pydantic import SecretStr

from fleet.kafka_client import connection
from fleet.settings import Settings
from hobbs.local.kafka import (
    SETTINGS_FILE,
    as_properties,
    broker_settings,
    format_storage,
    start_kafka,
    wait_for_kafka,
)
from hobbs.local.ports import free_ports
from schemas.kafka_rights import Right

ADMIN: Final = "admin"
_MECHANISM: Final = "SCRAM-SHA-512"
_LITERAL, _ALLOW = 3, 3  # Kafka's codes, as those below
_RESOURCES: Final = {"topic": 2, "group": 3}
_OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedKafka:
    """A running broker with users; the password of each is made of its name."""

    bootstrap: str

    def settings(self, user: str | None, **more: Any) -> Settings:
        """The settings of a process that logs in as this user, or that knows none."""
        if user:
            more |= {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_username": user}
            more["kafka_password"] = SecretStr(password_of(user))
        return Settings(database_url=SecretStr(""), kafka_bootstrap=self.bootstrap, **more)

    def administrator(self) -> dict[str, Any]:
        """How aiokafka reaches it as who may do everything."""
        return connection(self.settings(ADMIN))


def password_of(user: str) -> str:
    return f"password-of-{user}"


@contextmanager
def guarded_kafka(folder: Path, users: Sequence[str]) -> Iterator[GuardedKafka]:
    """A broker on loopback that knows these users and an administrator."""
    folder.mkdir(parents=True)
    port, controller_port = free_ports(2)
    log = folder / "kafka.log"
    (folder / SETTINGS_FILE).write_text(as_properties(_settings(folder / "data", port, controller_port)))
    format_storage(
        folder / SETTINGS_FILE, log, *credentials({user: password_of(user) for user in (ADMIN, *users)})
    )
    broker = start_kafka(folder, port=port, log=log)
    try:
        wait_for_kafka(broker)
        yield GuardedKafka(bootstrap=broker.bootstrap)
    finally:
        broker.child.kill()


def _settings(data: Path, port: int, controller_port: int) -> dict[str, str]:
    plain = broker_settings(data, port, controller_port)
    login = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return plain | {
        "listeners": plain["listeners"].replace("PLAINTEXT://", "CLIENTS://", 1),
        "advertised.listeners": plain["advertised.listeners"].replace("PLAINTEXT://", "CLIENTS://", 1),
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "sasl.mechanism.inter.broker.protocol": _MECHANISM,
        "sasl.enabled.mechanisms": _MECHANISM,
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            f'{login} required username="{ADMIN}" password="{password_of(ADMIN)}";'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        # The controller's listener is this process talking to itself.
        "super.users": f"User:{ADMIN};User:ANONYMOUS",
    }


def credentials(passwords: Mapping[str, str]) -> Iterator[str]:
    """Words of the command that formats a broker's storage, which make these users."""
    for user, password in passwords.items():
        yield "--add-scram"
        yield f"{_MECHANISM}=[name={user},iterations=4096,password={password}]"


async def grant(administrator: Mapping[str, Any], rights: Sequence[Right]) -> None:
    """Create an access rule for each right; administrator: who may, in aiokafka's words."""
    rules = [
        (
            _RESOURCES[right.resource],
            right.name,
            _LITERAL,
            f"User:{right.user}",
            "*",
            _OPERATIONS[right.operation],
            _ALLOW,
        )
        for right in rights
    ]
    admin = AIOKafkaAdminClient(**administrator)
    await admin.start()
    try:
        client = admin._client
        answer = await client.send(client.get_random_node(), _CreateAcls(rules))
        assert {code for code, _ in answer.creation_responses} == {0}, answer
    finally:
        await admin.close()


class _CreateAcls:
    """Many rules in one request; aiokafka's own has one."""

    API_KEY = CreateAclsRequest_v1.API_KEY
    ALLOW_UNKNOWN_API_VERSION = False

    def __init__(self, rules: Sequence[tuple[Any, ...]]) -> None:
        self._rules = list(rules)

    def prepare(self, versions: Any) -> CreateAclsRequest_v1:
        return CreateAclsRequest_v1(self._rules)

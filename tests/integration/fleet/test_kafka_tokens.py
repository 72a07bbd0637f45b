"""OAUTHBEARER: a broker that knows clients by tokens, and checks who signed them, for whom, until when."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr, ValidationError

from fleet.consumers import Consumers
from fleet.envelope import Message, Record, first_cause
from fleet.kafka_client import publish_once
from fleet.kafka_tokens import ClientCredentials
from fleet.member import Consumer
from fleet.settings import Settings
from fleet.shared_batches import SharedBatches
from hobbs.local.kafka import (
    SETTINGS_FILE,
    as_properties,
    broker_settings,
    format_storage,
    start_kafka,
    wait_for_kafka,
)
from hobbs.local.ports import LOOPBACK, free_ports
from schemas.kafka_rights import Right, group_of
from tests.integration.fleet.sample import Thing
from tests.support.guarded_kafka import grant

WRITER, OTHER, SECRET = "hobbs_ledger", "hobbs_console", "the client's secret"
AUDIENCE, TOPIC = "kafka", "thing.done"
OAUTH: Final = "org.apache.kafka.common.security.oauthbearer"
CHECK: Final = f"{OAUTH}.OAuthBearerValidatorCallbackHandler"


class Authority(ThreadingHTTPServer):
    """Gives tokens to who has a secret, as an authorization server does; what a token says can be changed."""

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Answer)
        self.key, self.stranger = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
        self.given = 0
        self.instead: dict[str, Any] = {}
        self.signs = self.key

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}/token"

    def token(self, client: str) -> str:
        now = int(time.time())
        said = {"sub": client, "iss": "the authority", "aud": AUDIENCE, "iat": now, "exp": now + 300}
        self.given += 1
        kid = self.key.thumbprint()
        return str(jwt.encode({"alg": "RS256", "kid": kid}, said | self.instead, self.signs))


class _Answer(BaseHTTPRequestHandler):
    server: Authority

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        kind, _, pair = self.headers.get("authorization", "").partition(" ")
        client, _, secret = base64.b64decode(pair).decode().partition(":")
        known = kind == "Basic" and secret == SECRET and form["grant_type"] == ["client_credentials"]
        body = {"access_token": self.server.token(client), "expires_in": 300} if known else {"error": "no"}
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    server = Authority()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def as_it_was(authority: Authority) -> None:
    authority.instead, authority.signs = {}, authority.key


@pytest.fixture(scope="module")
async def brokers(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> AsyncIterator[str]:
    """A broker whose door for clients takes tokens of the authority's, with Kafka's own check of them."""
    folder = tmp_path_factory.mktemp("tokens")
    keys = folder / "jwks.json"
    public = authority.key.as_dict(private=False) | {"kid": authority.key.thumbprint(), "use": "sig"}
    keys.write_text(json.dumps({"keys": [public]}))
    port, within, controller = free_ports(3)
    plain = broker_settings(folder / "data", port, controller)
    doors = f"CLIENTS://{LOOPBACK}:{port},WITHIN://{LOOPBACK}:{within}"
    door = "listener.name.clients.oauthbearer"
    settings = plain | {
        "listeners": f"{doors},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": doors,
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,WITHIN:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "WITHIN",
        "sasl.enabled.mechanisms": "OAUTHBEARER",
        f"{door}.sasl.jaas.config": f"{OAUTH}.OAuthBearerLoginModule required;",
        f"{door}.sasl.server.callback.handler.class": CHECK,
        f"{door}.sasl.oauthbearer.jwks.endpoint.url": keys.as_uri(),
        f"{door}.sasl.oauthbearer.expected.audience": AUDIENCE,
        f"{door}.sasl.oauthbearer.expected.issuer": "the authority",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": "User:ANONYMOUS",
    }
    (folder / SETTINGS_FILE).write_text(as_properties(settings))
    log = folder / "kafka.log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys.as_uri()}")
        format_storage(folder / SETTINGS_FILE, log)
        broker = start_kafka(folder, port=port, log=log)
    try:
        wait_for_kafka(broker)
        administrator = {"bootstrap_servers": f"{LOOPBACK}:{within}"}
        admin = AIOKafkaAdminClient(**administrator)
        await admin.start()
        await admin.create_topics([NewTopic(TOPIC, 1, 1)])
        await admin.close()
        await grant(
            administrator,
            [
                Right(user=WRITER, operation="Write", resource="topic", name=TOPIC),
                Right(user=WRITER, operation="Read", resource="topic", name=TOPIC),
                Right(user=WRITER, operation="Read", resource="group", name=group_of("ledger", TOPIC)),
            ],
        )
        yield broker.bootstrap
    finally:
        broker.child.kill()


def settings(brokers: str, authority: Authority, user: str = WRITER, secret: str = SECRET) -> Settings:
    return Settings(
        database_url=SecretStr(""),
        kafka_bootstrap=brokers,
        kafka_security_protocol="SASL_PLAINTEXT",
        kafka_sasl_mechanism="OAUTHBEARER",
        kafka_username=user,
        kafka_password=SecretStr(secret),
        kafka_token_url=authority.url,
    )


async def publish(known: Settings) -> None:
    message = Message(topic=TOPIC, key="k", event=Thing(name="a"), cause=first_cause())
    await publish_once(known, [message], service="ledger")


async def test_who_has_a_token_may_what_its_user_may(brokers: str, authority: Authority) -> None:
    """It publishes; a service's consumers join their group, and read."""
    known = settings(brokers, authority)
    await publish(known)
    read, stopping = asyncio.Event(), asyncio.Event()

    async def handle(batch: Sequence[Record]) -> None:
        assert batch
        read.set()

    consumers = Consumers("ledger", known)
    consumers.add(Consumer(topic=TOPIC, shared=SharedBatches(handle), batch_max=10))
    running = asyncio.create_task(consumers.run(stopping))
    async with asyncio.timeout(60):
        await read.wait()
    stopping.set()
    await running
    with pytest.raises((TopicAuthorizationFailedError, ClusterAuthorizationFailedError)):
        await publish(settings(brokers, authority, OTHER))


@pytest.mark.parametrize(
    "instead",
    [{"aud": "another service"}, {"iss": "another authority"}, {"exp": 1_700_000_000}, "another key"],
)
async def test_a_token_that_is_not_for_these_brokers_lets_nobody_in(
    brokers: str, authority: Authority, instead: Any
) -> None:
    if isinstance(instead, str):
        authority.signs = authority.stranger
    else:
        authority.instead = instead
    with pytest.raises(KafkaError):
        await publish(settings(brokers, authority))


async def test_who_gets_no_token_is_told_so_without_the_secret(brokers: str, authority: Authority) -> None:
    tokens = ClientCredentials(authority.url, client=WRITER, secret="guessed")
    with pytest.raises(KafkaConnectionError, match=f"gives {WRITER} no token: 401") as refused:
        await tokens.token()
    assert "guessed" not in str(refused.value)
    nobody = ClientCredentials(f"http://{LOOPBACK}:1/token", client=WRITER, secret=SECRET)
    with pytest.raises(KafkaConnectionError, match="ConnectError"):
        await nobody.token()


async def test_a_token_serves_all_connections_until_most_of_its_time_is_over(authority: Authority) -> None:
    tokens = ClientCredentials(authority.url, client=WRITER, secret=SECRET)
    given = authority.given
    assert len({await tokens.token() for _ in range(3)}) == 1
    assert authority.given == given + 1
    tokens._until = time.monotonic()
    await tokens.token()
    assert authority.given == given + 2


@pytest.mark.parametrize("url", ["", "http://login.example/token", "login.example"])
def test_tokens_are_not_asked_for_in_clear(url: str, authority: Authority) -> None:
    with pytest.raises(ValidationError, match="OAUTHBEARER needs the https"):
        settings("kafka:9092", authority).model_validate(
            {**settings("kafka:9092", authority).model_dump(), "kafka_token_url": url}
        )

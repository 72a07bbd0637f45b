"""The rights of Kafka's users as the commands of Kafka's own tools, for whoever administers the brokers.

Promises: it prints no password and needs no connection. The script may run again: what is there stays, and a
right that somebody gave beyond these stays too, until it is taken with `kafka-acls.sh --remove`.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from schemas.kafka_rights import Right, every_right, user_of
from schemas.services import KAFKA_USERS, MIGRATE, OPERATOR
from schemas.shadow import SHADOW

HEAD: Final = """\
#!/bin/sh
# Made by `hobbs kafka acls`: Kafka's users and what each may do, from schemas/topics.py. Do not edit.
# BOOTSTRAP: a broker's address. ADMIN_CONFIG: a client's properties that log in as a super user.
# PASSWORDS: a folder with a file <who>_kafka_password for each user; who has none stays as it is.
set -eu
: "${BOOTSTRAP:?a broker's address}" "${ADMIN_CONFIG:?properties of a super user}" "${PASSWORDS:?a folder}"

user() {
  [ -s "$PASSWORDS/$2" ] || return 0
  credential=$(umask 077; mktemp)
  printf 'SCRAM-SHA-512=[iterations=8192,password=%s]\\n' "$(head -n 1 "$PASSWORDS/$2")" > "$credential"
  kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \\
    --alter --add-config-file "$credential" --entity-type users --entity-name "$1"
  rm "$credential"
}

allow() {
  who=$1 operation=$2
  shift 2
  kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \\
    --add --allow-principal "User:$who" --operation "$operation" "$@"
}
"""
_ASKED: Final = "${PREFIX}"  # in the place of the prefix: the shell's


def script(prefix: str = "") -> str:
    """The whole script, for the topics of one deployment; PREFIX names another when it runs."""
    default = f"PREFIX=${{PREFIX-{prefix}}}"
    return (
        "\n".join([HEAD, default, "", *_users(KAFKA_USERS, _ASKED), "", *_rights(every_right(_ASKED))]) + "\n"
    )


def shadow_script(prefix: str, rights: Sequence[Right]) -> str:
    """The script for a shadow's users: its own, people's at it, and the one that makes its topics."""
    return "\n".join([HEAD, *_users((SHADOW, OPERATOR, MIGRATE), prefix), "", *_rights(rights)]) + "\n"


def _users(whose: Sequence[str], prefix: str) -> Iterator[str]:
    return (f'user "{user_of(who, prefix)}" {who}_kafka_password' for who in whose)


def _rights(rights: Sequence[Right]) -> Iterator[str]:
    """One call for each user, operation and kind of thing."""
    for (user, operation, resource), some in groupby(rights, lambda r: (r.user, r.operation, r.resource)):
        names = " \\\n ".join(f' --{resource} "{right.name}"' for right in some)
        yield f'allow "{user}" {operation} \\\n {names}'

"""The rights of Kafka's users as the commands of Kafka's own tools, for whoever administers the brokers.

Promises: it prints no password and needs no connection. The script may run again: what is there stays, and a
right that somebody gave beyond these stays too, until it is taken with `kafka-acls.sh --remove`.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from schemas.kafka_rights import rights_of
from schemas.services import KAFKA_USERS

HEAD: Final = """\
#!/bin/sh
# Made by `hobbs kafka acls`: Kafka's users and what each may do, from schemas/topics.py. Do not edit.
# BOOTSTRAP: a broker's address. ADMIN_CONFIG: a client's properties that log in as a super user.
# PASSWORDS: a folder with a file <who>_kafka_password for each user; who has none stays as it is.
# PREFIX: of the deployment's topics and users; without it the one that `hobbs kafka acls` was told.
set -eu
: "${BOOTSTRAP:?a broker's address}" "${ADMIN_CONFIG:?properties of a super user}" "${PASSWORDS:?a folder}"

user() {
  file=$PASSWORDS/$1_kafka_password
  [ -s "$file" ] || return 0
  credential=$(umask 077; mktemp)
  printf 'SCRAM-SHA-512=[iterations=8192,password=%s]\\n' "$(head -n 1 "$file")" > "$credential"
  kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \\
    --alter --add-config-file "$credential" --entity-type users --entity-name "hobbs_$PREFIX$1"
  rm "$credential"
}

allow() {
  who=$1 operation=$2 resource=$3
  shift 3
  for name; do
    shift
    set -- "$@" "--$resource" "$PREFIX$name"
  done
  kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \\
    --add --allow-principal "User:hobbs_$PREFIX$who" --operation "$operation" "$@"
}
"""


def script(prefix: str = "") -> str:
    """The whole script, for the topics of one deployment."""
    users = [f"user {who}" for who in KAFKA_USERS]
    default = f"PREFIX=${{PREFIX-{prefix}}}"
    return "\n".join([HEAD, default, "", *users, "", *allowances()]) + "\n"


def allowances() -> Iterator[str]:
    """One call for each user, operation and kind of thing, without the prefix."""
    for who in KAFKA_USERS:
        for (operation, resource), some in groupby(rights_of(who), lambda r: (r.operation, r.resource)):
            names = " \\\n  ".join(right.name for right in some)
            yield f"allow {who} {operation} {resource} \\\n  {names}"

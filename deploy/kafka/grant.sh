#!/bin/sh
# Makes the users and rights of compose's broker (acls.sh), and again only when they or a password changed:
# Kafka's tools take a second or two for each of some fifty calls. GRANTED: a file beside the broker's data.
set -eu
here=$(dirname "$0")
PATH=$PATH:/opt/kafka/bin
export PATH
wanted=$({ echo "$PREFIX"; cat "$here/acls.sh" "$PASSWORDS"/*_kafka_password; } | sha256sum)
if [ "$(cat "$GRANTED" 2>/dev/null)" = "$wanted" ]; then
  echo "users and rights are as they were"
  exit 0
fi
sh "$here/acls.sh"
echo "$wanted" > "$GRANTED"

#!/bin/sh
# Made by `hobbs kafka acls`: Kafka's users and what each may do, from schemas/topics.py. Do not edit.
# BOOTSTRAP: a broker's address. ADMIN_CONFIG: a client's properties that log in as a super user.
# PASSWORDS: a folder with a file <who>_kafka_password for each user; who has none stays as it is.
set -eu
: "${BOOTSTRAP:?a broker's address}" "${ADMIN_CONFIG:?properties of a super user}" "${PASSWORDS:?a folder}"

user() {
  [ -s "$PASSWORDS/$2" ] || return 0
  credential=$(umask 077; mktemp)
  printf 'SCRAM-SHA-512=[iterations=8192,password=%s]\n' "$(head -n 1 "$PASSWORDS/$2")" > "$credential"
  kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \
    --alter --add-config-file "$credential" --entity-type users --entity-name "$1"
  rm "$credential"
}

allow() {
  who=$1 operation=$2
  shift 2
  kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \
    --add --allow-principal "User:$who" --operation "$operation" "$@"
}

PREFIX=${PREFIX-}

user "hobbs_${PREFIX}billing" billing_kafka_password
user "hobbs_${PREFIX}ledger" ledger_kafka_password
user "hobbs_${PREFIX}payouts" payouts_kafka_password
user "hobbs_${PREFIX}receivables" receivables_kafka_password
user "hobbs_${PREFIX}gateway" gateway_kafka_password
user "hobbs_${PREFIX}adjustments" adjustments_kafka_password
user "hobbs_${PREFIX}reserves" reserves_kafka_password
user "hobbs_${PREFIX}console" console_kafka_password
user "hobbs_${PREFIX}operator" operator_kafka_password
user "hobbs_${PREFIX}scheduling" scheduling_kafka_password
user "hobbs_${PREFIX}migrate" migrate_kafka_password

allow "hobbs_${PREFIX}billing" Write \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.estimated" \
  --topic "${PREFIX}flight.billed" \
  --topic "${PREFIX}flight.revised" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}contact.changed" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}billing.dead" \
  --topic "${PREFIX}billing.redrive"
allow "hobbs_${PREFIX}billing" Read \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}billing.redrive"
allow "hobbs_${PREFIX}billing" Read \
  --group "${PREFIX}billing.flight.completed" \
  --group "${PREFIX}billing.flight.corrected" \
  --group "${PREFIX}billing.flight.cancelled" \
  --group "${PREFIX}billing.flight.dispatched" \
  --group "${PREFIX}billing.school.configured" \
  --group "${PREFIX}billing.decision.requested" \
  --group "${PREFIX}billing.billing.redrive"
allow "hobbs_${PREFIX}ledger" Write \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}journal.refused" \
  --topic "${PREFIX}hold.changed" \
  --topic "${PREFIX}hold.refused" \
  --topic "${PREFIX}limit.changed" \
  --topic "${PREFIX}balance.crossed" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}ledger.dead" \
  --topic "${PREFIX}ledger.redrive"
allow "hobbs_${PREFIX}ledger" Read \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}group.requested" \
  --topic "${PREFIX}hold.requested" \
  --topic "${PREFIX}limit.requested" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}ledger.redrive"
allow "hobbs_${PREFIX}ledger" Read \
  --group "${PREFIX}ledger.journal.requested" \
  --group "${PREFIX}ledger.revert.requested" \
  --group "${PREFIX}ledger.group.requested" \
  --group "${PREFIX}ledger.hold.requested" \
  --group "${PREFIX}ledger.limit.requested" \
  --group "${PREFIX}ledger.decision.requested" \
  --group "${PREFIX}ledger.ledger.redrive"
allow "hobbs_${PREFIX}payouts" Write \
  --topic "${PREFIX}reversal.settled" \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}charge.answered" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}transfer.sent" \
  --topic "${PREFIX}transfer.refused" \
  --topic "${PREFIX}transfer.parked" \
  --topic "${PREFIX}transfer.reversed" \
  --topic "${PREFIX}payout.settled" \
  --topic "${PREFIX}charge.settled" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}stripe.transaction" \
  --topic "${PREFIX}stripe.balance" \
  --topic "${PREFIX}notification.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}payouts.dead" \
  --topic "${PREFIX}payouts.redrive"
allow "hobbs_${PREFIX}payouts" Read \
  --topic "${PREFIX}dunning.requested" \
  --topic "${PREFIX}reversal.requested" \
  --topic "${PREFIX}refund.requested" \
  --topic "${PREFIX}charge.requested" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}contact.changed" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}payment.received" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}reserve.gate" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}payouts.redrive"
allow "hobbs_${PREFIX}payouts" Describe \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}group.requested" \
  --topic "${PREFIX}hold.requested"
allow "hobbs_${PREFIX}payouts" Read \
  --group "${PREFIX}payouts.dunning.requested" \
  --group "${PREFIX}payouts.reversal.requested" \
  --group "${PREFIX}payouts.refund.requested" \
  --group "${PREFIX}payouts.charge.requested" \
  --group "${PREFIX}payouts.school.accepted" \
  --group "${PREFIX}payouts.contact.changed" \
  --group "${PREFIX}payouts.journal.posted" \
  --group "${PREFIX}payouts.payment.received" \
  --group "${PREFIX}payouts.stripe.webhook" \
  --group "${PREFIX}payouts.reserve.gate" \
  --group "${PREFIX}payouts.decision.requested" \
  --group "${PREFIX}payouts.payouts.redrive"
allow "hobbs_${PREFIX}receivables" Write \
  --topic "${PREFIX}dispatch.cleared" \
  --topic "${PREFIX}dispatch.refused" \
  --topic "${PREFIX}dunning.requested" \
  --topic "${PREFIX}credit.level_changed" \
  --topic "${PREFIX}refund.requested" \
  --topic "${PREFIX}charge.requested" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}hold.requested" \
  --topic "${PREFIX}payment.received" \
  --topic "${PREFIX}notification.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}receivables.dead" \
  --topic "${PREFIX}receivables.redrive"
allow "hobbs_${PREFIX}receivables" Read \
  --topic "${PREFIX}flight.estimated" \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}charge.answered" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}hold.changed" \
  --topic "${PREFIX}hold.refused" \
  --topic "${PREFIX}charge.settled" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}receivables.redrive"
allow "hobbs_${PREFIX}receivables" Describe \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}group.requested"
allow "hobbs_${PREFIX}receivables" Read \
  --group "${PREFIX}receivables.flight.estimated" \
  --group "${PREFIX}receivables.refund.settled" \
  --group "${PREFIX}receivables.charge.answered" \
  --group "${PREFIX}receivables.school.accepted" \
  --group "${PREFIX}receivables.journal.posted" \
  --group "${PREFIX}receivables.hold.changed" \
  --group "${PREFIX}receivables.hold.refused" \
  --group "${PREFIX}receivables.charge.settled" \
  --group "${PREFIX}receivables.stripe.webhook" \
  --group "${PREFIX}receivables.decision.requested" \
  --group "${PREFIX}receivables.receivables.redrive"
allow "hobbs_${PREFIX}gateway" Write \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}gateway.dead" \
  --topic "${PREFIX}gateway.redrive"
allow "hobbs_${PREFIX}gateway" Read \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}gateway.redrive"
allow "hobbs_${PREFIX}gateway" Read \
  --group "${PREFIX}gateway.decision.requested" \
  --group "${PREFIX}gateway.gateway.redrive"
allow "hobbs_${PREFIX}adjustments" Write \
  --topic "${PREFIX}adjustment.changed" \
  --topic "${PREFIX}reversal.requested" \
  --topic "${PREFIX}refund.requested" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}notification.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}adjustments.dead" \
  --topic "${PREFIX}adjustments.redrive"
allow "hobbs_${PREFIX}adjustments" Read \
  --topic "${PREFIX}flight.revised" \
  --topic "${PREFIX}reversal.settled" \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}journal.refused" \
  --topic "${PREFIX}transfer.sent" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}adjustments.redrive"
allow "hobbs_${PREFIX}adjustments" Read \
  --group "${PREFIX}adjustments.flight.revised" \
  --group "${PREFIX}adjustments.reversal.settled" \
  --group "${PREFIX}adjustments.refund.settled" \
  --group "${PREFIX}adjustments.school.accepted" \
  --group "${PREFIX}adjustments.journal.posted" \
  --group "${PREFIX}adjustments.journal.refused" \
  --group "${PREFIX}adjustments.transfer.sent" \
  --group "${PREFIX}adjustments.decision.requested" \
  --group "${PREFIX}adjustments.adjustments.redrive"
allow "hobbs_${PREFIX}reserves" Write \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}reserve.gate" \
  --topic "${PREFIX}reserve.changed" \
  --topic "${PREFIX}reconciliation.completed" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}reserves.dead" \
  --topic "${PREFIX}reserves.redrive"
allow "hobbs_${PREFIX}reserves" Read \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}journal.refused" \
  --topic "${PREFIX}transfer.sent" \
  --topic "${PREFIX}stripe.transaction" \
  --topic "${PREFIX}stripe.balance" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}reserves.redrive"
allow "hobbs_${PREFIX}reserves" Read \
  --group "${PREFIX}reserves.refund.settled" \
  --group "${PREFIX}reserves.school.accepted" \
  --group "${PREFIX}reserves.journal.posted" \
  --group "${PREFIX}reserves.journal.refused" \
  --group "${PREFIX}reserves.transfer.sent" \
  --group "${PREFIX}reserves.stripe.transaction" \
  --group "${PREFIX}reserves.stripe.balance" \
  --group "${PREFIX}reserves.decision.requested" \
  --group "${PREFIX}reserves.reserves.redrive"
allow "hobbs_${PREFIX}console" Write \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}console.dead" \
  --topic "${PREFIX}console.redrive"
allow "hobbs_${PREFIX}console" Read \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}console.redrive"
allow "hobbs_${PREFIX}console" Describe \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched" \
  --topic "${PREFIX}flight.estimated" \
  --topic "${PREFIX}dunning.requested" \
  --topic "${PREFIX}flight.revised" \
  --topic "${PREFIX}reversal.requested" \
  --topic "${PREFIX}reversal.settled" \
  --topic "${PREFIX}refund.requested" \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}charge.requested" \
  --topic "${PREFIX}charge.answered" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}contact.changed" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}journal.refused" \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}group.requested" \
  --topic "${PREFIX}hold.requested" \
  --topic "${PREFIX}hold.changed" \
  --topic "${PREFIX}hold.refused" \
  --topic "${PREFIX}limit.requested" \
  --topic "${PREFIX}transfer.sent" \
  --topic "${PREFIX}payment.received" \
  --topic "${PREFIX}charge.settled" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}stripe.transaction" \
  --topic "${PREFIX}stripe.balance" \
  --topic "${PREFIX}reserve.gate" \
  --topic "${PREFIX}billing.redrive" \
  --topic "${PREFIX}ledger.redrive" \
  --topic "${PREFIX}payouts.redrive" \
  --topic "${PREFIX}receivables.redrive" \
  --topic "${PREFIX}gateway.redrive" \
  --topic "${PREFIX}adjustments.redrive" \
  --topic "${PREFIX}reserves.redrive"
allow "hobbs_${PREFIX}console" Read \
  --group "${PREFIX}console.decision.requested" \
  --group "${PREFIX}console.decision.taken" \
  --group "${PREFIX}console.console.redrive"
allow "hobbs_${PREFIX}console" Describe \
  --group "${PREFIX}billing.decision.requested" \
  --group "${PREFIX}ledger.decision.requested" \
  --group "${PREFIX}payouts.decision.requested" \
  --group "${PREFIX}receivables.decision.requested" \
  --group "${PREFIX}gateway.decision.requested" \
  --group "${PREFIX}adjustments.decision.requested" \
  --group "${PREFIX}reserves.decision.requested"
allow "hobbs_${PREFIX}operator" Write \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}contact.changed" \
  --topic "${PREFIX}group.requested" \
  --topic "${PREFIX}limit.requested" \
  --topic "${PREFIX}decision.requested"
allow "hobbs_${PREFIX}operator" Read \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched" \
  --topic "${PREFIX}flight.estimated" \
  --topic "${PREFIX}dunning.requested" \
  --topic "${PREFIX}flight.revised" \
  --topic "${PREFIX}reversal.requested" \
  --topic "${PREFIX}reversal.settled" \
  --topic "${PREFIX}refund.requested" \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}charge.requested" \
  --topic "${PREFIX}charge.answered" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}contact.changed" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}journal.refused" \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}group.requested" \
  --topic "${PREFIX}hold.requested" \
  --topic "${PREFIX}hold.changed" \
  --topic "${PREFIX}hold.refused" \
  --topic "${PREFIX}limit.requested" \
  --topic "${PREFIX}transfer.sent" \
  --topic "${PREFIX}payment.received" \
  --topic "${PREFIX}charge.settled" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}stripe.transaction" \
  --topic "${PREFIX}stripe.balance" \
  --topic "${PREFIX}reserve.gate" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}billing.redrive" \
  --topic "${PREFIX}ledger.redrive" \
  --topic "${PREFIX}payouts.redrive" \
  --topic "${PREFIX}receivables.redrive" \
  --topic "${PREFIX}gateway.redrive" \
  --topic "${PREFIX}adjustments.redrive" \
  --topic "${PREFIX}reserves.redrive" \
  --topic "${PREFIX}console.redrive"
allow "hobbs_${PREFIX}operator" Describe \
  --topic "${PREFIX}dispatch.cleared" \
  --topic "${PREFIX}dispatch.refused" \
  --topic "${PREFIX}credit.level_changed" \
  --topic "${PREFIX}flight.billed" \
  --topic "${PREFIX}adjustment.changed" \
  --topic "${PREFIX}limit.changed" \
  --topic "${PREFIX}balance.crossed" \
  --topic "${PREFIX}transfer.refused" \
  --topic "${PREFIX}transfer.parked" \
  --topic "${PREFIX}transfer.reversed" \
  --topic "${PREFIX}payout.settled" \
  --topic "${PREFIX}reserve.changed" \
  --topic "${PREFIX}reconciliation.completed" \
  --topic "${PREFIX}notification.requested" \
  --topic "${PREFIX}billing.dead" \
  --topic "${PREFIX}ledger.dead" \
  --topic "${PREFIX}payouts.dead" \
  --topic "${PREFIX}receivables.dead" \
  --topic "${PREFIX}gateway.dead" \
  --topic "${PREFIX}adjustments.dead" \
  --topic "${PREFIX}reserves.dead" \
  --topic "${PREFIX}console.dead"
allow "hobbs_${PREFIX}operator" Describe \
  --group "${PREFIX}billing.flight.completed" \
  --group "${PREFIX}billing.flight.corrected" \
  --group "${PREFIX}billing.flight.cancelled" \
  --group "${PREFIX}billing.flight.dispatched" \
  --group "${PREFIX}receivables.flight.estimated" \
  --group "${PREFIX}payouts.dunning.requested" \
  --group "${PREFIX}adjustments.flight.revised" \
  --group "${PREFIX}payouts.reversal.requested" \
  --group "${PREFIX}adjustments.reversal.settled" \
  --group "${PREFIX}payouts.refund.requested" \
  --group "${PREFIX}adjustments.refund.settled" \
  --group "${PREFIX}receivables.refund.settled" \
  --group "${PREFIX}reserves.refund.settled" \
  --group "${PREFIX}payouts.charge.requested" \
  --group "${PREFIX}receivables.charge.answered" \
  --group "${PREFIX}billing.school.configured" \
  --group "${PREFIX}payouts.school.accepted" \
  --group "${PREFIX}adjustments.school.accepted" \
  --group "${PREFIX}reserves.school.accepted" \
  --group "${PREFIX}receivables.school.accepted" \
  --group "${PREFIX}payouts.contact.changed" \
  --group "${PREFIX}ledger.journal.requested" \
  --group "${PREFIX}payouts.journal.posted" \
  --group "${PREFIX}adjustments.journal.posted" \
  --group "${PREFIX}reserves.journal.posted" \
  --group "${PREFIX}receivables.journal.posted" \
  --group "${PREFIX}adjustments.journal.refused" \
  --group "${PREFIX}reserves.journal.refused" \
  --group "${PREFIX}ledger.revert.requested" \
  --group "${PREFIX}ledger.group.requested" \
  --group "${PREFIX}ledger.hold.requested" \
  --group "${PREFIX}receivables.hold.changed" \
  --group "${PREFIX}receivables.hold.refused" \
  --group "${PREFIX}ledger.limit.requested" \
  --group "${PREFIX}adjustments.transfer.sent" \
  --group "${PREFIX}reserves.transfer.sent" \
  --group "${PREFIX}payouts.payment.received" \
  --group "${PREFIX}receivables.charge.settled" \
  --group "${PREFIX}payouts.stripe.webhook" \
  --group "${PREFIX}receivables.stripe.webhook" \
  --group "${PREFIX}reserves.stripe.transaction" \
  --group "${PREFIX}reserves.stripe.balance" \
  --group "${PREFIX}payouts.reserve.gate" \
  --group "${PREFIX}billing.decision.requested" \
  --group "${PREFIX}ledger.decision.requested" \
  --group "${PREFIX}payouts.decision.requested" \
  --group "${PREFIX}receivables.decision.requested" \
  --group "${PREFIX}gateway.decision.requested" \
  --group "${PREFIX}adjustments.decision.requested" \
  --group "${PREFIX}reserves.decision.requested" \
  --group "${PREFIX}console.decision.requested" \
  --group "${PREFIX}console.decision.taken" \
  --group "${PREFIX}billing.billing.redrive" \
  --group "${PREFIX}ledger.ledger.redrive" \
  --group "${PREFIX}payouts.payouts.redrive" \
  --group "${PREFIX}receivables.receivables.redrive" \
  --group "${PREFIX}gateway.gateway.redrive" \
  --group "${PREFIX}adjustments.adjustments.redrive" \
  --group "${PREFIX}reserves.reserves.redrive" \
  --group "${PREFIX}console.console.redrive"
allow "hobbs_${PREFIX}scheduling" Write \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched"
allow "hobbs_${PREFIX}migrate" Describe \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched" \
  --topic "${PREFIX}flight.estimated" \
  --topic "${PREFIX}dispatch.cleared" \
  --topic "${PREFIX}dispatch.refused" \
  --topic "${PREFIX}dunning.requested" \
  --topic "${PREFIX}credit.level_changed" \
  --topic "${PREFIX}flight.billed" \
  --topic "${PREFIX}flight.revised" \
  --topic "${PREFIX}adjustment.changed" \
  --topic "${PREFIX}reversal.requested" \
  --topic "${PREFIX}reversal.settled" \
  --topic "${PREFIX}refund.requested" \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}charge.requested" \
  --topic "${PREFIX}charge.answered" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}contact.changed" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}journal.refused" \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}group.requested" \
  --topic "${PREFIX}hold.requested" \
  --topic "${PREFIX}hold.changed" \
  --topic "${PREFIX}hold.refused" \
  --topic "${PREFIX}limit.requested" \
  --topic "${PREFIX}limit.changed" \
  --topic "${PREFIX}balance.crossed" \
  --topic "${PREFIX}transfer.sent" \
  --topic "${PREFIX}transfer.refused" \
  --topic "${PREFIX}transfer.parked" \
  --topic "${PREFIX}transfer.reversed" \
  --topic "${PREFIX}payout.settled" \
  --topic "${PREFIX}payment.received" \
  --topic "${PREFIX}charge.settled" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}stripe.transaction" \
  --topic "${PREFIX}stripe.balance" \
  --topic "${PREFIX}reserve.gate" \
  --topic "${PREFIX}reserve.changed" \
  --topic "${PREFIX}reconciliation.completed" \
  --topic "${PREFIX}notification.requested" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}billing.dead" \
  --topic "${PREFIX}ledger.dead" \
  --topic "${PREFIX}payouts.dead" \
  --topic "${PREFIX}receivables.dead" \
  --topic "${PREFIX}gateway.dead" \
  --topic "${PREFIX}adjustments.dead" \
  --topic "${PREFIX}reserves.dead" \
  --topic "${PREFIX}console.dead" \
  --topic "${PREFIX}billing.redrive" \
  --topic "${PREFIX}ledger.redrive" \
  --topic "${PREFIX}payouts.redrive" \
  --topic "${PREFIX}receivables.redrive" \
  --topic "${PREFIX}gateway.redrive" \
  --topic "${PREFIX}adjustments.redrive" \
  --topic "${PREFIX}reserves.redrive" \
  --topic "${PREFIX}console.redrive"
allow "hobbs_${PREFIX}migrate" Create \
  --topic "${PREFIX}flight.completed" \
  --topic "${PREFIX}flight.corrected" \
  --topic "${PREFIX}flight.cancelled" \
  --topic "${PREFIX}flight.dispatched" \
  --topic "${PREFIX}flight.estimated" \
  --topic "${PREFIX}dispatch.cleared" \
  --topic "${PREFIX}dispatch.refused" \
  --topic "${PREFIX}dunning.requested" \
  --topic "${PREFIX}credit.level_changed" \
  --topic "${PREFIX}flight.billed" \
  --topic "${PREFIX}flight.revised" \
  --topic "${PREFIX}adjustment.changed" \
  --topic "${PREFIX}reversal.requested" \
  --topic "${PREFIX}reversal.settled" \
  --topic "${PREFIX}refund.requested" \
  --topic "${PREFIX}refund.settled" \
  --topic "${PREFIX}charge.requested" \
  --topic "${PREFIX}charge.answered" \
  --topic "${PREFIX}school.configured" \
  --topic "${PREFIX}school.accepted" \
  --topic "${PREFIX}contact.changed" \
  --topic "${PREFIX}journal.requested" \
  --topic "${PREFIX}journal.posted" \
  --topic "${PREFIX}journal.refused" \
  --topic "${PREFIX}revert.requested" \
  --topic "${PREFIX}group.requested" \
  --topic "${PREFIX}hold.requested" \
  --topic "${PREFIX}hold.changed" \
  --topic "${PREFIX}hold.refused" \
  --topic "${PREFIX}limit.requested" \
  --topic "${PREFIX}limit.changed" \
  --topic "${PREFIX}balance.crossed" \
  --topic "${PREFIX}transfer.sent" \
  --topic "${PREFIX}transfer.refused" \
  --topic "${PREFIX}transfer.parked" \
  --topic "${PREFIX}transfer.reversed" \
  --topic "${PREFIX}payout.settled" \
  --topic "${PREFIX}payment.received" \
  --topic "${PREFIX}charge.settled" \
  --topic "${PREFIX}stripe.webhook" \
  --topic "${PREFIX}stripe.transaction" \
  --topic "${PREFIX}stripe.balance" \
  --topic "${PREFIX}reserve.gate" \
  --topic "${PREFIX}reserve.changed" \
  --topic "${PREFIX}reconciliation.completed" \
  --topic "${PREFIX}notification.requested" \
  --topic "${PREFIX}decision.requested" \
  --topic "${PREFIX}decision.taken" \
  --topic "${PREFIX}billing.dead" \
  --topic "${PREFIX}ledger.dead" \
  --topic "${PREFIX}payouts.dead" \
  --topic "${PREFIX}receivables.dead" \
  --topic "${PREFIX}gateway.dead" \
  --topic "${PREFIX}adjustments.dead" \
  --topic "${PREFIX}reserves.dead" \
  --topic "${PREFIX}console.dead" \
  --topic "${PREFIX}billing.redrive" \
  --topic "${PREFIX}ledger.redrive" \
  --topic "${PREFIX}payouts.redrive" \
  --topic "${PREFIX}receivables.redrive" \
  --topic "${PREFIX}gateway.redrive" \
  --topic "${PREFIX}adjustments.redrive" \
  --topic "${PREFIX}reserves.redrive" \
  --topic "${PREFIX}console.redrive"

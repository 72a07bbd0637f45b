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

user hobbs_billing billing_kafka_password
user hobbs_ledger ledger_kafka_password
user hobbs_payouts payouts_kafka_password
user hobbs_receivables receivables_kafka_password
user hobbs_gateway gateway_kafka_password
user hobbs_adjustments adjustments_kafka_password
user hobbs_reserves reserves_kafka_password
user hobbs_console console_kafka_password
user hobbs_operator operator_kafka_password
user hobbs_scheduling scheduling_kafka_password
user hobbs_migrate migrate_kafka_password

allow hobbs_billing Write \
  --topic flight.estimated \
  --topic flight.billed \
  --topic flight.revised \
  --topic school.accepted \
  --topic contact.changed \
  --topic journal.requested \
  --topic decision.taken \
  --topic billing.dead \
  --topic billing.redrive
allow hobbs_billing Read \
  --topic flight.completed \
  --topic flight.corrected \
  --topic flight.cancelled \
  --topic flight.dispatched \
  --topic school.configured \
  --topic decision.requested \
  --topic billing.redrive
allow hobbs_billing Read \
  --group billing.flight.completed \
  --group billing.flight.corrected \
  --group billing.flight.cancelled \
  --group billing.flight.dispatched \
  --group billing.school.configured \
  --group billing.decision.requested \
  --group billing.billing.redrive
allow hobbs_ledger Write \
  --topic journal.posted \
  --topic journal.refused \
  --topic hold.changed \
  --topic hold.refused \
  --topic limit.changed \
  --topic balance.crossed \
  --topic decision.taken \
  --topic ledger.dead \
  --topic ledger.redrive
allow hobbs_ledger Read \
  --topic journal.requested \
  --topic revert.requested \
  --topic group.requested \
  --topic hold.requested \
  --topic limit.requested \
  --topic decision.requested \
  --topic ledger.redrive
allow hobbs_ledger Read \
  --group ledger.journal.requested \
  --group ledger.revert.requested \
  --group ledger.group.requested \
  --group ledger.hold.requested \
  --group ledger.limit.requested \
  --group ledger.decision.requested \
  --group ledger.ledger.redrive
allow hobbs_payouts Write \
  --topic reversal.settled \
  --topic refund.settled \
  --topic charge.answered \
  --topic journal.requested \
  --topic transfer.sent \
  --topic transfer.refused \
  --topic transfer.parked \
  --topic transfer.reversed \
  --topic payout.settled \
  --topic charge.settled \
  --topic stripe.webhook \
  --topic stripe.transaction \
  --topic stripe.balance \
  --topic notification.requested \
  --topic decision.taken \
  --topic payouts.dead \
  --topic payouts.redrive
allow hobbs_payouts Read \
  --topic dunning.requested \
  --topic reversal.requested \
  --topic refund.requested \
  --topic charge.requested \
  --topic school.accepted \
  --topic contact.changed \
  --topic journal.posted \
  --topic payment.received \
  --topic stripe.webhook \
  --topic reserve.gate \
  --topic decision.requested \
  --topic payouts.redrive
allow hobbs_payouts Describe \
  --topic revert.requested \
  --topic group.requested \
  --topic hold.requested
allow hobbs_payouts Read \
  --group payouts.dunning.requested \
  --group payouts.reversal.requested \
  --group payouts.refund.requested \
  --group payouts.charge.requested \
  --group payouts.school.accepted \
  --group payouts.contact.changed \
  --group payouts.journal.posted \
  --group payouts.payment.received \
  --group payouts.stripe.webhook \
  --group payouts.reserve.gate \
  --group payouts.decision.requested \
  --group payouts.payouts.redrive
allow hobbs_receivables Write \
  --topic dispatch.cleared \
  --topic dispatch.refused \
  --topic dunning.requested \
  --topic credit.level_changed \
  --topic charge.requested \
  --topic journal.requested \
  --topic hold.requested \
  --topic payment.received \
  --topic notification.requested \
  --topic decision.taken \
  --topic receivables.dead \
  --topic receivables.redrive
allow hobbs_receivables Read \
  --topic flight.estimated \
  --topic charge.answered \
  --topic school.accepted \
  --topic journal.posted \
  --topic hold.changed \
  --topic hold.refused \
  --topic charge.settled \
  --topic stripe.webhook \
  --topic decision.requested \
  --topic receivables.redrive
allow hobbs_receivables Describe \
  --topic flight.completed \
  --topic school.configured \
  --topic revert.requested \
  --topic group.requested
allow hobbs_receivables Read \
  --group receivables.flight.estimated \
  --group receivables.charge.answered \
  --group receivables.school.accepted \
  --group receivables.journal.posted \
  --group receivables.hold.changed \
  --group receivables.hold.refused \
  --group receivables.charge.settled \
  --group receivables.stripe.webhook \
  --group receivables.decision.requested \
  --group receivables.receivables.redrive
allow hobbs_gateway Write \
  --topic flight.completed \
  --topic flight.corrected \
  --topic flight.cancelled \
  --topic flight.dispatched \
  --topic stripe.webhook \
  --topic decision.taken \
  --topic gateway.dead \
  --topic gateway.redrive
allow hobbs_gateway Read \
  --topic decision.requested \
  --topic gateway.redrive
allow hobbs_gateway Read \
  --group gateway.decision.requested \
  --group gateway.gateway.redrive
allow hobbs_adjustments Write \
  --topic adjustment.changed \
  --topic reversal.requested \
  --topic refund.requested \
  --topic journal.requested \
  --topic notification.requested \
  --topic decision.taken \
  --topic adjustments.dead \
  --topic adjustments.redrive
allow hobbs_adjustments Read \
  --topic flight.revised \
  --topic reversal.settled \
  --topic refund.settled \
  --topic school.accepted \
  --topic journal.posted \
  --topic journal.refused \
  --topic transfer.sent \
  --topic decision.requested \
  --topic adjustments.redrive
allow hobbs_adjustments Read \
  --group adjustments.flight.revised \
  --group adjustments.reversal.settled \
  --group adjustments.refund.settled \
  --group adjustments.school.accepted \
  --group adjustments.journal.posted \
  --group adjustments.journal.refused \
  --group adjustments.transfer.sent \
  --group adjustments.decision.requested \
  --group adjustments.adjustments.redrive
allow hobbs_reserves Write \
  --topic journal.requested \
  --topic revert.requested \
  --topic reserve.gate \
  --topic reserve.changed \
  --topic reconciliation.completed \
  --topic decision.taken \
  --topic reserves.dead \
  --topic reserves.redrive
allow hobbs_reserves Read \
  --topic refund.settled \
  --topic school.accepted \
  --topic journal.posted \
  --topic journal.refused \
  --topic transfer.sent \
  --topic stripe.transaction \
  --topic stripe.balance \
  --topic decision.requested \
  --topic reserves.redrive
allow hobbs_reserves Read \
  --group reserves.refund.settled \
  --group reserves.school.accepted \
  --group reserves.journal.posted \
  --group reserves.journal.refused \
  --group reserves.transfer.sent \
  --group reserves.stripe.transaction \
  --group reserves.stripe.balance \
  --group reserves.decision.requested \
  --group reserves.reserves.redrive
allow hobbs_console Write \
  --topic decision.requested \
  --topic decision.taken \
  --topic console.dead \
  --topic console.redrive
allow hobbs_console Read \
  --topic decision.requested \
  --topic decision.taken \
  --topic console.redrive
allow hobbs_console Read \
  --group console.decision.requested \
  --group console.decision.taken \
  --group console.console.redrive
allow hobbs_operator Write \
  --topic flight.completed \
  --topic flight.corrected \
  --topic flight.cancelled \
  --topic flight.dispatched \
  --topic school.configured \
  --topic contact.changed \
  --topic group.requested \
  --topic hold.requested \
  --topic limit.requested \
  --topic decision.requested
allow hobbs_operator Read \
  --topic flight.completed \
  --topic flight.corrected \
  --topic flight.cancelled \
  --topic flight.dispatched \
  --topic flight.estimated \
  --topic dunning.requested \
  --topic flight.revised \
  --topic reversal.requested \
  --topic reversal.settled \
  --topic refund.requested \
  --topic refund.settled \
  --topic charge.requested \
  --topic charge.answered \
  --topic school.configured \
  --topic school.accepted \
  --topic contact.changed \
  --topic journal.requested \
  --topic journal.posted \
  --topic journal.refused \
  --topic revert.requested \
  --topic group.requested \
  --topic hold.requested \
  --topic hold.changed \
  --topic hold.refused \
  --topic limit.requested \
  --topic transfer.sent \
  --topic payment.received \
  --topic charge.settled \
  --topic stripe.webhook \
  --topic stripe.transaction \
  --topic stripe.balance \
  --topic reserve.gate \
  --topic decision.requested \
  --topic decision.taken \
  --topic billing.redrive \
  --topic ledger.redrive \
  --topic payouts.redrive \
  --topic receivables.redrive \
  --topic gateway.redrive \
  --topic adjustments.redrive \
  --topic reserves.redrive \
  --topic console.redrive
allow hobbs_operator Describe \
  --topic dispatch.cleared \
  --topic dispatch.refused \
  --topic credit.level_changed \
  --topic flight.billed \
  --topic adjustment.changed \
  --topic limit.changed \
  --topic balance.crossed \
  --topic transfer.refused \
  --topic transfer.parked \
  --topic transfer.reversed \
  --topic payout.settled \
  --topic reserve.changed \
  --topic reconciliation.completed \
  --topic notification.requested \
  --topic billing.dead \
  --topic ledger.dead \
  --topic payouts.dead \
  --topic receivables.dead \
  --topic gateway.dead \
  --topic adjustments.dead \
  --topic reserves.dead \
  --topic console.dead
allow hobbs_operator Describe \
  --group billing.flight.completed \
  --group billing.flight.corrected \
  --group billing.flight.cancelled \
  --group billing.flight.dispatched \
  --group receivables.flight.estimated \
  --group payouts.dunning.requested \
  --group adjustments.flight.revised \
  --group payouts.reversal.requested \
  --group adjustments.reversal.settled \
  --group payouts.refund.requested \
  --group adjustments.refund.settled \
  --group reserves.refund.settled \
  --group payouts.charge.requested \
  --group receivables.charge.answered \
  --group billing.school.configured \
  --group payouts.school.accepted \
  --group adjustments.school.accepted \
  --group reserves.school.accepted \
  --group receivables.school.accepted \
  --group payouts.contact.changed \
  --group ledger.journal.requested \
  --group payouts.journal.posted \
  --group adjustments.journal.posted \
  --group reserves.journal.posted \
  --group receivables.journal.posted \
  --group adjustments.journal.refused \
  --group reserves.journal.refused \
  --group ledger.revert.requested \
  --group ledger.group.requested \
  --group ledger.hold.requested \
  --group receivables.hold.changed \
  --group receivables.hold.refused \
  --group ledger.limit.requested \
  --group adjustments.transfer.sent \
  --group reserves.transfer.sent \
  --group payouts.payment.received \
  --group receivables.charge.settled \
  --group payouts.stripe.webhook \
  --group receivables.stripe.webhook \
  --group reserves.stripe.transaction \
  --group reserves.stripe.balance \
  --group payouts.reserve.gate \
  --group billing.decision.requested \
  --group ledger.decision.requested \
  --group payouts.decision.requested \
  --group receivables.decision.requested \
  --group gateway.decision.requested \
  --group adjustments.decision.requested \
  --group reserves.decision.requested \
  --group console.decision.requested \
  --group console.decision.taken \
  --group billing.billing.redrive \
  --group ledger.ledger.redrive \
  --group payouts.payouts.redrive \
  --group receivables.receivables.redrive \
  --group gateway.gateway.redrive \
  --group adjustments.adjustments.redrive \
  --group reserves.reserves.redrive \
  --group console.console.redrive
allow hobbs_scheduling Write \
  --topic flight.completed \
  --topic flight.corrected \
  --topic flight.cancelled \
  --topic flight.dispatched
allow hobbs_migrate Describe \
  --topic flight.completed \
  --topic flight.corrected \
  --topic flight.cancelled \
  --topic flight.dispatched \
  --topic flight.estimated \
  --topic dispatch.cleared \
  --topic dispatch.refused \
  --topic dunning.requested \
  --topic credit.level_changed \
  --topic flight.billed \
  --topic flight.revised \
  --topic adjustment.changed \
  --topic reversal.requested \
  --topic reversal.settled \
  --topic refund.requested \
  --topic refund.settled \
  --topic charge.requested \
  --topic charge.answered \
  --topic school.configured \
  --topic school.accepted \
  --topic contact.changed \
  --topic journal.requested \
  --topic journal.posted \
  --topic journal.refused \
  --topic revert.requested \
  --topic group.requested \
  --topic hold.requested \
  --topic hold.changed \
  --topic hold.refused \
  --topic limit.requested \
  --topic limit.changed \
  --topic balance.crossed \
  --topic transfer.sent \
  --topic transfer.refused \
  --topic transfer.parked \
  --topic transfer.reversed \
  --topic payout.settled \
  --topic payment.received \
  --topic charge.settled \
  --topic stripe.webhook \
  --topic stripe.transaction \
  --topic stripe.balance \
  --topic reserve.gate \
  --topic reserve.changed \
  --topic reconciliation.completed \
  --topic notification.requested \
  --topic decision.requested \
  --topic decision.taken \
  --topic billing.dead \
  --topic ledger.dead \
  --topic payouts.dead \
  --topic receivables.dead \
  --topic gateway.dead \
  --topic adjustments.dead \
  --topic reserves.dead \
  --topic console.dead \
  --topic billing.redrive \
  --topic ledger.redrive \
  --topic payouts.redrive \
  --topic receivables.redrive \
  --topic gateway.redrive \
  --topic adjustments.redrive \
  --topic reserves.redrive \
  --topic console.redrive
allow hobbs_migrate Create \
  --topic flight.completed \
  --topic flight.corrected \
  --topic flight.cancelled \
  --topic flight.dispatched \
  --topic flight.estimated \
  --topic dispatch.cleared \
  --topic dispatch.refused \
  --topic dunning.requested \
  --topic credit.level_changed \
  --topic flight.billed \
  --topic flight.revised \
  --topic adjustment.changed \
  --topic reversal.requested \
  --topic reversal.settled \
  --topic refund.requested \
  --topic refund.settled \
  --topic charge.requested \
  --topic charge.answered \
  --topic school.configured \
  --topic school.accepted \
  --topic contact.changed \
  --topic journal.requested \
  --topic journal.posted \
  --topic journal.refused \
  --topic revert.requested \
  --topic group.requested \
  --topic hold.requested \
  --topic hold.changed \
  --topic hold.refused \
  --topic limit.requested \
  --topic limit.changed \
  --topic balance.crossed \
  --topic transfer.sent \
  --topic transfer.refused \
  --topic transfer.parked \
  --topic transfer.reversed \
  --topic payout.settled \
  --topic payment.received \
  --topic charge.settled \
  --topic stripe.webhook \
  --topic stripe.transaction \
  --topic stripe.balance \
  --topic reserve.gate \
  --topic reserve.changed \
  --topic reconciliation.completed \
  --topic notification.requested \
  --topic decision.requested \
  --topic decision.taken \
  --topic billing.dead \
  --topic ledger.dead \
  --topic payouts.dead \
  --topic receivables.dead \
  --topic gateway.dead \
  --topic adjustments.dead \
  --topic reserves.dead \
  --topic console.dead \
  --topic billing.redrive \
  --topic ledger.redrive \
  --topic payouts.redrive \
  --topic receivables.redrive \
  --topic gateway.redrive \
  --topic adjustments.redrive \
  --topic reserves.redrive \
  --topic console.redrive

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
  printf 'SCRAM-SHA-512=[iterations=8192,password=%s]\n' "$(head -n 1 "$file")" > "$credential"
  kafka-configs.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \
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
  kafka-acls.sh --bootstrap-server "$BOOTSTRAP" --command-config "$ADMIN_CONFIG" \
    --add --allow-principal "User:hobbs_$PREFIX$who" --operation "$operation" "$@"
}

PREFIX=${PREFIX-}

user billing
user ledger
user payouts
user receivables
user gateway
user adjustments
user reserves
user console
user operator
user scheduling
user migrate

allow billing Write topic \
  flight.estimated \
  flight.billed \
  flight.revised \
  school.accepted \
  contact.changed \
  journal.requested \
  decision.taken \
  billing.dead \
  billing.redrive
allow billing Read topic \
  flight.completed \
  flight.corrected \
  flight.cancelled \
  flight.dispatched \
  school.configured \
  decision.requested \
  billing.redrive
allow billing Read group \
  billing.flight.completed \
  billing.flight.corrected \
  billing.flight.cancelled \
  billing.flight.dispatched \
  billing.school.configured \
  billing.decision.requested \
  billing.billing.redrive
allow ledger Write topic \
  journal.posted \
  journal.refused \
  hold.changed \
  hold.refused \
  limit.changed \
  balance.crossed \
  decision.taken \
  ledger.dead \
  ledger.redrive
allow ledger Read topic \
  journal.requested \
  revert.requested \
  group.requested \
  hold.requested \
  limit.requested \
  decision.requested \
  ledger.redrive
allow ledger Read group \
  ledger.journal.requested \
  ledger.revert.requested \
  ledger.group.requested \
  ledger.hold.requested \
  ledger.limit.requested \
  ledger.decision.requested \
  ledger.ledger.redrive
allow payouts Write topic \
  reversal.settled \
  refund.settled \
  charge.answered \
  journal.requested \
  transfer.sent \
  transfer.refused \
  transfer.parked \
  transfer.reversed \
  payout.settled \
  charge.settled \
  stripe.webhook \
  stripe.transaction \
  stripe.balance \
  notification.requested \
  decision.taken \
  payouts.dead \
  payouts.redrive
allow payouts Read topic \
  dunning.requested \
  reversal.requested \
  refund.requested \
  charge.requested \
  school.accepted \
  contact.changed \
  journal.posted \
  payment.received \
  stripe.webhook \
  reserve.gate \
  decision.requested \
  payouts.redrive
allow payouts Describe topic \
  revert.requested \
  group.requested \
  hold.requested
allow payouts Read group \
  payouts.dunning.requested \
  payouts.reversal.requested \
  payouts.refund.requested \
  payouts.charge.requested \
  payouts.school.accepted \
  payouts.contact.changed \
  payouts.journal.posted \
  payouts.payment.received \
  payouts.stripe.webhook \
  payouts.reserve.gate \
  payouts.decision.requested \
  payouts.payouts.redrive
allow receivables Write topic \
  dispatch.cleared \
  dispatch.refused \
  dunning.requested \
  credit.level_changed \
  charge.requested \
  journal.requested \
  hold.requested \
  payment.received \
  notification.requested \
  decision.taken \
  receivables.dead \
  receivables.redrive
allow receivables Read topic \
  flight.estimated \
  charge.answered \
  school.accepted \
  journal.posted \
  hold.changed \
  hold.refused \
  charge.settled \
  stripe.webhook \
  decision.requested \
  receivables.redrive
allow receivables Describe topic \
  flight.completed \
  school.configured \
  revert.requested \
  group.requested
allow receivables Read group \
  receivables.flight.estimated \
  receivables.charge.answered \
  receivables.school.accepted \
  receivables.journal.posted \
  receivables.hold.changed \
  receivables.hold.refused \
  receivables.charge.settled \
  receivables.stripe.webhook \
  receivables.decision.requested \
  receivables.receivables.redrive
allow gateway Write topic \
  flight.completed \
  flight.corrected \
  flight.cancelled \
  flight.dispatched \
  stripe.webhook \
  decision.taken \
  gateway.dead \
  gateway.redrive
allow gateway Read topic \
  decision.requested \
  gateway.redrive
allow gateway Read group \
  gateway.decision.requested \
  gateway.gateway.redrive
allow adjustments Write topic \
  adjustment.changed \
  reversal.requested \
  refund.requested \
  journal.requested \
  notification.requested \
  decision.taken \
  adjustments.dead \
  adjustments.redrive
allow adjustments Read topic \
  flight.revised \
  reversal.settled \
  refund.settled \
  school.accepted \
  journal.posted \
  journal.refused \
  transfer.sent \
  decision.requested \
  adjustments.redrive
allow adjustments Read group \
  adjustments.flight.revised \
  adjustments.reversal.settled \
  adjustments.refund.settled \
  adjustments.school.accepted \
  adjustments.journal.posted \
  adjustments.journal.refused \
  adjustments.transfer.sent \
  adjustments.decision.requested \
  adjustments.adjustments.redrive
allow reserves Write topic \
  journal.requested \
  revert.requested \
  reserve.gate \
  reserve.changed \
  reconciliation.completed \
  decision.taken \
  reserves.dead \
  reserves.redrive
allow reserves Read topic \
  refund.settled \
  school.accepted \
  journal.posted \
  journal.refused \
  transfer.sent \
  stripe.transaction \
  stripe.balance \
  decision.requested \
  reserves.redrive
allow reserves Read group \
  reserves.refund.settled \
  reserves.school.accepted \
  reserves.journal.posted \
  reserves.journal.refused \
  reserves.transfer.sent \
  reserves.stripe.transaction \
  reserves.stripe.balance \
  reserves.decision.requested \
  reserves.reserves.redrive
allow console Write topic \
  decision.requested \
  decision.taken \
  console.dead \
  console.redrive
allow console Read topic \
  decision.requested \
  decision.taken \
  console.redrive
allow console Read group \
  console.decision.requested \
  console.decision.taken \
  console.console.redrive
allow operator Write topic \
  flight.completed \
  flight.corrected \
  flight.cancelled \
  flight.dispatched \
  school.configured \
  contact.changed \
  group.requested \
  hold.requested \
  limit.requested \
  decision.requested
allow operator Read topic \
  flight.completed \
  flight.corrected \
  flight.cancelled \
  flight.dispatched \
  flight.estimated \
  dunning.requested \
  flight.revised \
  reversal.requested \
  reversal.settled \
  refund.requested \
  refund.settled \
  charge.requested \
  charge.answered \
  school.configured \
  school.accepted \
  contact.changed \
  journal.requested \
  journal.posted \
  journal.refused \
  revert.requested \
  group.requested \
  hold.requested \
  hold.changed \
  hold.refused \
  limit.requested \
  transfer.sent \
  payment.received \
  charge.settled \
  stripe.webhook \
  stripe.transaction \
  stripe.balance \
  reserve.gate \
  decision.requested \
  decision.taken \
  billing.redrive \
  ledger.redrive \
  payouts.redrive \
  receivables.redrive \
  gateway.redrive \
  adjustments.redrive \
  reserves.redrive \
  console.redrive
allow operator Describe topic \
  dispatch.cleared \
  dispatch.refused \
  credit.level_changed \
  flight.billed \
  adjustment.changed \
  limit.changed \
  balance.crossed \
  transfer.refused \
  transfer.parked \
  transfer.reversed \
  payout.settled \
  reserve.changed \
  reconciliation.completed \
  notification.requested \
  billing.dead \
  ledger.dead \
  payouts.dead \
  receivables.dead \
  gateway.dead \
  adjustments.dead \
  reserves.dead \
  console.dead
allow operator Describe group \
  billing.flight.completed \
  billing.flight.corrected \
  billing.flight.cancelled \
  billing.flight.dispatched \
  receivables.flight.estimated \
  payouts.dunning.requested \
  adjustments.flight.revised \
  payouts.reversal.requested \
  adjustments.reversal.settled \
  payouts.refund.requested \
  adjustments.refund.settled \
  reserves.refund.settled \
  payouts.charge.requested \
  receivables.charge.answered \
  billing.school.configured \
  payouts.school.accepted \
  adjustments.school.accepted \
  reserves.school.accepted \
  receivables.school.accepted \
  payouts.contact.changed \
  ledger.journal.requested \
  payouts.journal.posted \
  adjustments.journal.posted \
  reserves.journal.posted \
  receivables.journal.posted \
  adjustments.journal.refused \
  reserves.journal.refused \
  ledger.revert.requested \
  ledger.group.requested \
  ledger.hold.requested \
  receivables.hold.changed \
  receivables.hold.refused \
  ledger.limit.requested \
  adjustments.transfer.sent \
  reserves.transfer.sent \
  payouts.payment.received \
  receivables.charge.settled \
  payouts.stripe.webhook \
  receivables.stripe.webhook \
  reserves.stripe.transaction \
  reserves.stripe.balance \
  payouts.reserve.gate \
  billing.decision.requested \
  ledger.decision.requested \
  payouts.decision.requested \
  receivables.decision.requested \
  gateway.decision.requested \
  adjustments.decision.requested \
  reserves.decision.requested \
  console.decision.requested \
  console.decision.taken \
  billing.billing.redrive \
  ledger.ledger.redrive \
  payouts.payouts.redrive \
  receivables.receivables.redrive \
  gateway.gateway.redrive \
  adjustments.adjustments.redrive \
  reserves.reserves.redrive \
  console.console.redrive
allow scheduling Write topic \
  flight.completed \
  flight.corrected \
  flight.cancelled \
  flight.dispatched
allow migrate Describe topic \
  flight.completed \
  flight.corrected \
  flight.cancelled \
  flight.dispatched \
  flight.estimated \
  dispatch.cleared \
  dispatch.refused \
  dunning.requested \
  credit.level_changed \
  flight.billed \
  flight.revised \
  adjustment.changed \
  reversal.requested \
  reversal.settled \
  refund.requested \
  refund.settled \
  charge.requested \
  charge.answered \
  school.configured \
  school.accepted \
  contact.changed \
  journal.requested \
  journal.posted \
  journal.refused \
  revert.requested \
  group.requested \
  hold.requested \
  hold.changed \
  hold.refused \
  limit.requested \
  limit.changed \
  balance.crossed \
  transfer.sent \
  transfer.refused \
  transfer.parked \
  transfer.reversed \
  payout.settled \
  payment.received \
  charge.settled \
  stripe.webhook \
  stripe.transaction \
  stripe.balance \
  reserve.gate \
  reserve.changed \
  reconciliation.completed \
  notification.requested \
  decision.requested \
  decision.taken \
  billing.dead \
  ledger.dead \
  payouts.dead \
  receivables.dead \
  gateway.dead \
  adjustments.dead \
  reserves.dead \
  console.dead \
  billing.redrive \
  ledger.redrive \
  payouts.redrive \
  receivables.redrive \
  gateway.redrive \
  adjustments.redrive \
  reserves.redrive \
  console.redrive
allow migrate Create topic \
  flight.completed \
  flight.corrected \
  flight.cancelled \
  flight.dispatched \
  flight.estimated \
  dispatch.cleared \
  dispatch.refused \
  dunning.requested \
  credit.level_changed \
  flight.billed \
  flight.revised \
  adjustment.changed \
  reversal.requested \
  reversal.settled \
  refund.requested \
  refund.settled \
  charge.requested \
  charge.answered \
  school.configured \
  school.accepted \
  contact.changed \
  journal.requested \
  journal.posted \
  journal.refused \
  revert.requested \
  group.requested \
  hold.requested \
  hold.changed \
  hold.refused \
  limit.requested \
  limit.changed \
  balance.crossed \
  transfer.sent \
  transfer.refused \
  transfer.parked \
  transfer.reversed \
  payout.settled \
  payment.received \
  charge.settled \
  stripe.webhook \
  stripe.transaction \
  stripe.balance \
  reserve.gate \
  reserve.changed \
  reconciliation.completed \
  notification.requested \
  decision.requested \
  decision.taken \
  billing.dead \
  ledger.dead \
  payouts.dead \
  receivables.dead \
  gateway.dead \
  adjustments.dead \
  reserves.dead \
  console.dead \
  billing.redrive \
  ledger.redrive \
  payouts.redrive \
  receivables.redrive \
  gateway.redrive \
  adjustments.redrive \
  reserves.redrive \
  console.redrive

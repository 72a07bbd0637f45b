-- told: the cause of its ending as people were told it; tries: by the clock; retry_for: what it is tried again for,
-- null for the clock. A refused request for an account is followed by another operation of the payee, which goes on
-- with tries and told.
ALTER TABLE operation
    ADD COLUMN stopped_at timestamptz,
    ADD COLUMN retry_at   timestamptz,
    ADD COLUMN retry_for  text,
    ADD COLUMN tries      integer NOT NULL DEFAULT 0,
    ADD COLUMN told       text;

UPDATE operation SET told = reason, stopped_at = coalesce(finished_at, (
        SELECT max(attempt.finished_at) FROM attempt WHERE attempt.operation_id = operation.id), created_at)
WHERE state IN ('refused', 'parked');
-- Requests for accounts were refused without anybody being shown it: they are made once more at once.
UPDATE operation SET retry_at = CASE kind WHEN 'account' THEN now() ELSE now() + interval '1 day' END
WHERE state = 'refused' AND kind <> 'reversal' OR state = 'parked' AND reason = 'outcome_unknown';

ALTER TABLE operation ADD CONSTRAINT stopped_operation_was_told_and_has_a_time
    CHECK (state NOT IN ('refused', 'parked') OR stopped_at IS NOT NULL AND told IS NOT NULL);
CREATE INDEX operation_stopped ON operation (wallet) WHERE state IN ('refused', 'parked');
CREATE INDEX operation_to_retry ON operation (retry_at)
    WHERE retry_at IS NOT NULL AND state IN ('refused', 'parked');

-- What became of an operation that was refused or parked, and who decided what about it. A transfer has its own
-- history beside it.
CREATE TABLE operation_history (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation_id uuid        NOT NULL REFERENCES operation (id),
    at           timestamptz NOT NULL,
    what         text        NOT NULL,
    reason       text,
    sentence     text        NOT NULL,
    actor        text        NOT NULL,
    CONSTRAINT step_of_an_operation_is_known
        CHECK (what IN ('refused', 'parked', 'retried', 'looked_up', 'closed'))
);
CREATE INDEX operation_history_of_an_operation ON operation_history (operation_id, id);
INSERT INTO operation_history (operation_id, at, what, reason, sentence, actor)
SELECT id, stopped_at, state, reason, sentence, 'payouts' FROM operation WHERE state IN ('refused', 'parked');
GRANT SELECT, INSERT ON operation_history TO hobbs_payouts;

-- With which key and settings the service has called Stripe: their fingerprints, never the key.
CREATE TABLE stripe_access (
    fingerprint   text        PRIMARY KEY CONSTRAINT fingerprint_is_sha256 CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    first_used_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON stripe_access TO hobbs_payouts;

-- Refused and parked operations that nobody dealt with. A request for an account stands until a later one is
-- answered; an instant payout until its transfer's money reached the bank, or came back.
CREATE VIEW payouts_public.stopped_operations AS
SELECT operation.id, operation.kind, operation.wallet, operation.transfer_id, operation.amount, operation.currency,
       operation.state, operation.reason, operation.sentence, operation.generation, operation.tries,
       operation.stopped_at, operation.retry_at, operation.told,
       (SELECT attempt.request_id FROM payouts.attempt WHERE attempt.operation_id = operation.id
        ORDER BY attempt.started_at DESC LIMIT 1) AS request_id
FROM payouts.operation
JOIN payouts.payee ON payee.wallet = operation.wallet
LEFT JOIN payouts.transfer ON transfer.id = operation.transfer_id
WHERE operation.state IN ('refused', 'parked')
  AND CASE operation.kind
      WHEN 'account' THEN payee.stripe_account IS NULL AND payee.removed_at IS NULL
          AND NOT EXISTS (SELECT FROM payouts.operation AS later
                          WHERE later.wallet = operation.wallet AND later.kind = 'account'
                            AND later.state IN ('refused', 'parked') AND later.sequence > operation.sequence)
      WHEN 'instant_payout' THEN operation.state = 'parked' OR transfer.state = 'sent'
      ELSE true END;

CREATE VIEW payouts_public.operation_history AS
SELECT operation_id, operation.kind, operation.wallet, operation.transfer_id, history.id AS step, history.at,
       history.what, history.reason, history.sentence, history.actor
FROM payouts.operation_history AS history JOIN payouts.operation ON operation.id = history.operation_id;

GRANT SELECT ON payouts_public.stopped_operations, payouts_public.operation_history TO hobbs_reader, hobbs_payouts;

-- A payee's status tells a refused request for its account from one that is under way; the rest of the view stays.
DO $$ BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW payouts_public.payees AS ' || replace(
        pg_get_viewdef('payouts_public.payees'::regclass), '''account is being made''::text',
        '(SELECT CASE WHEN bool_or(stopped.state = ''parked'') THEN ''account request is parked'''
        || ' WHEN count(*) > 0 THEN ''account was refused'' ELSE ''account is being made'' END'
        || ' FROM payouts_public.stopped_operations AS stopped'
        || ' WHERE stopped.wallet = payee.wallet AND stopped.kind = ''account'')');
END $$;

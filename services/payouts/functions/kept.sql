-- What was done and to whom stands: attempts, transfers, payables, payees' accounts and the histories.

-- Trigger of every table here: the rule's name is the trigger's.
CREATE OR REPLACE FUNCTION refuse_rewriting()
    RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        CONSTRAINT = TG_NAME,
        MESSAGE = format('%s of %s is refused: what was written there stands', lower(TG_OP), TG_TABLE_NAME),
        HINT = 'Correct money by a new journal, a transfer by a reversal.';
END $$;

-- The columns of a table that its service may change: all but those that are written once.
CREATE OR REPLACE FUNCTION let_change_all_but(changed regclass, kept text[])
    RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    columns text;
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns FROM pg_attribute
    WHERE attrelid = changed AND attnum > 0 AND NOT attisdropped AND attname <> ALL (kept);
    EXECUTE format('REVOKE UPDATE ON %s FROM hobbs_payouts', changed);
    EXECUTE format('GRANT UPDATE (%s) ON %s TO hobbs_payouts', columns, changed);
END $$;

-- A request to Stripe: what was sent, and what came back, once.
CREATE OR REPLACE TRIGGER attempt_is_written_once BEFORE UPDATE ON attempt FOR EACH ROW
    WHEN (old.finished_at IS NOT NULL
        OR (old.lease_token, old.operation_id, old.generation, old.phase, old.idempotency_key, old.started_at)
            IS DISTINCT FROM
           (new.lease_token, new.operation_id, new.generation, new.phase, new.idempotency_key, new.started_at))
    EXECUTE FUNCTION refuse_rewriting();

-- A transfer's amount may follow what Stripe is found to have paid, until the transfer is known to be paid.
CREATE OR REPLACE TRIGGER transfer_keeps_what_was_sent BEFORE UPDATE ON transfer FOR EACH ROW
    WHEN ((old.id, old.wallet, old.currency, old.cause, old.created_at)
            IS DISTINCT FROM (new.id, new.wallet, new.currency, new.cause, new.created_at)
        OR old.stripe_transfer_id IS NOT NULL
        AND (old.amount, old.stripe_transfer_id, old.stripe_account, old.sent_at)
            IS DISTINCT FROM (new.amount, new.stripe_transfer_id, new.stripe_account, new.sent_at))
    EXECUTE FUNCTION refuse_rewriting();

CREATE OR REPLACE TRIGGER payable_is_what_was_posted BEFORE UPDATE ON payable FOR EACH ROW
    WHEN ((old.id, old.journal_id, old.wallet, old.currency, old.amount, old.source, old.event_type,
           old.occurred_at, old.accrued_at)
        IS DISTINCT FROM (new.id, new.journal_id, new.wallet, new.currency, new.amount, new.source, new.event_type,
           new.occurred_at, new.accrued_at))
    EXECUTE FUNCTION refuse_rewriting();

-- Whose account it is: written once; another account is another payee.
CREATE OR REPLACE TRIGGER payee_keeps_the_account BEFORE UPDATE ON payee FOR EACH ROW
    WHEN ((old.wallet, old.kind, old.key, old.created_at)
            IS DISTINCT FROM (new.wallet, new.kind, new.key, new.created_at)
        OR old.stripe_account IS NOT NULL AND old.stripe_account IS DISTINCT FROM new.stripe_account)
    EXECUTE FUNCTION refuse_rewriting();

CREATE OR REPLACE TRIGGER history_is_only_added_to BEFORE UPDATE OR DELETE ON transfer_history
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE OR REPLACE TRIGGER history_is_only_added_to BEFORE UPDATE OR DELETE ON operation_history
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
-- Who asked for money to be sent on their word, and who agreed, once.
CREATE OR REPLACE TRIGGER forced_act_stands BEFORE UPDATE ON forced_act FOR EACH ROW
    WHEN (old.approved_by IS NOT NULL
        OR (old.id, old.act, old.subject, old.wallet, old.currency, old.amount, old.needs_second, old.asked_by,
            old.asked_at, old.why)
            IS DISTINCT FROM
           (new.id, new.act, new.subject, new.wallet, new.currency, new.amount, new.needs_second, new.asked_by,
            new.asked_at, new.why))
    EXECUTE FUNCTION refuse_rewriting();
CREATE OR REPLACE TRIGGER forced_act_is_not_removed BEFORE DELETE ON forced_act
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE OR REPLACE TRIGGER account_word_stands BEFORE UPDATE ON account_word FOR EACH ROW
    WHEN (old.agreed_by IS NOT NULL
        OR (old.id, old.act, old.wallet, old.about, old.asked_by, old.asked_at, old.why)
            IS DISTINCT FROM (new.id, new.act, new.wallet, new.about, new.asked_by, new.asked_at, new.why))
    EXECUTE FUNCTION refuse_rewriting();
CREATE OR REPLACE TRIGGER account_word_is_not_removed BEFORE DELETE ON account_word
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
-- Who was erased, and why: it names ids.
CREATE OR REPLACE TRIGGER history_is_only_added_to BEFORE UPDATE OR DELETE ON erasure
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();

-- Nothing of it is removed.
CREATE OR REPLACE TRIGGER attempt_is_not_removed BEFORE DELETE ON attempt
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE OR REPLACE TRIGGER transfer_is_not_removed BEFORE DELETE ON transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE OR REPLACE TRIGGER payable_is_not_removed BEFORE DELETE ON payable
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE OR REPLACE TRIGGER payee_is_not_removed BEFORE DELETE ON payee
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();

-- In sessions of a replica too, and whole tables at once.
DO $$
DECLARE
    found record;
    kept regclass;
BEGIN
    FOREACH kept IN ARRAY ARRAY['attempt', 'transfer', 'payable', 'payee', 'transfer_history', 'operation_history',
                                'erasure', 'forced_act', 'account_word']::regclass[] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON %s
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()', kept);
        FOR found IN SELECT tgname FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
            WHERE tgrelid = kept AND proname = 'refuse_rewriting' LOOP
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', kept, found.tgname);
        END LOOP;
    END LOOP;
    PERFORM let_change_all_but('attempt', ARRAY['lease_token', 'operation_id', 'generation', 'phase',
                                                'idempotency_key', 'started_at']);
    PERFORM let_change_all_but('transfer', ARRAY['id', 'wallet', 'currency', 'cause', 'created_at']);
    PERFORM let_change_all_but('payable', ARRAY['id', 'journal_id', 'wallet', 'currency', 'amount', 'source',
                                                'event_type', 'occurred_at', 'accrued_at']);
    PERFORM let_change_all_but('forced_act', ARRAY['id', 'act', 'subject', 'wallet', 'currency', 'amount',
                                                   'needs_second', 'asked_by', 'asked_at', 'why']);
    PERFORM let_change_all_but('payee', ARRAY['wallet', 'kind', 'key', 'created_at']);
END $$;

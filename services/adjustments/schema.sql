-- The schema of adjustments at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA adjustments;
CREATE SCHEMA adjustments_public;
GRANT USAGE ON SCHEMA adjustments TO hobbs_adjustments;
GRANT USAGE ON SCHEMA adjustments_public TO hobbs_reader, hobbs_operations, hobbs_adjustments, hobbs_receivables;

CREATE TABLE adjustments.adjustment (
    id uuid NOT NULL,
    flight_id text NOT NULL,
    revision integer NOT NULL,
    kind text NOT NULL,
    bill_id uuid NOT NULL,
    currency text NOT NULL,
    entries jsonb NOT NULL,
    differences jsonb NOT NULL,
    largest bigint NOT NULL,
    paid_by text[] NOT NULL,
    student_before text NOT NULL,
    student text NOT NULL,
    flown_on date NOT NULL,
    occurred_at timestamptz NOT NULL,
    priced_by text NOT NULL,
    reason text NOT NULL,
    made_by text NOT NULL,
    makers text[] NOT NULL,
    state text NOT NULL,
    sentence text NOT NULL,
    needs text[] NOT NULL,
    approvals_needed smallint NOT NULL,
    approve_above bigint NOT NULL,
    second_approver_above bigint NOT NULL,
    content_hash bytea NOT NULL,
    proposed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    journal_id uuid,
    trace jsonb NOT NULL,
    CONSTRAINT adjustment_follows_a_first_bill CHECK ((revision >= 2)),
    CONSTRAINT adjustment_kind_is_known CHECK ((kind = ANY (ARRAY['corrected'::text, 'cancelled'::text, 'recovered'::text, 'manual'::text]))),
    CONSTRAINT adjustment_of_nothing_asks_nobody CHECK (((differences <> '{}'::jsonb) OR (state = ANY (ARRAY['proposed'::text, 'superseded'::text, 'settled'::text])))),
    CONSTRAINT adjustment_state_is_known CHECK ((state = ANY (ARRAY['proposed'::text, 'waiting'::text, 'approved'::text, 'rejected'::text, 'expired'::text, 'superseded'::text, 'posted'::text, 'settling'::text, 'settled'::text, 'failed'::text]))),
    CONSTRAINT amount_above_the_limit_needs_approval CHECK (((state = ANY (ARRAY['posted'::text, 'settling'::text, 'settled'::text])) OR (approvals_needed >=
CASE
    WHEN (largest > second_approver_above) THEN 2
    WHEN (largest > approve_above) THEN 1
    ELSE 0
END))),
    CONSTRAINT amount_by_hand_needs_approval CHECK (((kind <> 'manual'::text) OR (approvals_needed > 0) OR (state = ANY (ARRAY['posted'::text, 'settling'::text, 'settled'::text])))),
    CONSTRAINT approvals_needed_are_none_one_or_two CHECK (((approvals_needed >= 0) AND (approvals_needed <= 2))),
    CONSTRAINT changed_student_needs_approval CHECK (((student = student_before) OR (approvals_needed > 0))),
    CONSTRAINT expiry_is_after_the_proposal CHECK ((expires_at > proposed_at)),
    CONSTRAINT maker_is_among_the_makers CHECK ((made_by = ANY (makers))),
    CONSTRAINT needed_approval_says_why CHECK (((approvals_needed = 0) = (needs = '{}'::text[]))),
    CONSTRAINT posted_adjustment_has_a_journal CHECK ((((state = ANY (ARRAY['posted'::text, 'settling'::text])) OR ((state = 'settled'::text) AND (differences <> '{}'::jsonb))) = (journal_id IS NOT NULL))),
    CONSTRAINT recovery_needs_approval CHECK (((kind <> 'recovered'::text) OR (approvals_needed > 0) OR (state = ANY (ARRAY['posted'::text, 'settling'::text, 'settled'::text]))))
);
ALTER TABLE ONLY adjustments.adjustment ADD CONSTRAINT adjustment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY adjustments.adjustment ADD CONSTRAINT one_adjustment_for_each_revision UNIQUE (flight_id, revision);
ALTER TABLE ONLY adjustments.adjustment ADD CONSTRAINT adjustment_flight_id_fkey FOREIGN KEY (flight_id) REFERENCES adjustments.flight(flight_id);
ALTER TABLE ONLY adjustments.adjustment ADD CONSTRAINT adjustment_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES adjustments.posted_journal(journal_id);
CREATE INDEX adjustment_by_age ON adjustments.adjustment USING btree (proposed_at, id);
CREATE INDEX adjustment_by_state ON adjustments.adjustment USING btree (state, proposed_at, id);
CREATE INDEX adjustment_of_a_maker ON adjustments.adjustment USING btree (made_by, proposed_at);
CREATE INDEX adjustment_recovers_a_flight ON adjustments.adjustment USING btree (substr(flight_id, (strpos(flight_id, '/'::text) + 1))) WHERE (kind = 'recovered'::text);
CREATE INDEX adjustment_to_expire ON adjustments.adjustment USING btree (expires_at) WHERE (state = 'waiting'::text);
CREATE TRIGGER adjustment_keeps_the_rules BEFORE INSERT OR UPDATE ON adjustments.adjustment FOR EACH ROW EXECUTE FUNCTION adjustments.guard_adjustment();
ALTER TABLE adjustments.adjustment ENABLE ALWAYS TRIGGER adjustment_keeps_the_rules;
CREATE TRIGGER settled_adjustment_is_settled BEFORE UPDATE ON adjustments.adjustment FOR EACH ROW WHEN (((new.state = ANY (ARRAY['settling'::text, 'settled'::text])) AND (old.state IS DISTINCT FROM new.state))) EXECUTE FUNCTION adjustments.guard_settled_adjustment();
GRANT SELECT, INSERT, UPDATE ON TABLE adjustments.adjustment TO hobbs_adjustments;

CREATE TABLE adjustments.adjustment_history (
    id bigint NOT NULL,
    adjustment_id uuid NOT NULL,
    at timestamptz NOT NULL,
    from_state text,
    to_state text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT adjustment_step_is_in_the_table CHECK ((((COALESCE(from_state, 'new'::text) || '>'::text) || to_state) = ANY (ARRAY['new>proposed'::text, 'new>waiting'::text, 'new>approved'::text, 'new>posted'::text, 'new>settled'::text, 'new>superseded'::text, 'proposed>waiting'::text, 'proposed>approved'::text, 'proposed>posted'::text, 'proposed>settled'::text, 'proposed>superseded'::text, 'waiting>proposed'::text, 'waiting>approved'::text, 'waiting>rejected'::text, 'waiting>expired'::text, 'waiting>superseded'::text, 'waiting>posted'::text, 'approved>posted'::text, 'approved>failed'::text, 'failed>approved'::text, 'failed>rejected'::text, 'failed>posted'::text, 'failed>superseded'::text, 'rejected>posted'::text, 'expired>posted'::text, 'superseded>posted'::text, 'posted>settling'::text, 'posted>settled'::text, 'settling>settled'::text, 'settled>settling'::text]))),
    CONSTRAINT step_says_by_whom CHECK ((who <> ''::text))
);
ALTER TABLE adjustments.adjustment_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY adjustments.adjustment_history ADD CONSTRAINT adjustment_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY adjustments.adjustment_history ADD CONSTRAINT adjustment_history_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES adjustments.adjustment(id);
CREATE INDEX adjustment_history_of_an_adjustment ON adjustments.adjustment_history USING btree (adjustment_id, id);
GRANT SELECT, INSERT ON TABLE adjustments.adjustment_history TO hobbs_adjustments;

CREATE TABLE adjustments.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY adjustments.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE adjustments.alembic_version TO hobbs_adjustments;

CREATE TABLE adjustments.approval (
    decision_id uuid NOT NULL,
    adjustment_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    approver text NOT NULL,
    why text NOT NULL,
    approved_at timestamptz NOT NULL
);
ALTER TABLE ONLY adjustments.approval ADD CONSTRAINT approval_pkey PRIMARY KEY (decision_id);
ALTER TABLE ONLY adjustments.approval ADD CONSTRAINT approval_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES adjustments.adjustment(id);
CREATE UNIQUE INDEX two_approvers_are_two_persons ON adjustments.approval USING btree (adjustment_id, content_hash, lower(NORMALIZE(btrim(approver), NFKC)));
CREATE TRIGGER maker_is_not_checker BEFORE INSERT ON adjustments.approval FOR EACH ROW EXECUTE FUNCTION adjustments.guard_approval();
ALTER TABLE adjustments.approval ENABLE ALWAYS TRIGGER maker_is_not_checker;
GRANT SELECT, INSERT ON TABLE adjustments.approval TO hobbs_adjustments;

CREATE TABLE adjustments.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY adjustments.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE adjustments.asked_decision TO hobbs_adjustments;

CREATE TABLE adjustments.carried_adjustment (
    source text NOT NULL,
    wallet text NOT NULL,
    transfer_id uuid NOT NULL,
    sent_at timestamptz NOT NULL,
    CONSTRAINT carried_source_is_an_adjustments CHECK ((source ~~ 'adjustment:%'::text))
);
ALTER TABLE ONLY adjustments.carried_adjustment ADD CONSTRAINT carried_adjustment_pkey PRIMARY KEY (source, wallet);
GRANT SELECT, INSERT ON TABLE adjustments.carried_adjustment TO hobbs_adjustments;

CREATE TABLE adjustments.clawback_window (
    transfer_id uuid NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    sources text[] NOT NULL,
    clawback_until timestamptz NOT NULL
);
ALTER TABLE ONLY adjustments.clawback_window ADD CONSTRAINT clawback_window_pkey PRIMARY KEY (transfer_id);
CREATE INDEX clawback_window_by_end ON adjustments.clawback_window USING btree (clawback_until);
CREATE INDEX clawback_window_of_a_wallet ON adjustments.clawback_window USING btree (wallet, currency, clawback_until);
GRANT SELECT, INSERT, DELETE ON TABLE adjustments.clawback_window TO hobbs_adjustments;

CREATE TABLE adjustments.dead_letter (
    id uuid DEFAULT uuidv7() NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    identity text NOT NULL,
    subject text,
    key bytea,
    value bytea,
    headers jsonb NOT NULL,
    payload_hash bytea NOT NULL,
    event_key uuid,
    correlation_id text NOT NULL,
    reason text NOT NULL,
    sentence text NOT NULL,
    attempts integer DEFAULT 1 NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    first_seen_at timestamptz DEFAULT now() NOT NULL,
    last_seen_at timestamptz DEFAULT now() NOT NULL,
    history jsonb NOT NULL,
    CONSTRAINT dead_letter_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'redriven'::text, 'discarded'::text]))),
    CONSTRAINT dead_letter_was_attempted CHECK ((attempts > 0))
);
ALTER TABLE ONLY adjustments.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY adjustments.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_open ON adjustments.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON adjustments.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION adjustments.refuse_rewritten_letter();
ALTER TABLE adjustments.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON adjustments.dead_letter FOR EACH ROW EXECUTE FUNCTION adjustments.refuse_rewritten_letter();
ALTER TABLE adjustments.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE adjustments.dead_letter TO hobbs_adjustments;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE adjustments.dead_letter TO hobbs_adjustments;
GRANT UPDATE("offset") ON TABLE adjustments.dead_letter TO hobbs_adjustments;

CREATE TABLE adjustments.early_answer (
    settlement_id uuid NOT NULL,
    answer text NOT NULL,
    document jsonb NOT NULL,
    sentence text NOT NULL,
    heard_at timestamptz NOT NULL,
    told_at timestamptz,
    CONSTRAINT early_answer_is_known CHECK ((answer = ANY (ARRAY['journal'::text, 'reversal'::text, 'refund'::text])))
);
ALTER TABLE ONLY adjustments.early_answer ADD CONSTRAINT early_answer_pkey PRIMARY KEY (settlement_id);
GRANT SELECT, INSERT, DELETE ON TABLE adjustments.early_answer TO hobbs_adjustments;
GRANT UPDATE (told_at) ON TABLE adjustments.early_answer TO hobbs_adjustments;

CREATE TABLE adjustments.flight (
    flight_id text NOT NULL,
    currency text NOT NULL,
    first_source text NOT NULL,
    first_entries jsonb NOT NULL
);
ALTER TABLE ONLY adjustments.flight ADD CONSTRAINT flight_pkey PRIMARY KEY (flight_id);
CREATE INDEX flight_of_a_dispute ON adjustments.flight USING btree (split_part(flight_id, '/'::text, 1)) WHERE (strpos(flight_id, '/'::text) > 0);
GRANT SELECT, INSERT, UPDATE ON TABLE adjustments.flight TO hobbs_adjustments;

CREATE TABLE adjustments.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY adjustments.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE adjustments.function_file TO hobbs_adjustments;

CREATE TABLE adjustments.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY adjustments.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE adjustments.inbox TO hobbs_adjustments;

CREATE TABLE adjustments.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY adjustments.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE adjustments.invariant_outcome TO hobbs_adjustments;

CREATE TABLE adjustments.moved_by_maker (
    made_by text NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    day date NOT NULL,
    moved bigint NOT NULL,
    adjustments integer NOT NULL,
    CONSTRAINT what_was_moved_is_positive CHECK (((moved > 0) AND (adjustments > 0)))
);
ALTER TABLE ONLY adjustments.moved_by_maker ADD CONSTRAINT one_sum_for_each_maker_payee_and_day PRIMARY KEY (made_by, wallet, currency, day);
CREATE INDEX moved_on_a_day ON adjustments.moved_by_maker USING btree (day);
GRANT SELECT, INSERT, UPDATE ON TABLE adjustments.moved_by_maker TO hobbs_adjustments;

CREATE TABLE adjustments.outbox (
    id bigint NOT NULL,
    topic text NOT NULL,
    key bytea,
    value bytea,
    event_id uuid,
    source text,
    correlation_id text,
    traceparent text,
    raw_headers jsonb,
    staged_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT outbox_row_is_an_event_or_a_raw_record CHECK ((((event_id IS NOT NULL) AND (value IS NOT NULL) AND (raw_headers IS NULL)) OR ((event_id IS NULL) AND (raw_headers IS NOT NULL))))
);
ALTER TABLE adjustments.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE adjustments.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['adjustment.changed'::text, 'adjustments.dead'::text, 'adjustments.redrive'::text, 'decision.taken'::text, 'journal.requested'::text, 'notification.requested'::text, 'refund.requested'::text, 'reversal.requested'::text]))) NOT VALID;
ALTER TABLE ONLY adjustments.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE adjustments.outbox TO hobbs_adjustments;

CREATE TABLE adjustments.outbox_sent (
    id bigint NOT NULL,
    topic text NOT NULL,
    key bytea,
    value bytea,
    event_id uuid,
    source text,
    correlation_id text,
    traceparent text,
    raw_headers jsonb,
    staged_at timestamptz NOT NULL,
    sent_at timestamptz DEFAULT clock_timestamp() NOT NULL
);
ALTER TABLE ONLY adjustments.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE adjustments.outbox_sent TO hobbs_adjustments;

CREATE TABLE adjustments.partly_carried (
    source text NOT NULL,
    wallet text NOT NULL,
    transfer_id uuid NOT NULL,
    amount bigint NOT NULL,
    sent_at timestamptz NOT NULL,
    CONSTRAINT a_part_is_above_zero CHECK ((amount > 0))
);
ALTER TABLE ONLY adjustments.partly_carried ADD CONSTRAINT partly_carried_pkey PRIMARY KEY (source, wallet, transfer_id);
GRANT SELECT, INSERT ON TABLE adjustments.partly_carried TO hobbs_adjustments;

CREATE TABLE adjustments.policy_card (
    effective_from date NOT NULL,
    version integer NOT NULL,
    policy jsonb,
    CONSTRAINT policy_is_an_object CHECK (((policy IS NULL) OR (jsonb_typeof(policy) = 'object'::text)))
);
ALTER TABLE ONLY adjustments.policy_card ADD CONSTRAINT policy_card_pkey PRIMARY KEY (effective_from);
GRANT SELECT, INSERT, UPDATE ON TABLE adjustments.policy_card TO hobbs_adjustments;

CREATE TABLE adjustments.posted_journal (
    source text NOT NULL,
    journal_id uuid NOT NULL,
    currency text NOT NULL,
    entries jsonb NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT posted_journal_is_an_adjustments CHECK ((source ~~ 'adjustment:%'::text))
);
ALTER TABLE ONLY adjustments.posted_journal ADD CONSTRAINT posted_journal_is_of_one_source UNIQUE (journal_id);
ALTER TABLE ONLY adjustments.posted_journal ADD CONSTRAINT posted_journal_pkey PRIMARY KEY (source);
GRANT SELECT, INSERT ON TABLE adjustments.posted_journal TO hobbs_adjustments;

CREATE TABLE adjustments.refund_heard (
    refund text NOT NULL,
    returned bigint DEFAULT 0 NOT NULL,
    CONSTRAINT a_bank_returns_no_less_than_nothing CHECK ((returned >= 0))
);
ALTER TABLE ONLY adjustments.refund_heard ADD CONSTRAINT refund_heard_pkey PRIMARY KEY (refund);
GRANT SELECT, INSERT, UPDATE ON TABLE adjustments.refund_heard TO hobbs_adjustments;

CREATE TABLE adjustments.school (
    only_row boolean DEFAULT true NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    time_zone_version integer DEFAULT 0 NOT NULL,
    read_version integer DEFAULT 0 NOT NULL,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
ALTER TABLE ONLY adjustments.school ADD CONSTRAINT school_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE adjustments.school TO hobbs_adjustments;

CREATE TABLE adjustments.settlement (
    id uuid NOT NULL,
    adjustment_id uuid NOT NULL,
    number integer NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    method text NOT NULL,
    state text NOT NULL,
    sentence text NOT NULL,
    proof text,
    instead_of text,
    decided_by text,
    cheque_number text,
    paid_on date,
    begun_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT cheque_has_number_and_date CHECK ((((method = 'manual_check'::text) = (cheque_number IS NOT NULL)) AND ((cheque_number IS NULL) = (paid_on IS NULL)))),
    CONSTRAINT costly_settlement_says_who_decided CHECK (((method <> ALL (ARRAY['stripe_reversal'::text, 'refund'::text, 'manual_check'::text, 'forgiven'::text, 'written_off'::text])) OR (decided_by IS NOT NULL))),
    CONSTRAINT method_goes_the_way_of_the_money CHECK (
CASE
    WHEN (method = ANY (ARRAY['credit'::text, 'payout'::text, 'refund'::text])) THEN (amount > 0)
    WHEN (method = ANY (ARRAY['charge'::text, 'future_payout_offset'::text, 'stripe_reversal'::text, 'forgiven'::text, 'written_off'::text])) THEN (amount < 0)
    ELSE true
END),
    CONSTRAINT method_is_one_of_its_party CHECK (
CASE split_part(wallet, ':'::text, 1)
    WHEN 'student'::text THEN (method = ANY (ARRAY['credit'::text, 'charge'::text, 'refund'::text, 'manual_check'::text, 'forgiven'::text, 'written_off'::text]))
    WHEN 'instructor'::text THEN (method <> ALL (ARRAY['books'::text, 'credit'::text, 'charge'::text, 'refund'::text]))
    WHEN 'aircraft_owner'::text THEN (method <> ALL (ARRAY['books'::text, 'credit'::text, 'charge'::text, 'refund'::text]))
    ELSE (method = 'books'::text)
END),
    CONSTRAINT settled_settlement_has_a_proof CHECK (((state <> 'settled'::text) OR (proof IS NOT NULL))),
    CONSTRAINT settlement_amount_is_not_zero CHECK ((amount <> 0)),
    CONSTRAINT settlement_method_is_known CHECK ((method = ANY (ARRAY['books'::text, 'credit'::text, 'charge'::text, 'payout'::text, 'refund'::text, 'future_payout_offset'::text, 'stripe_reversal'::text, 'manual_check'::text, 'forgiven'::text, 'written_off'::text]))),
    CONSTRAINT settlement_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'asked'::text, 'settled'::text, 'failed'::text, 'replaced'::text]))),
    CONSTRAINT settlements_count_from_one CHECK ((number >= 1))
);
ALTER TABLE ONLY adjustments.settlement ADD CONSTRAINT settlement_pkey PRIMARY KEY (id);
ALTER TABLE ONLY adjustments.settlement ADD CONSTRAINT settlements_of_a_wallet_are_numbered UNIQUE (adjustment_id, wallet, number);
ALTER TABLE ONLY adjustments.settlement ADD CONSTRAINT settlement_adjustment_id_fkey FOREIGN KEY (adjustment_id) REFERENCES adjustments.adjustment(id);
CREATE INDEX settlement_by_its_refunds ON adjustments.settlement USING gin (string_to_array(proof, ', '::text)) WHERE ((method = 'refund'::text) AND (state = 'settled'::text));
CREATE INDEX settlement_of_a_wallet ON adjustments.settlement USING btree (wallet) WHERE (state = ANY (ARRAY['waiting'::text, 'asked'::text]));
CREATE INDEX settlement_open ON adjustments.settlement USING btree (method, wallet) WHERE (state = ANY (ARRAY['waiting'::text, 'asked'::text]));
CREATE TRIGGER begun_settlements_sum_to_the_difference AFTER INSERT ON adjustments.settlement REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION adjustments.guard_settlement_sums();
ALTER TABLE adjustments.settlement ENABLE ALWAYS TRIGGER begun_settlements_sum_to_the_difference;
CREATE TRIGGER changed_settlements_sum_to_the_difference AFTER UPDATE ON adjustments.settlement REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION adjustments.guard_settlement_sums();
ALTER TABLE adjustments.settlement ENABLE ALWAYS TRIGGER changed_settlements_sum_to_the_difference;
CREATE TRIGGER settlement_changes_in_its_states_only BEFORE UPDATE ON adjustments.settlement FOR EACH ROW EXECUTE FUNCTION adjustments.guard_settlement_change();
ALTER TABLE adjustments.settlement ENABLE ALWAYS TRIGGER settlement_changes_in_its_states_only;
CREATE TRIGGER settler_is_not_the_maker BEFORE INSERT ON adjustments.settlement FOR EACH ROW WHEN ((new.method = ANY (ARRAY['stripe_reversal'::text, 'forgiven'::text, 'written_off'::text]))) EXECUTE FUNCTION adjustments.guard_settlement();
ALTER TABLE adjustments.settlement ENABLE ALWAYS TRIGGER settler_is_not_the_maker;
GRANT SELECT, INSERT, UPDATE ON TABLE adjustments.settlement TO hobbs_adjustments;

CREATE TABLE adjustments.settlement_history (
    id bigint NOT NULL,
    settlement_id uuid NOT NULL,
    at timestamptz NOT NULL,
    from_state text,
    to_state text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    CONSTRAINT settlement_step_is_in_the_table CHECK ((((COALESCE(from_state, 'new'::text) || '>'::text) || to_state) = ANY (ARRAY['new>waiting'::text, 'new>asked'::text, 'new>settled'::text, 'waiting>settled'::text, 'waiting>replaced'::text, 'asked>settled'::text, 'asked>failed'::text, 'settled>replaced'::text]))),
    CONSTRAINT settlement_step_says_by_whom CHECK ((who <> ''::text))
);
ALTER TABLE adjustments.settlement_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY adjustments.settlement_history ADD CONSTRAINT settlement_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY adjustments.settlement_history ADD CONSTRAINT settlement_history_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES adjustments.settlement(id);
CREATE INDEX settlement_history_of_a_settlement ON adjustments.settlement_history USING btree (settlement_id, id);
GRANT SELECT, INSERT ON TABLE adjustments.settlement_history TO hobbs_adjustments;

CREATE TABLE adjustments.settlement_told (
    settlement_id uuid NOT NULL,
    what text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT told_is_overdue_or_closing CHECK ((what = ANY (ARRAY['overdue'::text, 'window_closes'::text, 'unanswered'::text])))
);
ALTER TABLE ONLY adjustments.settlement_told ADD CONSTRAINT settlement_told_pkey PRIMARY KEY (settlement_id, what);
ALTER TABLE ONLY adjustments.settlement_told ADD CONSTRAINT settlement_told_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES adjustments.settlement(id);
GRANT SELECT, INSERT ON TABLE adjustments.settlement_told TO hobbs_adjustments;

CREATE TABLE adjustments.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY adjustments.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE adjustments.timer TO hobbs_adjustments;

CREATE TABLE adjustments.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY adjustments.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE adjustments.topic_position TO hobbs_adjustments;

CREATE VIEW adjustments_public.adjustments AS
 SELECT id,
    flight_id,
    revision,
    kind,
    bill_id,
    currency,
    entries,
    differences,
    largest,
    paid_by,
    student_before,
    student,
    flown_on,
    occurred_at,
    priced_by,
    reason,
    made_by,
    makers,
    state,
    sentence,
    needs,
    approvals_needed,
    approve_above,
    second_approver_above,
    encode(content_hash, 'hex'::text) AS content_hash,
    proposed_at,
    expires_at,
    changed_at,
    journal_id,
    (trace ->> 'correlation_id'::text) AS correlation_id
   FROM adjustments.adjustment;
GRANT SELECT ON TABLE adjustments_public.adjustments TO hobbs_reader, hobbs_adjustments, hobbs_receivables;

CREATE VIEW adjustments_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM adjustments.inbox;
GRANT SELECT ON TABLE adjustments_public.admitted_events TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.approvals AS
 SELECT approval.decision_id,
    approval.adjustment_id,
    approval.approver,
    approval.why,
    approval.approved_at,
    (approval.content_hash = adjustment.content_hash) AS counts
   FROM (adjustments.approval
     JOIN adjustments.adjustment ON ((adjustment.id = approval.adjustment_id)));
GRANT SELECT ON TABLE adjustments_public.approvals TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.clawback_windows AS
 SELECT transfer_id,
    wallet,
    currency,
    amount,
    sources,
    clawback_until
   FROM adjustments.clawback_window;
GRANT SELECT ON TABLE adjustments_public.clawback_windows TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.dead_letters AS
 SELECT id,
    topic,
    partition,
    "offset",
    subject,
    reason,
    sentence,
    attempts,
    state,
    first_seen_at,
    last_seen_at,
    correlation_id,
    event_key
   FROM adjustments.dead_letter;
GRANT SELECT ON TABLE adjustments_public.dead_letters TO hobbs_reader, hobbs_operations, hobbs_adjustments;

CREATE VIEW adjustments_public.differences AS
 SELECT adjustment.id AS adjustment_id,
    adjustment.flight_id,
    adjustment.revision,
    adjustment.state,
    adjustment.currency,
    party.wallet,
    (COALESCE(((adjustment.entries ->> party.wallet))::bigint, (0)::bigint) - (party.amount)::bigint) AS before,
    COALESCE(((adjustment.entries ->> party.wallet))::bigint, (0)::bigint) AS after,
    (party.amount)::bigint AS difference
   FROM adjustments.adjustment,
    LATERAL jsonb_each_text(adjustment.differences) party(wallet, amount);
GRANT SELECT ON TABLE adjustments_public.differences TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.early_answers AS
 SELECT settlement_id,
    answer,
    document,
    sentence,
    heard_at,
    told_at
   FROM adjustments.early_answer;
GRANT SELECT ON TABLE adjustments_public.early_answers TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.flights AS
 SELECT flight_id,
    currency,
    first_source,
    first_entries
   FROM adjustments.flight;
GRANT SELECT ON TABLE adjustments_public.flights TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.history AS
 SELECT id,
    adjustment_id,
    at,
    from_state,
    to_state,
    who,
    why,
    encode(content_hash, 'hex'::text) AS content_hash
   FROM adjustments.adjustment_history;
GRANT SELECT ON TABLE adjustments_public.history TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.moved_by_maker AS
 SELECT made_by,
    wallet,
    currency,
    day,
    moved,
    adjustments
   FROM adjustments.moved_by_maker;
GRANT SELECT ON TABLE adjustments_public.moved_by_maker TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.policy_cards AS
 SELECT effective_from,
    version,
    policy
   FROM adjustments.policy_card;
GRANT SELECT ON TABLE adjustments_public.policy_cards TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM adjustments.topic_position;
GRANT SELECT ON TABLE adjustments_public.positions TO hobbs_reader, hobbs_operations, hobbs_adjustments;

CREATE VIEW adjustments_public.posted_journals AS
 SELECT source,
    journal_id,
    currency,
    entries,
    recorded_at
   FROM adjustments.posted_journal;
GRANT SELECT ON TABLE adjustments_public.posted_journals TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.school AS
 SELECT time_zone,
    time_zone_version,
    read_version
   FROM adjustments.school;
GRANT SELECT ON TABLE adjustments_public.school TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.settlement_history AS
 SELECT id,
    settlement_id,
    at,
    from_state,
    to_state,
    who,
    why
   FROM adjustments.settlement_history;
GRANT SELECT ON TABLE adjustments_public.settlement_history TO hobbs_reader, hobbs_adjustments;

CREATE VIEW adjustments_public.settlements AS
 SELECT s.id,
    s.adjustment_id,
    a.flight_id,
    a.revision,
    s.number,
    s.wallet,
    s.currency,
    s.amount,
    s.method,
    s.state,
    s.sentence,
    s.proof,
    s.instead_of,
    s.decided_by,
    s.cheque_number,
    s.paid_on,
    s.begun_at,
    s.changed_at
   FROM (adjustments.settlement s
     JOIN adjustments.adjustment a ON ((a.id = s.adjustment_id)));
GRANT SELECT ON TABLE adjustments_public.settlements TO hobbs_reader, hobbs_adjustments;

-- Functions; their texts are in functions/.
-- * guard_adjustment()
-- * guard_approval()
-- * guard_settled_adjustment()
-- * guard_settlement()
-- * guard_settlement_change()
-- * guard_settlement_sums()
-- * person(text)
-- * refuse(text, text)
-- * refuse_rewritten_letter()
-- * without_former_contents(jsonb)
-- * vouch(uuid, bytea)

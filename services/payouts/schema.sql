-- The schema of payouts at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA payouts;
CREATE SCHEMA payouts_public;
GRANT USAGE ON SCHEMA payouts TO hobbs_payouts;
GRANT USAGE ON SCHEMA payouts_public TO hobbs_reader, hobbs_operations, hobbs_payouts, hobbs_adjustments, hobbs_reserves;

CREATE TABLE payouts.account_adoption (
    id uuid NOT NULL,
    wallet text NOT NULL,
    stripe_account text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    requested_at timestamptz NOT NULL,
    answered_at timestamptz,
    problem text,
    CONSTRAINT refused_adoption_is_answered CHECK (((problem IS NULL) OR (answered_at IS NOT NULL)))
);
ALTER TABLE ONLY payouts.account_adoption ADD CONSTRAINT account_adoption_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payouts.account_adoption ADD CONSTRAINT account_adoption_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
CREATE INDEX account_adoption_open ON payouts.account_adoption USING btree (requested_at) WHERE (answered_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.account_adoption TO hobbs_payouts;

CREATE TABLE payouts.account_word (
    id uuid NOT NULL,
    act text NOT NULL,
    wallet text NOT NULL,
    about text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    why text NOT NULL,
    agreed_by text,
    agreed_at timestamptz,
    CONSTRAINT a_second_person_agrees CHECK (((agreed_by IS NULL) OR (lower(NORMALIZE(TRIM(BOTH FROM agreed_by), NFKC)) <> lower(NORMALIZE(TRIM(BOTH FROM asked_by), NFKC))))),
    CONSTRAINT account_act_is_known CHECK ((act = ANY (ARRAY['adopt'::text, 'link'::text]))),
    CONSTRAINT agreed_says_when CHECK (((agreed_by IS NULL) = (agreed_at IS NULL)))
);
ALTER TABLE ONLY payouts.account_word ADD CONSTRAINT account_word_pkey PRIMARY KEY (id);
CREATE INDEX account_word_of_a_payee ON payouts.account_word USING btree (wallet, asked_at);
CREATE TRIGGER account_word_is_not_removed BEFORE DELETE ON payouts.account_word FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.account_word ENABLE ALWAYS TRIGGER account_word_is_not_removed;
CREATE TRIGGER account_word_stands BEFORE UPDATE ON payouts.account_word FOR EACH ROW WHEN (((old.agreed_by IS NOT NULL) OR (((((((old.id IS DISTINCT FROM new.id) OR (old.act IS DISTINCT FROM new.act)) OR (old.wallet IS DISTINCT FROM new.wallet)) OR (old.about IS DISTINCT FROM new.about)) OR (old.asked_by IS DISTINCT FROM new.asked_by)) OR (old.asked_at IS DISTINCT FROM new.asked_at)) OR (old.why IS DISTINCT FROM new.why)))) EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.account_word ENABLE ALWAYS TRIGGER account_word_stands;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.account_word FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.account_word ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.account_word TO hobbs_payouts;
GRANT UPDATE (agreed_by, agreed_at) ON TABLE payouts.account_word TO hobbs_payouts;

CREATE TABLE payouts.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY payouts.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE payouts.alembic_version TO hobbs_payouts;

CREATE TABLE payouts.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY payouts.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE payouts.asked_decision TO hobbs_payouts;

CREATE TABLE payouts.attempt (
    lease_token uuid NOT NULL,
    operation_id uuid NOT NULL,
    generation integer NOT NULL,
    phase text NOT NULL,
    idempotency_key text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    verdict text,
    http_status integer,
    code text,
    request_id text,
    sentence text,
    CONSTRAINT finished_attempt_has_a_verdict CHECK (((finished_at IS NULL) = (verdict IS NULL)))
);
ALTER TABLE ONLY payouts.attempt ADD CONSTRAINT attempt_pkey PRIMARY KEY (lease_token);
ALTER TABLE ONLY payouts.attempt ADD CONSTRAINT attempt_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES payouts.operation(id);
CREATE INDEX attempt_of_an_operation ON payouts.attempt USING btree (operation_id, started_at);
CREATE TRIGGER attempt_is_not_removed BEFORE DELETE ON payouts.attempt FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.attempt ENABLE ALWAYS TRIGGER attempt_is_not_removed;
CREATE TRIGGER attempt_is_written_once BEFORE UPDATE ON payouts.attempt FOR EACH ROW WHEN (((old.finished_at IS NOT NULL) OR ((((((old.lease_token IS DISTINCT FROM new.lease_token) OR (old.operation_id IS DISTINCT FROM new.operation_id)) OR (old.generation IS DISTINCT FROM new.generation)) OR (old.phase IS DISTINCT FROM new.phase)) OR (old.idempotency_key IS DISTINCT FROM new.idempotency_key)) OR (old.started_at IS DISTINCT FROM new.started_at)))) EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.attempt ENABLE ALWAYS TRIGGER attempt_is_written_once;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.attempt FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.attempt ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.attempt TO hobbs_payouts;
GRANT UPDATE (finished_at, verdict, http_status, code, request_id, sentence) ON TABLE payouts.attempt TO hobbs_payouts;

CREATE TABLE payouts.balance_reading (
    number bigint NOT NULL,
    currency text NOT NULL,
    begun_at timestamptz NOT NULL,
    allowed_total bigint NOT NULL,
    under_way bigint NOT NULL,
    available bigint,
    pending bigint,
    connect_reserved bigint,
    answered_at timestamptz
);
ALTER TABLE ONLY payouts.balance_reading ADD CONSTRAINT balance_reading_pkey PRIMARY KEY (number, currency);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.balance_reading TO hobbs_payouts;

CREATE TABLE payouts.card_payment (
    charge_id text NOT NULL,
    wallet text,
    currency text NOT NULL,
    amount bigint NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT card_payment_is_a_students CHECK ((wallet ~~ 'student:%'::text)),
    CONSTRAINT card_payment_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY payouts.card_payment ADD CONSTRAINT card_payment_pkey PRIMARY KEY (charge_id);
CREATE INDEX card_payment_of_a_student ON payouts.card_payment USING btree (wallet, currency, received_at);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.card_payment TO hobbs_payouts;

CREATE TABLE payouts.cash_journal (
    source text NOT NULL,
    currency text NOT NULL,
    event_type text NOT NULL,
    amount bigint NOT NULL,
    at_stripe boolean NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    transaction_id text
);
ALTER TABLE ONLY payouts.cash_journal ADD CONSTRAINT cash_journal_pkey PRIMARY KEY (source, currency);
ALTER TABLE ONLY payouts.cash_journal ADD CONSTRAINT cash_journal_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES payouts.movement(transaction_id);
CREATE INDEX cash_journal_without_row ON payouts.cash_journal USING btree (recorded_at) WHERE (transaction_id IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.cash_journal TO hobbs_payouts;

CREATE TABLE payouts.charge_request (
    request_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    cause text NOT NULL,
    customer text NOT NULL,
    payment_method text NOT NULL,
    method_type text NOT NULL,
    decided_at timestamptz NOT NULL,
    requested_at timestamptz NOT NULL,
    outcome text,
    payment_intent text,
    charge text,
    code text,
    advice text,
    sentence text,
    answered_at timestamptz,
    trace jsonb NOT NULL,
    CONSTRAINT answered_charge_says_what_and_when CHECK ((num_nulls(outcome, sentence, answered_at) = ANY (ARRAY[0, 3]))),
    CONSTRAINT charge_is_for_a_student CHECK ((wallet ~~ 'student:%'::text)),
    CONSTRAINT charge_outcome_is_known CHECK ((outcome = ANY (ARRAY['succeeded'::text, 'processing'::text, 'declined'::text, 'not_made'::text]))),
    CONSTRAINT charge_takes_a_positive_amount CHECK ((amount > 0)),
    CONSTRAINT made_charge_names_its_intent CHECK (((outcome <> ALL (ARRAY['succeeded'::text, 'processing'::text])) OR (payment_intent IS NOT NULL)))
);
ALTER TABLE ONLY payouts.charge_request ADD CONSTRAINT charge_request_operation_id_key UNIQUE (operation_id);
ALTER TABLE ONLY payouts.charge_request ADD CONSTRAINT charge_request_pkey PRIMARY KEY (request_id);
ALTER TABLE ONLY payouts.charge_request ADD CONSTRAINT one_charge_for_one_cause UNIQUE (wallet, cause);
ALTER TABLE ONLY payouts.charge_request ADD CONSTRAINT charge_request_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES payouts.operation(id);
CREATE INDEX charge_request_under_way ON payouts.charge_request USING btree (requested_at) WHERE (outcome IS NULL);
CREATE TRIGGER charge_is_answered_once BEFORE UPDATE ON payouts.charge_request FOR EACH ROW WHEN ((old.outcome IS NOT NULL)) EXECUTE FUNCTION payouts.refuse_change_of_answered_charge();
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.charge_request TO hobbs_payouts;

CREATE TABLE payouts.clawback (
    settlement_id uuid NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    source text NOT NULL,
    asked bigint NOT NULL,
    paid_by text[] NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    claimed bigint,
    refusals integer DEFAULT 0 NOT NULL,
    due_at timestamptz,
    sentence text NOT NULL,
    reversed bigint,
    reason text,
    requested_at timestamptz NOT NULL,
    claimed_at timestamptz,
    settled_at timestamptz,
    trace jsonb NOT NULL,
    CONSTRAINT claim_has_a_time CHECK (((claimed IS NULL) = (claimed_at IS NULL))),
    CONSTRAINT claim_is_no_more_than_was_asked CHECK ((claimed <= asked)),
    CONSTRAINT clawback_asks_for_a_positive_amount CHECK ((asked > 0)),
    CONSTRAINT clawback_reason_is_known CHECK ((reason = ANY (ARRAY['done'::text, 'window_closed'::text, 'nothing_sent'::text, 'refused'::text, 'short'::text, 'already_deducted'::text, 'unknown_debt'::text]))),
    CONSTRAINT clawback_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'claimed'::text, 'reversing'::text, 'settled'::text]))),
    CONSTRAINT clawback_that_waits_is_looked_at CHECK (((due_at IS NOT NULL) = (state = ANY (ARRAY['waiting'::text, 'claimed'::text])))),
    CONSTRAINT clawback_under_way_has_a_claim CHECK (((state <> ALL (ARRAY['claimed'::text, 'reversing'::text])) OR (claimed > 0))),
    CONSTRAINT done_is_all_that_was_asked CHECK (((reason = 'done'::text) = (reversed = asked))),
    CONSTRAINT no_more_comes_back_than_was_claimed CHECK (((reversed >= 0) AND (reversed <= COALESCE(claimed, (0)::bigint)))),
    CONSTRAINT settled_clawback_has_an_answer CHECK ((num_nulls(reversed, reason, settled_at) =
CASE state
    WHEN 'settled'::text THEN 0
    ELSE 3
END))
);
ALTER TABLE ONLY payouts.clawback ADD CONSTRAINT clawback_pkey PRIMARY KEY (settlement_id);
ALTER TABLE ONLY payouts.clawback ADD CONSTRAINT clawback_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
CREATE INDEX clawback_due ON payouts.clawback USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX clawback_under_way ON payouts.clawback USING btree (wallet) WHERE (state <> 'settled'::text);
CREATE TRIGGER clawback_is_answered_once BEFORE UPDATE ON payouts.clawback FOR EACH ROW WHEN ((old.state = 'settled'::text)) EXECUTE FUNCTION payouts.refuse_change_of_settled_clawback();
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.clawback TO hobbs_payouts;

CREATE TABLE payouts.clawback_part (
    operation_id uuid NOT NULL,
    settlement_id uuid NOT NULL
);
ALTER TABLE ONLY payouts.clawback_part ADD CONSTRAINT clawback_part_pkey PRIMARY KEY (operation_id);
ALTER TABLE ONLY payouts.clawback_part ADD CONSTRAINT clawback_part_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES payouts.operation(id);
ALTER TABLE ONLY payouts.clawback_part ADD CONSTRAINT clawback_part_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES payouts.clawback(settlement_id);
CREATE INDEX clawback_part_of_a_request ON payouts.clawback_part USING btree (settlement_id);
GRANT SELECT, INSERT ON TABLE payouts.clawback_part TO hobbs_payouts;

CREATE TABLE payouts.clawback_return (
    stripe_reversal_id text NOT NULL,
    settlement_id uuid NOT NULL,
    amount bigint NOT NULL,
    CONSTRAINT returned_amount_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY payouts.clawback_return ADD CONSTRAINT clawback_return_pkey PRIMARY KEY (stripe_reversal_id, settlement_id);
ALTER TABLE ONLY payouts.clawback_return ADD CONSTRAINT clawback_return_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES payouts.clawback(settlement_id);
ALTER TABLE ONLY payouts.clawback_return ADD CONSTRAINT clawback_return_stripe_reversal_id_fkey FOREIGN KEY (stripe_reversal_id) REFERENCES payouts.reversal(stripe_reversal_id);
CREATE INDEX clawback_return_of_a_request ON payouts.clawback_return USING btree (settlement_id);
GRANT SELECT, INSERT ON TABLE payouts.clawback_return TO hobbs_payouts;

CREATE TABLE payouts.contact (
    wallet text NOT NULL,
    full_name text,
    email text,
    stated_at timestamptz,
    erased_at timestamptz,
    CONSTRAINT contact_has_no_empty_text CHECK (((full_name <> ''::text) AND (email <> ''::text))),
    CONSTRAINT contact_is_of_a_person CHECK ((wallet ~ '^(student|instructor|aircraft_owner):.'::text)),
    CONSTRAINT contact_was_stated CHECK (((stated_at IS NOT NULL) OR (erased_at IS NOT NULL))),
    CONSTRAINT erased_contact_is_empty CHECK (((erased_at IS NULL) OR ((full_name IS NULL) AND (email IS NULL))))
);
ALTER TABLE ONLY payouts.contact ADD CONSTRAINT contact_pkey PRIMARY KEY (wallet);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.contact TO hobbs_payouts;

CREATE TABLE payouts.customer_adoption (
    id uuid NOT NULL,
    wallet text NOT NULL,
    customer text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    requested_at timestamptz NOT NULL,
    answered_at timestamptz,
    problem text,
    CONSTRAINT adopted_customer_is_a_students CHECK ((wallet ~~ 'student:%'::text)),
    CONSTRAINT refused_customer_is_answered CHECK (((problem IS NULL) OR (answered_at IS NOT NULL)))
);
ALTER TABLE ONLY payouts.customer_adoption ADD CONSTRAINT customer_adoption_pkey PRIMARY KEY (id);
CREATE INDEX customer_adoption_open ON payouts.customer_adoption USING btree (requested_at) WHERE (answered_at IS NULL);
GRANT SELECT, INSERT ON TABLE payouts.customer_adoption TO hobbs_payouts;
GRANT UPDATE (answered_at, problem) ON TABLE payouts.customer_adoption TO hobbs_payouts;

CREATE TABLE payouts.dead_letter (
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
ALTER TABLE ONLY payouts.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY payouts.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_open ON payouts.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON payouts.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewritten_letter();
ALTER TABLE payouts.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON payouts.dead_letter FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewritten_letter();
ALTER TABLE payouts.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE payouts.dead_letter TO hobbs_payouts;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE payouts.dead_letter TO hobbs_payouts;
GRANT UPDATE("offset") ON TABLE payouts.dead_letter TO hobbs_payouts;

CREATE TABLE payouts.erasure (
    decision_id uuid NOT NULL,
    wallet text NOT NULL,
    erased_at timestamptz NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    CONSTRAINT erasure_has_a_reason CHECK ((why <> ''::text))
);
ALTER TABLE ONLY payouts.erasure ADD CONSTRAINT erasure_pkey PRIMARY KEY (decision_id, wallet);
ALTER TABLE ONLY payouts.erasure ADD CONSTRAINT erasure_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.contact(wallet);
CREATE INDEX erasure_of_a_wallet ON payouts.erasure USING btree (wallet);
CREATE TRIGGER history_is_only_added_to BEFORE DELETE OR UPDATE ON payouts.erasure FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.erasure ENABLE ALWAYS TRIGGER history_is_only_added_to;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.erasure FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.erasure ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.erasure TO hobbs_payouts;

CREATE TABLE payouts.event_listing (
    only_row boolean DEFAULT true NOT NULL,
    listed_until timestamptz DEFAULT now() NOT NULL,
    begun_at timestamptz,
    page_after text,
    completed_at timestamptz DEFAULT now() NOT NULL,
    calm_since timestamptz DEFAULT now() NOT NULL,
    lost_before timestamptz,
    CONSTRAINT page_belongs_to_a_listing CHECK (((page_after IS NULL) OR (begun_at IS NOT NULL))),
    CONSTRAINT there_is_one_listing CHECK (only_row)
);
ALTER TABLE ONLY payouts.event_listing ADD CONSTRAINT event_listing_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE payouts.event_listing TO hobbs_payouts;

CREATE TABLE payouts.forced_act (
    id uuid NOT NULL,
    act text NOT NULL,
    subject uuid NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    needs_second boolean NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    why text NOT NULL,
    approved_by text,
    approved_at timestamptz,
    CONSTRAINT a_second_person_agrees CHECK (((approved_by IS NULL) OR (needs_second AND (lower(NORMALIZE(TRIM(BOTH FROM approved_by), NFKC)) <> lower(NORMALIZE(TRIM(BOTH FROM asked_by), NFKC)))))),
    CONSTRAINT agreed_says_when CHECK (((approved_by IS NULL) = (approved_at IS NULL))),
    CONSTRAINT forced_act_is_known CHECK ((act = ANY (ARRAY['release'::text, 'vouch'::text]))),
    CONSTRAINT forced_amount_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY payouts.forced_act ADD CONSTRAINT forced_act_pkey PRIMARY KEY (id);
CREATE INDEX forced_act_of_a_payee ON payouts.forced_act USING btree (wallet, asked_at);
CREATE INDEX forced_act_of_a_subject ON payouts.forced_act USING btree (subject, asked_at);
CREATE TRIGGER forced_act_is_not_removed BEFORE DELETE ON payouts.forced_act FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.forced_act ENABLE ALWAYS TRIGGER forced_act_is_not_removed;
CREATE TRIGGER forced_act_stands BEFORE UPDATE ON payouts.forced_act FOR EACH ROW WHEN (((old.approved_by IS NOT NULL) OR ((((((((((old.id IS DISTINCT FROM new.id) OR (old.act IS DISTINCT FROM new.act)) OR (old.subject IS DISTINCT FROM new.subject)) OR (old.wallet IS DISTINCT FROM new.wallet)) OR (old.currency IS DISTINCT FROM new.currency)) OR (old.amount IS DISTINCT FROM new.amount)) OR (old.needs_second IS DISTINCT FROM new.needs_second)) OR (old.asked_by IS DISTINCT FROM new.asked_by)) OR (old.asked_at IS DISTINCT FROM new.asked_at)) OR (old.why IS DISTINCT FROM new.why)))) EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.forced_act ENABLE ALWAYS TRIGGER forced_act_stands;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.forced_act FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.forced_act ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.forced_act TO hobbs_payouts;
GRANT UPDATE (approved_by, approved_at) ON TABLE payouts.forced_act TO hobbs_payouts;

CREATE TABLE payouts.found_effect (
    stripe_id text NOT NULL,
    kind text NOT NULL,
    operation_id uuid NOT NULL,
    wallet text NOT NULL,
    transfer_id uuid,
    cause text NOT NULL,
    sources text[],
    amount bigint,
    currency text,
    object jsonb NOT NULL,
    made_at timestamptz NOT NULL,
    found_at timestamptz NOT NULL,
    standing text DEFAULT 'waiting'::text NOT NULL,
    sentence text DEFAULT 'found at Stripe'::text NOT NULL,
    adopted_at timestamptz,
    settled_by text,
    CONSTRAINT adopted_effect_has_a_time CHECK (((standing = 'adopted'::text) = (adopted_at IS NOT NULL))),
    CONSTRAINT found_effect_kind_is_known CHECK ((kind = ANY (ARRAY['transfer'::text, 'account'::text]))),
    CONSTRAINT found_effect_standing_is_known CHECK ((standing = ANY (ARRAY['waiting'::text, 'doubtful'::text, 'adopted'::text]))),
    CONSTRAINT found_transfer_has_money CHECK (((kind = 'transfer'::text) = ((amount IS NOT NULL) AND (currency IS NOT NULL))))
);
ALTER TABLE ONLY payouts.found_effect ADD CONSTRAINT found_effect_pkey PRIMARY KEY (stripe_id);
CREATE INDEX found_effect_not_adopted ON payouts.found_effect USING btree (wallet) WHERE (adopted_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.found_effect TO hobbs_payouts;

CREATE TABLE payouts.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY payouts.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE payouts.function_file TO hobbs_payouts;

CREATE TABLE payouts.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY payouts.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.inbox TO hobbs_payouts;

CREATE TABLE payouts.inquiry (
    kind text NOT NULL,
    object_id text NOT NULL,
    stripe_account text,
    due_at timestamptz,
    attempts integer DEFAULT 0 NOT NULL,
    asked_at timestamptz NOT NULL,
    lease_token uuid,
    lease_until timestamptz,
    answered_at timestamptz,
    read_again_at timestamptz,
    problem text,
    trace jsonb NOT NULL,
    ended_at timestamptz,
    ended_because text,
    CONSTRAINT ended_inquiry_says_why CHECK (((ended_at IS NULL) = (ended_because IS NULL))),
    CONSTRAINT inquiry_kind_is_known CHECK ((kind = ANY (ARRAY['account'::text, 'charge_fee'::text, 'payment'::text, 'payout_fee'::text, 'reversals'::text]))),
    CONSTRAINT open_inquiry_is_due_answered_or_ended CHECK (((due_at IS NOT NULL) OR (answered_at IS NOT NULL) OR (ended_at IS NOT NULL)))
);
ALTER TABLE ONLY payouts.inquiry ADD CONSTRAINT inquiry_pkey PRIMARY KEY (kind, object_id);
CREATE INDEX inquiry_due ON payouts.inquiry USING btree (due_at) WHERE (due_at IS NOT NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.inquiry TO hobbs_payouts;

CREATE TABLE payouts.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY payouts.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.invariant_outcome TO hobbs_payouts;

CREATE TABLE payouts.link_request (
    id uuid NOT NULL,
    wallet text NOT NULL,
    kind text NOT NULL,
    requested_at timestamptz NOT NULL,
    answered_at timestamptz,
    url text,
    expires_at timestamptz,
    problem text,
    CONSTRAINT answered_link_has_url_or_problem CHECK (((answered_at IS NULL) = ((url IS NULL) AND (problem IS NULL)))),
    CONSTRAINT link_kind_is_known CHECK ((kind = ANY (ARRAY['onboarding'::text, 'dashboard'::text])))
);
ALTER TABLE ONLY payouts.link_request ADD CONSTRAINT link_request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payouts.link_request ADD CONSTRAINT link_request_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
CREATE INDEX link_request_open ON payouts.link_request USING btree (requested_at) WHERE (answered_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.link_request TO hobbs_payouts;

CREATE TABLE payouts.missed_event (
    event_id text NOT NULL,
    event_key uuid NOT NULL,
    event_type text NOT NULL,
    made_at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL,
    body text,
    recovered_at timestamptz,
    CONSTRAINT body_is_kept_until_it_is_published CHECK (((body IS NULL) = (recovered_at IS NOT NULL)))
);
ALTER TABLE ONLY payouts.missed_event ADD CONSTRAINT missed_event_pkey PRIMARY KEY (event_id);
CREATE INDEX missed_event_waiting ON payouts.missed_event USING btree (noted_at) WHERE (recovered_at IS NULL);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.missed_event TO hobbs_payouts;

CREATE TABLE payouts.movement (
    transaction_id text NOT NULL,
    type text NOT NULL,
    category text,
    balance_type text NOT NULL,
    amount bigint NOT NULL,
    fee bigint NOT NULL,
    net bigint NOT NULL,
    currency text NOT NULL,
    source_id text,
    description text,
    made_at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL,
    expected text[] NOT NULL,
    booked boolean NOT NULL,
    standing text NOT NULL,
    sentence text,
    explained_at timestamptz,
    closed_at timestamptz,
    closed_by text,
    available_at timestamptz,
    content text,
    version integer DEFAULT 1 NOT NULL,
    shown jsonb,
    published integer DEFAULT 0 NOT NULL,
    CONSTRAINT closed_movement_is_unexplained CHECK (((closed_at IS NULL) OR (standing = 'unexplained'::text))),
    CONSTRAINT closed_movement_says_by_whom CHECK (((closed_at IS NULL) = (closed_by IS NULL))),
    CONSTRAINT explained_movement_says_when CHECK (((standing = 'before'::text) OR ((standing = 'explained'::text) = (explained_at IS NOT NULL)))),
    CONSTRAINT later_version_says_what_is_shown CHECK (((version > 1) = (shown IS NOT NULL))),
    CONSTRAINT movement_standing_is_known CHECK ((standing = ANY (ARRAY['before'::text, 'waiting'::text, 'explained'::text, 'unexplained'::text]))),
    CONSTRAINT net_is_amount_less_fee CHECK ((net = (amount - fee))),
    CONSTRAINT told_version_was_shown CHECK (((published >= 0) AND (published <= version))),
    CONSTRAINT unexplained_movement_says_why CHECK (((standing = 'unexplained'::text) = (sentence IS NOT NULL)))
);
ALTER TABLE ONLY payouts.movement ADD CONSTRAINT movement_pkey PRIMARY KEY (transaction_id);
CREATE INDEX movement_open ON payouts.movement USING btree (noted_at) WHERE ((explained_at IS NULL) AND (closed_at IS NULL));
CREATE INDEX movement_untold ON payouts.movement USING btree (transaction_id) WHERE (published < version);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.movement TO hobbs_payouts;

CREATE TABLE payouts.movement_backfill (
    id uuid NOT NULL,
    since timestamptz NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    page_after text,
    pages integer DEFAULT 0 NOT NULL,
    found integer DEFAULT 0 NOT NULL,
    ended_at timestamptz
);
ALTER TABLE ONLY payouts.movement_backfill ADD CONSTRAINT movement_backfill_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX one_backfill_at_a_time ON payouts.movement_backfill USING btree ((true)) WHERE (ended_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.movement_backfill TO hobbs_payouts;

CREATE TABLE payouts.movement_listing (
    only_row boolean DEFAULT true NOT NULL,
    opened_at timestamptz,
    opened_after timestamptz,
    listed_until timestamptz,
    begun_at timestamptz,
    page_after text,
    newest_at timestamptz,
    completed_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT listing_begins_after_the_opening CHECK (((begun_at IS NULL) OR (opened_at IS NOT NULL))),
    CONSTRAINT movement_page_belongs_to_a_listing CHECK (((page_after IS NULL) OR (begun_at IS NOT NULL))),
    CONSTRAINT opened_listing_says_from_when CHECK ((num_nulls(opened_at, opened_after, listed_until) = ANY (ARRAY[0, 3]))),
    CONSTRAINT there_is_one_movement_listing CHECK (only_row)
);
ALTER TABLE ONLY payouts.movement_listing ADD CONSTRAINT movement_listing_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE payouts.movement_listing TO hobbs_payouts;

CREATE TABLE payouts.movement_opening (
    currency text NOT NULL,
    amount bigint NOT NULL,
    unlisted bigint NOT NULL,
    since timestamptz NOT NULL,
    version integer DEFAULT 0 NOT NULL,
    told bigint
);
ALTER TABLE ONLY payouts.movement_opening ADD CONSTRAINT movement_opening_pkey PRIMARY KEY (currency);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.movement_opening TO hobbs_payouts;

CREATE TABLE payouts.odd_object (
    kind text NOT NULL,
    object_id text NOT NULL,
    stripe_account text NOT NULL,
    sentence text NOT NULL,
    body text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    times bigint DEFAULT 1 NOT NULL,
    closed_at timestamptz,
    closed_by text,
    CONSTRAINT closed_odd_object_says_by_whom CHECK (((closed_at IS NULL) = (closed_by IS NULL)))
);
ALTER TABLE ONLY payouts.odd_object ADD CONSTRAINT odd_object_pkey PRIMARY KEY (kind, object_id);
CREATE INDEX odd_object_open ON payouts.odd_object USING btree (first_seen_at) WHERE (closed_at IS NULL);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.odd_object TO hobbs_payouts;

CREATE TABLE payouts.offset_policy (
    effective_from date NOT NULL,
    version integer NOT NULL,
    percent integer,
    CONSTRAINT share_is_a_percentage CHECK (((percent >= 1) AND (percent <= 100)))
);
ALTER TABLE ONLY payouts.offset_policy ADD CONSTRAINT offset_policy_pkey PRIMARY KEY (effective_from);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.offset_policy TO hobbs_payouts;

CREATE TABLE payouts.operation (
    id uuid NOT NULL,
    sequence bigint DEFAULT nextval('payouts.operation_order'::regclass) NOT NULL,
    kind text NOT NULL,
    wallet text NOT NULL,
    transfer_id uuid,
    cause text NOT NULL,
    params jsonb NOT NULL,
    amount bigint,
    currency text,
    stripe_account text,
    parent_id text,
    state text DEFAULT 'due'::text NOT NULL,
    phase text DEFAULT 'send'::text NOT NULL,
    generation integer DEFAULT 1 NOT NULL,
    due_at timestamptz NOT NULL,
    lease_token uuid,
    lease_until timestamptz,
    first_sent_at timestamptz,
    attempts integer DEFAULT 0 NOT NULL,
    server_errors integer DEFAULT 0 NOT NULL,
    lookups integer DEFAULT 0 NOT NULL,
    clean_lookups integer DEFAULT 0 NOT NULL,
    stripe_id text,
    reason text,
    sentence text,
    trace jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    stopped_at timestamptz,
    retry_at timestamptz,
    retry_for text,
    tries integer DEFAULT 0 NOT NULL,
    told text,
    not_after timestamptz,
    payee text GENERATED ALWAYS AS (
CASE
    WHEN (kind <> ALL (ARRAY['refund'::text, 'charge'::text])) THEN wallet
    ELSE NULL::text
END) STORED,
    let_out_at timestamptz,
    CONSTRAINT charge_is_of_a_student CHECK (((kind <> 'charge'::text) OR ((wallet ~~ 'student:%'::text) AND (amount > 0) AND (transfer_id IS NULL) AND (parent_id IS NULL)))),
    CONSTRAINT finished_operation_has_a_time CHECK (((state = ANY (ARRAY['succeeded'::text, 'refused'::text, 'cancelled'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT frozen_amount_is_the_amount CHECK ((NOT (((params ->> 'amount'::text))::bigint IS DISTINCT FROM amount))),
    CONSTRAINT generations_count_from_one CHECK ((generation >= 1)),
    CONSTRAINT money_operation_belongs_to_a_transfer CHECK (((kind = ANY (ARRAY['account'::text, 'refund'::text, 'charge'::text])) OR (transfer_id IS NOT NULL))),
    CONSTRAINT only_transfers_are_let_out CHECK (((let_out_at IS NULL) OR (kind = 'transfer'::text))),
    CONSTRAINT operation_in_flight_has_a_lease CHECK ((((state = 'in_flight'::text) = (lease_token IS NOT NULL)) AND ((lease_token IS NULL) = (lease_until IS NULL)))),
    CONSTRAINT operation_kind_is_known CHECK ((kind = ANY (ARRAY['account'::text, 'transfer'::text, 'reversal'::text, 'instant_payout'::text, 'refund'::text, 'charge'::text]))),
    CONSTRAINT operation_moves_a_positive_amount CHECK ((((kind = 'account'::text) = (amount IS NULL)) AND ((amount IS NULL) = (currency IS NULL)) AND COALESCE((amount > 0), true))),
    CONSTRAINT operation_names_itself_at_stripe CHECK ((((params -> 'metadata'::text) ->> 'hobbs_operation_id'::text) = (id)::text)),
    CONSTRAINT operation_names_nobody CHECK ((NOT jsonb_exists_any(params, ARRAY['email'::text, 'contact_email'::text]))),
    CONSTRAINT operation_phase_is_known CHECK ((phase = ANY (ARRAY['send'::text, 'look_up'::text]))),
    CONSTRAINT operation_state_is_known CHECK ((state = ANY (ARRAY['due'::text, 'in_flight'::text, 'held'::text, 'succeeded'::text, 'refused'::text, 'parked'::text, 'cancelled'::text]))),
    CONSTRAINT operation_that_waits_says_why CHECK (((state <> ALL (ARRAY['held'::text, 'refused'::text, 'parked'::text, 'cancelled'::text])) OR ((reason IS NOT NULL) AND (sentence IS NOT NULL)))),
    CONSTRAINT refund_is_of_a_students_payment CHECK (((kind <> 'refund'::text) OR ((wallet ~~ 'student:%'::text) AND (parent_id IS NOT NULL) AND (transfer_id IS NULL)))),
    CONSTRAINT stopped_operation_was_told_and_has_a_time CHECK (((state <> ALL (ARRAY['refused'::text, 'parked'::text])) OR ((stopped_at IS NOT NULL) AND (told IS NOT NULL)))),
    CONSTRAINT succeeded_operation_has_a_stripe_id CHECK (((state = 'succeeded'::text) = (stripe_id IS NOT NULL)))
);
ALTER TABLE ONLY payouts.operation ADD CONSTRAINT one_operation_per_cause UNIQUE (kind, cause);
ALTER TABLE ONLY payouts.operation ADD CONSTRAINT one_stripe_object_per_operation UNIQUE (stripe_id);
ALTER TABLE ONLY payouts.operation ADD CONSTRAINT operation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payouts.operation ADD CONSTRAINT operation_is_of_a_known_payee FOREIGN KEY (payee) REFERENCES payouts.payee(wallet);
ALTER TABLE ONLY payouts.operation ADD CONSTRAINT operation_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payouts.transfer(id);
CREATE UNIQUE INDEX one_operation_in_flight_per_account ON payouts.operation USING btree (wallet) WHERE (state = 'in_flight'::text);
CREATE INDEX operation_held_for_balance ON payouts.operation USING btree (currency, sequence) WHERE ((state = 'held'::text) AND (reason = 'balance_insufficient'::text));
CREATE INDEX operation_held_for_reserve ON payouts.operation USING btree (currency, sequence) WHERE ((state = 'held'::text) AND (reason = 'reserve'::text));
CREATE INDEX operation_let_out ON payouts.operation USING btree (currency) WHERE ((let_out_at IS NOT NULL) AND (state <> ALL (ARRAY['succeeded'::text, 'cancelled'::text])));
CREATE INDEX operation_line ON payouts.operation USING btree (wallet, ((state <> 'in_flight'::text)), sequence) WHERE (state = ANY (ARRAY['due'::text, 'in_flight'::text, 'held'::text, 'parked'::text]));
CREATE INDEX operation_of_a_transfer ON payouts.operation USING btree (transfer_id);
CREATE INDEX operation_refunds_a_payment ON payouts.operation USING btree (parent_id) WHERE (kind = 'refund'::text);
CREATE INDEX operation_stopped ON payouts.operation USING btree (wallet) WHERE (state = ANY (ARRAY['refused'::text, 'parked'::text]));
CREATE INDEX operation_that_may_be_too_late ON payouts.operation USING btree (not_after) WHERE ((not_after IS NOT NULL) AND (state = 'due'::text));
CREATE INDEX operation_to_retry ON payouts.operation USING btree (retry_at) WHERE ((retry_at IS NOT NULL) AND (state = ANY (ARRAY['refused'::text, 'parked'::text])));
CREATE TRIGGER operation_parameters_are_frozen BEFORE UPDATE ON payouts.operation FOR EACH ROW WHEN (((((((((((old.kind IS DISTINCT FROM new.kind) OR (old.wallet IS DISTINCT FROM new.wallet)) OR (old.transfer_id IS DISTINCT FROM new.transfer_id)) OR (old.cause IS DISTINCT FROM new.cause)) OR (old.params IS DISTINCT FROM new.params)) OR (old.amount IS DISTINCT FROM new.amount)) OR (old.currency IS DISTINCT FROM new.currency)) OR (old.stripe_account IS DISTINCT FROM new.stripe_account)) OR (old.parent_id IS DISTINCT FROM new.parent_id)) OR (old.not_after IS DISTINCT FROM new.not_after))) EXECUTE FUNCTION payouts.refuse_change_of_frozen_operation();
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.operation TO hobbs_payouts;

CREATE TABLE payouts.operation_history (
    id bigint NOT NULL,
    operation_id uuid NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL,
    reason text,
    sentence text NOT NULL,
    actor text NOT NULL,
    CONSTRAINT step_of_an_operation_is_known CHECK ((what = ANY (ARRAY['refused'::text, 'parked'::text, 'retried'::text, 'looked_up'::text, 'closed'::text])))
);
ALTER TABLE payouts.operation_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY payouts.operation_history ADD CONSTRAINT operation_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payouts.operation_history ADD CONSTRAINT operation_history_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES payouts.operation(id);
CREATE INDEX operation_history_of_an_operation ON payouts.operation_history USING btree (operation_id, id);
CREATE TRIGGER history_is_only_added_to BEFORE DELETE OR UPDATE ON payouts.operation_history FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.operation_history ENABLE ALWAYS TRIGGER history_is_only_added_to;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.operation_history FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.operation_history ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.operation_history TO hobbs_payouts;

CREATE TABLE payouts.outbox (
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
ALTER TABLE payouts.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE payouts.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['charge.answered'::text, 'charge.settled'::text, 'decision.taken'::text, 'journal.requested'::text, 'notification.requested'::text, 'payout.settled'::text, 'payouts.dead'::text, 'payouts.redrive'::text, 'refund.settled'::text, 'reversal.settled'::text, 'stripe.balance'::text, 'stripe.transaction'::text, 'stripe.webhook'::text, 'transfer.parked'::text, 'transfer.refused'::text, 'transfer.reversed'::text, 'transfer.sent'::text]))) NOT VALID;
ALTER TABLE ONLY payouts.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.outbox TO hobbs_payouts;

CREATE TABLE payouts.outbox_sent (
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
ALTER TABLE ONLY payouts.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE payouts.outbox_sent TO hobbs_payouts;

CREATE TABLE payouts.payable (
    id bigint NOT NULL,
    journal_id uuid,
    wallet text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    source text NOT NULL,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    accrued_at timestamptz NOT NULL,
    stripe_account text,
    transfer_id uuid,
    trace jsonb NOT NULL,
    clawback_id uuid,
    stands_for text,
    CONSTRAINT carried_payable_has_no_journal CHECK (((event_type = ANY (ARRAY['carried'::text, 'clawback'::text, 'offset'::text])) = (journal_id IS NULL))),
    CONSTRAINT claimed_payable_is_in_no_transfer CHECK (((clawback_id IS NULL) OR (transfer_id IS NULL))),
    CONSTRAINT only_a_rest_stands_for_a_debt CHECK (((stands_for IS NULL) OR (event_type = ANY (ARRAY['clawback'::text, 'offset'::text])))),
    CONSTRAINT payable_amount_is_not_zero CHECK ((amount <> 0))
);
ALTER TABLE payouts.payable ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY payouts.payable ADD CONSTRAINT one_payable_per_journal_and_wallet UNIQUE (journal_id, wallet);
ALTER TABLE ONLY payouts.payable ADD CONSTRAINT one_payable_per_source_and_wallet UNIQUE (source, wallet);
ALTER TABLE ONLY payouts.payable ADD CONSTRAINT payable_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payouts.payable ADD CONSTRAINT payable_clawback_id_fkey FOREIGN KEY (clawback_id) REFERENCES payouts.clawback(settlement_id);
ALTER TABLE ONLY payouts.payable ADD CONSTRAINT payable_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payouts.transfer(id);
ALTER TABLE ONLY payouts.payable ADD CONSTRAINT payable_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
CREATE INDEX payable_in_a_clawback ON payouts.payable USING btree (clawback_id) WHERE (clawback_id IS NOT NULL);
CREATE INDEX payable_not_yet_in_a_transfer ON payouts.payable USING btree (wallet, currency, id) WHERE (transfer_id IS NULL);
CREATE INDEX payable_of_a_transfer ON payouts.payable USING btree (transfer_id) WHERE (transfer_id IS NOT NULL);
CREATE INDEX payable_of_a_wallet ON payouts.payable USING btree (wallet, currency) INCLUDE (amount);
CREATE INDEX payable_that_stands_for_a_debt ON payouts.payable USING btree (wallet, stands_for) WHERE (stands_for IS NOT NULL);
CREATE TRIGGER payable_is_not_removed BEFORE DELETE ON payouts.payable FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.payable ENABLE ALWAYS TRIGGER payable_is_not_removed;
CREATE TRIGGER payable_is_what_was_posted BEFORE UPDATE ON payouts.payable FOR EACH ROW WHEN ((((((((((old.id IS DISTINCT FROM new.id) OR (old.journal_id IS DISTINCT FROM new.journal_id)) OR (old.wallet IS DISTINCT FROM new.wallet)) OR (old.currency IS DISTINCT FROM new.currency)) OR (old.amount IS DISTINCT FROM new.amount)) OR (old.source IS DISTINCT FROM new.source)) OR (old.event_type IS DISTINCT FROM new.event_type)) OR (old.occurred_at IS DISTINCT FROM new.occurred_at)) OR (old.accrued_at IS DISTINCT FROM new.accrued_at))) EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.payable ENABLE ALWAYS TRIGGER payable_is_what_was_posted;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.payable FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.payable ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.payable TO hobbs_payouts;
GRANT UPDATE (stripe_account, transfer_id, trace, clawback_id, stands_for) ON TABLE payouts.payable TO hobbs_payouts;

CREATE TABLE payouts.payee (
    wallet text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    country text,
    schedule text DEFAULT 'per_flight'::text NOT NULL,
    minimum_amount bigint DEFAULT 0 NOT NULL,
    hold_hours integer DEFAULT 0 NOT NULL,
    instant boolean DEFAULT false NOT NULL,
    configured_at timestamptz,
    removed_at timestamptz,
    stripe_account text,
    ready boolean DEFAULT false NOT NULL,
    details_submitted boolean DEFAULT false NOT NULL,
    charges_enabled boolean DEFAULT false NOT NULL,
    payouts_enabled boolean DEFAULT false NOT NULL,
    balance_negative boolean DEFAULT false NOT NULL,
    requirements jsonb DEFAULT '[]'::jsonb NOT NULL,
    disabled_reason text,
    checked_at timestamptz,
    told text,
    created_at timestamptz DEFAULT now() NOT NULL,
    agreement text DEFAULT 'full'::text NOT NULL,
    conflict text,
    CONSTRAINT agreement_is_known CHECK ((agreement = ANY (ARRAY['full'::text, 'recipient'::text]))),
    CONSTRAINT hold_is_at_most_a_year CHECK (((hold_hours >= 0) AND (hold_hours <= 8784))),
    CONSTRAINT minimum_amount_is_not_negative CHECK ((minimum_amount >= 0)),
    CONSTRAINT payee_is_an_instructor_or_an_owner CHECK ((kind = ANY (ARRAY['instructor'::text, 'aircraft_owner'::text]))),
    CONSTRAINT ready_payee_has_an_account CHECK (((NOT ready) OR (stripe_account IS NOT NULL))),
    CONSTRAINT schedule_is_known CHECK ((schedule = ANY (ARRAY['per_flight'::text, 'daily'::text, 'weekly'::text]))),
    CONSTRAINT wallet_names_kind_and_key CHECK ((wallet = ((kind || ':'::text) || key)))
);
ALTER TABLE ONLY payouts.payee ADD CONSTRAINT one_payee_per_stripe_account UNIQUE (stripe_account);
ALTER TABLE ONLY payouts.payee ADD CONSTRAINT payee_pkey PRIMARY KEY (wallet);
CREATE TRIGGER payee_is_not_removed BEFORE DELETE ON payouts.payee FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.payee ENABLE ALWAYS TRIGGER payee_is_not_removed;
CREATE TRIGGER payee_keeps_the_account BEFORE UPDATE ON payouts.payee FOR EACH ROW WHEN ((((((old.wallet IS DISTINCT FROM new.wallet) OR (old.kind IS DISTINCT FROM new.kind)) OR (old.key IS DISTINCT FROM new.key)) OR (old.created_at IS DISTINCT FROM new.created_at)) OR ((old.stripe_account IS NOT NULL) AND (old.stripe_account IS DISTINCT FROM new.stripe_account)))) EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.payee ENABLE ALWAYS TRIGGER payee_keeps_the_account;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.payee FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.payee ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.payee TO hobbs_payouts;
GRANT UPDATE (country, schedule, minimum_amount, hold_hours, instant, configured_at, removed_at, stripe_account, ready, details_submitted, charges_enabled, payouts_enabled, balance_negative, requirements, disabled_reason, checked_at, told, agreement, conflict) ON TABLE payouts.payee TO hobbs_payouts;

CREATE TABLE payouts.payee_card (
    wallet text NOT NULL,
    effective_from date NOT NULL,
    version integer NOT NULL,
    country text NOT NULL,
    schedule text NOT NULL,
    minimum_amount bigint NOT NULL,
    hold_hours integer NOT NULL,
    instant boolean NOT NULL,
    withdrawn boolean DEFAULT false NOT NULL
);
ALTER TABLE ONLY payouts.payee_card ADD CONSTRAINT payee_card_pkey PRIMARY KEY (wallet, effective_from);
ALTER TABLE ONLY payouts.payee_card ADD CONSTRAINT payee_card_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.payee_card TO hobbs_payouts;

CREATE TABLE payouts.payout (
    stripe_payout_id text NOT NULL,
    stripe_account text NOT NULL,
    wallet text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    instant boolean NOT NULL,
    fee bigint,
    failure text,
    told text,
    operation_id uuid,
    made_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    CONSTRAINT payout_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'in_transit'::text, 'paid'::text, 'canceled'::text, 'failed'::text])))
);
ALTER TABLE ONLY payouts.payout ADD CONSTRAINT payout_pkey PRIMARY KEY (stripe_payout_id);
ALTER TABLE ONLY payouts.payout ADD CONSTRAINT payout_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES payouts.operation(id);
ALTER TABLE ONLY payouts.payout ADD CONSTRAINT payout_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
CREATE INDEX payout_of_an_account ON payouts.payout USING btree (stripe_account);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.payout TO hobbs_payouts;

CREATE TABLE payouts.payout_part (
    stripe_payout_id text NOT NULL,
    transfer_id uuid NOT NULL,
    amount bigint NOT NULL
);
ALTER TABLE ONLY payouts.payout_part ADD CONSTRAINT payout_part_pkey PRIMARY KEY (stripe_payout_id, transfer_id);
ALTER TABLE ONLY payouts.payout_part ADD CONSTRAINT payout_part_stripe_payout_id_fkey FOREIGN KEY (stripe_payout_id) REFERENCES payouts.payout(stripe_payout_id);
ALTER TABLE ONLY payouts.payout_part ADD CONSTRAINT payout_part_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payouts.transfer(id);
CREATE INDEX payout_part_of_a_transfer ON payouts.payout_part USING btree (transfer_id);
GRANT SELECT, INSERT, DELETE ON TABLE payouts.payout_part TO hobbs_payouts;
GRANT UPDATE (amount) ON TABLE payouts.payout_part TO hobbs_payouts;

CREATE TABLE payouts.read_schedule (
    name text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL
);
ALTER TABLE ONLY payouts.read_schedule ADD CONSTRAINT read_schedule_pkey PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.read_schedule TO hobbs_payouts;

CREATE TABLE payouts.refund_made (
    stripe_refund_id text NOT NULL,
    settlement_id uuid NOT NULL,
    charge_id text NOT NULL,
    amount bigint NOT NULL,
    standing text NOT NULL,
    CONSTRAINT refunded_amount_is_positive CHECK ((amount > 0)),
    CONSTRAINT standing_of_a_refund_is_known CHECK ((standing = ANY (ARRAY['succeeded'::text, 'pending'::text, 'failed'::text])))
);
ALTER TABLE ONLY payouts.refund_made ADD CONSTRAINT refund_made_pkey PRIMARY KEY (stripe_refund_id);
ALTER TABLE ONLY payouts.refund_made ADD CONSTRAINT refund_made_charge_id_fkey FOREIGN KEY (charge_id) REFERENCES payouts.card_payment(charge_id);
ALTER TABLE ONLY payouts.refund_made ADD CONSTRAINT refund_made_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES payouts.refund_request(settlement_id);
CREATE INDEX refund_made_for_a_request ON payouts.refund_made USING btree (settlement_id);
CREATE INDEX refund_made_of_a_payment ON payouts.refund_made USING btree (charge_id);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.refund_made TO hobbs_payouts;

CREATE TABLE payouts.refund_part (
    operation_id uuid NOT NULL,
    settlement_id uuid NOT NULL
);
ALTER TABLE ONLY payouts.refund_part ADD CONSTRAINT refund_part_pkey PRIMARY KEY (operation_id);
ALTER TABLE ONLY payouts.refund_part ADD CONSTRAINT refund_part_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES payouts.operation(id);
ALTER TABLE ONLY payouts.refund_part ADD CONSTRAINT refund_part_settlement_id_fkey FOREIGN KEY (settlement_id) REFERENCES payouts.refund_request(settlement_id);
CREATE INDEX refund_part_of_a_request ON payouts.refund_part USING btree (settlement_id);
GRANT SELECT, INSERT ON TABLE payouts.refund_part TO hobbs_payouts;

CREATE TABLE payouts.refund_request (
    settlement_id uuid NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    source text NOT NULL,
    asked bigint NOT NULL,
    state text DEFAULT 'looking'::text NOT NULL,
    due_at timestamptz,
    sentence text NOT NULL,
    refunded bigint,
    reason text,
    requested_at timestamptz NOT NULL,
    settled_at timestamptz,
    trace jsonb NOT NULL,
    CONSTRAINT done_refund_is_all_that_was_asked CHECK (((reason = 'done'::text) = (refunded = asked))),
    CONSTRAINT no_more_is_refunded_than_was_asked CHECK (((refunded >= 0) AND (refunded <= asked))),
    CONSTRAINT refund_asks_for_a_positive_amount CHECK ((asked > 0)),
    CONSTRAINT refund_is_for_a_student CHECK ((wallet ~~ 'student:%'::text)),
    CONSTRAINT refund_reason_is_known CHECK ((reason = ANY (ARRAY['done'::text, 'nothing_paid'::text, 'short'::text, 'refused'::text]))),
    CONSTRAINT refund_request_state_is_known CHECK ((state = ANY (ARRAY['looking'::text, 'refunding'::text, 'settled'::text]))),
    CONSTRAINT refund_request_that_looks_has_a_time CHECK (((due_at IS NOT NULL) = (state = 'looking'::text))),
    CONSTRAINT settled_refund_request_has_an_answer CHECK ((num_nulls(refunded, reason, settled_at) =
CASE state
    WHEN 'settled'::text THEN 0
    ELSE 3
END))
);
ALTER TABLE ONLY payouts.refund_request ADD CONSTRAINT refund_request_pkey PRIMARY KEY (settlement_id);
CREATE INDEX refund_request_due ON payouts.refund_request USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX refund_request_under_way ON payouts.refund_request USING btree (wallet) WHERE (state <> 'settled'::text);
CREATE TRIGGER refund_is_answered_once BEFORE UPDATE ON payouts.refund_request FOR EACH ROW WHEN ((old.state = 'settled'::text)) EXECUTE FUNCTION payouts.refuse_change_of_settled_refund();
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.refund_request TO hobbs_payouts;

CREATE TABLE payouts.relay_stop (
    only_row boolean DEFAULT true NOT NULL,
    since timestamptz,
    sentence text,
    probe_at timestamptz,
    CONSTRAINT stopped_relay_says_why CHECK ((((since IS NULL) = (sentence IS NULL)) AND ((since IS NULL) = (probe_at IS NULL)))),
    CONSTRAINT there_is_one_stop CHECK (only_row)
);
ALTER TABLE ONLY payouts.relay_stop ADD CONSTRAINT relay_stop_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE payouts.relay_stop TO hobbs_payouts;

CREATE TABLE payouts.reserve_gate (
    currency text NOT NULL,
    watched boolean NOT NULL,
    allowed_total bigint DEFAULT 0 NOT NULL,
    number bigint DEFAULT 0 NOT NULL,
    state text DEFAULT 'off'::text NOT NULL,
    ceiling bigint DEFAULT 0 NOT NULL,
    balance_number bigint DEFAULT 0 NOT NULL,
    exempt_below bigint DEFAULT 0 NOT NULL,
    exempt_wallets text[] DEFAULT '{}'::text[] NOT NULL,
    sentence text DEFAULT ''::text NOT NULL,
    valid_until timestamptz NOT NULL,
    when_over text NOT NULL,
    stale_after interval NOT NULL,
    read_due_at timestamptz NOT NULL,
    CONSTRAINT allowed_total_only_grows CHECK ((allowed_total >= 0)),
    CONSTRAINT gate_over_is_closed_or_open CHECK ((when_over = ANY (ARRAY['closed'::text, 'open'::text]))),
    CONSTRAINT gate_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'closed'::text, 'off'::text])))
);
ALTER TABLE ONLY payouts.reserve_gate ADD CONSTRAINT reserve_gate_pkey PRIMARY KEY (currency);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.reserve_gate TO hobbs_payouts;

CREATE TABLE payouts.reserve_policy (
    effective_from date NOT NULL,
    version integer NOT NULL,
    stale_after_minutes integer,
    when_stale text,
    CONSTRAINT balance_may_be_a_minute_old CHECK ((stale_after_minutes >= 1)),
    CONSTRAINT stale_gate_is_closed_or_open CHECK ((when_stale = ANY (ARRAY['closed'::text, 'open'::text]))),
    CONSTRAINT withdrawn_policy_says_nothing CHECK (((stale_after_minutes IS NULL) = (when_stale IS NULL)))
);
ALTER TABLE ONLY payouts.reserve_policy ADD CONSTRAINT reserve_policy_pkey PRIMARY KEY (effective_from);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.reserve_policy TO hobbs_payouts;

CREATE TABLE payouts.reversal (
    stripe_reversal_id text NOT NULL,
    transfer_id uuid NOT NULL,
    operation_id uuid,
    amount bigint NOT NULL,
    reversed_at timestamptz NOT NULL,
    cause text,
    CONSTRAINT reversal_amount_is_positive CHECK ((amount > 0))
);
ALTER TABLE ONLY payouts.reversal ADD CONSTRAINT reversal_pkey PRIMARY KEY (stripe_reversal_id);
ALTER TABLE ONLY payouts.reversal ADD CONSTRAINT reversal_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES payouts.operation(id);
ALTER TABLE ONLY payouts.reversal ADD CONSTRAINT reversal_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payouts.transfer(id);
CREATE INDEX reversal_of_a_transfer ON payouts.reversal USING btree (transfer_id);
GRANT SELECT, INSERT ON TABLE payouts.reversal TO hobbs_payouts;

CREATE TABLE payouts.revert_without_payable (
    journal_id uuid NOT NULL,
    wallet text NOT NULL,
    reverted_id uuid NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    source text NOT NULL,
    occurred_at timestamptz NOT NULL,
    trace jsonb NOT NULL,
    CONSTRAINT kept_revert_is_not_zero CHECK ((amount <> 0))
);
ALTER TABLE ONLY payouts.revert_without_payable ADD CONSTRAINT one_kept_revert_per_journal_and_wallet PRIMARY KEY (journal_id, wallet);
ALTER TABLE ONLY payouts.revert_without_payable ADD CONSTRAINT revert_without_payable_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
CREATE INDEX revert_of_a_journal ON payouts.revert_without_payable USING btree (reverted_id);
GRANT SELECT, INSERT, DELETE ON TABLE payouts.revert_without_payable TO hobbs_payouts;

CREATE TABLE payouts.school (
    only_row boolean DEFAULT true NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    read_version integer DEFAULT 0 CONSTRAINT school_version_not_null NOT NULL,
    time_zone_version integer DEFAULT 0 NOT NULL,
    currency text,
    CONSTRAINT there_is_one_school CHECK (only_row)
);
ALTER TABLE ONLY payouts.school ADD CONSTRAINT school_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE payouts.school TO hobbs_payouts;

CREATE TABLE payouts.stripe_access (
    fingerprint text NOT NULL,
    first_used_at timestamptz NOT NULL,
    CONSTRAINT fingerprint_is_sha256 CHECK ((fingerprint ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE ONLY payouts.stripe_access ADD CONSTRAINT stripe_access_pkey PRIMARY KEY (fingerprint);
GRANT SELECT, INSERT ON TABLE payouts.stripe_access TO hobbs_payouts;

CREATE TABLE payouts.stripe_mode (
    only_row boolean DEFAULT true NOT NULL,
    livemode boolean,
    key_livemode boolean,
    api_base text,
    api_version text,
    seen_at timestamptz,
    CONSTRAINT there_is_one_mode CHECK (only_row),
    CONSTRAINT what_runs_is_said_whole CHECK ((num_nulls(key_livemode, api_base, api_version, seen_at) = ANY (ARRAY[0, 4])))
);
ALTER TABLE ONLY payouts.stripe_mode ADD CONSTRAINT stripe_mode_pkey PRIMARY KEY (only_row);
GRANT SELECT, UPDATE ON TABLE payouts.stripe_mode TO hobbs_payouts;

CREATE TABLE payouts.stripe_usage (
    day date NOT NULL,
    reads bigint DEFAULT 0 NOT NULL,
    transactions bigint DEFAULT 0 NOT NULL,
    CONSTRAINT usage_only_grows CHECK (((reads >= 0) AND (transactions >= 0)))
);
ALTER TABLE ONLY payouts.stripe_usage ADD CONSTRAINT stripe_usage_pkey PRIMARY KEY (day);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.stripe_usage TO hobbs_payouts;

CREATE TABLE payouts.student_customer (
    wallet text NOT NULL,
    customer text NOT NULL,
    made_at timestamptz NOT NULL,
    CONSTRAINT customer_is_a_student CHECK ((wallet ~~ 'student:%'::text))
);
ALTER TABLE ONLY payouts.student_customer ADD CONSTRAINT student_customer_pkey PRIMARY KEY (wallet);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.student_customer TO hobbs_payouts;

CREATE TABLE payouts.student_link (
    id uuid NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    amount bigint,
    requested_at timestamptz NOT NULL,
    answered_at timestamptz,
    url text,
    expires_at timestamptz,
    problem text,
    bill text,
    CONSTRAINT amount_to_pay_is_positive CHECK ((amount > 0)),
    CONSTRAINT answered_student_link_has_url_or_problem CHECK (((answered_at IS NULL) = ((url IS NULL) AND (problem IS NULL)))),
    CONSTRAINT link_is_for_a_student CHECK ((wallet ~~ 'student:%'::text))
);
ALTER TABLE payouts.student_link ADD CONSTRAINT a_bill_is_paid_by_an_amount CHECK (((bill IS NULL) OR (amount IS NOT NULL))) NOT VALID;
ALTER TABLE ONLY payouts.student_link ADD CONSTRAINT student_link_pkey PRIMARY KEY (id);
CREATE INDEX student_link_open ON payouts.student_link USING btree (requested_at) WHERE (answered_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.student_link TO hobbs_payouts;

CREATE TABLE payouts.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY payouts.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE payouts.timer TO hobbs_payouts;

CREATE TABLE payouts.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY payouts.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE payouts.topic_position TO hobbs_payouts;

CREATE TABLE payouts.transfer (
    id uuid NOT NULL,
    wallet text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    cause text NOT NULL,
    state text NOT NULL,
    reason text,
    sentence text,
    due_at timestamptz,
    waived boolean DEFAULT false NOT NULL,
    stripe_transfer_id text,
    stripe_account text,
    sent_at timestamptz,
    clawback_until timestamptz,
    in_bank_at timestamptz,
    amount_reversed bigint DEFAULT 0 NOT NULL,
    trace jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT clawback_ends_72_hours_after_sending CHECK ((NOT (clawback_until IS DISTINCT FROM (sent_at + '72:00:00'::interval)))),
    CONSTRAINT reversed_state_follows_the_amount CHECK (
CASE state
    WHEN 'reversed'::text THEN (amount_reversed = amount)
    WHEN 'partly_reversed'::text THEN ((amount_reversed > 0) AND (amount_reversed < amount))
    ELSE (amount_reversed = 0)
END),
    CONSTRAINT sent_transfer_has_account_and_time CHECK ((((stripe_transfer_id IS NULL) = (sent_at IS NULL)) AND ((sent_at IS NULL) = (stripe_account IS NULL)))),
    CONSTRAINT sent_transfer_has_stripe_id CHECK (((state = ANY (ARRAY['sent'::text, 'in_bank'::text, 'partly_reversed'::text, 'reversed'::text])) = (stripe_transfer_id IS NOT NULL))),
    CONSTRAINT transfer_amount_is_positive CHECK ((amount > 0)),
    CONSTRAINT transfer_in_bank_has_time CHECK (((state <> 'in_bank'::text) OR (in_bank_at IS NOT NULL))),
    CONSTRAINT transfer_in_hold_period_has_due_time CHECK (((state <> 'held'::text) OR (reason <> 'hold_period'::text) OR (due_at IS NOT NULL))),
    CONSTRAINT transfer_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'held'::text, 'sending'::text, 'sent'::text, 'in_bank'::text, 'refused'::text, 'parked'::text, 'partly_reversed'::text, 'reversed'::text, 'cancelled'::text]))),
    CONSTRAINT transfer_that_waits_says_why CHECK ((((state = ANY (ARRAY['held'::text, 'refused'::text, 'parked'::text, 'cancelled'::text])) = (reason IS NOT NULL)) AND ((reason IS NULL) = (sentence IS NULL))))
);
ALTER TABLE ONLY payouts.transfer ADD CONSTRAINT one_stripe_transfer_per_transfer UNIQUE (stripe_transfer_id);
ALTER TABLE ONLY payouts.transfer ADD CONSTRAINT transfer_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payouts.transfer ADD CONSTRAINT transfer_wallet_fkey FOREIGN KEY (wallet) REFERENCES payouts.payee(wallet);
CREATE UNIQUE INDEX one_live_transfer_per_cause ON payouts.transfer USING btree (wallet, currency, cause) WHERE (state <> 'cancelled'::text);
CREATE INDEX transfer_by_amount ON payouts.transfer USING btree (amount, id);
CREATE INDEX transfer_by_time ON payouts.transfer USING btree (created_at, id);
CREATE INDEX transfer_in_hold_period ON payouts.transfer USING btree (due_at) WHERE ((state = 'held'::text) AND (reason = 'hold_period'::text));
CREATE INDEX transfer_not_settled ON payouts.transfer USING btree (wallet, state) WHERE (state = ANY (ARRAY['pending'::text, 'held'::text, 'sending'::text, 'refused'::text, 'parked'::text]));
CREATE INDEX transfer_of_a_wallet ON payouts.transfer USING btree (wallet, created_at);
CREATE INDEX transfer_of_which_some_was_taken_back ON payouts.transfer USING btree (stripe_account, currency) WHERE (amount_reversed > 0);
CREATE INDEX transfer_on_its_way_to_the_bank ON payouts.transfer USING btree (stripe_account, currency, sent_at) WHERE ((state = ANY (ARRAY['sent'::text, 'partly_reversed'::text])) AND (in_bank_at IS NULL));
CREATE INDEX transfer_sent_to_a_wallet ON payouts.transfer USING btree (wallet, sent_at) INCLUDE (currency, amount, amount_reversed) WHERE (sent_at IS NOT NULL);
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.transfer FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.transfer ENABLE ALWAYS TRIGGER table_is_not_emptied;
CREATE TRIGGER transfer_is_not_removed BEFORE DELETE ON payouts.transfer FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.transfer ENABLE ALWAYS TRIGGER transfer_is_not_removed;
CREATE TRIGGER transfer_keeps_what_was_sent BEFORE UPDATE ON payouts.transfer FOR EACH ROW WHEN (((((((old.id IS DISTINCT FROM new.id) OR (old.wallet IS DISTINCT FROM new.wallet)) OR (old.currency IS DISTINCT FROM new.currency)) OR (old.cause IS DISTINCT FROM new.cause)) OR (old.created_at IS DISTINCT FROM new.created_at)) OR ((old.stripe_transfer_id IS NOT NULL) AND ((((old.amount IS DISTINCT FROM new.amount) OR (old.stripe_transfer_id IS DISTINCT FROM new.stripe_transfer_id)) OR (old.stripe_account IS DISTINCT FROM new.stripe_account)) OR (old.sent_at IS DISTINCT FROM new.sent_at))))) EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.transfer ENABLE ALWAYS TRIGGER transfer_keeps_what_was_sent;
GRANT SELECT, INSERT ON TABLE payouts.transfer TO hobbs_payouts;
GRANT UPDATE (amount, state, reason, sentence, due_at, waived, stripe_transfer_id, stripe_account, sent_at, clawback_until, in_bank_at, amount_reversed, trace, changed_at) ON TABLE payouts.transfer TO hobbs_payouts;

CREATE TABLE payouts.transfer_history (
    id bigint NOT NULL,
    transfer_id uuid NOT NULL,
    at timestamptz NOT NULL,
    from_state text,
    to_state text NOT NULL,
    reason text,
    sentence text,
    actor text NOT NULL,
    CONSTRAINT transition_is_in_the_table CHECK ((((COALESCE(from_state, 'new'::text) || '>'::text) || to_state) = ANY (ARRAY['new>pending'::text, 'new>held'::text, 'pending>held'::text, 'pending>sending'::text, 'pending>cancelled'::text, 'held>held'::text, 'held>pending'::text, 'held>cancelled'::text, 'sending>pending'::text, 'sending>sent'::text, 'sending>held'::text, 'sending>refused'::text, 'sending>parked'::text, 'refused>pending'::text, 'refused>held'::text, 'refused>sent'::text, 'refused>cancelled'::text, 'parked>sent'::text, 'parked>pending'::text, 'parked>held'::text, 'parked>cancelled'::text, 'held>sent'::text, 'pending>sent'::text, 'sent>in_bank'::text, 'sent>partly_reversed'::text, 'sent>reversed'::text, 'in_bank>sent'::text, 'in_bank>partly_reversed'::text, 'in_bank>reversed'::text, 'partly_reversed>partly_reversed'::text, 'partly_reversed>reversed'::text])))
);
ALTER TABLE payouts.transfer_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY payouts.transfer_history ADD CONSTRAINT transfer_history_pkey PRIMARY KEY (id);
ALTER TABLE ONLY payouts.transfer_history ADD CONSTRAINT transfer_history_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payouts.transfer(id);
CREATE INDEX transfer_history_of_a_transfer ON payouts.transfer_history USING btree (transfer_id, id);
CREATE TRIGGER history_is_only_added_to BEFORE DELETE OR UPDATE ON payouts.transfer_history FOR EACH ROW EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.transfer_history ENABLE ALWAYS TRIGGER history_is_only_added_to;
CREATE TRIGGER table_is_not_emptied BEFORE TRUNCATE ON payouts.transfer_history FOR EACH STATEMENT EXECUTE FUNCTION payouts.refuse_rewriting();
ALTER TABLE payouts.transfer_history ENABLE ALWAYS TRIGGER table_is_not_emptied;
GRANT SELECT, INSERT ON TABLE payouts.transfer_history TO hobbs_payouts;

CREATE TABLE payouts.webhook_kept (
    event_id text NOT NULL,
    event_type text NOT NULL,
    account text,
    reason text NOT NULL,
    sentence text NOT NULL,
    body text NOT NULL,
    received_at timestamptz NOT NULL
);
ALTER TABLE ONLY payouts.webhook_kept ADD CONSTRAINT webhook_kept_pkey PRIMARY KEY (event_id);
GRANT SELECT, INSERT ON TABLE payouts.webhook_kept TO hobbs_payouts;

CREATE VIEW payouts_public.account_adoptions AS
 SELECT id,
    wallet,
    stripe_account,
    who,
    why,
    requested_at,
    answered_at,
    problem
   FROM payouts.account_adoption;
GRANT SELECT ON TABLE payouts_public.account_adoptions TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.account_words AS
 SELECT id,
    act,
    wallet,
    about,
    asked_by,
    asked_at,
    why,
    agreed_by,
    agreed_at
   FROM payouts.account_word;
GRANT SELECT ON TABLE payouts_public.account_words TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM payouts.inbox;
GRANT SELECT ON TABLE payouts_public.admitted_events TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.attempts AS
 SELECT operation.transfer_id,
    operation.id AS operation_id,
    operation.kind,
    operation.wallet,
    attempt.generation,
    attempt.phase,
    attempt.idempotency_key,
    attempt.started_at,
    attempt.finished_at,
    attempt.verdict,
    attempt.http_status,
    attempt.code,
    attempt.request_id,
    attempt.sentence
   FROM (payouts.attempt
     JOIN payouts.operation ON ((operation.id = attempt.operation_id)));
GRANT SELECT ON TABLE payouts_public.attempts TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.cash_journals AS
 SELECT source,
    currency,
    event_type,
    amount,
    at_stripe,
    occurred_at,
    recorded_at,
    transaction_id
   FROM payouts.cash_journal;
GRANT SELECT ON TABLE payouts_public.cash_journals TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.charge_requests AS
 SELECT request_id,
    operation_id,
    wallet,
    currency,
    amount,
    cause,
    method_type,
    decided_at,
    requested_at,
    outcome,
    payment_intent,
    charge,
    code,
    advice,
    sentence,
    answered_at
   FROM payouts.charge_request;
GRANT SELECT ON TABLE payouts_public.charge_requests TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.clawback_parts AS
 SELECT part.settlement_id,
    operation.id AS operation_id,
    operation.transfer_id,
    operation.amount,
    operation.state,
    operation.reason,
    operation.sentence,
    operation.stripe_id,
    operation.created_at,
    operation.not_after
   FROM (payouts.clawback_part part
     JOIN payouts.operation ON ((operation.id = part.operation_id)));
GRANT SELECT ON TABLE payouts_public.clawback_parts TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.clawbacks AS
 SELECT settlement_id,
    wallet,
    currency,
    source,
    asked,
    state,
    claimed,
    sentence,
    reversed,
    reason,
    requested_at,
    claimed_at,
    settled_at,
    ( SELECT (COALESCE(sum(back.amount), (0)::numeric))::bigint AS "coalesce"
           FROM payouts.clawback_return back
          WHERE (back.settlement_id = clawback.settlement_id)) AS came_back,
    ( SELECT min(operation.not_after) AS min
           FROM (payouts.clawback_part part
             JOIN payouts.operation ON ((operation.id = part.operation_id)))
          WHERE ((part.settlement_id = clawback.settlement_id) AND (operation.state <> ALL (ARRAY['succeeded'::text, 'cancelled'::text])))) AS not_after
   FROM payouts.clawback;
GRANT SELECT ON TABLE payouts_public.clawbacks TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.contacts AS
 SELECT wallet,
    full_name,
    email,
    stated_at,
    erased_at
   FROM payouts.contact;
GRANT SELECT ON TABLE payouts_public.contacts TO hobbs_operator;

CREATE VIEW payouts_public.customer_adoptions AS
 SELECT id,
    wallet,
    customer,
    who,
    why,
    requested_at,
    answered_at,
    problem
   FROM payouts.customer_adoption;
GRANT SELECT ON TABLE payouts_public.customer_adoptions TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.dead_letters AS
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
   FROM payouts.dead_letter;
GRANT SELECT ON TABLE payouts_public.dead_letters TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.ended_rereads AS
 SELECT kind,
    object_id,
    stripe_account,
    asked_at,
    ended_at,
    ended_because AS sentence
   FROM payouts.inquiry
  WHERE (ended_at IS NOT NULL);
GRANT SELECT ON TABLE payouts_public.ended_rereads TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.erasures AS
 SELECT erasure.wallet,
    erasure.erased_at,
    erasure.who,
    erasure.why,
    erasure.decision_id,
    (contact.erased_at IS NULL) AS stated_anew
   FROM (payouts.erasure
     JOIN payouts.contact USING (wallet));
GRANT SELECT ON TABLE payouts_public.erasures TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.forced_acts AS
 SELECT id,
    act,
    subject,
    wallet,
    currency,
    amount,
    needs_second,
    asked_by,
    asked_at,
    why,
    approved_by,
    approved_at
   FROM payouts.forced_act;
GRANT SELECT ON TABLE payouts_public.forced_acts TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.found_effects AS
 SELECT stripe_id,
    kind,
    operation_id,
    wallet,
    transfer_id,
    cause,
    sources,
    amount,
    currency,
    made_at,
    found_at,
    adopted_at,
    standing,
    sentence,
    settled_by
   FROM payouts.found_effect;
GRANT SELECT ON TABLE payouts_public.found_effects TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.links AS
 SELECT id,
    wallet,
    kind,
    requested_at,
    answered_at,
    url,
    expires_at,
    problem
   FROM payouts.link_request
  WHERE (COALESCE(expires_at, (answered_at + '00:05:00'::interval)) > now());
GRANT SELECT ON TABLE payouts_public.links TO hobbs_operator;

CREATE VIEW payouts_public.movement_backfills AS
 SELECT id,
    since,
    asked_by,
    asked_at,
    pages,
    found,
    ended_at
   FROM payouts.movement_backfill;
GRANT SELECT ON TABLE payouts_public.movement_backfills TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.movement_listing AS
 SELECT opened_at,
    listed_until,
    completed_at
   FROM payouts.movement_listing;
GRANT SELECT ON TABLE payouts_public.movement_listing TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.movement_openings AS
 SELECT currency,
    amount
   FROM payouts.movement_opening;
GRANT SELECT ON TABLE payouts_public.movement_openings TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.movements AS
 SELECT transaction_id,
    type,
    category,
    balance_type,
    amount,
    fee,
    net,
    currency,
    source_id,
    description,
    made_at,
    noted_at,
    expected,
    booked,
    standing,
    sentence,
    explained_at,
    closed_at,
    closed_by
   FROM payouts.movement;
GRANT SELECT ON TABLE payouts_public.movements TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.names AS
 SELECT wallet,
    full_name
   FROM payouts.contact
  WHERE (full_name IS NOT NULL);
GRANT SELECT ON TABLE payouts_public.names TO hobbs_operator, hobbs_console;

CREATE VIEW payouts_public.odd_objects AS
 SELECT kind,
    object_id,
    stripe_account,
    sentence,
    first_seen_at,
    last_seen_at,
    times,
    closed_at,
    closed_by
   FROM payouts.odd_object;
GRANT SELECT ON TABLE payouts_public.odd_objects TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.offset_policies AS
 SELECT effective_from,
    version,
    percent
   FROM payouts.offset_policy;
GRANT SELECT ON TABLE payouts_public.offset_policies TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.operation_history AS
 SELECT history.operation_id,
    operation.kind,
    operation.wallet,
    operation.transfer_id,
    history.id AS step,
    history.at,
    history.what,
    history.reason,
    history.sentence,
    history.actor
   FROM (payouts.operation_history history
     JOIN payouts.operation ON ((operation.id = history.operation_id)));
GRANT SELECT ON TABLE payouts_public.operation_history TO hobbs_reader, hobbs_payouts, hobbs_operations;

CREATE VIEW payouts_public.payables AS
 SELECT id,
    journal_id,
    wallet,
    currency,
    amount,
    source,
    event_type,
    occurred_at,
    accrued_at,
    transfer_id,
    clawback_id,
    stands_for
   FROM payouts.payable;
GRANT SELECT ON TABLE payouts_public.payables TO hobbs_reader, hobbs_operations, hobbs_adjustments, hobbs_payouts, hobbs_reserves;

CREATE VIEW payouts_public.payee_accounts AS
 SELECT payee.wallet,
    payee.country,
    payee.stripe_account,
    payee.agreement,
    payee.conflict,
    payee.removed_at,
    last.state,
    last.reason,
    last.sentence,
    last.api
   FROM (payouts.payee
     LEFT JOIN LATERAL ( SELECT operation.state,
            operation.reason,
            operation.sentence,
            COALESCE((operation.params ->> 'api'::text), 'v1'::text) AS api
           FROM payouts.operation
          WHERE ((operation.wallet = payee.wallet) AND (operation.kind = 'account'::text))
          ORDER BY operation.sequence DESC
         LIMIT 1) last ON (true));
GRANT SELECT ON TABLE payouts_public.payee_accounts TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.payee_cards AS
 SELECT wallet,
    effective_from,
    version,
    country,
    schedule,
    minimum_amount,
    hold_hours,
    instant,
    withdrawn
   FROM payouts.payee_card;
GRANT SELECT ON TABLE payouts_public.payee_cards TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.payee_totals AS
 SELECT payee.wallet,
    money.currency,
    (COALESCE(sum(money.earned), (0)::numeric))::bigint AS earned,
    (COALESCE(sum(money.waiting), (0)::numeric))::bigint AS waiting,
    (COALESCE(sum(money.transferred), (0)::numeric))::bigint AS transferred,
    (COALESCE(sum(money.in_bank), (0)::numeric))::bigint AS in_bank
   FROM (payouts.payee
     JOIN ( SELECT payable.wallet,
            payable.currency,
            payable.amount AS earned,
            0 AS waiting,
            0 AS transferred,
            0 AS in_bank
           FROM payouts.payable
        UNION ALL
         SELECT transfer.wallet,
            transfer.currency,
            0,
                CASE
                    WHEN (transfer.state = ANY (ARRAY['pending'::text, 'held'::text, 'sending'::text, 'refused'::text, 'parked'::text])) THEN transfer.amount
                    ELSE (0)::bigint
                END AS "case",
                CASE
                    WHEN (transfer.stripe_transfer_id IS NOT NULL) THEN (transfer.amount - transfer.amount_reversed)
                    ELSE (0)::bigint
                END AS "case",
                CASE
                    WHEN (transfer.in_bank_at IS NOT NULL) THEN (transfer.amount - transfer.amount_reversed)
                    ELSE (0)::bigint
                END AS "case"
           FROM payouts.transfer) money USING (wallet))
  GROUP BY payee.wallet, money.currency;
GRANT SELECT ON TABLE payouts_public.payee_totals TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.stopped_operations AS
 SELECT operation.id,
    operation.kind,
    operation.wallet,
    operation.transfer_id,
    operation.amount,
    operation.currency,
    operation.state,
    operation.reason,
    operation.sentence,
    operation.generation,
    operation.tries,
    operation.stopped_at,
    operation.retry_at,
    operation.told,
    ( SELECT attempt.request_id
           FROM payouts.attempt
          WHERE (attempt.operation_id = operation.id)
          ORDER BY attempt.started_at DESC
         LIMIT 1) AS request_id
   FROM ((payouts.operation
     JOIN payouts.payee ON ((payee.wallet = operation.wallet)))
     LEFT JOIN payouts.transfer ON ((transfer.id = operation.transfer_id)))
  WHERE ((operation.state = ANY (ARRAY['refused'::text, 'parked'::text])) AND
        CASE operation.kind
            WHEN 'account'::text THEN ((payee.stripe_account IS NULL) AND (payee.removed_at IS NULL) AND (NOT (EXISTS ( SELECT
               FROM payouts.operation later
              WHERE ((later.wallet = operation.wallet) AND (later.kind = 'account'::text) AND (later.state = ANY (ARRAY['refused'::text, 'parked'::text])) AND (later.sequence > operation.sequence))))))
            WHEN 'instant_payout'::text THEN ((operation.state = 'parked'::text) OR (transfer.state = 'sent'::text))
            ELSE true
        END);
GRANT SELECT ON TABLE payouts_public.stopped_operations TO hobbs_reader, hobbs_payouts, hobbs_operations;

CREATE VIEW payouts_public.payees AS
 SELECT wallet,
    kind,
    key,
    schedule,
    minimum_amount,
    hold_hours,
    instant,
    stripe_account,
    ready,
    details_submitted,
    charges_enabled,
    payouts_enabled,
    requirements,
    disabled_reason,
    balance_negative,
    configured_at,
    removed_at,
    checked_at,
        CASE
            WHEN (configured_at IS NULL) THEN 'not configured'::text
            WHEN (removed_at IS NOT NULL) THEN 'removed'::text
            WHEN (stripe_account IS NULL) THEN ( SELECT
                    CASE
                        WHEN bool_or((stopped.state = 'parked'::text)) THEN 'account request is parked'::text
                        WHEN (count(*) > 0) THEN 'account was refused'::text
                        ELSE 'account is being made'::text
                    END AS "case"
               FROM payouts_public.stopped_operations stopped
              WHERE ((stopped.wallet = payee.wallet) AND (stopped.kind = 'account'::text)))
            WHEN (NOT ready) THEN COALESCE(disabled_reason, 'onboarding'::text)
            WHEN balance_negative THEN 'negative balance'::text
            ELSE 'ready'::text
        END AS status,
    (EXISTS ( SELECT
           FROM payouts.operation
          WHERE ((operation.wallet = payee.wallet) AND (operation.state = 'parked'::text)))) AS parked
   FROM payouts.payee;
GRANT SELECT ON TABLE payouts_public.payees TO hobbs_reader, hobbs_operations, hobbs_payouts, hobbs_reserves;

CREATE VIEW payouts_public.payout_parts AS
 SELECT stripe_payout_id,
    transfer_id,
    amount
   FROM payouts.payout_part
  WHERE (amount <> 0);
GRANT SELECT ON TABLE payouts_public.payout_parts TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.payouts AS
 SELECT stripe_payout_id,
    stripe_account,
    wallet,
    amount,
    currency,
    status,
    instant,
    fee,
    failure,
    seen_at,
    made_at
   FROM payouts.payout;
GRANT SELECT ON TABLE payouts_public.payouts TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM payouts.topic_position;
GRANT SELECT ON TABLE payouts_public.positions TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.refund_requests AS
 SELECT settlement_id,
    wallet,
    currency,
    source,
    asked,
    state,
    due_at,
    sentence,
    refunded,
    reason,
    requested_at,
    settled_at
   FROM payouts.refund_request;
GRANT SELECT ON TABLE payouts_public.refund_requests TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.refunds_made AS
 SELECT stripe_refund_id,
    settlement_id,
    charge_id,
    amount,
    standing
   FROM payouts.refund_made;
GRANT SELECT ON TABLE payouts_public.refunds_made TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.reserve_gates AS
 SELECT gate.currency,
    gate.watched,
    gate.allowed_total,
    gate.number,
    gate.state,
    gate.ceiling,
    gate.balance_number,
    gate.sentence,
    gate.valid_until,
    gate.when_over,
    held.transfers AS held,
    held.amount AS held_amount,
    held.since AS held_since,
    under_way.amount AS under_way
   FROM ((payouts.reserve_gate gate
     CROSS JOIN LATERAL ( SELECT count(*) AS transfers,
            (COALESCE(sum(operation.amount), (0)::numeric))::bigint AS amount,
            min(transfer.changed_at) AS since
           FROM (payouts.operation
             JOIN payouts.transfer ON ((transfer.id = operation.transfer_id)))
          WHERE ((operation.currency = gate.currency) AND (operation.state = 'held'::text) AND (operation.reason = 'reserve'::text))) held)
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum(operation.amount), (0)::numeric))::bigint AS amount
           FROM payouts.operation
          WHERE ((operation.currency = gate.currency) AND (operation.let_out_at IS NOT NULL) AND (operation.state <> ALL (ARRAY['succeeded'::text, 'cancelled'::text])))) under_way);
GRANT SELECT ON TABLE payouts_public.reserve_gates TO hobbs_reader, hobbs_operations, hobbs_payouts, hobbs_reserves;

CREATE VIEW payouts_public.reserve_policies AS
 SELECT effective_from,
    version,
    stale_after_minutes,
    when_stale
   FROM payouts.reserve_policy;
GRANT SELECT ON TABLE payouts_public.reserve_policies TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.reversals AS
 SELECT stripe_reversal_id,
    transfer_id,
    operation_id,
    amount,
    reversed_at,
    cause
   FROM payouts.reversal;
GRANT SELECT ON TABLE payouts_public.reversals TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.school AS
 SELECT time_zone,
    time_zone_version,
    read_version
   FROM payouts.school;
GRANT SELECT ON TABLE payouts_public.school TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.stripe_mode AS
 SELECT livemode,
    key_livemode,
    api_base,
    api_version,
    seen_at
   FROM payouts.stripe_mode;
GRANT SELECT ON TABLE payouts_public.stripe_mode TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.student_links AS
 SELECT id,
    wallet,
    currency,
    amount,
    requested_at,
    answered_at,
        CASE
            WHEN (expires_at > now()) THEN url
            ELSE NULL::text
        END AS url,
    expires_at,
    problem
   FROM payouts.student_link;
GRANT SELECT ON TABLE payouts_public.student_links TO hobbs_operator;

CREATE VIEW payouts_public.told_movements AS
 SELECT transaction_id,
    published AS version,
    noted_at
   FROM payouts.movement
  WHERE (published > 0);
GRANT SELECT ON TABLE payouts_public.told_movements TO hobbs_reader, hobbs_payouts;

CREATE VIEW payouts_public.transfer_history AS
 SELECT transfer_id,
    id AS step,
    at,
    from_state,
    to_state,
    reason,
    sentence,
    actor
   FROM payouts.transfer_history;
GRANT SELECT ON TABLE payouts_public.transfer_history TO hobbs_reader, hobbs_operations, hobbs_payouts;

CREATE VIEW payouts_public.transfers AS
 SELECT transfer.id,
    transfer.wallet,
    payee.kind AS payee_kind,
    payee.key AS payee,
    transfer.amount,
    transfer.currency,
    transfer.cause,
    transfer.state,
    transfer.reason,
    transfer.sentence,
    transfer.due_at,
    transfer.stripe_transfer_id,
    transfer.stripe_account,
    transfer.sent_at,
    transfer.clawback_until,
    transfer.in_bank_at,
    transfer.amount_reversed,
    transfer.created_at,
    transfer.changed_at,
    ARRAY( SELECT payable.source
           FROM payouts.payable
          WHERE (payable.transfer_id = transfer.id)
          ORDER BY payable.id) AS sources,
    (transfer.trace ->> 'correlation_id'::text) AS correlation_id
   FROM (payouts.transfer
     JOIN payouts.payee USING (wallet));
GRANT SELECT ON TABLE payouts_public.transfers TO hobbs_reader, hobbs_operations, hobbs_adjustments, hobbs_payouts, hobbs_reserves;

CREATE SEQUENCE payouts.operation_order
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
GRANT USAGE ON SEQUENCE payouts.operation_order TO hobbs_payouts;

-- Functions; their texts are in functions/.
-- * let_change_all_but(regclass, text[])
-- * refuse_change_of_answered_charge()
-- * refuse_change_of_frozen_operation()
-- * refuse_change_of_settled_clawback()
-- * refuse_change_of_settled_refund()
-- * refuse_rewriting()
-- * refuse_rewritten_letter()
-- * without_former_contents(jsonb)
-- * vouch(uuid, bytea)

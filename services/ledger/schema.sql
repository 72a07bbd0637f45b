-- The schema of ledger at head, to be read. `make schemas` writes it from the migrations.

CREATE SCHEMA ledger;
CREATE SCHEMA ledger_public;
GRANT USAGE ON SCHEMA ledger TO hobbs_ledger, hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;
GRANT USAGE ON SCHEMA ledger_public TO hobbs_reader, hobbs_operations, hobbs_ledger, hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance, hobbs_adjustments, hobbs_payouts, hobbs_receivables, hobbs_reserves;

CREATE TYPE ledger.balance_step AS (
    monitor_id bigint,
    posted bigint,
    pending bigint,
    version bigint,
    journal_id uuid,
    hold text
);

CREATE TABLE ledger.alembic_version (
    version_num character varying(32) NOT NULL
);
ALTER TABLE ONLY ledger.alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
GRANT SELECT ON TABLE ledger.alembic_version TO hobbs_ledger;

CREATE TABLE ledger.asked_decision (
    decision_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    login text NOT NULL,
    roles text[] NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT asked_body_is_sha256 CHECK ((octet_length(body_sha256) = 32))
);
ALTER TABLE ONLY ledger.asked_decision ADD CONSTRAINT decision_is_asked_once PRIMARY KEY (decision_id);
GRANT SELECT ON TABLE ledger.asked_decision TO hobbs_ledger;

CREATE TABLE ledger.balance (
    wallet_id bigint NOT NULL,
    currency text NOT NULL COLLATE "C",
    amount bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    pending bigint DEFAULT 0 NOT NULL,
    floor bigint,
    floor_binds text COLLATE "C",
    CONSTRAINT balance_currency_is_three_capital_letters CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT balance_floor_says_what_it_binds CHECK (((floor IS NULL) = (floor_binds IS NULL))),
    CONSTRAINT balance_pending_is_not_negative CHECK ((pending >= 0)),
    CONSTRAINT balance_version_counts_entries CHECK ((version >= 0))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.05');
COMMENT ON TABLE ledger.balance IS 'What the school owes a wallet''s holder in one currency, after `version` entries.';
COMMENT ON COLUMN ledger.balance.pending IS 'What open holds keep; only holds move it.';
COMMENT ON COLUMN ledger.balance.floor IS 'amount - pending may not go below this; null: no limit. See wallet_limit.';
ALTER TABLE ONLY ledger.balance ADD CONSTRAINT balance_pkey PRIMARY KEY (wallet_id, currency);
ALTER TABLE ONLY ledger.balance ADD CONSTRAINT balance_currency_is_iso_4217 FOREIGN KEY (currency) REFERENCES ledger.iso_currency(code) NOT VALID;
ALTER TABLE ONLY ledger.balance ADD CONSTRAINT balance_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES ledger.wallet(id);
CREATE TRIGGER balance_follows_entries BEFORE UPDATE ON ledger.balance FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_unearned_balance();
ALTER TABLE ledger.balance ENABLE ALWAYS TRIGGER balance_follows_entries;
CREATE TRIGGER balance_is_append_only BEFORE DELETE OR TRUNCATE ON ledger.balance FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.balance ENABLE ALWAYS TRIGGER balance_is_append_only;
CREATE TRIGGER balance_starts_at_zero BEFORE INSERT ON ledger.balance FOR EACH ROW EXECUTE FUNCTION ledger.refuse_unearned_balance();
ALTER TABLE ledger.balance ENABLE ALWAYS TRIGGER balance_starts_at_zero;
ALTER TABLE ledger.balance ENABLE ROW LEVEL SECURITY;
CREATE POLICY finance_sees_all ON ledger.balance FOR SELECT TO hobbs_finance USING (true);
CREATE POLICY holder_sees_own ON ledger.balance FOR SELECT TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner USING ((wallet_id = ( SELECT wallet.id
   FROM ledger.wallet
  WHERE (wallet.address = ( SELECT current_setting('app.actor'::text, true) AS current_setting)))));
CREATE POLICY service_sees_all ON ledger.balance TO hobbs_ledger USING (true);
GRANT SELECT ON TABLE ledger.balance TO hobbs_ledger;
GRANT SELECT (wallet_id, currency, amount, version, pending, floor) ON TABLE ledger.balance TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE TABLE ledger.by_hand_journal (
    journal_id uuid NOT NULL,
    currency text NOT NULL COLLATE "C",
    amount bigint NOT NULL,
    login text NOT NULL,
    by_one_up_to bigint NOT NULL,
    alone bigint NOT NULL,
    word_id uuid,
    posted_at timestamptz NOT NULL,
    CONSTRAINT more_than_one_may_was_agreed CHECK (((word_id IS NOT NULL) OR (alone <= by_one_up_to)))
);
COMMENT ON TABLE ledger.by_hand_journal IS 'Journals that a session of a person posted while there was a limit; alone: with what the login posted that day.';
ALTER TABLE ONLY ledger.by_hand_journal ADD CONSTRAINT by_hand_journal_pkey PRIMARY KEY (journal_id, currency);
ALTER TABLE ONLY ledger.by_hand_journal ADD CONSTRAINT by_hand_journal_word_id_fkey FOREIGN KEY (word_id) REFERENCES ledger.by_hand_word(id);
CREATE INDEX by_hand_journal_of_a_login ON ledger.by_hand_journal USING btree (login, currency, posted_at);
CREATE TRIGGER by_hand_journal_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.by_hand_journal FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.by_hand_journal ENABLE ALWAYS TRIGGER by_hand_journal_is_append_only;
GRANT SELECT ON TABLE ledger.by_hand_journal TO hobbs_ledger;

CREATE TABLE ledger.by_hand_limit (
    id bigint NOT NULL,
    by_one_up_to bigint,
    set_by text DEFAULT SESSION_USER NOT NULL,
    set_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT by_hand_limit_is_an_amount CHECK ((by_one_up_to >= 0))
);
COMMENT ON TABLE ledger.by_hand_limit IS 'What one login alone may post by hand within a day, minor units; the newest row counts, null is any amount.';
ALTER TABLE ledger.by_hand_limit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY ledger.by_hand_limit ADD CONSTRAINT by_hand_limit_pkey PRIMARY KEY (id);
CREATE TRIGGER by_hand_limit_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.by_hand_limit FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.by_hand_limit ENABLE ALWAYS TRIGGER by_hand_limit_is_append_only;
GRANT SELECT ON TABLE ledger.by_hand_limit TO hobbs_ledger;

CREATE TABLE ledger.by_hand_word (
    id uuid DEFAULT uuidv7() NOT NULL,
    source text NOT NULL COLLATE "C",
    content_hash bytea NOT NULL,
    currency text NOT NULL COLLATE "C",
    amount bigint NOT NULL,
    why text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    agreed_by text,
    agreed_at timestamptz,
    CONSTRAINT agreed_says_when CHECK (((agreed_by IS NULL) = (agreed_at IS NULL))),
    CONSTRAINT another_login_agrees CHECK ((agreed_by <> asked_by)),
    CONSTRAINT word_is_for_an_amount CHECK ((amount > 0))
);
COMMENT ON TABLE ledger.by_hand_word IS 'Journals by hand that somebody asked for, and who agreed by doing the same.';
ALTER TABLE ONLY ledger.by_hand_word ADD CONSTRAINT by_hand_word_pkey PRIMARY KEY (id);
CREATE INDEX by_hand_word_of_a_journal ON ledger.by_hand_word USING btree (source, asked_at);
CREATE TRIGGER by_hand_word_is_not_removed BEFORE DELETE OR TRUNCATE ON ledger.by_hand_word FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.by_hand_word ENABLE ALWAYS TRIGGER by_hand_word_is_not_removed;
CREATE TRIGGER by_hand_word_stands BEFORE UPDATE ON ledger.by_hand_word FOR EACH ROW WHEN (((old.agreed_by IS NOT NULL) OR ((((((((old.id IS DISTINCT FROM new.id) OR (old.source IS DISTINCT FROM new.source)) OR (old.content_hash IS DISTINCT FROM new.content_hash)) OR (old.currency IS DISTINCT FROM new.currency)) OR (old.amount IS DISTINCT FROM new.amount)) OR (old.why IS DISTINCT FROM new.why)) OR (old.asked_by IS DISTINCT FROM new.asked_by)) OR (old.asked_at IS DISTINCT FROM new.asked_at)))) EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.by_hand_word ENABLE ALWAYS TRIGGER by_hand_word_stands;
GRANT SELECT ON TABLE ledger.by_hand_word TO hobbs_ledger;

CREATE TABLE ledger.closed_period (
    until timestamptz NOT NULL,
    closed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    closed_by text DEFAULT SESSION_USER NOT NULL,
    memo text DEFAULT ''::text NOT NULL,
    CONSTRAINT closed_period_is_over CHECK ((until <= closed_at)),
    CONSTRAINT closed_period_memo_is_short CHECK ((length(memo) <= 2000))
);
COMMENT ON TABLE ledger.closed_period IS 'What occurred before `until` is closed; only added to.';
ALTER TABLE ONLY ledger.closed_period ADD CONSTRAINT closed_period_pkey PRIMARY KEY (until);
CREATE TRIGGER closed_period_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.closed_period FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.closed_period ENABLE ALWAYS TRIGGER closed_period_is_append_only;
GRANT SELECT ON TABLE ledger.closed_period TO hobbs_ledger;

CREATE TABLE ledger.crossing (
    monitor_id bigint NOT NULL,
    nr bigint NOT NULL,
    beyond boolean NOT NULL,
    because text NOT NULL COLLATE "C",
    threshold bigint NOT NULL,
    recovers_at bigint NOT NULL,
    posted bigint NOT NULL,
    pending bigint NOT NULL,
    version bigint NOT NULL,
    journal_id uuid,
    hold text COLLATE "C",
    event_id uuid NOT NULL,
    crossed_at timestamptz NOT NULL,
    CONSTRAINT crossing_cause_is_known CHECK ((because = ANY (ARRAY['journal'::text, 'hold'::text, 'setting'::text, 'removal'::text]))),
    CONSTRAINT crossing_names_its_hold CHECK (((because = 'hold'::text) = (hold IS NOT NULL))),
    CONSTRAINT crossing_names_its_journal CHECK (((because = 'journal'::text) = (journal_id IS NOT NULL))),
    CONSTRAINT crossings_alternate CHECK (((nr >= 1) AND (beyond = ((nr % (2)::bigint) = 1))))
);
COMMENT ON TABLE ledger.crossing IS 'Each time a balance went beyond a monitor''s threshold, or came back; told once.';
COMMENT ON COLUMN ledger.crossing.posted IS 'The balances right after the cause; version counts the entries behind it.';
COMMENT ON COLUMN ledger.crossing.event_id IS 'The balance.crossed event.';
ALTER TABLE ONLY ledger.crossing ADD CONSTRAINT crossing_is_said_once PRIMARY KEY (monitor_id, nr);
ALTER TABLE ONLY ledger.crossing ADD CONSTRAINT crossing_monitor_id_fkey FOREIGN KEY (monitor_id) REFERENCES ledger.monitor(id);
CREATE TRIGGER crossing_follows_the_balance BEFORE INSERT ON ledger.crossing FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_untrue_crossing();
ALTER TABLE ledger.crossing ENABLE ALWAYS TRIGGER crossing_follows_the_balance;
CREATE TRIGGER crossing_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.crossing FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.crossing ENABLE ALWAYS TRIGGER crossing_is_append_only;
GRANT SELECT ON TABLE ledger.crossing TO hobbs_ledger;

CREATE TABLE ledger.dead_letter (
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
ALTER TABLE ONLY ledger.dead_letter ADD CONSTRAINT dead_letter_has_an_id PRIMARY KEY (id);
ALTER TABLE ONLY ledger.dead_letter ADD CONSTRAINT one_dead_letter_for_each_subject UNIQUE (topic, identity);
CREATE INDEX dead_letter_open ON ledger.dead_letter USING btree (last_seen_at) WHERE (state = 'open'::text);
CREATE TRIGGER dead_letter_is_not_emptied BEFORE TRUNCATE ON ledger.dead_letter FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_rewritten_letter();
ALTER TABLE ledger.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_not_emptied;
CREATE TRIGGER dead_letter_is_only_added_to BEFORE DELETE OR UPDATE ON ledger.dead_letter FOR EACH ROW EXECUTE FUNCTION ledger.refuse_rewritten_letter();
ALTER TABLE ledger.dead_letter ENABLE ALWAYS TRIGGER dead_letter_is_only_added_to;
GRANT SELECT, INSERT ON TABLE ledger.dead_letter TO hobbs_ledger;
GRANT UPDATE (partition, key, value, headers, payload_hash, event_key, correlation_id, reason, sentence, attempts, state, last_seen_at, history) ON TABLE ledger.dead_letter TO hobbs_ledger;
GRANT UPDATE("offset") ON TABLE ledger.dead_letter TO hobbs_ledger;

CREATE TABLE ledger.displaced_entry (
    wallet_id bigint NOT NULL,
    currency text NOT NULL COLLATE "C",
    version bigint NOT NULL,
    amount bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT displaced_entry_is_late_or_ahead CHECK ((((recorded_at - occurred_at) > '01:00:00'::interval) OR (occurred_at > recorded_at)))
);
ALTER TABLE ONLY ledger.displaced_entry ADD CONSTRAINT displaced_entry_is_listed_once PRIMARY KEY (wallet_id, currency, version);
CREATE INDEX displaced_entry_by_span ON ledger.displaced_entry USING gist (int8range(wallet_id, wallet_id, '[]'::text), tstzrange(LEAST(occurred_at, recorded_at), GREATEST(occurred_at, recorded_at)));
CREATE TRIGGER displaced_entry_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.displaced_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.displaced_entry ENABLE ALWAYS TRIGGER displaced_entry_is_append_only;
GRANT SELECT ON TABLE ledger.displaced_entry TO hobbs_ledger;

CREATE TABLE ledger.entry (
    journal_id uuid NOT NULL,
    wallet_id bigint NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint NOT NULL,
    version bigint NOT NULL,
    "position" smallint NOT NULL,
    currency text NOT NULL COLLATE "C",
    recorded_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    occurred_at timestamptz,
    CONSTRAINT entry_amount_is_not_zero CHECK ((amount <> 0)),
    CONSTRAINT entry_position_starts_at_one CHECK (("position" >= 1))
);
COMMENT ON TABLE ledger.entry IS 'A signed amount on a wallet, with the wallet''s balance and version after it.';
COMMENT ON COLUMN ledger.entry.recorded_at IS 'When its journal was recorded.';
COMMENT ON COLUMN ledger.entry.occurred_at IS 'When its journal occurred; NULL: the journal says.';
ALTER TABLE ledger.entry ADD CONSTRAINT entry_amount_fits_the_ledger CHECK (((amount >= '-1000000000000000'::bigint) AND (amount <= '1000000000000000'::bigint))) NOT VALID;
ALTER TABLE ONLY ledger.entry ADD CONSTRAINT entry_position_is_taken_once PRIMARY KEY (journal_id, "position");
ALTER TABLE ONLY ledger.entry ADD CONSTRAINT entry_version_is_taken_once UNIQUE (wallet_id, currency, version);
CREATE INDEX entry_by_recorded_at ON ledger.entry USING btree (wallet_id, currency, recorded_at, version);
CREATE TRIGGER entries_are_posted AFTER INSERT ON ledger.entry REFERENCING NEW TABLE AS new_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger.post_entries();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER entries_are_posted;
CREATE TRIGGER entries_cross_thresholds AFTER INSERT ON ledger.entry REFERENCING NEW TABLE AS new_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger.judge_entries();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER entries_cross_thresholds;
CREATE TRIGGER entry_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.entry FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.entry ENABLE ALWAYS TRIGGER entry_is_append_only;
ALTER TABLE ledger.entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY finance_sees_all ON ledger.entry FOR SELECT TO hobbs_finance USING (true);
CREATE POLICY holder_sees_own ON ledger.entry FOR SELECT TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner USING ((wallet_id = ( SELECT wallet.id
   FROM ledger.wallet
  WHERE (wallet.address = ( SELECT current_setting('app.actor'::text, true) AS current_setting)))));
CREATE POLICY service_sees_all ON ledger.entry TO hobbs_ledger USING (true);
GRANT SELECT, INSERT ON TABLE ledger.entry TO hobbs_ledger;
GRANT SELECT (journal_id, wallet_id, amount, balance_after, version, currency) ON TABLE ledger.entry TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE TABLE ledger.function_file (
    name text NOT NULL,
    sha256 text NOT NULL,
    signatures text[] NOT NULL
);
ALTER TABLE ONLY ledger.function_file ADD CONSTRAINT function_file_is_applied_once PRIMARY KEY (name);
GRANT SELECT ON TABLE ledger.function_file TO hobbs_ledger;

CREATE TABLE ledger.hold (
    id bigint NOT NULL,
    name text NOT NULL COLLATE "C",
    wallet_id bigint NOT NULL,
    currency text NOT NULL COLLATE "C",
    amount bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    memo text DEFAULT ''::text NOT NULL,
    placed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    placed_by text DEFAULT SESSION_USER NOT NULL,
    state text DEFAULT 'open'::text NOT NULL COLLATE "C",
    closed_at timestamptz,
    posted_amount bigint,
    journal_id uuid,
    CONSTRAINT hold_amount_is_positive CHECK (((amount > 0) AND (amount <= '1000000000000000'::bigint))),
    CONSTRAINT hold_is_closed_at_an_instant CHECK (((state = 'open'::text) = (closed_at IS NULL))),
    CONSTRAINT hold_memo_is_short CHECK ((length(memo) <= 2000)),
    CONSTRAINT hold_name_is_printable CHECK (((name ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$'::text) AND (length(name) <= 90))),
    CONSTRAINT hold_posts_at_most_its_amount CHECK (((posted_amount >= 1) AND (posted_amount <= amount))),
    CONSTRAINT hold_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'posted'::text, 'voided'::text, 'expired'::text]))),
    CONSTRAINT posted_hold_has_its_journal CHECK (((state = 'posted'::text) = ((posted_amount IS NOT NULL) AND (journal_id IS NOT NULL))))
);
COMMENT ON TABLE ledger.hold IS 'An amount kept on a wallet until it is posted, voided or expires; closed once.';
ALTER TABLE ledger.hold ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ledger.hold ADD CONSTRAINT hold_expires_within_the_calendar CHECK (((expires_at >= '1900-01-01 00:00:00+00'::timestamptz) AND (expires_at < '2201-01-01 00:00:00+00'::timestamptz))) NOT VALID;
ALTER TABLE ONLY ledger.hold ADD CONSTRAINT hold_is_placed_once UNIQUE (name);
ALTER TABLE ONLY ledger.hold ADD CONSTRAINT hold_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger.hold ADD CONSTRAINT hold_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES ledger.wallet(id);
CREATE INDEX hold_by_wallet ON ledger.hold USING btree (wallet_id, currency, id);
CREATE INDEX open_hold_by_expiry ON ledger.hold USING btree (expires_at) WHERE (state = 'open'::text);
CREATE TRIGGER closed_hold_crosses_thresholds AFTER UPDATE ON ledger.hold REFERENCING NEW TABLE AS new_hold FOR EACH STATEMENT EXECUTE FUNCTION ledger.judge_holds();
ALTER TABLE ledger.hold ENABLE ALWAYS TRIGGER closed_hold_crosses_thresholds;
CREATE TRIGGER hold_is_append_only BEFORE DELETE OR TRUNCATE ON ledger.hold FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.hold ENABLE ALWAYS TRIGGER hold_is_append_only;
CREATE TRIGGER hold_moves_pending AFTER INSERT OR UPDATE ON ledger.hold FOR EACH ROW EXECUTE FUNCTION ledger.move_pending();
ALTER TABLE ledger.hold ENABLE ALWAYS TRIGGER hold_moves_pending;
CREATE TRIGGER new_hold_crosses_thresholds AFTER INSERT ON ledger.hold REFERENCING NEW TABLE AS new_hold FOR EACH STATEMENT EXECUTE FUNCTION ledger.judge_holds();
ALTER TABLE ledger.hold ENABLE ALWAYS TRIGGER new_hold_crosses_thresholds;
ALTER TABLE ledger.hold ENABLE ROW LEVEL SECURITY;
CREATE POLICY finance_sees_all ON ledger.hold FOR SELECT TO hobbs_finance USING (true);
CREATE POLICY holder_sees_own ON ledger.hold FOR SELECT TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner USING ((wallet_id = ( SELECT wallet.id
   FROM ledger.wallet
  WHERE (wallet.address = ( SELECT current_setting('app.actor'::text, true) AS current_setting)))));
CREATE POLICY service_sees_all ON ledger.hold TO hobbs_ledger USING (true);
GRANT SELECT ON TABLE ledger.hold TO hobbs_ledger;
GRANT SELECT (name, wallet_id, currency, amount, expires_at, memo, placed_at, state, closed_at, posted_amount) ON TABLE ledger.hold TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE TABLE ledger.inbox (
    event_key uuid NOT NULL,
    payload_hash bytea NOT NULL,
    admitted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT payload_hash_is_sha256 CHECK ((octet_length(payload_hash) = 32))
);
ALTER TABLE ONLY ledger.inbox ADD CONSTRAINT event_is_admitted_once PRIMARY KEY (event_key);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE ledger.inbox TO hobbs_ledger;

CREATE TABLE ledger.invariant_outcome (
    name text NOT NULL,
    rows bigint NOT NULL,
    broken_since timestamptz,
    asked_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT broken_invariant_says_since_when CHECK (((rows > 0) = (broken_since IS NOT NULL)))
);
ALTER TABLE ONLY ledger.invariant_outcome ADD CONSTRAINT one_outcome_for_each_invariant PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE ledger.invariant_outcome TO hobbs_ledger;

CREATE TABLE ledger.iso_currency (
    code text NOT NULL COLLATE "C"
);
COMMENT ON TABLE ledger.iso_currency IS 'ISO 4217 codes of money in circulation: what a wallet can hold.';
ALTER TABLE ONLY ledger.iso_currency ADD CONSTRAINT iso_currency_pkey PRIMARY KEY (code);

CREATE TABLE ledger.journal (
    id uuid DEFAULT uuidv7() NOT NULL,
    source text NOT NULL COLLATE "C",
    event_type text NOT NULL COLLATE "C",
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    entry_count smallint NOT NULL,
    content_hash bytea NOT NULL,
    memo text DEFAULT ''::text NOT NULL,
    request_event_id uuid,
    recorded_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT journal_content_hash_is_sha256 CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT journal_event_type_is_printable CHECK (((event_type ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$'::text) AND (length(event_type) <= 100))),
    CONSTRAINT journal_has_entries CHECK ((entry_count >= 2)),
    CONSTRAINT journal_memo_is_short CHECK ((length(memo) <= 2000)),
    CONSTRAINT journal_source_is_printable CHECK (((source ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$'::text) AND (length(source) <= 100)))
);
COMMENT ON TABLE ledger.journal IS 'One balanced set of entries, posted once for its source, never changed.';
COMMENT ON COLUMN ledger.journal.occurred_at IS 'When it was true.';
COMMENT ON COLUMN ledger.journal.recorded_at IS 'When the ledger knew.';
COMMENT ON COLUMN ledger.journal.content_hash IS 'sha256 of the canonical request; see journal_content_hash().';
COMMENT ON COLUMN ledger.journal.request_event_id IS 'The journal.requested event; null when posted by hand.';
ALTER TABLE ledger.journal ADD CONSTRAINT journal_has_at_most_200_entries CHECK ((entry_count <= 200)) NOT VALID;
ALTER TABLE ledger.journal ADD CONSTRAINT journal_occurred_within_the_calendar CHECK (((occurred_at >= '1900-01-01 00:00:00+00'::timestamptz) AND (occurred_at < '2201-01-01 00:00:00+00'::timestamptz))) NOT VALID;
ALTER TABLE ONLY ledger.journal ADD CONSTRAINT journal_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger.journal ADD CONSTRAINT journal_source_is_posted_once UNIQUE (source);
CREATE INDEX journal_by_recorded_at ON ledger.journal USING brin (recorded_at) WITH (pages_per_range='32', autosummarize='on');
CREATE TRIGGER displaced_entries_are_listed AFTER INSERT ON ledger.journal REFERENCING NEW TABLE AS new_journal FOR EACH STATEMENT EXECUTE FUNCTION ledger.list_displaced_entries();
ALTER TABLE ledger.journal ENABLE ALWAYS TRIGGER displaced_entries_are_listed;
CREATE CONSTRAINT TRIGGER journal_by_hand_is_noted AFTER INSERT ON ledger.journal DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((SESSION_USER <> 'hobbs_ledger'::name)) EXECUTE FUNCTION ledger.note_by_hand();
ALTER TABLE ledger.journal ENABLE ALWAYS TRIGGER journal_by_hand_is_noted;
CREATE TRIGGER journal_has_entries AFTER INSERT ON ledger.journal REFERENCING NEW TABLE AS new_journal FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_empty_journals();
ALTER TABLE ledger.journal ENABLE ALWAYS TRIGGER journal_has_entries;
CREATE TRIGGER journal_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.journal FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.journal ENABLE ALWAYS TRIGGER journal_is_append_only;
ALTER TABLE ledger.journal ENABLE ROW LEVEL SECURITY;
CREATE POLICY finance_sees_all ON ledger.journal FOR SELECT TO hobbs_finance USING (true);
CREATE POLICY holder_sees_own ON ledger.journal FOR SELECT TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner USING ((EXISTS ( SELECT
   FROM ledger.entry
  WHERE (entry.journal_id = journal.id))));
CREATE POLICY service_sees_all ON ledger.journal TO hobbs_ledger USING (true);
GRANT SELECT ON TABLE ledger.journal TO hobbs_ledger;
GRANT INSERT (id, source, event_type, occurred_at, entry_count, content_hash, memo, request_event_id) ON TABLE ledger.journal TO hobbs_ledger;
GRANT SELECT (id, source, event_type, occurred_at, recorded_at, memo) ON TABLE ledger.journal TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE TABLE ledger.journal_group (
    journal_id uuid NOT NULL,
    name text NOT NULL COLLATE "C",
    CONSTRAINT group_name_is_printable CHECK (((name ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$'::text) AND (length(name) <= 100)))
);
COMMENT ON TABLE ledger.journal_group IS 'Journals that were posted together or not at all.';
ALTER TABLE ONLY ledger.journal_group ADD CONSTRAINT journal_group_pkey PRIMARY KEY (journal_id);
CREATE INDEX journal_group_by_name ON ledger.journal_group USING btree (name);
CREATE TRIGGER journal_group_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.journal_group FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.journal_group ENABLE ALWAYS TRIGGER journal_group_is_append_only;
GRANT SELECT, INSERT ON TABLE ledger.journal_group TO hobbs_ledger;

CREATE TABLE ledger.journal_link (
    "position" bigint NOT NULL,
    journal_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT link_hash_is_sha256 CHECK ((octet_length(hash) = 32)),
    CONSTRAINT link_position_starts_at_one CHECK (("position" >= 1))
);
COMMENT ON TABLE ledger.journal_link IS 'The chain over all journals, in the order they were recorded.';
ALTER TABLE ONLY ledger.journal_link ADD CONSTRAINT journal_is_chained_once UNIQUE (journal_id);
ALTER TABLE ONLY ledger.journal_link ADD CONSTRAINT journal_link_pkey PRIMARY KEY ("position");
CREATE TRIGGER journal_link_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.journal_link FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.journal_link ENABLE ALWAYS TRIGGER journal_link_is_append_only;
GRANT SELECT ON TABLE ledger.journal_link TO hobbs_ledger;

CREATE TABLE ledger.late_journal (
    journal_id uuid NOT NULL,
    belongs_at timestamptz NOT NULL,
    period_until timestamptz NOT NULL,
    CONSTRAINT late_journal_belongs_to_its_period CHECK ((belongs_at < period_until))
);
COMMENT ON TABLE ledger.late_journal IS 'Journals that came after their period was closed, and when they were true.';
ALTER TABLE ledger.late_journal ADD CONSTRAINT late_journal_belongs_within_the_calendar CHECK ((belongs_at >= '1900-01-01 00:00:00+00'::timestamptz)) NOT VALID;
ALTER TABLE ONLY ledger.late_journal ADD CONSTRAINT late_journal_pkey PRIMARY KEY (journal_id);
ALTER TABLE ONLY ledger.late_journal ADD CONSTRAINT late_journal_period_until_fkey FOREIGN KEY (period_until) REFERENCES ledger.closed_period(until);
CREATE INDEX late_journal_by_instant ON ledger.late_journal USING btree (belongs_at);
CREATE TRIGGER late_journal_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.late_journal FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.late_journal ENABLE ALWAYS TRIGGER late_journal_is_append_only;
GRANT SELECT ON TABLE ledger.late_journal TO hobbs_ledger;

CREATE TABLE ledger.login_seen (
    id bigint NOT NULL,
    login text NOT NULL COLLATE "C",
    may_act_as text,
    at_first boolean NOT NULL,
    seen_at timestamptz DEFAULT clock_timestamp() NOT NULL
);
COMMENT ON TABLE ledger.login_seen IS 'Logins to the database and the roles they may act as, when they were seen to change; null: gone.';
ALTER TABLE ledger.login_seen ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY ledger.login_seen ADD CONSTRAINT login_seen_pkey PRIMARY KEY (id);
CREATE INDEX login_seen_last ON ledger.login_seen USING btree (login, id DESC);
CREATE TRIGGER login_seen_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.login_seen FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.login_seen ENABLE ALWAYS TRIGGER login_seen_is_append_only;
GRANT SELECT, INSERT ON TABLE ledger.login_seen TO hobbs_ledger;

CREATE TABLE ledger.monitor (
    id bigint NOT NULL,
    name text NOT NULL COLLATE "C",
    wallet_id bigint NOT NULL,
    currency text NOT NULL COLLATE "C",
    watches text NOT NULL COLLATE "C",
    comparison text NOT NULL COLLATE "C",
    threshold bigint,
    recovers_at bigint,
    memo text DEFAULT ''::text NOT NULL,
    CONSTRAINT monitor_comparison_is_known CHECK ((comparison = ANY (ARRAY['below'::text, 'at_most'::text, 'above'::text, 'at_least'::text]))),
    CONSTRAINT monitor_name_is_printable CHECK (((name ~ '^[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$'::text) AND (length(name) <= 90))),
    CONSTRAINT monitor_recovers_on_the_near_side CHECK (
CASE
    WHEN (comparison = ANY (ARRAY['below'::text, 'at_most'::text])) THEN (recovers_at >= threshold)
    ELSE (recovers_at <= threshold)
END),
    CONSTRAINT monitor_watches_a_balance_there_is CHECK ((watches = ANY (ARRAY['posted'::text, 'pending'::text, 'available'::text]))),
    CONSTRAINT monitor_without_threshold_is_removed CHECK (((threshold IS NULL) = (recovers_at IS NULL)))
);
COMMENT ON TABLE ledger.monitor IS 'A threshold on a balance; threshold null: removed. See monitor_setting.';
ALTER TABLE ledger.monitor ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY ledger.monitor ADD CONSTRAINT monitor_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger.monitor ADD CONSTRAINT monitor_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES ledger.wallet(id);
CREATE UNIQUE INDEX monitor_name_is_used_once ON ledger.monitor USING btree (name) WHERE (threshold IS NOT NULL);
CREATE INDEX watching_monitor ON ledger.monitor USING btree (wallet_id, currency) WHERE (threshold IS NOT NULL);
CREATE TRIGGER monitor_follows_its_settings BEFORE UPDATE ON ledger.monitor FOR EACH ROW EXECUTE FUNCTION ledger.refuse_unset_monitor();
ALTER TABLE ledger.monitor ENABLE ALWAYS TRIGGER monitor_follows_its_settings;
CREATE TRIGGER monitor_is_append_only BEFORE DELETE OR TRUNCATE ON ledger.monitor FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.monitor ENABLE ALWAYS TRIGGER monitor_is_append_only;
CREATE TRIGGER monitor_starts_without_threshold BEFORE INSERT ON ledger.monitor FOR EACH ROW EXECUTE FUNCTION ledger.refuse_unset_monitor();
ALTER TABLE ledger.monitor ENABLE ALWAYS TRIGGER monitor_starts_without_threshold;
GRANT SELECT ON TABLE ledger.monitor TO hobbs_ledger;

CREATE TABLE ledger.monitor_setting (
    id bigint NOT NULL,
    monitor_id bigint NOT NULL,
    threshold bigint,
    recovers_at bigint,
    memo text DEFAULT ''::text NOT NULL,
    set_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    set_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT setting_fits_the_ledger CHECK (((abs(threshold) <= '1000000000000000'::bigint) AND (abs(recovers_at) <= '1000000000000000'::bigint))),
    CONSTRAINT setting_memo_is_short CHECK ((length(memo) <= 2000))
);
COMMENT ON TABLE ledger.monitor_setting IS 'Thresholds as they were set; only added to.';
ALTER TABLE ledger.monitor_setting ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY ledger.monitor_setting ADD CONSTRAINT monitor_setting_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger.monitor_setting ADD CONSTRAINT monitor_setting_monitor_id_fkey FOREIGN KEY (monitor_id) REFERENCES ledger.monitor(id);
CREATE INDEX monitor_setting_by_monitor ON ledger.monitor_setting USING btree (monitor_id, id);
CREATE TRIGGER monitor_setting_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.monitor_setting FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.monitor_setting ENABLE ALWAYS TRIGGER monitor_setting_is_append_only;
CREATE TRIGGER setting_is_applied AFTER INSERT ON ledger.monitor_setting FOR EACH ROW EXECUTE FUNCTION ledger.apply_monitor_setting();
ALTER TABLE ledger.monitor_setting ENABLE ALWAYS TRIGGER setting_is_applied;
GRANT SELECT ON TABLE ledger.monitor_setting TO hobbs_ledger;

CREATE TABLE ledger.open_period (
    one boolean DEFAULT true NOT NULL,
    began_at timestamptz,
    CONSTRAINT there_is_one_open_period CHECK (one)
);
COMMENT ON TABLE ledger.open_period IS 'Where the open period begins; null: nothing was ever closed.';
ALTER TABLE ONLY ledger.open_period ADD CONSTRAINT open_period_pkey PRIMARY KEY (one);

CREATE TABLE ledger.opening_line (
    journal_id uuid NOT NULL,
    as_of date NOT NULL,
    kind text NOT NULL COLLATE "C",
    key text NOT NULL COLLATE "C",
    reference text NOT NULL COLLATE "C",
    currency text NOT NULL COLLATE "C",
    attempt integer NOT NULL,
    CONSTRAINT opening_attempt_is_counted CHECK ((attempt > 0))
);
COMMENT ON TABLE ledger.opening_line IS 'A line of the books kept before, and the journal that posted it.';
ALTER TABLE ONLY ledger.opening_line ADD CONSTRAINT opening_line_is_posted_once UNIQUE (as_of, kind, key, reference, currency, attempt);
ALTER TABLE ONLY ledger.opening_line ADD CONSTRAINT opening_line_pkey PRIMARY KEY (journal_id);
CREATE TRIGGER opening_line_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.opening_line FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.opening_line ENABLE ALWAYS TRIGGER opening_line_is_append_only;
GRANT SELECT, INSERT ON TABLE ledger.opening_line TO hobbs_ledger;

CREATE TABLE ledger.opening_signature (
    id bigint NOT NULL,
    as_of date NOT NULL,
    action text NOT NULL,
    balance_hash text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    decision_id uuid NOT NULL,
    recorded_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT opening_is_signed_or_reopened CHECK ((action = ANY (ARRAY['signed'::text, 'reopened'::text])))
);
COMMENT ON TABLE ledger.opening_signature IS 'Who signed or reopened an opening, newest last.';
ALTER TABLE ledger.opening_signature ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY ledger.opening_signature ADD CONSTRAINT opening_is_signed_once_by_a_decision UNIQUE (decision_id);
ALTER TABLE ONLY ledger.opening_signature ADD CONSTRAINT opening_signature_pkey PRIMARY KEY (id);
CREATE TRIGGER opening_signature_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.opening_signature FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.opening_signature ENABLE ALWAYS TRIGGER opening_signature_is_append_only;
GRANT SELECT, INSERT ON TABLE ledger.opening_signature TO hobbs_ledger;

CREATE TABLE ledger.outbox (
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
ALTER TABLE ledger.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ledger.outbox ADD CONSTRAINT outbox_takes_own_topics_only CHECK ((topic = ANY (ARRAY['balance.crossed'::text, 'decision.taken'::text, 'hold.changed'::text, 'hold.refused'::text, 'journal.posted'::text, 'journal.refused'::text, 'ledger.dead'::text, 'ledger.redrive'::text, 'limit.changed'::text]))) NOT VALID;
ALTER TABLE ONLY ledger.outbox ADD CONSTRAINT outbox_row_has_one_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE ledger.outbox TO hobbs_ledger;

CREATE TABLE ledger.outbox_sent (
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
ALTER TABLE ONLY ledger.outbox_sent ADD CONSTRAINT sent_row_has_its_place PRIMARY KEY (id);
GRANT SELECT, INSERT, DELETE ON TABLE ledger.outbox_sent TO hobbs_ledger;

CREATE TABLE ledger.revert (
    journal_id uuid NOT NULL,
    reverted_id uuid NOT NULL,
    CONSTRAINT journal_does_not_revert_itself CHECK ((journal_id <> reverted_id))
);
COMMENT ON TABLE ledger.revert IS 'journal_id takes back what reverted_id moved.';
ALTER TABLE ONLY ledger.revert ADD CONSTRAINT journal_is_reverted_once UNIQUE (reverted_id);
ALTER TABLE ONLY ledger.revert ADD CONSTRAINT revert_pkey PRIMARY KEY (journal_id);
CREATE TRIGGER revert_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.revert FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.revert ENABLE ALWAYS TRIGGER revert_is_append_only;
CREATE TRIGGER revert_takes_back_every_entry AFTER INSERT ON ledger.revert FOR EACH ROW EXECUTE FUNCTION ledger.refuse_other_entries();
ALTER TABLE ledger.revert ENABLE ALWAYS TRIGGER revert_takes_back_every_entry;
GRANT SELECT, INSERT ON TABLE ledger.revert TO hobbs_ledger;

CREATE TABLE ledger.timer (
    name text NOT NULL,
    due_at timestamptz DEFAULT now() NOT NULL,
    lease_until timestamptz,
    last_run date
);
ALTER TABLE ONLY ledger.timer ADD CONSTRAINT timer_runs_in_one_place PRIMARY KEY (name);
GRANT SELECT, INSERT, DELETE, UPDATE ON TABLE ledger.timer TO hobbs_ledger;

CREATE TABLE ledger.topic_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    written_at timestamptz DEFAULT now() NOT NULL
)
WITH (fillfactor='50');
ALTER TABLE ONLY ledger.topic_position ADD CONSTRAINT one_position_for_each_partition PRIMARY KEY (topic, partition);
GRANT SELECT, INSERT, UPDATE ON TABLE ledger.topic_position TO hobbs_ledger;

CREATE TABLE ledger.wallet (
    id bigint NOT NULL,
    address text NOT NULL COLLATE "C",
    kind text GENERATED ALWAYS AS (split_part(address, ':'::text, 1)) STORED NOT NULL COLLATE "C",
    opened_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT wallet_address_names_a_holder CHECK (((address ~ '^[a-z_]+:[^\x01-\x1f\x7f]*[^\x01-\x20\x7f]$'::text) AND (length(address) <= 130))),
    CONSTRAINT wallet_kind_is_known CHECK ((split_part(address, ':'::text, 1) = ANY (ARRAY['student'::text, 'instructor'::text, 'platform'::text, 'aircraft_owner'::text, 'liability'::text, 'external'::text])))
);
COMMENT ON TABLE ledger.wallet IS 'Who holds money: <kind>:<name>, opened on first use, never changed.';
ALTER TABLE ledger.wallet ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY ledger.wallet ADD CONSTRAINT wallet_address_is_unique UNIQUE (address);
ALTER TABLE ONLY ledger.wallet ADD CONSTRAINT wallet_pkey PRIMARY KEY (id);
CREATE TRIGGER wallet_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.wallet FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.wallet ENABLE ALWAYS TRIGGER wallet_is_append_only;
ALTER TABLE ledger.wallet ENABLE ROW LEVEL SECURITY;
CREATE POLICY finance_sees_all ON ledger.wallet FOR SELECT TO hobbs_finance USING (true);
CREATE POLICY instructor_sees_own_wallet ON ledger.wallet FOR SELECT TO hobbs_instructor USING (((kind = 'instructor'::text) AND (address = ( SELECT current_setting('app.actor'::text, true) AS current_setting))));
CREATE POLICY owner_sees_own_wallet ON ledger.wallet FOR SELECT TO hobbs_aircraft_owner USING (((kind = 'aircraft_owner'::text) AND (address = ( SELECT current_setting('app.actor'::text, true) AS current_setting))));
CREATE POLICY service_sees_all ON ledger.wallet TO hobbs_ledger USING (true);
CREATE POLICY student_sees_own_wallet ON ledger.wallet FOR SELECT TO hobbs_student USING (((kind = 'student'::text) AND (address = ( SELECT current_setting('app.actor'::text, true) AS current_setting))));
GRANT SELECT ON TABLE ledger.wallet TO hobbs_ledger;
GRANT SELECT (id, address, kind) ON TABLE ledger.wallet TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE TABLE ledger.wallet_limit (
    id bigint NOT NULL,
    wallet_id bigint NOT NULL,
    currency text NOT NULL COLLATE "C",
    floor bigint,
    binds text COLLATE "C",
    set_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    set_by text DEFAULT SESSION_USER NOT NULL,
    CONSTRAINT limit_binds_holds_or_all CHECK ((binds = ANY (ARRAY['holds'::text, 'all'::text]))),
    CONSTRAINT limit_fits_the_ledger CHECK ((abs(floor) <= '1000000000000000'::bigint)),
    CONSTRAINT limit_says_what_it_binds CHECK (((floor IS NULL) = (binds IS NULL)))
);
COMMENT ON TABLE ledger.wallet_limit IS 'Limits as they were set; only added to.';
ALTER TABLE ledger.wallet_limit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY;
ALTER TABLE ONLY ledger.wallet_limit ADD CONSTRAINT wallet_limit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY ledger.wallet_limit ADD CONSTRAINT wallet_limit_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES ledger.wallet(id);
CREATE INDEX wallet_limit_by_wallet ON ledger.wallet_limit USING btree (wallet_id, currency, id);
CREATE TRIGGER limit_is_applied AFTER INSERT ON ledger.wallet_limit FOR EACH ROW EXECUTE FUNCTION ledger.apply_limit();
ALTER TABLE ledger.wallet_limit ENABLE ALWAYS TRIGGER limit_is_applied;
CREATE TRIGGER wallet_limit_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.wallet_limit FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
ALTER TABLE ledger.wallet_limit ENABLE ALWAYS TRIGGER wallet_limit_is_append_only;
GRANT SELECT ON TABLE ledger.wallet_limit TO hobbs_ledger;

CREATE VIEW ledger_public.admitted_events AS
 SELECT event_key,
    admitted_at
   FROM ledger.inbox;
GRANT SELECT ON TABLE ledger_public.admitted_events TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.by_hand_journals AS
 SELECT journal.source,
    hand.journal_id,
    hand.currency,
    hand.amount,
    hand.login,
    hand.by_one_up_to,
    hand.alone,
    hand.word_id,
    hand.posted_at
   FROM (ledger.by_hand_journal hand
     JOIN ledger.journal ON ((journal.id = hand.journal_id)));
COMMENT ON VIEW ledger_public.by_hand_journals IS 'Journals by hand and the login of the session that posted each.';
GRANT SELECT ON TABLE ledger_public.by_hand_journals TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.by_hand_limits AS
 SELECT id,
    by_one_up_to,
    set_by,
    set_at
   FROM ledger.by_hand_limit;
COMMENT ON VIEW ledger_public.by_hand_limits IS 'What one login alone may post by hand within a day, newest last.';
GRANT SELECT ON TABLE ledger_public.by_hand_limits TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.by_hand_words AS
 SELECT id,
    source,
    currency,
    amount,
    why,
    asked_by,
    asked_at,
    agreed_by,
    agreed_at
   FROM ledger.by_hand_word word;
COMMENT ON VIEW ledger_public.by_hand_words IS 'Journals by hand that somebody asked for, and who agreed.';
GRANT SELECT ON TABLE ledger_public.by_hand_words TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.closed_periods AS
 SELECT until,
    closed_at,
    closed_by,
    memo
   FROM ledger.closed_period;
COMMENT ON VIEW ledger_public.closed_periods IS 'What occurred before `until` takes no more journals.';
GRANT SELECT ON TABLE ledger_public.closed_periods TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.crossings AS
 SELECT crossing.monitor_id,
    monitor.name AS monitor,
    crossing.nr,
    wallet.address,
    wallet.kind,
    monitor.currency,
    monitor.watches,
    monitor.comparison,
    crossing.threshold,
    crossing.recovers_at,
    crossing.beyond,
    crossing.because,
        CASE monitor.watches
            WHEN 'posted'::text THEN crossing.posted
            WHEN 'pending'::text THEN crossing.pending
            ELSE (crossing.posted - crossing.pending)
        END AS balance,
    crossing.posted,
    crossing.pending,
    (crossing.posted - crossing.pending) AS available,
    crossing.version,
    crossing.journal_id,
    journal.source,
    crossing.hold,
    crossing.event_id,
    crossing.crossed_at
   FROM (((ledger.crossing
     JOIN ledger.monitor ON ((monitor.id = crossing.monitor_id)))
     JOIN ledger.wallet ON ((wallet.id = monitor.wallet_id)))
     LEFT JOIN ledger.journal ON ((journal.id = crossing.journal_id)));
COMMENT ON VIEW ledger_public.crossings IS 'What monitors have told, removed ones too: each crossing, its cause.';
GRANT SELECT ON TABLE ledger_public.crossings TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.dead_letters AS
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
   FROM ledger.dead_letter;
GRANT SELECT ON TABLE ledger_public.dead_letters TO hobbs_reader, hobbs_operations, hobbs_ledger;

CREATE VIEW ledger_public.entries AS
 SELECT entry.journal_id,
    entry."position",
    wallet.address,
    wallet.kind,
    entry.currency,
    entry.amount,
    entry.balance_after,
    entry.version,
    entry.wallet_id,
    journal.source,
    journal.event_type,
    journal.occurred_at,
    journal.recorded_at,
    journal.memo
   FROM ((ledger.entry
     JOIN ledger.journal ON ((journal.id = entry.journal_id)))
     JOIN ledger.wallet ON ((wallet.id = entry.wallet_id)));
COMMENT ON VIEW ledger_public.entries IS 'Statement lines: each entry with its journal, running balance, version.';
GRANT SELECT ON TABLE ledger_public.entries TO hobbs_reader, hobbs_adjustments, hobbs_ledger, hobbs_payouts, hobbs_receivables, hobbs_reserves;

CREATE VIEW ledger_public.holds AS
 SELECT hold.id AS hold_id,
    hold.name AS hold,
    wallet.address,
    wallet.kind,
    hold.currency,
    hold.amount,
    hold.state,
    hold.placed_at,
    hold.expires_at,
    hold.closed_at,
    hold.posted_amount,
    hold.journal_id,
    hold.memo,
    hold.placed_by,
    hold.wallet_id
   FROM (ledger.hold
     JOIN ledger.wallet ON ((wallet.id = hold.wallet_id)));
COMMENT ON VIEW ledger_public.holds IS 'Every hold: what it keeps or kept on a wallet, and how it ended.';
GRANT SELECT ON TABLE ledger_public.holds TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.journal_groups AS
 SELECT journal_group.name,
    journal_group.journal_id,
    journal.source
   FROM (ledger.journal_group
     JOIN ledger.journal ON ((journal.id = journal_group.journal_id)));
COMMENT ON VIEW ledger_public.journal_groups IS 'Journals that were posted together or not at all.';
GRANT SELECT ON TABLE ledger_public.journal_groups TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.journal_links AS
 SELECT "position",
    journal_id,
    hash,
    recorded_at
   FROM ledger.journal_link;
COMMENT ON VIEW ledger_public.journal_links IS 'The hash chain: a link for each journal, numbered by position.';
GRANT SELECT ON TABLE ledger_public.journal_links TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.journals AS
 SELECT id AS journal_id,
    source,
    event_type,
    occurred_at,
    recorded_at,
    entry_count,
    memo,
    recorded_by,
    content_hash,
    request_event_id
   FROM ledger.journal;
COMMENT ON VIEW ledger_public.journals IS 'Every journal, without its entries.';
GRANT SELECT ON TABLE ledger_public.journals TO hobbs_reader, hobbs_ledger, hobbs_payouts, hobbs_receivables;

CREATE VIEW ledger_public.late_journals AS
 SELECT late_journal.journal_id,
    journal.source,
    late_journal.belongs_at,
    late_journal.period_until,
    journal.occurred_at,
    journal.recorded_at
   FROM (ledger.late_journal
     JOIN ledger.journal ON ((journal.id = late_journal.journal_id)));
COMMENT ON VIEW ledger_public.late_journals IS 'Journals dated into the open period, and where they belong.';
GRANT SELECT ON TABLE ledger_public.late_journals TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.logins_seen AS
 SELECT id,
    login,
    may_act_as,
    at_first,
    seen_at
   FROM ledger.login_seen;
COMMENT ON VIEW ledger_public.logins_seen IS 'Logins and what they may act as, when they were seen to change.';
GRANT SELECT ON TABLE ledger_public.logins_seen TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.monitors AS
 SELECT monitor.id AS monitor_id,
    monitor.name AS monitor,
    wallet.address,
    wallet.kind,
    monitor.currency,
    monitor.watches,
    monitor.comparison,
    monitor.threshold,
    monitor.recovers_at,
        CASE monitor.watches
            WHEN 'posted'::text THEN balance.amount
            WHEN 'pending'::text THEN balance.pending
            ELSE (balance.amount - balance.pending)
        END AS balance,
    COALESCE(newest.beyond, false) AS beyond,
    newest.crossed_at AS since,
    COALESCE(newest.nr, (0)::bigint) AS crossings,
    monitor.memo,
    setting.set_at,
    setting.set_by,
    monitor.wallet_id
   FROM ((((ledger.monitor
     JOIN ledger.wallet ON ((wallet.id = monitor.wallet_id)))
     JOIN ledger.balance ON (((balance.wallet_id = monitor.wallet_id) AND (balance.currency = monitor.currency))))
     LEFT JOIN LATERAL ( SELECT crossing.nr,
            crossing.beyond,
            crossing.crossed_at
           FROM ledger.crossing
          WHERE (crossing.monitor_id = monitor.id)
          ORDER BY crossing.nr DESC
         LIMIT 1) newest ON (true))
     LEFT JOIN LATERAL ( SELECT monitor_setting.set_at,
            monitor_setting.set_by
           FROM ledger.monitor_setting
          WHERE (monitor_setting.monitor_id = monitor.id)
          ORDER BY monitor_setting.id DESC
         LIMIT 1) setting ON (true))
  WHERE (monitor.threshold IS NOT NULL);
COMMENT ON VIEW ledger_public.monitors IS 'Monitors that are set, the balance each watches, and its state.';
GRANT SELECT ON TABLE ledger_public.monitors TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.my_balances WITH (security_invoker='true') AS
 SELECT wallet.address,
    balance.currency,
    balance.amount AS balance,
    balance.pending,
    (balance.amount - balance.pending) AS available,
    balance.floor AS "limit",
    balance.version AS entries
   FROM (ledger.wallet
     JOIN ledger.balance ON ((balance.wallet_id = wallet.id)));
COMMENT ON VIEW ledger_public.my_balances IS 'The balances that the reader may see.';
GRANT SELECT ON TABLE ledger_public.my_balances TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE VIEW ledger_public.my_entries WITH (security_invoker='true') AS
 SELECT wallet.address,
    entry.currency,
    entry.version,
    entry.amount,
    entry.balance_after,
    journal.source,
    journal.event_type,
    journal.occurred_at,
    journal.recorded_at,
    journal.memo
   FROM ((ledger.entry
     JOIN ledger.journal ON ((journal.id = entry.journal_id)))
     JOIN ledger.wallet ON ((wallet.id = entry.wallet_id)));
COMMENT ON VIEW ledger_public.my_entries IS 'The statement lines that the reader may see.';
GRANT SELECT ON TABLE ledger_public.my_entries TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE VIEW ledger_public.my_holds WITH (security_invoker='true') AS
 SELECT hold.name AS hold,
    wallet.address,
    hold.currency,
    hold.amount,
    hold.state,
    hold.placed_at,
    hold.expires_at,
    hold.closed_at,
    hold.posted_amount,
    hold.memo
   FROM (ledger.hold
     JOIN ledger.wallet ON ((wallet.id = hold.wallet_id)));
COMMENT ON VIEW ledger_public.my_holds IS 'The holds that the reader may see.';
GRANT SELECT ON TABLE ledger_public.my_holds TO hobbs_student, hobbs_instructor, hobbs_aircraft_owner, hobbs_finance;

CREATE VIEW ledger_public.opening_lines AS
 WITH RECURSIVE undone(line_id, journal_id, reverts) AS (
         SELECT opening_line.journal_id,
            opening_line.journal_id,
            0 AS "?column?"
           FROM ledger.opening_line
        UNION ALL
         SELECT undone.line_id,
            revert.journal_id,
            (undone.reverts + 1)
           FROM (undone
             JOIN ledger.revert ON ((revert.reverted_id = undone.journal_id)))
        ), reverted AS (
         SELECT undone.line_id,
            max(undone.reverts) AS reverts
           FROM undone
          GROUP BY undone.line_id
        )
 SELECT line.as_of,
    line.kind,
    line.key,
    line.reference,
    line.currency,
    line.attempt,
    line.journal_id,
    journal.source,
    wallet.address AS wallet,
    entry.amount,
    ((reverted.reverts % 2) = 0) AS stands,
    COALESCE(late_journal.belongs_at, journal.occurred_at) AS occurred_at,
    journal.recorded_at
   FROM (((((ledger.opening_line line
     JOIN reverted ON ((reverted.line_id = line.journal_id)))
     JOIN ledger.journal ON ((journal.id = line.journal_id)))
     JOIN ledger.entry ON (((entry.journal_id = line.journal_id) AND (entry."position" = 1))))
     JOIN ledger.wallet ON ((wallet.id = entry.wallet_id)))
     LEFT JOIN ledger.late_journal ON ((late_journal.journal_id = line.journal_id)));
COMMENT ON VIEW ledger_public.opening_lines IS 'Lines of the books kept before, with what each put on its wallet (credit positive), and whether it stands.';
GRANT SELECT ON TABLE ledger_public.opening_lines TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.opening_signatures AS
 SELECT id,
    as_of,
    action,
    balance_hash,
    who,
    why,
    decision_id,
    recorded_at
   FROM ledger.opening_signature;
COMMENT ON VIEW ledger_public.opening_signatures IS 'Who signed or reopened an opening, newest last.';
GRANT SELECT ON TABLE ledger_public.opening_signatures TO hobbs_reader, hobbs_ledger;

CREATE VIEW ledger_public.positions AS
 SELECT topic,
    partition,
    next_offset,
    written_at
   FROM ledger.topic_position;
GRANT SELECT ON TABLE ledger_public.positions TO hobbs_reader, hobbs_operations, hobbs_ledger, hobbs_payouts, hobbs_receivables;

CREATE VIEW ledger_public.reverts AS
 SELECT revert.journal_id,
    made.source,
    revert.reverted_id,
    taken.source AS reverted_source,
    made.occurred_at,
    made.recorded_at
   FROM ((ledger.revert
     JOIN ledger.journal made ON ((made.id = revert.journal_id)))
     JOIN ledger.journal taken ON ((taken.id = revert.reverted_id)));
COMMENT ON VIEW ledger_public.reverts IS 'Which journal takes back which.';
GRANT SELECT ON TABLE ledger_public.reverts TO hobbs_reader, hobbs_ledger, hobbs_receivables;

CREATE VIEW ledger_public.wallets AS
 SELECT wallet.id AS wallet_id,
    wallet.address,
    wallet.kind,
    balance.currency,
    balance.amount AS balance,
    balance.version AS entries,
    wallet.opened_at,
    balance.pending,
    (balance.amount - balance.pending) AS available,
    balance.floor AS "limit",
    balance.floor_binds AS limit_binds
   FROM (ledger.wallet
     JOIN ledger.balance ON ((balance.wallet_id = wallet.id)));
COMMENT ON VIEW ledger_public.wallets IS 'Every wallet with its balance, one row per currency.';
GRANT SELECT ON TABLE ledger_public.wallets TO hobbs_reader, hobbs_ledger, hobbs_receivables;

-- Functions; their texts are in functions/.
-- * acquire_wallet_lock(bigint)
-- * announce_journal(uuid)
-- * apply_limit()
-- * apply_monitor_setting()
-- * ask_by_hand(text, bytea, text, bigint, bigint, text)
-- * balance_at(text, text, timestamp with time zone, timestamp with time zone)
-- * begin_opening(text[])
-- * by_hand_alone(text)
-- * by_hand_up_to()
-- * chain_text(uuid)
-- * close_period(timestamp with time zone, text)
-- * entry_line(text, text, bigint)
-- * expire_holds(integer)
-- * extend_chain(timestamp with time zone, integer)
-- * first_instant()
-- * get_total_instructor_balances(text)
-- * get_total_liability_balances(text)
-- * get_total_student_balances(text)
-- * instant_text(timestamp with time zone)
-- * is_beyond(text, bigint, bigint)
-- * journal_content_hash(text, text, timestamp with time zone, text[])
-- * judge_entries()
-- * judge_holds()
-- * last_instant()
-- * link_late(uuid[], timestamp with time zone[])
-- * list_displaced_entries()
-- * lock_balances(text[], text[])
-- * lock_hold(text, text)
-- * lock_wallets(text[], text)
-- * locked_to()
-- * monitor_verdict(text, bigint, bigint, bigint)
-- * move_pending()
-- * next_link(bytea, uuid)
-- * note_by_hand()
-- * note_locked_to(bigint)
-- * open_balances(text[], text[])
-- * place_hold(text, text, bigint, text, timestamp with time zone, text)
-- * place_holds(text[], text[], bigint[], text[], timestamp with time zone[], text[])
-- * post_entries()
-- * post_hold(text, text, bigint, timestamp with time zone, text)
-- * post_journal_with_locks(uuid, text, text, text, jsonb, timestamp with time zone, text)
-- * post_with_locks(uuid, text, text, text, jsonb, timestamp with time zone, text)
-- * refuse(text, text)
-- * refuse_below_limit(text, text, text, bigint, bigint, bigint)
-- * refuse_change()
-- * refuse_empty_journals()
-- * refuse_entries_below_limit(bigint, text, numeric)
-- * refuse_lock_out_of_order(text)
-- * refuse_other_entries()
-- * refuse_rewritten_letter()
-- * refuse_unearned_balance()
-- * refuse_unset_monitor()
-- * refuse_untrue_crossing()
-- * remove_monitor(text, text)
-- * revert_journal(text, text, timestamp with time zone)
-- * service_of_journal(text, text)
-- * set_limit(text, text, bigint, text)
-- * set_monitor(text, text, text, text, bigint, text, bigint, text)
-- * take_balance(bigint, text)
-- * take_wallet(bigint)
-- * tell_crossings(ledger.balance_step[], text)
-- * total_balances(text, text)
-- * verify_links(bigint, bytea, integer)
-- * void_hold(text)
-- * without_former_contents(jsonb)
-- * balance_at(text, text, timestamp with time zone, timestamp with time zone)
-- * sessions_in_the_way(integer, integer)
-- * verify_links(bigint, bytea, integer)
-- * vouch(uuid, bytea)

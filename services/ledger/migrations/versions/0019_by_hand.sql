-- Journals by hand above an amount are two people's (functions/two_by_hand.sql), by the logins of their sessions.

CREATE TABLE by_hand_limit (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by_one_up_to bigint CONSTRAINT by_hand_limit_is_an_amount CHECK (by_one_up_to >= 0),
    set_by       text NOT NULL DEFAULT session_user,
    set_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE by_hand_limit IS
    'What one login alone may post by hand within a day, minor units; the newest row counts, null is any amount.';

CREATE TABLE by_hand_word (
    id           uuid PRIMARY KEY DEFAULT uuidv7(),
    source       text COLLATE "C" NOT NULL,
    content_hash bytea NOT NULL,
    currency     text COLLATE "C" NOT NULL,
    amount       bigint NOT NULL CONSTRAINT word_is_for_an_amount CHECK (amount > 0),
    why          text NOT NULL,
    asked_by     text NOT NULL,
    asked_at     timestamptz NOT NULL,
    agreed_by    text,
    agreed_at    timestamptz,
    CONSTRAINT agreed_says_when CHECK ((agreed_by IS NULL) = (agreed_at IS NULL)),
    CONSTRAINT another_login_agrees CHECK (agreed_by <> asked_by)
);
COMMENT ON TABLE by_hand_word IS 'Journals by hand that somebody asked for, and who agreed by doing the same.';
CREATE INDEX by_hand_word_of_a_journal ON by_hand_word (source, asked_at);

CREATE TABLE by_hand_journal (
    journal_id   uuid NOT NULL,
    currency     text COLLATE "C" NOT NULL,
    amount       bigint NOT NULL,
    login        text NOT NULL,
    by_one_up_to bigint NOT NULL,
    alone        bigint NOT NULL,
    word_id      uuid REFERENCES by_hand_word,
    posted_at    timestamptz NOT NULL,
    PRIMARY KEY (journal_id, currency),
    CONSTRAINT more_than_one_may_was_agreed CHECK (word_id IS NOT NULL OR alone <= by_one_up_to)
);
COMMENT ON TABLE by_hand_journal IS
    'Journals that a session of a person posted while there was a limit; alone: with what the login posted that day.';
CREATE INDEX by_hand_journal_of_a_login ON by_hand_journal (login, currency, posted_at);

CREATE TABLE login_seen (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login      text COLLATE "C" NOT NULL,
    may_act_as text,
    at_first   boolean NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE login_seen IS
    'Logins to the database and the roles they may act as, when they were seen to change; null: gone.';
CREATE INDEX login_seen_last ON login_seen (login, id DESC);

CREATE TRIGGER by_hand_limit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON by_hand_limit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER by_hand_word_is_not_removed BEFORE DELETE OR TRUNCATE ON by_hand_word
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER by_hand_word_stands BEFORE UPDATE ON by_hand_word FOR EACH ROW
    WHEN (old.agreed_by IS NOT NULL
        OR (old.id, old.source, old.content_hash, old.currency, old.amount, old.why, old.asked_by, old.asked_at)
            IS DISTINCT FROM
           (new.id, new.source, new.content_hash, new.currency, new.amount, new.why, new.asked_by, new.asked_at))
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER by_hand_journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON by_hand_journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER login_seen_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON login_seen
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE by_hand_limit ENABLE ALWAYS TRIGGER by_hand_limit_is_append_only;
ALTER TABLE by_hand_word ENABLE ALWAYS TRIGGER by_hand_word_is_not_removed;
ALTER TABLE by_hand_word ENABLE ALWAYS TRIGGER by_hand_word_stands;
ALTER TABLE by_hand_journal ENABLE ALWAYS TRIGGER by_hand_journal_is_append_only;
ALTER TABLE login_seen ENABLE ALWAYS TRIGGER login_seen_is_append_only;

-- The limit is the owner's to set; words and journals are written by functions that take the session's login.
GRANT SELECT ON by_hand_limit, by_hand_word, by_hand_journal TO hobbs_ledger;
GRANT SELECT, INSERT ON login_seen TO hobbs_ledger;

CREATE VIEW ledger_public.by_hand_words AS
    SELECT word.id, word.source, word.currency, word.amount, word.why, word.asked_by, word.asked_at, word.agreed_by,
           word.agreed_at
      FROM by_hand_word AS word;
CREATE VIEW ledger_public.by_hand_journals AS
    SELECT journal.source, hand.journal_id, hand.currency, hand.amount, hand.login, hand.by_one_up_to, hand.alone,
           hand.word_id, hand.posted_at
      FROM by_hand_journal AS hand JOIN journal ON journal.id = hand.journal_id;
CREATE VIEW ledger_public.by_hand_limits AS SELECT id, by_one_up_to, set_by, set_at FROM by_hand_limit;
CREATE VIEW ledger_public.logins_seen AS SELECT id, login, may_act_as, at_first, seen_at FROM login_seen;
COMMENT ON VIEW ledger_public.by_hand_words IS 'Journals by hand that somebody asked for, and who agreed.';
COMMENT ON VIEW ledger_public.by_hand_journals IS 'Journals by hand and the login of the session that posted each.';
COMMENT ON VIEW ledger_public.by_hand_limits IS 'What one login alone may post by hand within a day, newest last.';
COMMENT ON VIEW ledger_public.logins_seen IS 'Logins and what they may act as, when they were seen to change.';
GRANT SELECT ON ledger_public.by_hand_words, ledger_public.by_hand_journals, ledger_public.by_hand_limits,
    ledger_public.logins_seen TO hobbs_reader;

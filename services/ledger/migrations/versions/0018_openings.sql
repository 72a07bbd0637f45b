-- Opening balances: which line of the old books a journal posted, and who signed that all of them are there. The
-- amounts are in the journals' entries only.

CREATE TABLE opening_line (
    journal_id uuid PRIMARY KEY,
    as_of date NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    reference text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    attempt integer NOT NULL,
    CONSTRAINT opening_line_is_posted_once UNIQUE (as_of, kind, key, reference, currency, attempt),
    CONSTRAINT opening_attempt_is_counted CHECK (attempt > 0)
);
COMMENT ON TABLE opening_line IS 'A line of the books kept before, and the journal that posted it.';

CREATE TABLE opening_signature (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    as_of date NOT NULL,
    action text NOT NULL,
    balance_hash text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    decision_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT opening_is_signed_or_reopened CHECK (action IN ('signed', 'reopened')),
    CONSTRAINT opening_is_signed_once_by_a_decision UNIQUE (decision_id)
);
COMMENT ON TABLE opening_signature IS 'Who signed or reopened an opening, newest last.';

CREATE TRIGGER opening_line_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON opening_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opening_signature_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON opening_signature
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE opening_line ENABLE ALWAYS TRIGGER opening_line_is_append_only;
ALTER TABLE opening_signature ENABLE ALWAYS TRIGGER opening_signature_is_append_only;

GRANT SELECT, INSERT ON opening_line, opening_signature TO hobbs_ledger;

-- A line stands when its journal is not reverted, or the revert is: the number of reverts behind it is even.
CREATE VIEW ledger_public.opening_lines AS
    WITH RECURSIVE undone (line_id, journal_id, reverts) AS (
        SELECT journal_id, journal_id, 0 FROM opening_line
        UNION ALL
        SELECT undone.line_id, revert.journal_id, undone.reverts + 1
          FROM undone JOIN revert ON revert.reverted_id = undone.journal_id
    ), reverted AS (
        SELECT line_id, max(reverts) AS reverts FROM undone GROUP BY line_id
    )
    SELECT line.as_of, line.kind, line.key, line.reference, line.currency, line.attempt, line.journal_id,
           journal.source, wallet.address AS wallet, entry.amount, reverted.reverts % 2 = 0 AS stands,
           coalesce(late_journal.belongs_at, journal.occurred_at) AS occurred_at, journal.recorded_at
      FROM opening_line AS line
      JOIN reverted ON reverted.line_id = line.journal_id
      JOIN journal ON journal.id = line.journal_id
      JOIN entry ON entry.journal_id = line.journal_id AND entry.position = 1
      JOIN wallet ON wallet.id = entry.wallet_id
      LEFT JOIN late_journal ON late_journal.journal_id = line.journal_id;
COMMENT ON VIEW ledger_public.opening_lines IS
    'Lines of the books kept before, with what each put on its wallet (credit positive), and whether it stands.';
CREATE VIEW ledger_public.opening_signatures AS
    SELECT id, as_of, action, balance_hash, who, why, decision_id, recorded_at FROM opening_signature;
COMMENT ON VIEW ledger_public.opening_signatures IS 'Who signed or reopened an opening, newest last.';
GRANT SELECT ON ledger_public.opening_lines, ledger_public.opening_signatures TO hobbs_reader;

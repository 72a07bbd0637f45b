-- Answers to settlements that are not known here: a restored database has forgotten what was decided after its
-- backup (decision 0224). They go when a settlement with that id begins. told_at: when finance was told.
CREATE TABLE early_answer (
    settlement_id uuid        PRIMARY KEY,
    answer        text        NOT NULL CONSTRAINT early_answer_is_known CHECK (answer IN ('journal', 'reversal', 'refund')),
    document      jsonb       NOT NULL,
    sentence      text        NOT NULL,
    heard_at      timestamptz NOT NULL,
    told_at       timestamptz
);
GRANT SELECT, INSERT, DELETE, UPDATE (told_at) ON early_answer TO hobbs_adjustments;

CREATE VIEW adjustments_public.early_answers AS
SELECT settlement_id, answer, document, sentence, heard_at, told_at FROM adjustments.early_answer;
GRANT SELECT ON adjustments_public.early_answers TO hobbs_reader;

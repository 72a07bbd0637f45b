-- Invariants of the console's tables. Run as its role.

-- name: no_act_without_its_preview
-- Whatever a person had decided in the console was previewed first: its decision names the preview's hash.
SELECT act.decision_id, act.service, act.object
FROM act JOIN decision USING (decision_id)
WHERE act.decided_at IS NOT NULL AND decision.requested_at IS NOT NULL AND decision.preview_hash IS NULL;

-- name: issued_statements_are_what_the_ledger_says
-- A statement that was issued still ends with what the ledger knew then: entries are never changed. The newest ones.
SELECT issued.wallet, issued.month, issued.closing, known.amount
FROM (SELECT * FROM issued_statement ORDER BY issued_at DESC LIMIT 500) AS issued
CROSS JOIN LATERAL (
    SELECT coalesce(sum(entry.amount), 0) AS amount FROM ledger_public.entries AS entry
    WHERE entry.address = issued.wallet AND entry.currency = issued.currency
      AND entry.occurred_at < issued.ends_at AND entry.recorded_at <= issued.known_at) AS known
WHERE known.amount <> issued.closing;

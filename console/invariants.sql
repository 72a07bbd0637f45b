-- Invariants of the console's tables. Run as its role.

-- name: no_act_without_its_preview
-- Whatever a person had decided in the console was previewed first: its decision names the preview's hash.
SELECT act.decision_id, act.service, act.object
FROM act JOIN decision USING (decision_id)
WHERE act.decided_at IS NOT NULL AND decision.requested_at IS NOT NULL AND decision.preview_hash IS NULL;

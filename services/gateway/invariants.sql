-- name: no_revoked_key_was_let_in
-- Nothing was accepted by a key after it was revoked (a request under way at that moment aside).
SELECT event_id, name, accepted_at, revoked_at
FROM accepted_flight JOIN api_key USING (key_id)
WHERE accepted_at > revoked_at + interval '1 minute';

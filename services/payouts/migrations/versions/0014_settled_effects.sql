-- A person may have a found transfer written with what is known of it (decision 0150).
ALTER TABLE found_effect ADD settled_by text;
CREATE OR REPLACE VIEW payouts_public.found_effects AS
SELECT stripe_id, kind, operation_id, wallet, transfer_id, cause, sources, amount, currency, made_at, found_at,
       adopted_at, standing, sentence, settled_by
FROM found_effect;

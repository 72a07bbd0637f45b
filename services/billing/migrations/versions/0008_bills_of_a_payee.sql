-- An instructor or owner sees their own flights: console/functions/own.sql.
CREATE INDEX bill_by_payee ON bill USING gin (legs jsonb_path_ops);

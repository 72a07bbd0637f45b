-- The console lists payments by the time they came: console/reads/books.py.
CREATE INDEX charge_by_time ON charge (received_at, charge_id) WHERE amount IS NOT NULL;

-- Kafka was lost then: of what Stripe made before, what receivables has not taken in is missing too (hobbs/put_back).
ALTER TABLE event_listing ADD COLUMN lost_before timestamptz;

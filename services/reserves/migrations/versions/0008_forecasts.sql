-- What was forecast of each day as it began, and what came of it: decision 0259. Amounts in minor units.
CREATE TABLE forecast (
    currency      text        NOT NULL,
    day           date        NOT NULL,
    made_at       timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    free          bigint      NOT NULL,
    sent          bigint      NOT NULL,
    payments      bigint      NOT NULL,
    short         bigint      NOT NULL,
    compared_at   timestamptz,
    free_came     bigint,
    sent_came     bigint,
    payments_came bigint,
    PRIMARY KEY (currency, day),
    CONSTRAINT forecast_is_made_before_it_ends CHECK (made_at < ends_at AND compared_at >= ends_at),
    CONSTRAINT forecast_is_compared_whole CHECK (
        (compared_at IS NULL) = (sent_came IS NULL) AND (compared_at IS NULL) = (payments_came IS NULL)
        AND (compared_at IS NOT NULL OR free_came IS NULL))
);
CREATE INDEX forecast_to_compare ON forecast (ends_at) WHERE compared_at IS NULL;
-- What was foreseen is never changed.
GRANT SELECT, INSERT, UPDATE (compared_at, free_came, sent_came, payments_came) ON forecast TO hobbs_reserves;

CREATE VIEW reserves_public.forecasts AS
SELECT currency, day, made_at, ends_at, free, free_came, sent, sent_came, payments, payments_came, short, compared_at
FROM reserves.forecast;
GRANT SELECT ON reserves_public.forecasts TO hobbs_reader;

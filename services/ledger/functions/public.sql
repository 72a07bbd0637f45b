-- What hobbs_reader may ask the ledger. It may not use the schema ledger: these run as their owner.

-- The balance of a wallet in a currency, in minor units, as balance_at of ledger says.
CREATE OR REPLACE FUNCTION ledger_public.balance_at(
    wallet text, currency text, occurred_by timestamptz, known_by timestamptz)
    RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
    SELECT ledger.balance_at(wallet, currency, occurred_by, known_by)
$$;
GRANT EXECUTE ON FUNCTION ledger_public.balance_at(text, text, timestamptz, timestamptz) TO hobbs_reader;

-- Recomputes the links of the chain after a position, as verify_links of ledger does.
CREATE OR REPLACE FUNCTION ledger_public.verify_links(
    after bigint, hash bytea, most integer, OUT reached bigint, OUT reached_hash bytea, OUT why text,
    OUT journal_id uuid, OUT source text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ledger, pg_temp
    AS $$
    SELECT * FROM ledger.verify_links(after, hash, most)
$$;
GRANT EXECUTE ON FUNCTION ledger_public.verify_links(bigint, bytea, integer) TO hobbs_reader;

-- Sessions that hold up the services: what blocks a session of theirs for so long, and transactions that idle for
-- so long. For `hobbs doctor`: an operator may not see other people's sessions, and here sees no statement of theirs.
-- What waits itself is left out, so that who blocks is the one to end. A pid of 0 is a prepared transaction.
CREATE OR REPLACE FUNCTION ledger_public.sessions_in_the_way(
    blocks_s integer, idle_s integer, OUT pid integer, OUT role text, OUT application text, OUT state text,
    OUT since timestamptz, OUT blocked text[])
    RETURNS SETOF record
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH session AS MATERIALIZED (
        SELECT * FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
    ), blocker AS (
        SELECT by_pid, array_agg(DISTINCT session.usename::text ORDER BY session.usename::text) AS blocked
        FROM session
        CROSS JOIN LATERAL unnest(pg_blocking_pids(session.pid)) AS by_pid
        WHERE session.usename LIKE 'hobbs\_%' AND cardinality(pg_blocking_pids(by_pid)) = 0
          AND EXISTS (SELECT FROM pg_locks
                      WHERE pg_locks.pid = session.pid AND NOT granted
                        AND waitstart <= clock_timestamp() - make_interval(secs => blocks_s))
        GROUP BY by_pid
    )
    SELECT coalesce(session.pid, by_pid), coalesce(usename::text, backend_type), application_name, state,
           coalesce(xact_start, state_change), blocked
    FROM session FULL JOIN blocker ON by_pid = session.pid
    WHERE by_pid IS NOT NULL
       OR (state LIKE 'idle in transaction%' AND state_change <= clock_timestamp() - make_interval(secs => idle_s))
    ORDER BY 1
$$;
GRANT EXECUTE ON FUNCTION ledger_public.sessions_in_the_way(integer, integer) TO hobbs_operator;

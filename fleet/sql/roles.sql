-- What roles of Hobbs are, belong to or own, and should not (fleet/excess.py). Roles are the whole server's.
WITH ours AS (
    SELECT r.*, r.rolname = ANY (SELECT 'hobbs_' || each FROM unnest(CAST(:services AS text[])) AS each) AS is_service
    FROM pg_roles AS r
    WHERE rolname LIKE 'hobbs\_%' AND NOT rolname = ANY (SELECT pg_get_userbyid(datdba) FROM pg_database)
), found AS (
    SELECT rolname AS role, format('%s is %s', rolname, what) AS sentence,
           format('ALTER ROLE %s %s', rolname, mend) AS statement
    FROM ours, LATERAL (VALUES
        (rolsuper, 'a superuser: no grant binds it', 'NOSUPERUSER'),
        (rolcreatedb, 'allowed to make databases', 'NOCREATEDB'),
        (rolcreaterole, 'allowed to make roles', 'NOCREATEROLE'),
        (rolreplication, 'allowed to copy the whole server', 'NOREPLICATION'),
        (rolbypassrls, 'bound by no policy on rows', 'NOBYPASSRLS'),
        (rolconnlimit <> -1, 'limited to ' || rolconnlimit || ' connections', 'CONNECTION LIMIT -1'),
        (rolvaliduntil IS NOT NULL AND rolvaliduntil <> 'infinity', 'valid until ' || rolvaliduntil,
         'VALID UNTIL ''infinity''')) AS attribute (is_so, what, mend)
    WHERE is_so
    UNION ALL
    SELECT member.rolname, format('%s may act as %s', member.rolname, granted.rolname),
           -- What it should be a member of in another way, it stays a member of.
           CASE WHEN granted.rolname = 'hobbs_reader'
                     AND member.rolname IN ('hobbs_operator', 'hobbs_console', 'hobbs_finance')
                THEN format('GRANT %I TO %I WITH ADMIN FALSE', granted.rolname, member.rolname)
                WHEN member.rolname = 'hobbs_operator' AND of_granted.is_service
                     OR member.rolname = 'hobbs_console' AND granted.rolname = 'hobbs_holder'
                THEN format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE, ADMIN FALSE', granted.rolname, member.rolname)
                ELSE format('REVOKE %I FROM %I', granted.rolname, member.rolname) END
    FROM pg_auth_members AS m JOIN pg_roles AS granted ON granted.oid = m.roleid
         JOIN pg_roles AS member ON member.oid = m.member
         LEFT JOIN ours AS of_member ON of_member.oid = m.member LEFT JOIN ours AS of_granted ON of_granted.oid = m.roleid
    WHERE (of_member.oid IS NOT NULL OR of_granted.is_service
           -- People get these roles by `hobbs logins`, under names that begin so.
           OR granted.rolname IN ('hobbs_operator', 'hobbs_finance', 'hobbs_operations')
              AND NOT starts_with(member.rolname, 'person_'))
      AND NOT (member.rolname = 'hobbs_operator'
               AND (granted.rolname = 'hobbs_reader' OR of_granted.is_service AND NOT m.inherit_option)
               AND NOT m.admin_option)
      AND NOT (member.rolname = 'hobbs_console' AND granted.rolname = 'hobbs_reader' AND NOT m.admin_option)
      AND NOT (member.rolname = 'hobbs_console' AND granted.rolname = 'hobbs_holder'
               AND NOT m.inherit_option AND NOT m.admin_option)
      AND NOT (member.rolname = 'hobbs_finance' AND granted.rolname = 'hobbs_reader' AND NOT m.admin_option)
      -- Who makes a role without being a superuser administers it.
      AND NOT member.rolname = ANY (SELECT pg_get_userbyid(datdba) FROM pg_database)
    UNION ALL
    SELECT ours.rolname, format('%s starts with settings of its own: %s', rolname, array_to_string(setconfig, ', ')),
           format('ALTER ROLE %s %s RESET ALL', rolname,
                  CASE setdatabase WHEN 0 THEN '' ELSE 'IN DATABASE ' || quote_ident(current_database()) END)
    FROM pg_db_role_setting JOIN ours ON ours.oid = setrole
    WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION ALL
    SELECT ours.rolname, format('%s owns %s %s', rolname, what, name), ''
    FROM ours JOIN LATERAL (
        SELECT 'table or view' AS what, oid::regclass::text AS name, relowner AS owner FROM pg_class
        WHERE relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND relpersistence <> 't'
        UNION ALL SELECT 'function', oid::regprocedure::text, proowner FROM pg_proc
        UNION ALL SELECT 'schema', nspname, nspowner FROM pg_namespace WHERE nspname !~ '^pg_'
        UNION ALL SELECT 'large object', oid::text, lomowner FROM pg_largeobject_metadata
        UNION ALL SELECT 'database', datname, datdba FROM pg_database WHERE datname = current_database()
    ) AS owned ON owned.owner = ours.oid
    UNION ALL
    SELECT ours.rolname, format('%s is given rights on objects that will be made', rolname), ''
    FROM pg_default_acl, aclexplode(defaclacl) AS a JOIN ours ON ours.oid = a.grantee
)
SELECT sentence, statement FROM found ORDER BY role, sentence

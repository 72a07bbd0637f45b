-- Rights on objects of this database that a role of Hobbs, or everybody, has and that are not wanted (fleet/excess.py).
WITH ours AS (
    SELECT oid, rolname FROM pg_roles
    WHERE rolname LIKE 'hobbs\_%' AND NOT rolname = ANY (SELECT pg_get_userbyid(datdba) FROM pg_database)
), schema_of_ours AS (
    SELECT n.oid, n.nspname, n.nspacl, n.nspowner FROM pg_namespace AS n
    WHERE n.nspname = ANY (CAST(:services AS text[]))
       OR n.nspname = ANY (SELECT each || '_public' FROM unnest(CAST(:services AS text[])) AS each)
), right_of AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, n.nspname AS schema, c.relname AS name,
           '' AS detail, format('%I.%I', n.nspname, c.relname) AS object, c.relowner AS owner, a.grantee,
           a.privilege_type, a.is_grantable
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace, aclexplode(c.relacl) AS a
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'COLUMN', n.nspname, c.relname, att.attname, format('%I.%I', n.nspname, c.relname), c.relowner, a.grantee,
           a.privilege_type, a.is_grantable
    FROM pg_attribute AS att JOIN pg_class AS c ON c.oid = att.attrelid
         JOIN pg_namespace AS n ON n.oid = c.relnamespace, aclexplode(att.attacl) AS a
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT att.attisdropped
    UNION ALL
    SELECT 'FUNCTION', n.nspname, p.proname, array_to_string(p.proargtypes::oid[], ' '), p.oid::regprocedure::text,
           p.proowner, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace,
         aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'SCHEMA', n.nspname, '', '', quote_ident(n.nspname), n.nspowner, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'DATABASE', '', d.datname, '', quote_ident(d.datname), d.datdba, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_database AS d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
    WHERE d.datname = current_database()
    UNION ALL
    SELECT 'LARGE OBJECT', '', l.oid::text, '', l.oid::text, l.lomowner, a.grantee, a.privilege_type, a.is_grantable
    FROM pg_largeobject_metadata AS l, aclexplode(l.lomacl) AS a
), wanted AS (
    SELECT role, privilege, kind, schema, name,
           CASE WHEN kind = 'FUNCTION' THEN
               (SELECT coalesce(string_agg(to_regtype(type)::oid::text, ' ' ORDER BY n), '')
                FROM unnest(string_to_array(nullif(detail, ''), ',')) WITH ORDINALITY AS t (type, n))
           ELSE detail END AS detail
    FROM unnest(CAST(:roles AS text[]), CAST(:privileges AS text[]), CAST(:kinds AS text[]), CAST(:schemas AS text[]),
                CAST(:names AS text[]), CAST(:details AS text[])) AS each (role, privilege, kind, schema, name, detail)
    UNION ALL
    SELECT 'hobbs_' || each, 'CONNECT', 'DATABASE', '', current_database(), ''
    FROM unnest(CAST(:services AS text[]) || '{operator}') AS each
), beyond AS (
    SELECT r.kind, r.object, r.detail, r.is_grantable, coalesce(ours.rolname, 'PUBLIC') AS grantee,
           r.privilege_type || CASE r.kind WHEN 'COLUMN' THEN format(' (%I)', r.detail) ELSE '' END AS privilege,
           CASE r.kind WHEN 'COLUMN' THEN 'TABLE' ELSE r.kind END AS of_kind
    FROM right_of AS r LEFT JOIN ours ON ours.oid = r.grantee
    WHERE r.grantee <> r.owner
      AND (ours.oid IS NOT NULL
           OR r.grantee = 0 AND (r.kind IN ('DATABASE', 'LARGE OBJECT')
                                 OR r.schema IN (SELECT nspname FROM schema_of_ours)
                                 OR r.schema = 'public' AND r.kind = 'SCHEMA' AND r.privilege_type = 'CREATE'))
      AND (r.is_grantable
           OR NOT EXISTS (SELECT FROM wanted WHERE wanted.role = ours.rolname
                          AND wanted.privilege = r.privilege_type AND wanted.kind = r.kind
                          AND wanted.schema = r.schema AND wanted.name = r.name AND wanted.detail = r.detail))
)
SELECT format('%s may %s ON %s %s%s', grantee, privilege, of_kind, object,
              CASE WHEN is_grantable THEN ' and give it to others' ELSE '' END) AS sentence,
       format('REVOKE %s ON %s %s FROM %s', privilege, of_kind, object, grantee) AS statement
FROM beyond ORDER BY grantee, of_kind, object, privilege

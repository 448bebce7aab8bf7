-- Says of each thing that capture relies on whether it holds. Run as the capturing account: it needs no more rights.
SELECT 'wal_level' AS setting, current_setting('wal_level') AS found,
       CASE current_setting('wal_level') WHEN 'logical' THEN 'ok' ELSE 'MEND: logical (needs a restart)' END AS verdict
UNION ALL
SELECT 'max_slot_wal_keep_size', current_setting('max_slot_wal_keep_size'),
       CASE current_setting('max_slot_wal_keep_size') WHEN '-1' THEN 'better: a limit; a slot without a reader fills the disk' ELSE 'ok' END
UNION ALL
SELECT 'replication right', current_user::text,
       CASE WHEN rolreplication OR rolsuper THEN 'ok' ELSE 'MEND: ALTER ROLE … REPLICATION' END
  FROM pg_roles WHERE rolname = current_user
UNION ALL
SELECT 'replica identity of ' || wanted.name, c.relreplident::text,
       CASE WHEN c.oid IS NULL THEN 'MEND: there is no such table'
            WHEN c.relreplident = 'f' THEN 'ok' ELSE 'MEND: ALTER TABLE … REPLICA IDENTITY FULL' END
  FROM (VALUES ('oms.orders'), ('dispatch.assignments')) AS wanted(name)
  LEFT JOIN pg_class c ON c.oid = to_regclass(wanted.name)
UNION ALL
SELECT wanted.name || ' is published', p.pubname::text,
       CASE WHEN p.pubname IS NULL THEN 'MEND: ALTER PUBLICATION cdc_pub ADD TABLE …' ELSE 'ok' END
  FROM (VALUES ('oms.orders'), ('dispatch.assignments')) AS wanted(name)
  LEFT JOIN pg_publication_tables p ON p.pubname = 'cdc_pub' AND p.schemaname || '.' || p.tablename = wanted.name
UNION ALL
SELECT wanted.name || ' may be read', has_table_privilege(wanted.name, 'SELECT')::text,
       CASE WHEN has_table_privilege(wanted.name, 'SELECT') THEN 'ok' ELSE 'MEND: GRANT SELECT' END
  FROM (VALUES ('oms.orders'), ('dispatch.assignments')) AS wanted(name)
 WHERE to_regclass(wanted.name) IS NOT NULL;

-- Says of each thing that capture relies on whether it holds. Run as the capturing account: it needs no more rights.
SELECT 'log_bin' AS setting, @@log_bin AS found, IF(@@log_bin = 1, 'ok', 'MEND: switch the binlog on') AS verdict
UNION ALL SELECT 'binlog_format', @@binlog_format, IF(@@binlog_format = 'ROW', 'ok', 'MEND: ROW, else there are no rows to read')
UNION ALL SELECT 'binlog_row_image', @@binlog_row_image, IF(@@binlog_row_image = 'FULL', 'ok', 'MEND: FULL, else the row before a change is missing')
UNION ALL SELECT 'binlog_row_value_options', @@binlog_row_value_options, IF(@@binlog_row_value_options = '', 'ok', 'MEND: empty; PARTIAL_JSON leaves parts of rows out')
UNION ALL SELECT 'server_id', @@server_id, IF(@@server_id > 0, 'ok', 'MEND: a number of its own')
UNION ALL SELECT 'gtid_mode', @@gtid_mode, IF(@@gtid_mode = 'ON', 'ok', 'better: ON, so that positions are comparable after a failover')
UNION ALL SELECT 'binlog_expire_logs_seconds', @@binlog_expire_logs_seconds, IF(@@binlog_expire_logs_seconds = 0 OR @@binlog_expire_logs_seconds >= 259200, 'ok', 'better: three days or more; capture that stands still for longer needs a snapshot')
UNION ALL SELECT 'orders may be read', COUNT(*), 'ok' FROM (SELECT 1 FROM oms.orders LIMIT 1) AS o
UNION ALL SELECT 'assignments may be read', COUNT(*), 'ok' FROM (SELECT 1 FROM dispatch.assignments LIMIT 1) AS a;

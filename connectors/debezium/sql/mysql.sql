-- What capture needs on MySQL 8, and no more. Change names, hosts and the password; run as a user who may grant. The
-- account reads rows of two tables and the binlog; it changes nothing but the signal table.
--
-- The server itself needs, in its configuration:
--   log_bin, server_id, binlog_format=ROW, binlog_row_image=FULL, binlog_row_value_options='' (no PARTIAL_JSON)
--   gtid_mode=ON, enforce_gtid_consistency=ON: positions then survive a failover
--   binlog_expire_logs_seconds: longer than capture may ever stand still (604800 is a week)
-- check-mysql.sql says whether that holds.

CREATE USER IF NOT EXISTS 'cdc'@'%' IDENTIFIED BY 'change-me';

-- The rows. Waybill needs no other table of the server.
GRANT SELECT ON oms.orders TO 'cdc'@'%';
GRANT SELECT ON dispatch.assignments TO 'cdc'@'%';

-- The binlog. REPLICATION SLAVE reads all of it: there is no right to a part.
GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO 'cdc'@'%';

-- A snapshot looks at the table definitions under a read lock of moments (snapshot.locking.mode=minimal).
GRANT RELOAD ON *.* TO 'cdc'@'%';

-- Snapshots of chosen rows are asked for by a row in this table; see docs/capture.md.
CREATE TABLE IF NOT EXISTS oms.debezium_signal (
  id VARCHAR(64) NOT NULL PRIMARY KEY, type VARCHAR(32) NOT NULL, data VARCHAR(2048) NULL
) ENGINE=InnoDB;
GRANT SELECT, INSERT, UPDATE, DELETE ON oms.debezium_signal TO 'cdc'@'%';

-- What capture needs on PostgreSQL 12 and later, and no more. Change names and the password; run in the database of the
-- tables, as the owner of both tables or as a superuser. The account reads two tables and their part of the WAL.
--
-- The server itself needs wal_level=logical, and a max_slot_wal_keep_size: a slot whose reader is away keeps WAL on
-- disk, without a limit until the disk is full. check-postgresql.sql says whether that holds.

CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'change-me';

GRANT USAGE ON SCHEMA oms, dispatch TO cdc;
GRANT SELECT ON oms.orders, dispatch.assignments TO cdc;

-- The whole old row in each change. Without it "before" is null on update, and on delete holds the key and made-up
-- values for the rest.
ALTER TABLE oms.orders REPLICA IDENTITY FULL;
ALTER TABLE dispatch.assignments REPLICA IDENTITY FULL;

-- Made here, so that the account needs no right to make one.
CREATE PUBLICATION cdc_pub FOR TABLE oms.orders, dispatch.assignments;

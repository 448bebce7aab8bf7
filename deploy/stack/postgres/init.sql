-- Run once by a superuser: the role that captures, the database of the order system, that of the delivery log.
CREATE ROLE cdc LOGIN REPLICATION PASSWORD 'cdc';
CREATE ROLE waybill LOGIN PASSWORD 'waybill';
CREATE DATABASE oms;
CREATE DATABASE waybill OWNER waybill;

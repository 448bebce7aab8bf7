-- Run once by a superuser: the database of the order system, and that of the delivery log with its role.
CREATE ROLE waybill LOGIN PASSWORD 'waybill';
CREATE DATABASE oms;
CREATE DATABASE waybill OWNER waybill;

-- The order system and the dispatch system of the demonstration in PostgreSQL; run in the database `oms`. Who
-- captures them is made by connectors/debezium/sql/postgresql.sql.
CREATE SCHEMA oms;
CREATE SCHEMA dispatch;

CREATE TABLE oms.orders (
  id bigint PRIMARY KEY, order_number varchar(32) NOT NULL UNIQUE, partner_id varchar(32) NOT NULL, customer_id varchar(32), customer_name varchar(120), customer_phone varchar(24), city varchar(64),
  status text NOT NULL DEFAULT 'NEW' CHECK (status IN ('NEW','CONFIRMED','PACKED','OUT_FOR_DELIVERY','DELIVERED','DELIVERY_FAILED','RETURN_INITIATED','RETURN_PICKED_UP','CANCELLED')),
  status_version int NOT NULL DEFAULT 0, attempt_no int NOT NULL DEFAULT 0, sla_due_at timestamp(3), address text, address_confirmed boolean NOT NULL DEFAULT false, cod_amount numeric(12,2),
  failure_reason_code varchar(40), rescheduled_for timestamptz, return_reason_code varchar(40), return_condition varchar(40), return_pickup_eta timestamp,
  created_at timestamptz(3) NOT NULL DEFAULT now(), updated_at timestamptz(3) NOT NULL DEFAULT now(), delivered_at timestamptz(3));

CREATE TABLE dispatch.assignments (
  id bigint PRIMARY KEY, order_id bigint NOT NULL, attempt_no int NOT NULL, rider_id varchar(32), rider_name varchar(120), rider_phone varchar(24), otp char(6), eta_start timestamptz, eta_end timestamptz,
  assigned_at timestamptz(3) NOT NULL DEFAULT now(), updated_at timestamptz(3) NOT NULL DEFAULT now());

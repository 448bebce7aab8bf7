-- The order system and the dispatch system of the demonstration, for MariaDB and MySQL, and who writes in them. Who
-- captures them is made by connectors/debezium/sql.
CREATE DATABASE IF NOT EXISTS oms CHARACTER SET utf8mb4;
CREATE DATABASE IF NOT EXISTS dispatch CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS oms.orders (
  id                  BIGINT        NOT NULL AUTO_INCREMENT,
  order_number        VARCHAR(32)   NOT NULL,
  partner_id          VARCHAR(32)   NOT NULL,
  customer_id         VARCHAR(32)   NULL,
  customer_name       VARCHAR(120)  NULL,
  customer_phone      VARCHAR(24)   NULL,
  city                VARCHAR(64)   NULL,
  status              ENUM('NEW','CONFIRMED','PACKED','OUT_FOR_DELIVERY','DELIVERED','DELIVERY_FAILED','RETURN_INITIATED','RETURN_PICKED_UP','CANCELLED') NOT NULL DEFAULT 'NEW',
  status_version      INT           NOT NULL DEFAULT 0,
  attempt_no          INT           NOT NULL DEFAULT 0,
  sla_due_at          DATETIME(3)   NULL,
  address             VARCHAR(400)  NULL,
  address_confirmed   BOOLEAN       NOT NULL DEFAULT 0,
  cod_amount          DECIMAL(12,2) NULL,
  failure_reason_code VARCHAR(40)   NULL,
  rescheduled_for     DATETIME      NULL,
  return_reason_code  VARCHAR(40)   NULL,
  return_condition    VARCHAR(40)   NULL,
  return_pickup_eta   DATETIME      NULL,
  created_at          TIMESTAMP(3)  NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at          TIMESTAMP(3)  NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  delivered_at        TIMESTAMP(3)  NULL DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uq_order_number (order_number),
  KEY ix_partner_status (partner_id, status)
) ENGINE=InnoDB;

CREATE TABLE IF NOT EXISTS dispatch.assignments (
  id          BIGINT       NOT NULL AUTO_INCREMENT,
  order_id    BIGINT       NOT NULL,
  attempt_no  INT          NOT NULL,
  rider_id    VARCHAR(32)  NULL,
  rider_name  VARCHAR(120) NULL,
  rider_phone VARCHAR(24)  NULL,
  otp         CHAR(6)      NULL,
  eta_start   DATETIME     NULL,
  eta_end     DATETIME     NULL,
  assigned_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  updated_at  TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  PRIMARY KEY (id),
  KEY ix_order (order_id, attempt_no)
) ENGINE=InnoDB;

-- Who writes orders and assignments.
CREATE USER IF NOT EXISTS 'oms'@'%' IDENTIFIED BY 'oms';
GRANT ALL ON oms.* TO 'oms'@'%';
GRANT ALL ON dispatch.* TO 'oms'@'%';

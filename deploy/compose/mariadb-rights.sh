#!/bin/sh
# The capturing account, as connectors/debezium/sql makes it, with a password.
sed "s/change-me/cdc/" /schema/rights.sql | mariadb -uroot -p"$MARIADB_ROOT_PASSWORD"

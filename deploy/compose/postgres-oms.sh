#!/bin/sh
# The image runs its scripts in one database; these tables belong into another.
exec psql -v ON_ERROR_STOP=1 -U postgres -d oms -f /schema/oms.sql

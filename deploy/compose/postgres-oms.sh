#!/bin/sh
# The image runs its scripts in one database; these tables belong into another, and the capturing account gets a password.
{ cat /schema/oms.sql; sed "s/change-me/cdc/" /schema/rights.sql; } | psql -v ON_ERROR_STOP=1 -U postgres -d oms -f -

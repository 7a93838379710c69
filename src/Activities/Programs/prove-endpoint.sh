#!/bin/sh
# Runs $STATEMENT through the virtual IP, as $PGOPTIONS say; its result is the answer, and who gave it.
# As a walsender: it takes none of the clients' connections. Logins are repeated while neighbours learn the address; a
# commit is waited for once, with a deadline at the client.
# shellcheck source=lib/conninfo.sh
. "$JOB/lib/conninfo.sh"
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
address=$(server "$VIP" "$ROLE" dbname "$DATABASE" replication database connect_timeout 2)
n=0
while :; do
  out=$(timeout 15 psql "$address" -w -XAtq -v ON_ERROR_STOP=1 \
    -c "$STATEMENT" -c "IDENTIFY_SYSTEM" 2>&1)
  code=$?
  [ "$code" -ne 0 ] || { result 'lines[]' "$out"; exit; }
  case $code in 124 | 143) echo "it did not end within 15 s $out"; exit 1 ;; esac
  n=$((n + 1))
  [ "$n" -lt 10 ] || { echo "${out:-psql ended with $code}"; exit 1; }
  sleep 0.2 2>/dev/null || sleep 1
done

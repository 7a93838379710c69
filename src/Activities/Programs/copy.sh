#!/bin/sh
# Copies the server at $PRIMARY beside the node's data; the last rename says that the copy is whole.
set -eu
# shellcheck source=lib/conninfo.sh
. "$JOB/lib/conninfo.sh"
# shellcheck source=lib/prepare-standby.sh
. "$JOB/lib/prepare-standby.sh"
cd "$VOLUME"
[ ! -e "data.copy/.copied-$RUN" ] && [ ! -e "data/.copied-$RUN" ] || exit 0
rm -rf data.new data.copy
# A slow disk stalls the copy for longer than PgFlow lets replication hang.
pg_basebackup -D data.new -w -X stream -c fast -P \
  -d "$(server "$PRIMARY" replicator options '-c wal_sender_timeout=60s' connect_timeout 5)" 2>&1
[ -z "$(ls -A data.new/pg_tblspc)" ] || {
  echo "the primary has tablespaces outside its data directory, which can't be copied"
  exit 3
}
prepare_standby data.new
rm -f data.new/.copied-*
: > "data.new/.copied-$RUN"
sync
mv data.new data.copy

#!/bin/sh
# Stages a copy of the server at $ADDRESS as backups/.$ID.new; its result says what its manifest says. What was staged
# before goes: who takes a backup is alone.
set -eu
# shellcheck source=lib/conninfo.sh
. "$JOB/lib/conninfo.sh"
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
mkdir -p "$REPOSITORY/backups"
cd "$REPOSITORY/backups"
if [ -e "$ID" ]; then
  [ "$(cat "$ID/by")" = "$BY" ] || { echo "there is a backup $ID already"; exit 1; }
  place=$ID
else
  place=.$ID.new
fi
if [ ! -e "$place/copied" ]; then
  rm -rf .*.new
  mkdir "$place"
  printf '%s\n' "$BY" > "$place/by"
  date -u +%s.%N > "$place/began" # the label has it in the server's log_timezone, abbreviated
  # A slow disk stalls the copy for longer than PgFlow lets replication hang.
  pg_basebackup -D "$place/data" -w -X none -c fast -P \
    ${PARENT:+"--incremental=$REPOSITORY/backups/$PARENT/data/backup_manifest"} \
    -d "$(server "$ADDRESS" replicator options '-c wal_sender_timeout=60s' connect_timeout 5 keepalives_idle 5 \
      keepalives_interval 2 keepalives_count 2 tcp_user_timeout 5000)" 2>&1
  [ -z "$(ls -A "$place/data/pg_tblspc")" ] || {
    echo "a tablespace was made meanwhile, which lies outside the data directory"
    exit 3
  }
  date -u +%s.%N > "$place/copied.new"
  mv "$place/copied.new" "$place/copied"
fi
began=$(cat "$place/began") ended=$(cat "$place/copied")
cd "$place/data"
kilobytes=$(du -sk .)
result began "$began" ended "$ended" kilobytes "${kilobytes%%[!0-9]*}" \
  systemIdentifier "$(pg_controldata . | sed -n 's/^Database system identifier: *//p')" \
  'ranges[]' "$(
    sed -n 's/.*"Timeline": \([0-9]*\), "Start-LSN": "\([^"]*\)", "End-LSN": "\([^"]*\)".*/\1 \2 \3/p' backup_manifest
  )"

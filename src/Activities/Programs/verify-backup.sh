#!/bin/sh
# Recovers the backups of $JOB/backups in this container up to $REPLAY_END on timeline $TIMELINE, opens the database,
# checks every table and B-tree, and says what that took.
# Ends with 12 where that fails; its result is what PgFlow judges by. Neither the settings that came with the backup
# count, nor those of roles and databases, nor their triggers: a sound backup is sound whatever they say.
set -eu
# shellcheck source=lib/unpack.sh
. "$JOB/lib/unpack.sh"
# shellcheck source=lib/raise-settings.sh
. "$JOB/lib/raise-settings.sh"
# shellcheck source=lib/result.sh
. "$JOB/lib/result.sh"
mkdir -m 0700 /tmp/verify
cd /tmp/verify
server=''
trap '[ -z "$server" ] || kill -QUIT "$server" 2> /dev/null && wait "$server" 2> /dev/null; rm -rf /tmp/verify' EXIT

# failed STAGE REASON FILE: what failed, why in a word, and the end of what was said, without the questions that came
# too early.
failed() {
  result stage "$1" reason "$2" said "$(grep -v '^57P03 ' "$3" | tail -n 12)"
  exit 12
}
took() { # seconds: how many since the mark before
  now=$(date +%s)
  seconds=$((now - mark))
  mark=$now
}
ask() { # QUESTION: as the first database answers that can be opened; nothing where none can
  for database in postgres template1 app; do
    if psql -d "$database" -AtXqc "$1" 2> said; then return; fi
  done
}
running() { kill -0 "$server" 2> /dev/null; }

needed() { # the WAL may have been written with more than any default
  for data in data "$NODES"/*/data; do control "$data"; done > controls
  greatest controls
}
start() {
  given=$(needed)
  cat > data/postgresql.conf << END
$given
shared_preload_libraries = '$preload'
listen_addresses = ''
unix_socket_directories = '/tmp/verify'
hba_file = '/tmp/verify/hba'
ident_file = '/tmp/verify/ident'
log_line_prefix = '%e '
shared_buffers = 128MB
fsync = off
autovacuum = off
restart_after_crash = off
recovery_target_timeline = '$TIMELINE'
recovery_target_lsn = '$BEFORE'
recovery_target_inclusive = off
recovery_target_action = 'pause'
END
  postgres -D data > log 2>&1 &
  server=$!
}
stop() {
  kill -QUIT "$server" 2> /dev/null || :
  wait "$server" 2> /dev/null || :
}
ended() { # it stopped before the target: once more with what the WAL may need, or that was it
  stop
  if [ "$(needed)" = "$given" ]; then
    [ -f first ] || cp log first
    [ "$preload" != "$libraries" ] || failed recovery \
      "$(sed -n -e 's/^\(.....\) FATAL:.*/\1/p' -e 's/^\(.....\) PANIC:.*/\1/p' first | tail -n 1)" first
    preload=$libraries # custom resource managers
  fi
  start
}
startup() { # what a recovery is at that answers nobody yet: its title, and its processor time in tenths of a second
  for process in /proc/[0-9]*; do
    title=$(tr '\0' ' ' 2> /dev/null < "$process/cmdline") || continue
    case $title in postgres:*startup*)
      echo "$title $(awk '{ print int(($14 + $15) / 10) }' "$process/stat" 2> /dev/null)"
      ;;
    esac
  done
}

mark=$(date +%s)
unpack data locate
rm -f data/recovery.signal
: > data/standby.signal
chmod 0700 data
took
restore=$seconds

libraries=$(
  sed '/^[[:space:]]*include/d' data/postgresql.conf > own
  cat data/postgresql.auto.conf >> own 2> /dev/null
  postgres -D data -c config_file=/tmp/verify/own -C shared_preload_libraries 2> /dev/null
) || libraries=''
preload=''
: > data/postgresql.auto.conf
echo 'local all all trust' > hba
: > ident
export PGHOST=/tmp/verify PGUSER=pgflow PGCONNECT_TIMEOUT=10
# shellcheck disable=SC2089 # libpq takes the backslash, no shell
PGOPTIONS='-c search_path=pg_catalog -c default_transaction_isolation=read\ committed'
PGOPTIONS="$PGOPTIONS -c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0"
PGOPTIONS="$PGOPTIONS -c idle_in_transaction_session_timeout=0"
PGOPTIONS="$PGOPTIONS -c session_preload_libraries= -c local_preload_libraries="
PGOPTIONS="$PGOPTIONS -c role=none -c session_replication_role=replica"
[ "$(cut -d . -f 1 data/PG_VERSION)" -lt 17 ] || PGOPTIONS="$PGOPTIONS -c transaction_timeout=0 -c event_triggers=off"
# shellcheck disable=SC2090 # as above
export PGOPTIONS

start
last='' still=0 from=''
while at=$(ask "SELECT pg_last_wal_replay_lsn() >= '$REPLAY_END', pg_is_wal_replay_paused(),
    pg_last_wal_replay_lsn()") && [ "${at#t}" = "$at" ]; do
  sleep 0.1
  if [ "${at#f|t}" != "$at" ] || ! running; then ended; fi
  [ -n "$at" ] || at=$(startup)
  still=$((still + 1))
  if [ "$at" != "$last" ]; then
    last=$at still=0
    case $at in f*) from=${from:-${at##*|}} ;; esac
    echo "replays: ${at##*|}; from ${from:-nowhere yet} to $REPLAY_END"
  fi
  [ "$still" -lt 1200 ] || failed standstill "${last##*|}; it says $(cat said)" log
done
if [ "$(ask 'SELECT pg_promote(true, 86400)')" != t ]; then
  if running; then failed promotion refused said; else failed promotion ended log; fi
fi
took
replay=$seconds

echo 'checks every table and B-tree'
# Every database is opened, also a closed one.
ask 'UPDATE pg_database SET datallowconn = true WHERE NOT datallowconn' > /dev/null
for database in $(ask 'SELECT oid FROM pg_database WHERE datconnlimit <> -2'); do
  psql -d "$(ask "SELECT 'dbname='''
      || replace(replace(datname, chr(92), chr(92) || chr(92)), '''', chr(92) || '''') || ''''
    FROM pg_database WHERE oid = $database")" \
    -AtXqc "UPDATE pg_event_trigger SET evtenabled = 'D' WHERE evtenabled <> 'D'" > /dev/null 2> said \
    || failed database "$database" said
done
if command -v pg_amcheck > /dev/null; then
  pg_amcheck --all --install-missing -j 2 > found 2>&1 || failed amcheck "$?" found
else # before PostgreSQL 14
  pg_dumpall 2> found > /dev/null || failed dumpall "$(sed -n 's/^\(XX0..\) .*/\1/p' log | tail -n 1)" found
fi
running || failed check ended log
took
check=$seconds
kilobytes=$(du -sk data 2> /dev/null) || : # the server runs, and removes files meanwhile
result restoreSeconds "$restore" replaySeconds "$replay" checkSeconds "$check" \
  kilobytes "${kilobytes%%[!0-9]*}" at "$mark"

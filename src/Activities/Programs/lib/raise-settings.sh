# shellcheck shell=sh
# shellcheck source=lib/control.sh
. "$JOB/lib/control.sh"
# greatest FILE: the lines "setting = value" of as much of each as the WAL was written with, by the outputs of
# pg_controldata in FILE; with less a recovery stops (CheckRequiredParameterValues in xlog.c). Chosen here and not by
# PgFlow: a verification needs it between two starts of its server.
greatest() {
  while read -r name field; do
    value=$(sed -n "s/^$field setting: *//p" "$1" | sort -n | tail -n 1)
    [ -z "$value" ] || echo "$name = $value"
  done << END
max_connections max_connections
max_worker_processes max_worker_processes
max_wal_senders max_wal_senders
max_prepared_transactions max_prepared_xacts
max_locks_per_transaction max_locks_per_xact
END
}

# raise_settings DIR CONTROL…: gives the server in DIR as much of each setting as the WAL was written with, by the
# pg_control of DIR and of the others.
# It stands in the node's own files, so that copies of it start too. Prints what it raised.
raise_settings() {
  directory=$1
  for data in "$@"; do control "$data"; done > /tmp/controls
  greatest /tmp/controls | while read -r name equals needed; do
    own=$(postgres -D "$directory" -C "$name" 2> /dev/null < /dev/null) || own=0
    [ "${needed:-0}" -gt "${own:-0}" ] || continue
    [ ! -f "$directory/postgresql.auto.conf" ] \
      || sed -i "/^[[:space:]]*${name}[[:space:]=]/d" "$directory/postgresql.auto.conf"
    echo "$name $equals $needed # raised by PgFlow: the WAL was written with it" >> "$directory/postgresql.conf"
    echo "$name $equals $needed"
  done
}

# shellcheck shell=sh
# prepare_standby DIR: makes a directory that has become the primary's into a standby's, without the settings $OWNED,
# which PgFlow writes elsewhere.
prepare_standby() {
  for name in $OWNED; do
    [ ! -f "$1/postgresql.auto.conf" ] || sed -i "/^[[:space:]]*${name}[[:space:]=]/d" "$1/postgresql.auto.conf"
  done
  rm -rf "$1"/pg_replslot/* "$1/postmaster.pid" "$1/recovery.signal"
  : > "$1/standby.signal"
}

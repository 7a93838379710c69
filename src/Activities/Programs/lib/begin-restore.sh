# shellcheck shell=sh
# shellcheck source=lib/unpack.sh
. "$JOB/lib/unpack.sh"
# begin_restore: puts the backup, and the WAL that can't change any more, beside the node's data.
begin_restore() {
  echo "$RUN" | cat - "$JOB/backups" > /tmp/wanted
  ! cmp -s /tmp/wanted data.partial/.begun || return 0
  rm -rf data.partial data.partial.wal
  unpack data.partial archived
  sync
  cp /tmp/wanted data.partial/.begun.new
  mv data.partial/.begun.new data.partial/.begun
}
